"""The Makefile stays a list of what a person types."""

import os
import re
import subprocess

from tests.house.tree import ROOT

TARGETS = {"help", "setup", "run", "demo", "test", "soak", "check", "extension", "bench", "pictures", "rules-page"}


def recipes() -> dict[str, list[str]]:
    """Each target with its recipe's lines."""
    found: dict[str, list[str]] = {}
    for line in (ROOT / "Makefile").read_text().splitlines():
        if target := re.match(r"^([\w./-]+):(?!=)", line):
            lines = found.setdefault(target[1], [])
        elif line.startswith("\t"):
            lines.append(line)
    return found


def test_no_target_is_longer_than_five_lines():
    assert {target: len(lines) for target, lines in recipes().items() if len(lines) > 5} == {}


def test_make_alone_lists_every_target_with_what_it_does():
    person = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}  # not make inside make
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True, env=person).stdout
    listed = {line.split()[0] for line in shown.splitlines() if len(line.split()) > 2}
    assert listed == TARGETS


def test_the_readme_and_the_continuous_integration_use_the_same_commands():
    readme = (ROOT / "README.md").read_text()
    assert re.search(r"^    make run$", readme, re.MULTILINE)
    assert re.search(r"^    make test$", readme, re.MULTILINE)
    assert (ROOT / ".ci/run").read_text().rstrip().endswith("make test")


def test_a_machine_without_the_browser_says_what_to_install_and_fails(tmp_path):
    somebody = tmp_path / "id"
    somebody.write_text("#!/bin/sh\necho 1000\n")
    somebody.chmod(0o755)
    run = subprocess.run(
        ["/bin/sh", "tests/machine"], cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert run.returncode == 1
    assert "sudo apt-get install chromium chromium-driver firefox-esr xvfb openbox xdotool" in run.stderr
