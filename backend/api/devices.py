"""Which device a request comes from."""

import time

from flask import Request

from backend.desk.devices import Device, device_of, is_revoked
from backend.errors import NotSignedIn
from backend.store.database import Store
from backend.store.wall import stay_within


def device_of_request(store: Store, request: Request) -> Device:
    """The device whose token stands in `Authorization: Bearer`. NotSignedIn without one that the server knows."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotSignedIn("The request must carry a device token: Authorization: Bearer TOKEN.")
    device = device_of(store, token.strip(), seen_at=time.time_ns() // 1_000_000)
    if device is None and is_revoked(store, token.strip()):
        raise NotSignedIn("This device was revoked; pair it again.", code="revoked")
    if device is None:
        raise NotSignedIn("The server does not know this device token; pair the device again.")
    stay_within(device.practice_id)
    return device
