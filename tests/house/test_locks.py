"""What is installed is said by locks that name each file by its hash, and no address to fetch it from."""

import json
import re

import pytest

from tests.house.tree import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")
PIN = re.compile(r"^([A-Za-z0-9._-]+)(\[[a-z,]+\])?==([^ ;\\]+)")


def packages(lock: str) -> dict[str, str]:
    """Each pinned package with all the text that belongs to it."""
    entries = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / lock).read_text())
    found = {}
    for entry in entries:
        if pin := PIN.match(entry):
            found[f"{pin[1]}=={pin[3]}"] = entry
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_python_package_is_pinned_by_hash(lock):
    lines = [line for line in (ROOT / lock).read_text().splitlines() if line and line[0] not in " #\t"]
    assert lines
    assert [line for line in lines if not PIN.match(line)] == []
    assert [package for package, text in packages(lock).items() if "--hash=sha256:" not in text] == []


@pytest.mark.parametrize("lock", [*LOCKS, "tests/package-lock.json", "tests/.npmrc", "pyproject.toml", "Makefile"])
def test_no_lock_or_setting_names_a_registry(lock):
    text = (ROOT / lock).read_text()
    assert not re.search(r"index-url|find-links|trusted-host|^\s*registry\s*=|\"resolved\"", text, re.MULTILINE)


def test_development_runs_on_the_same_packages_as_the_server():
    assert packages("requirements.lock").keys() <= packages("requirements-dev.lock").keys()


def test_every_npm_package_is_pinned_by_hash():
    lock = json.loads((ROOT / "tests/package-lock.json").read_text())
    without = [path for path, package in lock["packages"].items() if path and "integrity" not in package]
    assert without == []


def test_npm_packages_are_named_with_one_exact_version():
    asked = json.loads((ROOT / "tests/package.json").read_text())["devDependencies"]
    assert [package for package, version in asked.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


def test_every_dependency_of_the_project_is_in_the_lock():
    project = (ROOT / "pyproject.toml").read_text()
    asked = re.search(r"^dependencies = \[(.*?)^\]", project, re.MULTILINE | re.DOTALL)[1]
    names = set(re.findall(r'"([a-z0-9-]+)', asked))
    assert names
    assert names <= {package.partition("==")[0] for package in packages("requirements.lock")}
