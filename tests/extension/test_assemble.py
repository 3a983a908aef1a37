"""What is assembled is what is in the repository, and what a browser may be asked to trust."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "extension"


def assemble(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXTENSION / "assemble.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert assemble("--out", tmp_path / "extension").returncode == 0
    return tmp_path / "extension"


def test_every_shipped_file_is_the_repositorys_byte_for_byte(folder: Path):
    shipped = [path for path in folder.rglob("*") if path.is_file()]
    assert shipped
    for path in shipped:
        name = path.relative_to(folder)
        source = ROOT / name if name.parts[0] in ("shared_rules", "LICENSE") else EXTENSION / name
        assert path.read_bytes() == source.read_bytes(), name


def test_nothing_that_only_checks_is_shipped(folder: Path):
    suffixes = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert suffixes <= {".js", ".json", ".html", ".css", ".png", ""}
    assert not list(folder.rglob("tsconfig.json"))


def test_the_zip_is_the_same_bytes_from_any_folder(tmp_path: Path):
    for name in ("one", "two"):
        assert assemble("--out", tmp_path / name / "extension", "--zip", tmp_path / f"{name}.zip").returncode == 0
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist() == sorted(archive.namelist())
        assert "manifest.json" in archive.namelist()


def test_a_granted_host_changes_the_manifest_of_the_copy_alone(tmp_path: Path, folder: Path):
    granted = tmp_path / "granted"
    assert assemble("--out", granted, "--grant", "http://127.0.0.1/*").returncode == 0
    manifest = json.loads((granted / "manifest.json").read_text())
    assert manifest.pop("host_permissions") == ["http://127.0.0.1/*"]
    assert manifest == json.loads((folder / "manifest.json").read_text())


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path):
    (tmp_path / "letter.txt").write_text("dear")
    answer = assemble("--out", tmp_path)
    assert answer.returncode == 1
    assert "name another folder" in answer.stderr
    assert (tmp_path / "letter.txt").read_text() == "dear"


def test_no_host_is_asked_for_at_install_and_none_is_all_sites(folder: Path):
    manifest = json.loads((folder / "manifest.json").read_text())
    assert "host_permissions" not in manifest
    assert "content_scripts" not in manifest
    assert "<all_urls>" not in json.dumps(manifest)
    assert sorted(manifest["permissions"]) == ["alarms", "idle", "scripting", "storage", "webNavigation"]
    documented = (ROOT / "docs/permissions.md").read_text()
    for permission in [*manifest["permissions"], *manifest["optional_host_permissions"]]:
        assert f"`{permission}`" in documented, permission


def test_what_runs_in_a_portals_pages_is_small(folder: Path):
    scripts = b"".join(path.read_bytes() for path in sorted((folder / "content").glob("*.js")))
    assert len(gzip.compress(scripts)) <= 24 * 1024


def test_one_manifest_serves_both_browsers(folder: Path):
    manifest = json.loads((folder / "manifest.json").read_text())
    background = manifest["background"]
    assert background == {"service_worker": "worker/main.js", "scripts": ["worker/main.js"], "type": "module"}
    assert int(manifest["minimum_chrome_version"]) >= 121, (
        "earlier ones refuse a manifest with both kinds of background"
    )
    gecko = manifest["browser_specific_settings"]["gecko"]
    assert gecko["id"]
    assert float(gecko["strict_min_version"]) >= 140, "earlier ones do not show data_collection_permissions"
    assert gecko["data_collection_permissions"] == {"required": ["healthInfo"]}


def test_each_setting_of_a_policy_is_declared_and_documented(folder: Path):
    """Chromium gives an extension the declared settings alone, and drops a value of another type without a word."""
    manifest = json.loads((folder / "manifest.json").read_text())
    declared = json.loads((folder / manifest["storage"]["managed_schema"]).read_text())["properties"]
    page = (ROOT / "docs/deploying.md").read_text()
    assert set(declared) == {"server", "portals", "idle_after_seconds", "lock"}
    names = [*declared, *declared["portals"]["items"]["properties"]]
    assert [name for name in names if f"`{name}`" not in page] == []
