"""Facts by HTTP under random rows: never a 500, one result a row, and every good neighbour is taken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.schemas.facts_wire import fields_of
from backend.schemas.kinds import KINDS, Field
from tests.server import ADMIN, CLINICIAN, Server, row, uuid7

MANY = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
near = st.sampled_from(
    [
        *(
            "2026-04-06T09:00:00-04:00",
            "2026-04-06",
            "2026-04",
            "1900-01-01T00:00:00+14:00",
            "2999-12-31T23:59:59-23:59",
        ),
        *("2026-04-06T24:00:00Z", "2026-02-29", "2026-13", "9999-12-31T23:59:59Z", "2026-04-06T09:00:00.1234567890Z"),
        *("medplum", "p-1", "thr-1", ADMIN, "ctbs", uuid7(), True, False, 0, 90, 90.0, 10**18, ["J06.9"]),
    ]
)
FITTING: dict[str, list[Any]] = {
    "text": ["x", "a text", "é 线"],
    "texts": [[], ["J06.9", "I10"]],
    "yes_no": [True, False],
    "instant": ["2026-04-06T09:00:00-04:00", "1900-01-01T00:00:00Z", "2999-12-31T23:59:59.999Z"],
    "instant or day": ["2026-04-06", "2026-04-06T09:00:00Z"],
    "day": ["2026-04-06", "2999-12-31"],
    "month": ["2026-04"],
    "person": [ADMIN, CLINICIAN],
}
INTERVAL = row(thread="thr-1", patient="p-1")
PLACES = {
    "portal": ["medplum"],
    "patient": ["p-1", "p-2"],
    "thread": ["thr-1", "thr-2"],
    "interval": [INTERVAL["id"], uuid7()],
}


def fitting(field: Field) -> st.SearchStrategy[Any]:
    return st.sampled_from(field.choices or PLACES.get(field.name) or FITTING[field.type])


@st.composite
def said(draw: st.DrawFn) -> tuple[str, list[Any]]:
    """A kind, and rows that fit it, or fit it but for one value, or have its names more or less, or nothing of it."""
    kind = draw(st.sampled_from(list(KINDS.values())))
    names = {field.name: fitting(field) for field in fields_of(kind)}
    needed = {"portal", *(field.name for field in fields_of(kind) if field.needed)}
    good = st.fixed_dictionaries(
        {name: each for name, each in names.items() if name in needed},
        optional={name: each for name, each in names.items() if name not in needed},
    )
    nearly = st.builds(
        lambda row, name, value: {**row, name: value}, good, st.sampled_from(sorted(names)) | texts, near | anything
    )
    odd = st.dictionaries(texts | st.sampled_from(sorted(names)), near | anything, max_size=4)
    return kind.name, draw(st.lists(good | nearly | odd | anything, max_size=6))


@pytest.fixture(scope="module")
def manager(shared_server: Server) -> Iterator[str]:
    """A manager's token; after all of it the database is whole."""
    shared_server.post(INTERVAL)
    yield shared_server.add_device(ADMIN)
    shared_server.command("verify")


@MANY
@given(said=said())
def test_random_rows_are_answered_one_by_one(shared_server: Server, manager: str, said: tuple[str, list[Any]]) -> None:
    kind, rows = said
    token = manager if "manager" in KINDS[kind].said_by else shared_server.token
    answer = shared_server.say(kind, *rows, token=token)
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [each["index"] for each in results] == list(range(len(rows)))
    for each in results:
        assert each["outcome"] in ("new", "changed", "known", "refused")
        assert (each["outcome"] == "refused") == bool(each["reason"])


@MANY
@given(said=said())
def test_random_rows_cost_no_neighbour(shared_server: Server, manager: str, said: tuple[str, list[Any]]) -> None:
    good = {
        "portal": "medplum",
        "patient": "p-good",
        "id": uuid7(),
        "at": "2026-04-06",
        "method": "verbal",
        "scope": "x",
    }
    answer = shared_server.say("consents", *said[1], good, token=manager)
    assert answer.status_code == 200, answer.text
    assert answer.json()["results"][-1]["outcome"] == "new"


@MANY
@given(body=st.binary(max_size=60) | anything.map(lambda value: json.dumps(value).encode()))
def test_a_random_body_is_a_problem(shared_server: Server, manager: str, body: bytes) -> None:
    answer = shared_server.send(body, token=manager, to="/api/v1/facts/visits")
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
