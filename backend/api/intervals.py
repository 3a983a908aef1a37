"""POST /api/v1/intervals: takes intervals from a device; 200 means that they are on disk."""

import time

import orjson
from flask import Response, request
from flask_smorest import Blueprint
from werkzeug.exceptions import RequestEntityTooLarge

from backend.api.body import read_json
from backend.api.description import described
from backend.api.devices import device_of_request
from backend.desk.record import record
from backend.schemas.intervals import IntervalsAnswer, IntervalsBody, load_request, load_rows
from backend.schemas.wire import BODY_MAX, ROWS_MAX
from backend.store.database import Store

_DOC = described(
    "Record a device's intervals",
    description="Each row is judged by itself; accepted and duplicate rows are committed to disk.",
    body=IntervalsBody,
    answer=IntervalsAnswer,
    answered="Every row of the request stands in exactly one list",
)


def routes(store: Store) -> Blueprint:
    """The route, writing to this store."""
    blueprint = Blueprint("intervals", __name__, url_prefix="/api/v1", description="Active time, as devices measure it")

    def post_intervals() -> Response:
        device = device_of_request(store, request)
        body = read_json(request, most=BODY_MAX)
        received_at = time.time_ns() // 1_000_000
        sent_at, raw = load_request(body.content)
        if len(raw) > ROWS_MAX:
            raise RequestEntityTooLarge(f"The request has more than {ROWS_MAX} rows.")
        rows, rejected = load_rows(raw, received_at=received_at, repeated=body.repeated_in("intervals"))
        outcome = record(store, device, rows, sent_at=sent_at, received_at=received_at)
        rejected += outcome.rejected
        rejected.sort(key=lambda one: one[1])
        answer = {
            "accepted": outcome.accepted,
            "duplicate": outcome.duplicate,
            "rejected": [{"id": id_, "index": index, "reason": reason} for id_, index, reason in rejected],
        }
        return Response(orjson.dumps(answer), content_type="application/json")

    blueprint.add_url_rule("/intervals", view_func=blueprint.doc(**_DOC)(post_intervals), methods=["POST"])
    return blueprint
