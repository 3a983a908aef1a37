"""In the extension one module speaks to the network, and what decides touches no browser."""

import json
import re

import pytest

from tests.house.tree import ROOT, files, javascript, name

PURE = ("extension/content/stopwatch.js", "extension/content/page.js", "shared_rules/engine.js")
NETWORK = re.compile(r"\b(fetch|XMLHttpRequest|WebSocket|WebTransport|EventSource|sendBeacon|RTCPeerConnection)\b")


def scripts():
    return [*files("extension", ".js"), *files("shared_rules", ".js")]


def test_only_the_backend_client_speaks_to_the_network():
    assert [name(file) for file in scripts() if NETWORK.search(javascript(file))] == ["extension/worker/backend.js"]


@pytest.mark.parametrize("file", PURE)
def test_what_measures_and_decides_touches_no_browser(file):
    assert not re.search(r"\b(chrome|browser)\s*(\?\.|\.|\[)", javascript(ROOT / file))


def test_no_script_runs_text_as_code():
    runs = re.compile(r"\beval\s*\(|new Function\b|\.innerHTML\b|\.outerHTML\b|insertAdjacentHTML|document\.write")
    assert [name(file) for file in scripts() if runs.search(javascript(file))] == []


def test_content_scripts_import_nothing():
    modules = re.compile(r"^\s*(import\b|export\b)|\bimport\s*\(", re.MULTILINE)
    assert [name(file) for file in files("extension/content", ".js") if modules.search(javascript(file))] == []


def test_pages_of_the_extension_hold_no_inline_script_or_style():
    inline = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=")
    assert [name(file) for file in files("extension", ".html") if inline.search(file.read_text())] == []


def test_each_permission_has_a_documented_reason():
    manifest = json.loads((ROOT / "extension/manifest.json").read_text())
    asked = [
        *manifest["permissions"],
        *manifest.get("host_permissions", []),
        *manifest.get("optional_permissions", []),
        *manifest.get("optional_host_permissions", []),
    ]
    rows = re.findall(r"^\| (`.+?`) \| ([^|]{20,}) \|", (ROOT / "docs/permissions.md").read_text(), re.MULTILINE)
    documented = [permission for names, _ in rows for permission in re.findall(r"`([^`]+)`", names)]
    assert sorted(documented) == sorted(asked)
