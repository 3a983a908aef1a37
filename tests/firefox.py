"""Real Firefox on a screen of its own, driven by its own Marionette protocol: Debian has no driver for it.

with Desktop() as desktop, Firefox(desktop, folder, managed=policies) as firefox:
    firefox.go("http://portal.localhost:4321/")
"""

from __future__ import annotations

import json
import socket
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self

from tests.browser import Desktop, end_group, seeing, start_group, until

MANIFEST = json.loads((Path(__file__).parents[1] / "extension/manifest.json").read_text())
ID = MANIFEST["browser_specific_settings"]["gecko"]["id"]
PREFERENCES = {
    "marionette.port": 0,
    "browser.shell.checkDefaultBrowser": False,
    "browser.aboutwelcome.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.normandy.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}


class Firefox(AbstractContextManager["Firefox"]):
    """A browser with a new profile in `folder`; `managed` is a folder that it finds as /etc/firefox."""

    def __init__(self, desktop: Desktop, folder: Path, *, managed: Path | None = None) -> None:
        self.desktop = desktop
        self.profile = folder / "firefox"
        program = "/usr/bin/firefox-esr"
        self.program = program if managed is None else str(seeing(managed, "/etc/firefox", program))
        self.asked = 0

    def __enter__(self) -> Self:
        self.profile.mkdir()
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
        (self.profile / "user.js").write_text("\n".join(lines))
        command = [self.program, "--marionette", "--remote-allow-system-access", "--no-remote", "--new-instance"]
        self.log = (self.profile / "log").open("wb")
        self.process = start_group(
            [*command, "--profile", str(self.profile)],
            env=self.desktop.environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        try:
            port = int(until(self._port, seconds=60, what="Firefox ready"))
            self.connection = socket.create_connection(("127.0.0.1", port), timeout=60)
            self.stream = self.connection.makefile("rb")
            self._receive()  # its greeting
            self.ask("WebDriver:NewSession", capabilities={})
        except BaseException:
            end_group(self.process)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()
        self.connection.close()
        end_group(self.process)
        self.log.close()

    def _port(self) -> str:
        assert self.process.poll() is None, f"Firefox ended: {(self.profile / 'log').read_text()}"
        file = self.profile / "MarionetteActivePort"
        return file.read_text().strip() if file.exists() else ""

    def _receive(self) -> Any:
        length = b""
        while (digit := self.stream.read(1)) != b":":
            assert digit, "Firefox hung up"
            length += digit
        return json.loads(self.stream.read(int(length)))

    def ask(self, command: str, **parameters: Any) -> Any:
        """One command of the protocol; returns its result, or fails with the browser's own words."""
        self.asked += 1
        text = json.dumps([0, self.asked, command, parameters]).encode()
        self.connection.sendall(str(len(text)).encode() + b":" + text)
        _, number, error, result = self._receive()
        assert number == self.asked
        assert error is None, f"{command}: {error}"
        return result

    def go(self, url: str) -> None:
        """Loads a page in the window."""
        self.ask("WebDriver:Navigate", url=url)

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script in the page returns; a promise is awaited."""
        return self.ask("WebDriver:ExecuteScript", script=script, args=list(arguments))["value"]

    def run_in_browser(self, script: str, *arguments: Any) -> Any:
        """What a script with the browser's own rights returns."""
        self.ask("Marionette:SetContext", value="chrome")
        try:
            return self.run(script, *arguments)
        finally:
            self.ask("Marionette:SetContext", value="content")

    def options(self) -> str:
        """The address of the extension's options page, once it is installed."""
        host = "return WebExtensionPolicy.getByID(arguments[0])?.mozExtensionHostname ?? null"
        name = until(lambda: self.run_in_browser(host, ID), seconds=60, what="the extension installed")
        return f"moz-extension://{name}/options/options.html"

    def find(self, selector: str) -> str:
        """The handle of the element that is there, or will be soon."""
        found = self.ask("WebDriver:FindElement", using="css selector", value=selector)
        return str(next(iter(found["value"].values())))

    def open_window(self) -> None:
        """Opens another window, and drives that one from now on."""
        opened = self.ask("WebDriver:NewWindow", type="window", focus=True)
        self.drive(opened["handle"])

    def drive(self, handle: str) -> None:
        """Drives another window, and changes nothing of which is in front."""
        self.ask("WebDriver:SwitchToWindow", handle=handle, focus=False)

    @property
    def handle(self) -> str:
        """The window that is driven."""
        return str(self.ask("WebDriver:GetWindowHandle")["value"])

    def type(self, selector: str, text: str) -> None:
        """Types into a field, as a person does."""
        self.ask("WebDriver:ElementSendKeys", id=self.find(selector), text=text)

    def click(self, selector: str) -> None:
        """Clicks on an element."""
        self.ask("WebDriver:ElementClick", id=self.find(selector))

    def read(self, seconds: int) -> None:
        """Moves the pointer over the page once a second, for so long."""
        moves = [
            step
            for second in range(seconds)
            for step in (
                {"type": "pointerMove", "duration": 100, "x": 400 + 20 * (second % 5), "y": 300, "origin": "viewport"},
                {"type": "pause", "duration": 900},
            )
        ]
        self.ask("WebDriver:PerformActions", actions=[{"type": "pointer", "id": "hand", "actions": moves}])
