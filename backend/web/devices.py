"""The page of devices: one's own, everybody's for an administrator, and revoking one."""

from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.auth.roles import may
from backend.desk.devices import KeptDevice, get_device, list_devices, revoke_device
from backend.store.database import Store
from backend.web.doors import here, now_ms, opens_to
from backend.words import instant

NOTES = {
    "yes": ("ready", "✓", "You said yes. The browser has its token within some seconds, and is listed here then."),
    "no": ("hold", "✕", "You said no. That browser gets nothing."),
    "revoked": ("ready", "✓", "The device is revoked. It is told within a minute of the next activity there."),
}
"""What was just done, by a word in the address -> the notice's colour, mark and sentence."""


def add(pages: Blueprint, store: Store) -> None:
    @pages.get("/devices")
    @opens_to("see devices")
    def devices() -> str:
        user = here().user
        return render_template(
            "devices.html",
            rows=[_told(each) for each in list_devices(store, user)],
            everybody=may(user.roles, "see all devices"),
            note=NOTES.get(request.args.get("done", "")),
        )

    @pages.get("/devices/<device_id>")
    @opens_to("see devices")
    def device(device_id: str) -> str:
        """Asks whether the device is to be revoked."""
        return render_template("device.html", device=_told(get_device(store, here().user, device_id)))

    @pages.post("/devices/<device_id>")
    @opens_to("see devices")
    def revoke(device_id: str) -> Response:
        revoke_device(store, here().user, device_id, now=now_ms())
        return redirect(url_for("web.devices", done="revoked"), 303)


def _told(device: KeptDevice) -> dict[str, str | None]:
    zone = ZoneInfo(here().timezone)
    return {
        "device_id": device.device_id,
        "user_name": device.user_name,
        "name": device.name,
        "browser": device.browser or "not known: its token was pasted",
        "added": instant(device.created_at, zone),
        "seen": instant(device.seen_at, zone) if device.seen_at else "not yet",
        "revoked": instant(device.revoked_at, zone) if device.revoked_at else None,
    }
