"""Real Chromium on a screen of its own: visibility, focus, pointer and keyboard are what a person's would be.

    with Desktop() as desktop, Chromium(desktop, profile, extension=folder, hosts={"portal.example": 4321}) as chromium:
        chromium.driver.get("http://portal.example/")

Headless Chromium never blurs, so the browser runs headed on Xvfb under a window manager.
Everything started here is a process group of its own that ends with the `with` block.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar

import psutil
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

T = TypeVar("T")

SCREEN = (1400, 1000)
WINDOW = (1300, 900)

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-search-engine-choice-screen",
    "--password-store=basic",
    "--window-position=0,0",
    f"--window-size={WINDOW[0]},{WINDOW[1]}",
)


def until(condition: Callable[[], T], *, seconds: float = 60, what: str = "") -> T:
    """The first truthy value of `condition`; an AssertionError naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what or condition}")
        time.sleep(0.02)
    return value


def start_group(command: list[str], **keywords: Any) -> subprocess.Popen[bytes]:
    """Starts `command` as the leader of a process group (and session) of its own."""
    return subprocess.Popen(command, start_new_session=True, **keywords)


def end_group(process: subprocess.Popen[bytes], sign: signal.Signals = signal.SIGKILL) -> None:
    """Ends every process of the group that `process` leads, and waits for its leader."""
    with suppress(ProcessLookupError):  # the whole group may have ended already
        os.killpg(process.pid, sign)
    process.wait(timeout=20)


def seeing(folder: Path, place: str, program: str) -> Path:
    """A program that finds `folder` at `place`, where every other one finds what was there. At most
    an empty folder is left behind.

    Needs root: without it the program says so and ends at once, and the test fails.
    """
    script = folder.with_name(f"{folder.name}-{Path(program).name}")
    inside = f'mkdir -p {place}; mount --bind "$0" {place}; exec {program} "$@"'
    script.write_text(f"#!/bin/sh\nexec unshare --mount sh -ec '{inside}' {folder} \"$@\"\n")
    script.chmod(0o755)
    return script


class Desktop(AbstractContextManager["Desktop"]):
    """An X screen with a window manager, so that exactly one window has the focus."""

    def __init__(self, size: tuple[int, int] = SCREEN) -> None:
        self.size = size

    def __enter__(self) -> Self:
        read_end, write_end = os.pipe()
        width, height = self.size
        self.server = start_group(
            ["Xvfb", "-displayfd", str(write_end), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"],
            pass_fds=[write_end],
            stderr=subprocess.DEVNULL,
        )
        os.close(write_end)
        with os.fdopen(read_end) as chosen:
            number = chosen.readline().strip()
        if not number:
            end_group(self.server)
            raise RuntimeError("Xvfb did not start")
        self.environment = {**os.environ, "DISPLAY": f":{number}"}
        self.manager = start_group(
            ["openbox", "--sm-disable"], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        # A pointer over a window gives it moves that nobody made: it rests in the free corner.
        self.xdotool("mousemove", str(width - 1), str(height - 1))
        return self

    def __exit__(self, *_: object) -> None:
        end_group(self.manager)
        end_group(self.server)

    def xdotool(self, *words: str) -> str:
        """Runs one xdotool command on this screen and returns what it printed."""
        done = subprocess.run(
            ["xdotool", *words], env=self.environment, check=True, capture_output=True, text=True, timeout=20
        )
        return done.stdout.strip()

    def press(self, keys: str) -> None:
        """Presses a key combination such as `ctrl+2` in the window that has the focus."""
        self.xdotool("key", "--clearmodifiers", keys)


class Chromium(AbstractContextManager["Chromium"]):
    """A browser with one unpacked extension, whose network is the given hosts and loopback alone.

    `hosts` maps host names to loopback ports. `profile` is a folder that may hold an earlier run's profile. `managed`
    is a folder that this browser finds as /etc/chromium: a practice's policies, which may install extensions. `flags`
    are more of the browser's own command line.
    """

    def __init__(
        self,
        desktop: Desktop,
        profile: Path,
        *,
        extension: Path | None,
        hosts: Mapping[str, int],
        managed: Path | None = None,
        flags: Sequence[str] = (),
    ) -> None:
        self.flags = flags
        self.desktop = desktop
        self.profile = profile
        self.extension = extension
        self.hosts = hosts
        self.managed = managed

    def __enter__(self) -> Self:
        self.service = Service(
            "/usr/bin/chromedriver",
            env=self.desktop.environment,
            popen_kw={"start_new_session": True},
        )
        self.driver = webdriver.Chrome(options=self._options(), service=self.service)
        self.driver.set_page_load_timeout(60)
        return self

    def __exit__(self, *_: object) -> None:
        leader = psutil.Process(self.service.process.pid)
        members = [leader, *leader.children(recursive=True)]
        try:
            self.driver.quit()
        finally:
            for member in members:
                with suppress(psutil.NoSuchProcess):  # most end with the browser
                    member.kill()
            _, alive = psutil.wait_procs(members, timeout=20)
            assert not alive, f"the browser left {alive}"

    def _options(self) -> webdriver.ChromeOptions:
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        maps = [f"MAP {host} 127.0.0.1:{port}" for host, port in self.hosts.items()]
        rules = ", ".join([*maps, "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"])
        flags = [*CHROMIUM_FLAGS, f"--user-data-dir={self.profile}", f"--host-resolver-rules={rules}"]
        if self.extension is not None:
            flags += [f"--disable-extensions-except={self.extension}", f"--load-extension={self.extension}"]
        if self.managed is not None:
            options.binary_location = str(seeing(self.managed, "/etc/chromium", "/usr/bin/chromium"))
            updates = "disable-background-networking"  # it would fetch no extension either
            flags.remove(f"--{updates}")
            options.add_experimental_option("excludeSwitches", [updates])
        for flag in [*flags, *self.flags]:
            options.add_argument(flag)
        return options

    # What the browser says about itself.

    def protocol(self, method: str, **parameters: Any) -> Any:
        """One DevTools command on the current tab's session."""
        return self.driver.execute_cdp_cmd(method, parameters)

    def targets(self, kind: str) -> list[dict[str, Any]]:
        """What runs now: every target of a kind such as `page` or `service_worker`."""
        return [one for one in self.protocol("Target.getTargets")["targetInfos"] if one["type"] == kind]

    def workers(self) -> list[str]:
        """The target ids of the extension's running service workers; a new start has a new id."""
        return [one["targetId"] for one in self.targets("service_worker") if one["url"].startswith("chrome-extension:")]

    def kill_worker(self) -> None:
        """Stops the extension's service worker as the browser does, and returns once it is dead."""
        before = self.workers()
        assert before, "no service worker runs"

        def dead() -> bool:
            if not set(before) & set(self.workers()):
                return True
            self.protocol("ServiceWorker.enable")
            self.protocol("ServiceWorker.stopAllWorkers")  # passes over one that is only starting: hence again
            self.protocol("ServiceWorker.disable")  # while it is enabled, no event wakes a worker that was stopped
            return False

        until(dead, what="the service worker's death")

    # Tabs and windows, as a person changes them.

    def press(self, keys: str) -> None:
        """Presses a key combination such as `ctrl+t` in the window in front."""
        self.desktop.press(keys)

    def sight(self) -> tuple[str, bool]:
        """What the driver's tab knows of itself: ("visible" or "hidden", whether it has the focus)."""
        visibility, focus = self.driver.execute_script("return [document.visibilityState, document.hasFocus()]")
        return visibility, focus
