"""The wire judges row by row: what is refused, in which words, and that neighbours never pay for it."""

import json
from typing import Any

import pytest

from tests.server import CLINICIAN, Server, now, row, uuid7

HOUR_MS = 3_600_000
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "reversed times": ({"started_at": 1775480700000, "ended_at": 1775480400000}, "ended_at is before started_at"),
    "no length": ({"started_at": 1775480400000, "ended_at": 1775480400000}, "ended_at is the same as started_at"),
    "a negative time": ({"started_at": -5}, "started_at is not between 0 and 9007199254740991"),
    "a float": ({"started_at": 1775480400000.0}, "started_at is not a whole number"),
    "a fraction": ({"ended_at": 1775480400000.5}, "ended_at is not a whole number"),
    "a time as text": ({"started_at": "1775480400000"}, "started_at is not a whole number"),
    "a time as boolean": ({"ended_at": True}, "ended_at is not a whole number"),
    "2**70": ({"ended_at": 2**70}, "ended_at is not a whole number"),
    "2**64": ({"ended_at": 2**64}, "ended_at is not a whole number"),
    "2**60": ({"ended_at": 2**60}, "ended_at is not between 0 and 9007199254740991"),
    "a time that is null": ({"started_at": None}, "started_at is null"),
    "an unknown field": ({"colour": "blue"}, "colour is not a field of this protocol"),
    "an unknown activity": ({"activity": "surfing"}, "activity is not one of the words of this protocol"),
    "an activity in a list": ({"activity": ["review_inquiry"]}, "activity is not text"),
    "an unknown end": ({"ended_by": "magic"}, "ended_by is not one of the words of this protocol"),
    "an unknown entry": ({"entry": "guessed"}, "entry is not one of the words of this protocol"),
    "an id that is no UUID": ({"id": "thr-1"}, "id is not a UUIDv7 in lower case"),
    "a UUIDv4": ({"id": "0b6d2f0c-5a5c-4d7e-9d55-0f8f6a6b2a10"}, "id is not a UUIDv7 in lower case"),
    "a UUID in braces": ({"id": "{019d62e5-7c60-7aaa-8c1d-3f2b5e6d7a90}"}, "id is not a UUIDv7 in lower case"),
    "a UUID in capitals": ({"id": "019D62E5-7C60-7AAA-8C1D-3F2B5E6D7A90"}, "id is not a UUIDv7 in lower case"),
    "a UUID and a line break": ({"id": "019d62e5-7c60-7aaa-8c1d-3f2b5e6d7a90\n"}, "id is not a UUIDv7 in lower case"),
    "no id": ({"id": ...}, "id is missing"),
    "an id that is a number": ({"id": 7}, "id is not text"),
    "NUL": ({"thread": "thr\x00x"}, "thread holds a character that cannot be printed"),
    "a thread of 100 kB": ({"thread": "t" * 100_000}, "thread is not between 1 and 200 characters long"),
    "an empty thread": ({"thread": ""}, "thread is not between 1 and 200 characters long"),
    "a name as patient": ({"patient": "Jane Doe"}, "patient holds a space, so it is not an identifier"),
    "an address as patient": (
        {"patient": "jane@mail.example"},
        "patient looks like an e-mail address, so it is not an identifier",
    ),
    "thread and patient both null": ({"thread": None, "patient": None}, "thread and patient are both null"),
    "thread and patient both missing": ({"thread": ..., "patient": ...}, "thread and patient are both null"),
    "over 300 s": (
        {"started_at": 1775480400000, "ended_at": 1775480700001},
        "ended_at is more than 300 s after started_at",
    ),
    "over 180 s of reading": (
        {"started_at": 1775480400000, "ended_at": 1775480580001, "entry": "attested_reading"},
        "ended_at is more than 180 s after started_at",
    ),
    "idle after too little": ({"idle_after_seconds": 14}, "idle_after_seconds is not between 15 and 300"),
    "no idle limit": ({"idle_after_seconds": ...}, "idle_after_seconds is missing"),
    "by hand without a reason": (
        {"entry": "manual"},
        "reason is missing: a manual row or a correction says why",
    ),
    "a correction without a reason": (
        {"corrects": "019d62e5-7c60-7aaa-8c1d-3f2b5e6d7a91"},
        "reason is missing: a manual row or a correction says why",
    ),
    "recovered as a number": ({"recovered": 1}, "recovered is not true or false"),
}


