"""What devices sent comes out of the commands, beside a running server."""

import csv
import io
import json
import subprocess
import time
import uuid

import requests

from tests.cli.conftest import ROOT

MINUTE = 60_000


def uuid7():
    text = f"{time.time_ns() // 1_000_000:012x}7{uuid.uuid4().hex[1:4]}8{uuid.uuid4().hex[:15]}"
    return str(uuid.UUID(text))


def interval(started_at, minutes, **fields):
    return {
        "id": uuid7(),
        "portal": "medplum",
        "thread": "thr-1",
        "patient": "123",
        "activity": "communicate_online",
        "started_at": started_at,
        "ended_at": started_at + minutes * MINUTE,
        "ended_by": "hidden",
        "idle_after_seconds": 60,
        **fields,
    }


def send(address, token, rows):
    answer = requests.post(
        f"{address}/api/v1/intervals",
        json={"sent_at": time.time_ns() // 1_000_000, "intervals": rows},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def two_hours_ago():
    return (time.time_ns() // 1_000_000_000 - 7200) * 1000


ALL_TIME = ("--from", "2000-01-01", "--to", "2099-12-31")


def test_the_report_says_per_thread_what_was_sent(home):
    token = home.set_up()
    begun = two_hours_ago()
    rows = [interval(begun, 5), interval(begun + 5 * MINUTE, 4), interval(begun + 7 * MINUTE, 4, thread="thr-2")]
    assert len(send(home.serve(), token, rows)["accepted"]) == 3

    [episode] = json.loads(home.done("report", *ALL_TIME, "--format", "json"))
    assert episode["patient"] == "123"
    assert episode["counted_seconds"] == 11 * 60
    assert {one["thread"]: one["seconds"] for one in episode["threads"]} == {"thr-1": 540, "thr-2": 120}
    assert [one["seconds"] for one in episode["clinicians"]] == [660]
    assert (episode["status"], episode["code"]) == ("hold", None)

    [line] = csv.DictReader(io.StringIO(home.done("report", *ALL_TIME).removeprefix("\ufeff")))
    assert line["episode_id"] == episode["episode_id"]
    assert line["counted_seconds"] == "660"


def test_a_batch_sent_twice_changes_no_report(home):
    token = home.set_up()
    address, rows = home.serve(), [interval(two_hours_ago(), 5)]
    assert send(address, token, rows)["accepted"] == [rows[0]["id"]]
    before = home.done("report", *ALL_TIME, "--format", "json")
    assert send(address, token, rows)["duplicate"] == [rows[0]["id"]]
    assert home.done("report", *ALL_TIME, "--format", "json") == before


def test_a_report_goes_into_a_file_and_holds_what_goes_to_standard_output(home, tmp_path):
    token = home.set_up()
    send(home.serve(), token, [interval(two_hours_ago(), 5)])
    for form in ("csv", "json"):
        file = tmp_path / f"report.{form}"
        assert home.done("report", *ALL_TIME, "--format", form, "--out", str(file)) == ""
        shown = home.run("report", *ALL_TIME, "--format", form).stdout
        assert file.read_bytes() == shown
        assert shown


def test_a_report_as_of_an_earlier_instant_is_decided_as_of_then(home):
    token = home.set_up()
    send(home.serve(), token, [interval(two_hours_ago(), 5)])
    [now] = json.loads(home.done("report", *ALL_TIME, "--format", "json"))
    [later] = json.loads(home.done("report", *ALL_TIME, "--format", "json", "--as-of", "2099-01-01T00:00:00-05:00"))
    assert now["episode_id"] == later["episode_id"]
    assert now["hold_until"] is not None
    assert later["hold_until"] is None


def test_days_before_and_after_the_window_give_an_empty_report(home):
    token = home.set_up()
    send(home.serve(), token, [interval(two_hours_ago(), 5)])
    assert json.loads(home.done("report", "--from", "2000-01-01", "--to", "2001-01-01", "--format", "json")) == []


def test_export_gives_every_interval_with_the_fields_it_came_with(home):
    token = home.set_up()
    rows = [interval(two_hours_ago(), 5), interval(two_hours_ago() + 6 * MINUTE, 1, patient=None, tab="a1b2")]
    send(home.serve(), token, rows)
    exported = {row["id"]: row for row in map(json.loads, home.done("export", "intervals").splitlines())}
    assert exported.keys() == {row["id"] for row in rows}
    for row in rows:
        assert row.items() <= exported[row["id"]].items()


def test_verify_finds_nothing_in_a_sound_folder(home):
    token = home.set_up()
    send(home.serve(), token, [interval(two_hours_ago(), 5)])
    assert home.done("verify") == "No problem found.\n"


def test_verify_finds_a_page_that_was_changed(home):
    home.set_up()
    database = home.data / "threadtime.db"
    content = bytearray(database.read_bytes())
    content[len(content) // 2] ^= 1
    database.write_bytes(content)
    run = home.run("verify")
    assert run.returncode == 1
    assert b"Traceback" not in run.stderr
    assert b"defect" not in run.stderr


def test_a_reader_that_has_enough_ends_the_export_without_a_word(home):
    token = home.set_up()
    begun = two_hours_ago()
    address = home.serve()
    for start in range(0, 2000, 250):
        send(address, token, [interval(begun + at, 1, ended_at=begun + at + 1) for at in range(start, start + 250)])
    export = subprocess.Popen(
        home.line("export", "intervals"), cwd=ROOT, env=home.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert json.loads(export.stdout.readline())
    export.stdout.close()
    assert export.stderr.read() == b""
    export.stderr.close()
    export.wait(timeout=60)
