"""A practice's month through its own doors: whatever the order, the stored episodes say what `evaluate` says."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from backend.desk.episodes import approve
from backend.store.database import open_folder
from tests.server import Server, now
from tests.story.month import AS_OF, PEOPLE, READ_AT, Month

BATCH = 50
Episode = tuple[str, ...]
"""(the patient, the family)."""


@pytest.fixture
def riverside(server: Server) -> Server:
    """A running practice with the people of the month, each with a device."""
    for type_, specialty in PEOPLE.items():
        role = "staff" if type_ == "RN" else "clinician"
        server.add_user(f"{type_.lower()}@practice.example", role, "--credential", type_, "--specialty", specialty)
    return server


def people_of(server: Server) -> dict[str, str]:
    """Credential -> user id."""
    found = {row["email"]: row["user_id"] for row in server.query("SELECT email, user_id FROM user")}
    return {type_: found[f"{type_.lower()}@practice.example"] for type_ in PEOPLE}


def evaluated(cases: dict[str, dict[str, Any]]) -> dict[Episode, dict[str, Any]]:
    """What `evaluate` prints of each case for each family."""
    given = [
        {"id": f"{patient} {family}", "facts": {**facts, "evaluate_family": family}}
        for patient, facts in cases.items()
        for family in ("em", "nonphysician")
    ]
    command = [sys.executable, "-m", "backend", "evaluate", "-"]
    text = json.dumps({"cases": given})
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=120)
    return {tuple(answer.pop("id").split()): answer for answer in map(json.loads, done.stdout.splitlines())}


def with_drafts(month: Month, dice: Random) -> dict[Episode, dict[str, Any]]:
    """Adds drafts to some claims, whose date of service the work decides; returns what `evaluate` says then."""
    days: dict[str, list[str]] = {}
    for (patient, _), answer in evaluated(month.cases).items():
        days.setdefault(patient, []).extend([answer["date_of_service"]] if answer["date_of_service"] else [])
    for patient, (day, *others) in ((patient, found) for patient, found in days.items() if found):
        if dice.random() < 0.4 and not others:
            draft = {"pos": dice.choice(("11", "11", "11", "02")), "modifiers": ["GP"]}
            month.draft(patient, day, draft)
    return evaluated(month.cases)


def import_csv(server: Server, folder: Path, kind: str, rows: list[dict[str, Any]]) -> str:
    """Imports rows as a file; returns the line that says what became of them."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    path = folder / f"{kind}.csv"
    path.write_text(text.getvalue())
    return server.command("import", "csv", kind, str(path)).strip().splitlines()[-1]


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(value) if isinstance(value, list) else str(value)


