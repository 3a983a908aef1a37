"""`make run`: sets up once, assembles the extension, and says how to begin."""

import gc
import time

import requests

from backend.console import loading
from backend.first_run import EXTENSION
from tests.browser import end_group

WITHIN_SECONDS = 2
TRIES = 5


def test_the_first_run_sets_up_and_prints_all_that_is_needed(home):
    address = home.serve(command="start")
    printed = home.log()
    assert "password: " in printed
    assert f"server address   {address}" in printed
    assert "device add --clinician EMAIL" in printed
    assert f"signs in on {address}/pair" in printed
    assert requests.get(f"{address}/pair", timeout=5).url.startswith(f"{address}/sign-in")
    assert "key: medplum" in printed
    assert str(EXTENSION) in printed
    assert (EXTENSION / "manifest.json").is_file()
    assert len(home.key_files()) == 1


def test_a_later_run_asks_nothing_and_creates_nothing(home):
    home.serve(command="start")
    home.stop()
    home.serve(command="start")
    assert "password" not in home.log()
    assert "Threadtime serves on" in home.log()
    assert len(home.key_files()) == 1


def test_a_later_run_serves_within_two_seconds(home):
    """The best of some tries: the machine may be busy with something else, the program must not be."""
    home.done("init")
    took = []
    for _ in range(TRIES):
        begun = time.monotonic()
        address = home.serve(command="start")
        took.append(time.monotonic() - begun)
        assert requests.get(f"{address}/readyz", timeout=5).status_code == 200
        end_group(home.servers[-1])
        if took[-1] < WITHIN_SECONDS:
            break
    assert min(took) < WITHIN_SECONDS


def test_a_first_run_that_was_ended_half_way_is_taken_up_again(home):
    home.refused("init", "--timezone", "Mars/Olympus")
    assert home.data.exists()
    home.serve(command="start")
    assert "Sign in as" in home.log()


def test_while_the_server_is_loaded_no_garbage_is_looked_for_and_what_is_loaded_never_is_later():
    frozen = gc.get_freeze_count()
    try:
        with loading():
            assert not gc.isenabled()
        assert gc.isenabled()
        assert gc.get_freeze_count() > frozen
    finally:
        gc.unfreeze()
