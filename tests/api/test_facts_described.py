"""What the interface says of itself: every kind with its fields, and no row refused that the server takes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from backend import api
from backend.billing.reading import FactsError
from backend.config import Config
from backend.schemas.facts import fact_row
from backend.schemas.facts_wire import fields_of
from backend.schemas.kinds import KINDS, Field, Kind
from backend.store.database import open_store
from backend.store.folder import create_folder
from tests.server import uuid7

JSON_TYPES = {"yes_no": "boolean", "texts": "array", "number": "integer"}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "yes_no": st.booleans(),
    "instant": st.sampled_from(["2026-04-06T09:00:00-04:00", "2026-04-07t09:00:00.123z"]),
    "instant or day": st.sampled_from(["2026-04-06T09:00:00-04:00", "2026-04-06"]),
    "day": st.dates().map(str),
    "month": st.sampled_from(["2026-04", "2026-12"]),
    "person": st.sampled_from(["doctor@practice.example", "Nurse@Practice.example"]),
    "texts": st.lists(st.text(max_size=5), max_size=3),
}
kinds = st.sampled_from(list(KINDS.values()))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder: Path = tmp_path_factory.mktemp("described") / "data"
    create_folder(folder)
    store = open_store(folder, bytes(range(32)))
    app = Flask("described")
    api.register(app, store, Config(), Limiter(get_remote_address, app=app, storage_uri="memory://"))
    yield app
    store.close()


@pytest.fixture(scope="module")
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="module")
def described(app: Flask) -> dict[str, Any]:
    """As those read it who are the first to ask, at once."""
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(lambda: app.test_client().get("/api/openapi.json").get_json()) for _ in range(4)]
        found: list[dict[str, Any]] = [each.result() for each in asked]
    assert found[1:] == found[:1] * 3
    return found[0]


def post(described: dict[str, Any], kind: Kind) -> dict[str, Any]:
    found: dict[str, Any] = described["paths"][f"/api/v1/facts/{kind.name}"]["post"]
    return found


def rows_described(described: dict[str, Any], kind: Kind) -> list[dict[str, Any]]:
    """The schemas of a row that says something and of one that takes it back."""
    body = post(described, kind)["requestBody"]["content"]["application/json"]["schema"]
    assert (body["required"], body["additionalProperties"]) == (["facts"], False)
    assert body["properties"]["facts"]["maxItems"] == 500
    names = [one["$ref"].rpartition("/")[2] for one in body["properties"]["facts"]["items"]["anyOf"]]
    return [described["components"]["schemas"][name] for name in names]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_is_described_with_its_fields(described: dict[str, Any], kind: Kind) -> None:
    whole, withdrawn = rows_described(described, kind)
    assert set(whole["properties"]) == set(withdrawn["properties"]) == set(kind.columns)
    assert whole["additionalProperties"] is withdrawn["additionalProperties"] is False
    assert set(whole["required"]) == {field.name for field in fields_of(kind) if field.needed}
    assert set(withdrawn["required"]) - {"withdrawn"} <= set(whole["required"])
    assert withdrawn["properties"]["withdrawn"]["enum"] == [True]
    for field in fields_of(kind):
        found = whole["properties"][field.name]
        type_ = JSON_TYPES.get(field.type, "string")
        assert found["type"] == (type_ if field.needed else [type_, "null"])
        assert found["description"] == field.meaning
        assert [choice for choice in found.get("enum", []) if choice is not None] == list(field.choices)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_is_described_with_its_answers_and_roles(described: dict[str, Any], kind: Kind) -> None:
    found = post(described, kind)
    expected = {"200", "400", "401", "403", "411", "413", "415", "422", "426", "503"}
    assert set(found["responses"]) == expected
    assert found["security"] == [{"device": []}]
    assert ", ".join(sorted(kind.said_by)) in found["description"]


def test_the_registry_is_there_as_data(client: FlaskClient, described: dict[str, Any]) -> None:
    answer = client.get("/api/v1/facts/kinds")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    as_data = {kind["name"]: kind for kind in answer.get_json()["kinds"]}
    assert list(as_data) == list(KINDS)
    for name, kind in KINDS.items():
        found = as_data[name]
        assert (found["about"], found["meaning"], found["attests"]) == (kind.about, kind.meaning, kind.attests)
        assert (set(found["said_by"]), tuple(found["key"])) == (kind.said_by, kind.key)
        assert tuple(field["name"] for field in found["fields"]) == kind.columns
        own = {Field(**{**field, "choices": tuple(field["choices"])}) for field in found["fields"]}
        assert set(kind.fields) <= own
    schemas = described["components"]["schemas"]
    schema = {"$ref": "#/components/schemas/KindsAnswer", "components": {"schemas": schemas}}
    Draft202012Validator(schema).validate(answer.get_json())


def value_of(field: Field) -> st.SearchStrategy[Any]:
    if field.choices:
        return st.sampled_from(field.choices)
    if field.name == "interval":
        return st.just(uuid7())
    return VALUES.get(field.type, st.sampled_from(["p-1", "medplum", "thr-1", "é :"]) | st.text(max_size=6))


@given(data=st.data(), kind=kinds)
def test_no_row_that_the_server_takes_is_against_the_description(
    described: dict[str, Any], data: st.DataObject, kind: Kind
) -> None:
    all_fields = {field.name: value_of(field) for field in fields_of(kind)}
    needed = {field.name for field in fields_of(kind) if field.needed}
    row = data.draw(
        st.fixed_dictionaries(
            {name: each for name, each in all_fields.items() if name in needed},
            optional={name: each | st.none() for name, each in all_fields.items() if name not in needed},
        )
        | st.fixed_dictionaries({}, optional=all_fields)
    )
    try:
        fact_row(kind, row, own_group="riverside")
    except FactsError:
        return
    schemas = rows_described(described, kind)
    assert any(Draft202012Validator(schema).is_valid(row) for schema in schemas), row
