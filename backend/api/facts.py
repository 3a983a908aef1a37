"""POST /api/v1/facts/{kind}: takes facts from a person's device or feed. GET /api/v1/facts/kinds: what may be said."""

import time
from collections import Counter
from typing import Any

import orjson
from apispec import APISpec
from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.routing import BaseConverter, Rule

from backend.api.body import read_json
from backend.api.description import described
from backend.api.devices import device_of_request
from backend.desk.facts import Heard, Speaker, learn
from backend.errors import NotFound
from backend.schemas.facts_wire import (
    OUTCOMES,
    FactsAnswer,
    KindsAnswer,
    body_described,
    kinds_as_data,
    load_facts,
)
from backend.schemas.kinds import KINDS, Kind
from backend.schemas.wire import BODY_MAX, ROWS_MAX
from backend.store.database import Store

_ROOT = "/api/v1/facts"


class _Kind(BaseConverter):
    """Anything that may be meant for a kind, so that a wrong one is told which there are. `kinds` is another route."""

    regex = "(?!kinds$)[^/]+"


def _tells_kinds_apart(setup: BlueprintSetupState) -> None:
    setup.app.url_map.converters["fact"] = _Kind


def routes(store: Store) -> Blueprint:
    """The two routes, over this store."""
    blueprint = Blueprint("facts", __name__, url_prefix=_ROOT)
    blueprint.record_once(_tells_kinds_apart)
    kinds = orjson.dumps(kinds_as_data())

    @blueprint.get("/kinds")
    def get_kinds() -> Response:
        return Response(kinds, content_type="application/json")

    @blueprint.post("/<fact:kind>")
    def post_facts(kind: str) -> Response:
        device = device_of_request(store, request)
        if kind not in KINDS:
            raise NotFound(f"There is no such kind of fact; there are {', '.join(KINDS)}.")
        body = read_json(request, most=BODY_MAX)
        rows = load_facts(body.content)
        if len(rows) > ROWS_MAX:
            raise RequestEntityTooLarge(f"The request has more than {ROWS_MAX} rows.")
        repeated = body.repeated_in("facts")
        heard = learn(
            store,
            device.practice_id,
            kind,
            [row for index, row in enumerate(rows) if index not in repeated],
            source="api",
            now=time.time_ns() // 1_000_000,
            by=Speaker(device.user_id, device.roles),
        )
        for index in sorted(repeated):
            heard.insert(index, Heard("refused", f"{repeated[index][:50]} stands twice in the row"))
        return Response(orjson.dumps(_answer(heard)), content_type="application/json")

    return blueprint


def _answer(heard: list[Heard]) -> dict[str, Any]:
    counts: Counter[str] = Counter(each.outcome for each in heard)
    results = [
        {"index": index, "outcome": each.outcome, "reason": each.reason, "changes": each.changes}
        for index, each in enumerate(heard)
    ]
    return {"results": results, **{outcome: counts[outcome] for outcome in OUTCOMES}}


def describe(spec: APISpec) -> None:
    """Adds both routes to the description of the interface: an address a kind, each with its own rows."""
    spec.tag({"name": "facts", "description": "What people and feeds say, beside the measured time"})
    spec.path(rule=Rule(f"{_ROOT}/kinds"), operations={"get": _GET_KINDS})
    for kind in KINDS.values():
        spec.path(rule=Rule(f"{_ROOT}/{kind.name}"), operations={"post": _post_described(kind)})


_GET_KINDS = described(
    "Every kind of fact: its fields, and who may say it",
    answer=KindsAnswer,
    answered="The kinds",
    token=False,
    operationId="get_kinds",
    tags=["facts"],
)


def _post_described(kind: Kind) -> dict[str, Any]:
    return described(
        kind.meaning,
        description=f"Said by: {', '.join(sorted(kind.said_by))}. Each row is judged by itself.",
        body=body_described(kind),
        answer=FactsAnswer,
        answered="What became of each row; what is new or changed is on disk",
        operationId=f"post_{kind.name}",
        tags=["facts"],
    )
