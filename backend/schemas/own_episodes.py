"""The wire of `POST /api/v1/own-episodes`: what a device asks about, and what it is told."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from backend.errors import BadInput
from backend.schemas.intervals import check_identifier
from backend.schemas.wire import IDENTIFIER_LENGTH

_NAMES = ("portal", "thread", "patient")
_LENGTH = validate.Length(1, IDENTIFIER_LENGTH)


def _meaning(text: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"description": text, **more}}


class OwnEpisodesRequest(Schema):
    """Described here for OpenAPI; `load_subject` reads it."""

    portal = fields.String(required=True, validate=_LENGTH, **_meaning("the key of one of the practice's portals"))
    thread = fields.String(
        allow_none=True, validate=_LENGTH, **_meaning("the portal's own identifier", pattern="^[^ ]*$")
    )
    patient = fields.String(
        allow_none=True,
        validate=_LENGTH,
        **_meaning("the portal's own identifier; thread or patient has to be there", pattern="^[^ ]*$"),
    )


class ToldStep(Schema):
    minutes = fields.Integer(required=True)
    code = fields.String(required=True)


class ToldOther(Schema):
    name = fields.String(required=True)
    credential = fields.String(required=True, allow_none=True)
    seconds = fields.Integer(required=True, **_meaning("counted"))


class ToldRules(Schema):
    family = fields.String(required=True, **_meaning("em or nonphysician"))
    day = fields.Date(required=True, **_meaning("whose rules are in force"))
    payer_type = fields.String(required=True, allow_none=True)


class ToldFact(Schema):
    kind = fields.String(required=True)
    row = fields.Dict(required=True, **_meaning("as POST /api/v1/facts/{kind} takes it"))


class ToldOption(Schema):
    label = fields.String(required=True)
    facts = fields.List(fields.Nested(ToldFact), required=True, **_meaning("none: nothing is said"))


class ToldQuestion(Schema):
    id = fields.String(required=True)
    text = fields.String(required=True)
    options = fields.List(fields.Nested(ToldOption), required=True)


class ToldInterval(Schema):
    id = fields.String(required=True, **_meaning("of the interval as it was measured"))
    thread = fields.String(required=True, allow_none=True)
    patient = fields.String(required=True, allow_none=True)
    started_at = fields.Integer(required=True, **_meaning("milliseconds since the epoch"))
    ended_at = fields.Integer(required=True)
    activity = fields.String(required=True, **_meaning("as it stands"))
    recorded_activity = fields.String(required=True, **_meaning("before any correction"))
    entry = fields.String(required=True)
    idle_after_seconds = fields.Integer(required=True)
    counted = fields.Boolean(required=True)
    reason = fields.String(required=True, allow_none=True, **_meaning("why nothing of it counts"))
    corrected_by = fields.String(required=True, allow_none=True, **_meaning("the interval that corrects it"))
    colleague = fields.String(
        required=True, allow_none=True, **_meaning("whose it is, where the clinician answers for them; null: one's own")
    )


class ToldEpisode(Schema):
    episode_id = fields.String(required=True)
    portal = fields.String(required=True)
    threads = fields.List(fields.String(), required=True)
    window_start = fields.Date(required=True, allow_none=True)
    window_end = fields.Date(required=True, allow_none=True)
    counted_seconds = fields.Integer(required=True)
    own_seconds = fields.Integer(required=True)
    others = fields.List(fields.Nested(ToldOther), required=True)
    approved = fields.Boolean(required=True)
    colleagues = fields.List(
        fields.String(), required=True, **_meaning("names of those with time in it for whom the clinician answers now")
    )
    steps = fields.List(fields.Nested(ToldStep), required=True)
    rules = fields.Nested(ToldRules, required=True)
    settings = fields.Dict(required=True, **_meaning("the practice's, as the rules' engine takes them"))
    facts = fields.Dict(required=True, allow_none=True, **_meaning("as the rules' engine takes them; null: approved"))
    answer = fields.Dict(required=True, **_meaning("the determination, as in the report"))
    questions = fields.List(fields.Nested(ToldQuestion), required=True)
    intervals = fields.List(
        fields.Nested(ToldInterval), required=True, **_meaning("those that may be marked, newest first")
    )


class OwnEpisodesAnswer(Schema):
    as_of = fields.Integer(required=True, **_meaning("the server's clock, milliseconds since the epoch"))
    timezone = fields.String(required=True, **_meaning("the practice's"))
    episodes = fields.List(fields.Nested(ToldEpisode), required=True, **_meaning("newest first, at most 3"))


def load_subject(body: object) -> tuple[str, str | None, str | None]:
    """(portal, thread, patient) of a parsed body; BadInput says what is wrong with it."""
    if type(body) is not dict:
        raise BadInput("The body is not a JSON object with portal and thread or patient.")
    for name in body:
        if name not in _NAMES:
            raise BadInput(f"The body cannot be used: {name[:50]} is not a field of this protocol.")
    found: dict[str, str | None] = {}
    for name in _NAMES:
        value = body.get(name)
        try:
            found[name] = None if value is None else check_identifier(value)
        except ValidationError as problem:
            raise BadInput(f"The body cannot be used: {name} {problem.messages[0]}.") from None
    portal, thread, patient = found["portal"], found["thread"], found["patient"]
    if portal is None:
        raise BadInput("The body cannot be used: portal is missing.")
    if thread is None and patient is None:
        raise BadInput("The body cannot be used: thread or patient has to be there.")
    return portal, thread, patient