@pytest.mark.parametrize(("changes", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_a_row_is_refused_in_plain_words_and_its_neighbours_are_taken(
    shared_server: Server, changes: dict[str, Any], reason: str
) -> None:
    before, bad, after = row(), row(**changes), row()
    answer = shared_server.post(before, bad, after)
    assert answer.status_code == 200
    told = bad.get("id")
    assert answer.json() == {
        "accepted": [before["id"], after["id"]],
        "duplicate": [],
        "rejected": [{"id": told if isinstance(told, str) else None, "index": 1, "reason": reason}],
    }


@pytest.mark.parametrize("bad", [None, True, 7, 1.5, "row", [], [[]]], ids=str)
def test_what_is_no_object_costs_only_its_own_place(shared_server: Server, bad: object) -> None:
    good = row()
    answer = shared_server.post(bad, good)
    assert answer.json() == {
        "accepted": [good["id"]],
        "duplicate": [],
        "rejected": [{"id": None, "index": 0, "reason": "the row is not an object"}],
    }


def test_a_portal_that_the_practice_does_not_have_is_refused(shared_server: Server) -> None:
    good, bad = row(), row(portal="elsewhere")
    answer = shared_server.post(bad, good).json()
    assert answer["accepted"] == [good["id"]]
    assert [(one["id"], one["index"]) for one in answer["rejected"]] == [(bad["id"], 0)]
    assert "portal" in answer["rejected"][0]["reason"]


def test_a_name_that_stands_twice_in_a_row_costs_that_row(shared_server: Server) -> None:
    good, bad = row(), row()
    twice = json.dumps(bad)[:-1] + ', "thread": "thr-other"}'
    answer = shared_server.send(f'{{"sent_at": {now()}, "intervals": [{twice}, {json.dumps(good)}]}}'.encode())
    assert answer.json() == {
        "accepted": [good["id"]],
        "duplicate": [],
        "rejected": [{"id": bad["id"], "index": 0, "reason": "thread stands twice in the row"}],
    }


def test_text_that_looks_like_names_is_no_repetition(shared_server: Server) -> None:
    odd = row(thread=':":', patient='a":"b')
    assert shared_server.post(odd).json()["accepted"] == [odd["id"]]


def test_every_optional_field_is_taken_and_comes_back_as_it_was_sent(shared_server: Server) -> None:
    first = row()
    full = row(
        entry="manual",
        tab="tab-1",
        linked_from="thr-9",
        recovered=True,
        corrects=first["id"],
        reason="Telephone call with the pharmacy; 10 minutes.",
        problem="cough",
        ended_by="manual",
        thread="Ünïcode-线程",
        patient=None,
    )
    assert shared_server.post(first).json()["accepted"] == [first["id"]]
    assert shared_server.post(full).json() == {"accepted": [full["id"]], "duplicate": [], "rejected": []}
    stored = {one["id"]: one for one in shared_server.stored()}
    assert {name: stored[full["id"]][name] for name in full} == full
    assert {name: stored[first["id"]][name] for name in first} == first


def test_a_row_may_end_a_day_after_it_arrived_and_not_later(shared_server: Server) -> None:
    soon = now() + 24 * HOUR_MS
    near, far = row(started_at=soon - 60_000, ended_at=soon - 1_000), row(started_at=soon, ended_at=soon + 60_000)
    answer = shared_server.post(near, far).json()
    assert answer["accepted"] == [near["id"]]
    assert answer["rejected"] == [
        {"id": far["id"], "index": 1, "reason": "ended_at is more than 24 hours ahead of the server's clock"}
    ]


def test_a_batch_sent_twice_is_stored_once(shared_server: Server) -> None:
    rows = [row() for _ in range(100)]
    ids = [one["id"] for one in rows]
    assert shared_server.post(*rows).json() == {"accepted": ids, "duplicate": [], "rejected": []}
    assert shared_server.post(*rows).json() == {"accepted": [], "duplicate": ids, "rejected": []}
    known, new = rows[0], row()
    mixed = shared_server.post(new, known).json()
    assert mixed == {"accepted": [new["id"]], "duplicate": [known["id"]], "rejected": []}
    stored = [one["id"] for one in shared_server.stored()]
    assert sorted(set(ids) & set(stored)) == sorted(ids)
    assert len(stored) == len(set(stored))


def test_an_id_that_comes_twice_in_one_request_is_one_interval(shared_server: Server) -> None:
    once = row()
    other = {**once, "thread": "thr-other"}
    answer = shared_server.post(once, once, other).json()
    assert answer["accepted"] == [once["id"]]
    assert answer["duplicate"] == [once["id"]]
    assert [(one["id"], one["index"]) for one in answer["rejected"]] == [(once["id"], 2)]


def test_a_known_id_with_other_content_is_a_conflict(shared_server: Server) -> None:
    first = row()
    shared_server.post(first)
    answer = shared_server.post({**first, "ended_at": first["ended_at"] + 1}).json()
    assert answer["accepted"] == answer["duplicate"] == []
    assert answer["rejected"] == [
        {"id": first["id"], "index": 0, "reason": "this id is already stored with other content"}
    ]


def test_the_same_row_from_the_clinicians_other_device_is_a_duplicate(shared_server: Server) -> None:
    first = row()
    shared_server.post(first)
    other_device = shared_server.add_device(CLINICIAN)
    assert shared_server.post(first, token=other_device).json()["duplicate"] == [first["id"]]


def test_the_same_row_from_another_clinician_is_a_conflict(shared_server: Server) -> None:
    first = row()
    shared_server.post(first)
    shared_server.add_user("nurse@practice.example", "clinician", "--credential", "NP")
    answer = shared_server.post(first, token=shared_server.add_device("nurse@practice.example")).json()
    assert answer["accepted"] == answer["duplicate"] == []
    assert [one["id"] for one in answer["rejected"]] == [first["id"]]


def test_every_row_of_a_large_request_stands_in_exactly_one_list(shared_server: Server) -> None:
    known = [row() for _ in range(50)]
    shared_server.post(*known)
    batch = [*known, *(row() for _ in range(400)), *(row(id=uuid7(), portal="elsewhere") for _ in range(50))]
    answer = shared_server.post(*batch).json()
    assert (len(answer["accepted"]), len(answer["duplicate"]), len(answer["rejected"])) == (400, 50, 50)
    named = answer["accepted"] + answer["duplicate"] + [one["id"] for one in answer["rejected"]]
    assert sorted(named) == sorted(one["id"] for one in batch)
