"""The same package in a real Firefox, installed by policy with the texts of docs/deploying.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import Desktop, until
from tests.firefox import Firefox
from tests.portals.conftest import medplum  # noqa: F401  (a fixture)
from tests.server import Server
from tests.story.clinician import HOST, SELECTED, THREADS
from tests.story.deployment import intranet, package, policy

pytestmark = pytest.mark.browser


@pytest.fixture
def portal(medplum: int) -> str:  # noqa: F811
    return f"http://{HOST}:{medplum}"


@pytest.fixture
def firefox(server: Server, portal: str, tmp_path: Path) -> Iterator[Firefox]:
    """A browser in which a policy has installed and set up the extension."""
    folder = tmp_path / "practice"
    folder.mkdir()
    package(folder, f"http://{HOST}/*", "http://127.0.0.1/*")
    with intranet(folder) as address:
        names = {
            "https://intranet.example/threadtime": address,
            "https://threadtime.example": server.url,
            "https://portal.example": portal,
        }
        policies = policy('"install_url"', names)
        policies["policies"].update(policy('"xpinstall.signatures.required"', names)["policies"])
        file = folder / "etc/policies/policies.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(policies))
        with Desktop() as desktop, Firefox(desktop, tmp_path, managed=folder / "etc") as firefox:
            yield firefox


def options(firefox: Firefox) -> None:
    """Shows the options of the extension, once it is installed."""
    firefox.go(firefox.options())
    until(lambda: firefox.run("return document.documentElement.dataset.shown"), what="the options")


def work_on_a_thread(firefox: Firefox, portal: str) -> None:
    """Reads thread A for eight seconds, then opens B."""
    firefox.go(f"{portal}/Communication/{THREADS['A']}")
    until(lambda: firefox.run("return document.querySelector(arguments[0])?.href", SELECTED), what="the thread")
    firefox.read(8)
    firefox.click(f'a[href*="/Communication/{THREADS["B"]}"]')


def test_a_policy_installs_and_locks_it_and_a_threads_time_arrives_at_the_server(
    firefox: Firefox, server: Server, portal: str
):
    def practice() -> str:
        options(firefox)
        return str(firefox.run("const it = document.getElementById('practice'); return it.hidden ? '' : it.innerText"))

    words = until(practice, what="what the practice has set")
    assert "cannot be changed" in words
    assert portal in words
    assert "✓ This browser allows access" in words
    assert firefox.run("return document.getElementById('server').value") == server.url
    assert firefox.run("return document.getElementById('server').readOnly")

    firefox.type("#token", server.token)
    firefox.click("#save")
    until(lambda: firefox.run("return document.getElementById('answer').textContent") == "✓ Saved.", what="saved")
    work_on_a_thread(firefox, portal)
    rows = until(server.stored, seconds=60, what="the interval at the server")
    assert {row["thread"] for row in rows} == {THREADS["A"]}
    assert {row["idle_after_seconds"] for row in rows} == {60}
    seconds = sum(row["ended_at"] - row["started_at"] for row in rows) / 1000
    assert 5 <= seconds <= 12


def test_without_a_policy_a_click_on_save_asks_for_the_hosts_and_the_portal_is_timed(
    server: Server, portal: str, tmp_path: Path
):
    extension = package(tmp_path)
    with Desktop() as desktop, Firefox(desktop, tmp_path) as firefox:
        firefox.run_in_browser("Services.prefs.setBoolPref('extensions.webextOptionalPermissionPrompts', false)")
        firefox.ask("Addon:Install", path=str(extension), temporary=True)
        options(firefox)
        assert firefox.run("return document.getElementById('practice').hidden")
        assert "is asked for when you save" in firefox.run("return document.querySelector('.access').textContent")
        for field, text in {"#server": server.url, "#token": server.token, "#portal-1-address": portal}.items():
            firefox.type(field, text)
        firefox.click("#save")
        until(lambda: firefox.run("return document.getElementById('answer').dataset.outcome") == "done", what="saved")
        assert "✓" in firefox.run("return document.querySelector('.access').textContent")
        work_on_a_thread(firefox, portal)
        rows = until(server.stored, seconds=60, what="the interval at the server")
        assert {row["thread"] for row in rows} == {THREADS["A"]}