def differences(row: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """field -> (stored, evaluated) where they differ; `changes` tell what was said before."""
    return {name: (row[name], answer[name]) for name in answer if name != "changes" and row[name] != answer[name]}


def report(server: Server, *more: str) -> list[dict[str, Any]]:
    return json.loads(server.command("report", "--from", "2026-01-01", "--to", "2026-12-31", "--format", "json", *more))


@pytest.mark.parametrize("order", [1, 2])
def test_in_any_order_and_twice_it_ends_as_evaluate_says(riverside: Server, tmp_path: Path, order: int) -> None:
    people, dice = people_of(riverside), Random(order)
    month = Month(9, people)
    expected = with_drafts(month, Random(3))
    tokens = {type_: riverside.add_device(f"{type_.lower()}@practice.example") for type_ in PEOPLE}
    for round_ in ("new", "known"):
        deliveries: list[tuple[str, str, list[dict[str, Any]]]] = []
        for kind, rows in month.files.items():
            deliveries.append(("file", kind, dice.sample(rows, len(rows))))
        for type_, rows in month.rows.items():
            mixed = dice.sample(rows, len(rows))
            deliveries += [("device", type_, mixed[at : at + BATCH]) for at in range(0, len(mixed), BATCH)]
        dice.shuffle(deliveries)
        for door, name, rows in deliveries:
            if door == "file":
                said = import_csv(riverside, tmp_path, name, rows)
                if name == "attested_time" and round_ == "new":  # a reading that came before says it already
                    assert said.endswith(" 0 refused"), said
                else:
                    assert f"{len(rows)} {round_}" in said, said
            else:
                answer = riverside.post(*rows, token=tokens[name]).json()
                assert len(answer["accepted" if round_ == "new" else "duplicate"]) == len(rows), answer
    stored = report(riverside, "--as-of", AS_OF)
    found = set()
    for row in stored:
        # Without a family: work on a message that is left out, while nobody has reviewed the one that is not.
        families = [row["family"]] if row["family"] else ["em", "nonphysician"]
        differs = {family: differences(row, expected[row["patient"], family]) for family in families}
        assert {} in differs.values(), (differs, month.cases[row["patient"]])
        found.add((row["patient"], row["family"]))
    assert found >= {episode for episode, answer in expected.items() if answer["window_start"]}
    assert len(found) == len(stored) == len(report(riverside)), "a patient has two episodes of a family"
    statuses = [row["status"] for row in stored]
    assert {status: statuses.count(status) > 3 for status in statuses} == dict.fromkeys(
        ("reportable", "not_reportable", "hold"), True
    )
    assert riverside.command("verify").strip() == "No problem found."


def test_a_visit_that_is_imported_late_turns_an_open_episode_round_and_flags_an_approved_one(
    riverside: Server, tmp_path: Path
) -> None:
    token = riverside.add_device("md@practice.example")
    for number in (1, 2):
        started = 1775480400000 + number * 3_600_000  # 6 April 2026 in New York, 10:00 and 11:00
        riverside_row = {
            "portal": "medplum",
            "thread": f"t{number}",
            "patient": f"p{number}",
            "activity": "review_inquiry",
            "ended_by": "hidden",
            "idle_after_seconds": 60,
        }
        rows = [
            {
                **riverside_row,
                "id": f"019d62e5-7c6{number}-7aaa-8c1d-3f2b5e6d7a9{part}",
                "started_at": at,
                "ended_at": at + 240_000,
            }
            for part, at in enumerate((started, started + 300_000))
        ]
        assert len(riverside.post(*rows, token=token).json()["accepted"]) == 2
        asked = {"at": "2026-04-06T07:30:00-04:00", "initiated_by": "patient", "channel": "portal", "evaluative": True}
        import_csv(riverside, tmp_path, "inquiries", [{"thread": f"t{number}", **asked}])
        about = {"patient": f"p{number}"}
        import_csv(riverside, tmp_path, "coverage", [{**about, "type": "commercial", "covers": True}])
        seen = {"date": "2025-09-18", "specialty": "family_medicine", "face_to_face": True}
        import_csv(riverside, tmp_path, "face_to_face", [{**about, **seen}])
    lists = ("visits", "consents", "global_periods", "other_claims", "enrolments")
    import_csv(
        riverside,
        tmp_path,
        "portal_readings",
        [{"list": name, "read_at": READ_AT} for name in lists],
    )
    import_csv(riverside, tmp_path, "attested_storage", [{"portal": "medplum", "permanently_stored": True}])
    before = {row["patient"]: row for row in report(riverside)}
    assert [(row["status"], row["code"]) for row in before.values()] == [("reportable", "99421")] * 2
    store = open_folder(riverside.data, key_file_of(riverside), now=now())
    try:
        approve(store, 1, before["p2"]["episode_id"], by=None, now=now())
    finally:
        store.close()
    visit = {
        "at": "2026-04-10T15:00:00-04:00",
        "kind": "office_em",
        "specialty": "family_medicine",
        "status": "completed",
    }
    said = import_csv(riverside, tmp_path, "visits", [{"patient": f"p{number}", **visit} for number in (1, 2)])
    assert "2 new" in said
    after = {row["patient"]: row for row in report(riverside)}
    assert (after["p1"]["status"], after["p1"]["code"]) == ("not_reportable", None)
    changed = {each["field"]: (each["before"], each["after"]) for each in after["p1"]["changes"]}
    assert changed["status"] == ("reportable", "not_reportable")
    assert changed["blocking"] == ([], ["subsequent-em-7d"])
    [reason] = [each for each in after["p1"]["reasons"] if each["id"] == "subsequent-em-7d"]
    assert "10 Apr" in reason["message"] and reason["source"] and not reason["curable"]
    assert {**after["p2"], "changes": []} == {**before["p2"], "changes": []}
    [flagged] = riverside.query("SELECT flagged FROM episode WHERE approved_at IS NOT NULL")
    assert flagged["flagged"] == 1


def key_file_of(server: Server) -> Path:
    [key] = (server.data.parent / "config" / "threadtime").glob("*.key")
    return key
