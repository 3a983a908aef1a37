"""The wire of `POST /api/v1/facts/{kind}`: the body as a whole, and every kind's rows as a client reads about them.

The rows themselves are judged one by one in `schemas.facts`. What is described here is made from the registry of kinds.
"""

from typing import Any

from marshmallow import Schema, fields, validate

from backend.errors import BadInput
from backend.schemas.facts import LISTED_MAX
from backend.schemas.intervals import Strict
from backend.schemas.kinds import ABOUT_COLUMNS, COMMON, KINDS, Field, Kind
from backend.schemas.wire import ID_PATTERN, IDENTIFIER_LENGTH, ROWS_MAX

OUTCOMES = ("new", "changed", "known", "refused")
_COMMON = {
    **COMMON,
    "interval": "The id of the person's own interval, which must have come",
    "attested_by": "Whose word it is, by e-mail address: one's own, which may be left out, or that of a colleague "
    "who has named one to answer for them",
    "withdrawn": "true: this was said in error and counts no more",
}


class Change(Schema):
    """What was said before and what is said now about one field."""

    field = fields.String(required=True)
    before = fields.Raw(required=True, allow_none=True)
    after = fields.Raw(required=True, allow_none=True)


class FactResult(Schema):
    """What became of one row."""

    index = fields.Integer(required=True, metadata={"description": "the row's place in the request, from 0"})
    outcome = fields.String(required=True, validate=validate.OneOf(OUTCOMES))
    reason = fields.String(
        required=True, allow_none=True, metadata={"description": "why it was refused; null where it was not"}
    )
    changes = fields.List(fields.Nested(Change), required=True, metadata={"description": "of a row that is changed"})


class FactsAnswer(Schema):
    """The results in the order of the rows, and how many there are of each outcome."""

    results = fields.List(fields.Nested(FactResult), required=True)
    new = fields.Integer(required=True)
    changed = fields.Integer(required=True)
    known = fields.Integer(required=True)
    refused = fields.Integer(required=True)


class FieldOfKind(Schema):
    """One name that a row of a kind may have."""

    name = fields.String(required=True)
    type = fields.String(required=True)
    meaning = fields.String(required=True)
    choices = fields.List(fields.Raw(), required=True, metadata={"description": "the only values; empty: any"})
    needed = fields.Boolean(required=True, metadata={"description": "a row without it is refused"})


class KindOfFact(Schema):
    """One kind of fact."""

    name = fields.String(required=True)
    about = fields.String(required=True, validate=validate.OneOf(tuple(ABOUT_COLUMNS)))
    meaning = fields.String(required=True)
    said_by = fields.List(fields.String(), required=True, metadata={"description": "the roles that may say it"})
    attests = fields.Boolean(required=True, metadata={"description": "it is a clinician's own word"})
    key = fields.List(
        fields.String(), required=True, metadata={"description": "what tells one from another, where it has no id"}
    )
    fields_ = fields.List(fields.Nested(FieldOfKind), required=True, data_key="fields")


class KindsAnswer(Schema):
    kinds = fields.List(fields.Nested(KindOfFact), required=True)


def load_facts(body: object) -> list[object]:
    """The raw rows of a parsed body; BadInput says what is wrong with the body as a whole."""
    if type(body) is not dict or "facts" not in body:
        raise BadInput("The body is not a JSON object with facts.")
    for name in body:
        if name != "facts":
            raise BadInput(f"The body cannot be used: {name[:50]} is not a field of this protocol.")
    rows = body["facts"]
    if type(rows) is not list:
        raise BadInput("The body cannot be used: facts is not a list.")
    return rows


def fields_of(kind: Kind) -> tuple[Field, ...]:
    """Every field that a row of the kind may have, what it is about and who says it included, in order."""
    needed = {kind.about} - {"portal"}  # may be left out where the practice has one portal
    about = (Field(name, "text", _COMMON[name], needed=name in needed) for name in ABOUT_COLUMNS[kind.about])
    attested_by = (Field("attested_by", "person", _COMMON["attested_by"]),) if kind.attests else ()
    return (*about, *kind.fields, *attested_by, Field("withdrawn", "yes_no", _COMMON["withdrawn"]))


def kinds_as_data() -> dict[str, Any]:
    """The registry of kinds in the shape of KindsAnswer."""
    return {"kinds": [_as_data(kind) for kind in KINDS.values()]}


def body_described(kind: Kind) -> dict[str, Any]:
    """The body of a request with rows of this kind, as OpenAPI describes it."""
    whole, withdrawn = _schema(kind), _schema(kind, withdrawn=True)
    rows: dict[str, Any] = {"type": "array", "maxItems": ROWS_MAX, "items": {"anyOf": [whole, withdrawn]}}
    return {"type": "object", "properties": {"facts": rows}, "required": ["facts"], "additionalProperties": False}


def _as_data(kind: Kind) -> dict[str, Any]:
    return {
        "name": kind.name,
        "about": kind.about,
        "meaning": kind.meaning,
        "said_by": sorted(kind.said_by),
        "attests": kind.attests,
        "key": list(kind.key),
        "fields": [
            {
                "name": field.name,
                "type": field.type,
                "meaning": field.meaning,
                "choices": list(field.choices),
                "needed": field.needed,
            }
            for field in fields_of(kind)
        ],
    }


def _schema(kind: Kind, *, withdrawn: bool = False) -> type[Schema]:
    """A row of the kind; one that is withdrawn needs no more than what it is about and its key."""
    made: dict[str, fields.Field[Any]] = {}
    for field in fields_of(kind):
        needed = field.needed and not (withdrawn and field.name not in (kind.about, *kind.key))
        made[field.name] = _described(field, needed=needed)
    if withdrawn:
        made["withdrawn"] = fields.Boolean(
            required=True, validate=validate.Equal(True), metadata={"description": _COMMON["withdrawn"]}
        )
    name = "".join(word.capitalize() for word in kind.name.split("_"))
    return Strict.from_dict(made, name=f"{name}{'Withdrawn' if withdrawn else 'Row'}")


def _described(field: Field, *, needed: bool) -> fields.Field[Any]:
    """A null says the same as a name that is not there, so only what is needed may not be null."""
    options: dict[str, Any] = {"required": needed, "allow_none": not needed}
    about: dict[str, Any] = {"description": field.meaning}
    if field.choices:
        options["validate"] = validate.OneOf(field.choices)
    elif field.name in _IDENTIFIERS:
        options["validate"] = validate.Length(1, IDENTIFIER_LENGTH)
        about["pattern"] = _IDENTIFIERS[field.name]
    match field.type:
        case "yes_no":
            return fields.Boolean(**options, metadata=about)
        case "number":
            return fields.Integer(**options, metadata=about)
        case "texts":
            each = fields.String(validate=validate.Length(1))
            return fields.List(each, validate=validate.Length(max=LISTED_MAX), **options, metadata=about)
        case "text" if not options.get("validate"):
            options["validate"] = validate.Length(1, IDENTIFIER_LENGTH)
    return fields.String(**options, metadata=about | _FORMATS.get(field.type, {}))


_IDENTIFIERS = {**dict.fromkeys(("portal", "patient", "thread"), "^[^ ]*$"), "interval": f"^{ID_PATTERN}$"}
"""What an identifier looks like, by the field that holds one."""
_FORMATS: dict[str, dict[str, Any]] = {
    "instant": {"format": "date-time"},
    "instant or day": {"anyOf": [{"format": "date-time"}, {"format": "date"}]},
    "day": {"format": "date"},
    "month": {"pattern": "^[0-9]{4}-[0-9]{2}$"},
    "person": {"format": "email"},
}
