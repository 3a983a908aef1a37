"""POST /api/v1/own-episodes: the clinician's own episodes on a thread or of a patient, as they stand.

It reads and is a POST all the same: a patient's identifier must not stand in an address.
"""

import time

import orjson
from flask import Response, request
from flask_smorest import Blueprint

from backend.api.body import read_json
from backend.api.description import described
from backend.api.devices import device_of_request
from backend.desk.own_episodes import own_episodes
from backend.schemas.own_episodes import OwnEpisodesAnswer, OwnEpisodesRequest, load_subject
from backend.store.database import Store

BODY_MAX = 4096
"""Bytes."""
_DOC = described(
    "The clinician's own episodes on a thread or of a patient",
    description="As they stand, with what only the clinician can say. It is a search by POST: no identifier of a "
    "patient stands in an address.",
    body=OwnEpisodesRequest,
    answer=OwnEpisodesAnswer,
    answered="The newest three at most; none where the clinician has no time",
)


def routes(store: Store) -> Blueprint:
    """The route, over this store."""
    blueprint = Blueprint(
        "own_episodes", __name__, url_prefix="/api/v1", description="What the device's clinician is told of their work"
    )

    def post_own_episodes() -> Response:
        device = device_of_request(store, request)
        body = read_json(request, most=BODY_MAX)
        body.repeated_in("")
        portal, thread, patient = load_subject(body.content)
        now = time.time_ns() // 1_000_000
        told = own_episodes(store, device, portal=portal, thread=thread, patient=patient, now=now)
        return Response(orjson.dumps(told), content_type="application/json")

    blueprint.add_url_rule("/own-episodes", view_func=blueprint.doc(**_DOC)(post_own_episodes), methods=["POST"])
    return blueprint
