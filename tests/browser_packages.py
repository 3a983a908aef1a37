"""Sees that Debian's Chromium, its driver, a screen and a window manager are here; installs them where it may."""

import os
import shutil
import subprocess
import sys

COMMANDS = {"chromium": "chromium", "chromedriver": "chromium-driver", "Xvfb": "xvfb", "openbox": "openbox"}


def missing() -> list[str]:
    return [package for command, package in COMMANDS.items() if not shutil.which(command)]


if needed := missing():
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment)
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *needed], check=True, env=environment
        )
    if needed := missing():
        sys.exit(f"The browser tests need these Debian packages: sudo apt-get install {' '.join(needed)}")
