"""The wire of pairing: what a browser asks with, and what it is told."""

from marshmallow import Schema, ValidationError, fields, validate

from backend.errors import BadInput

NAME_LENGTH = 100
CODE_LENGTH = 200


class PairingRequest(Schema):
    device_name = fields.String(
        required=True,
        validate=validate.Length(1, NAME_LENGTH),
        metadata={"description": "a name to tell the device by"},
    )
    browser = fields.String(
        required=True, validate=validate.Length(1, NAME_LENGTH), metadata={"description": "such as Chromium on Linux"}
    )


class PairingAnswer(Schema):
    device_code = fields.String(
        required=True, metadata={"description": "the device's secret, to ask for the token with"}
    )
    user_code = fields.String(required=True, metadata={"description": "to be shown to the person, such as BCDF-GHJK"})
    verification_uri = fields.String(required=True, metadata={"description": "where the person says yes or no"})
    expires_in = fields.Integer(required=True, metadata={"description": "seconds"})
    interval = fields.Integer(required=True, metadata={"description": "seconds between two askings"})


class TokenRequest(Schema):
    device_code = fields.String(required=True, validate=validate.Length(1, CODE_LENGTH))


class Named(Schema):
    id = fields.String(required=True)
    name = fields.String(required=True)


class TokenAnswer(Schema):
    access_token = fields.String(required=True, metadata={"description": "the device token, shown this once"})
    token_type = fields.String(required=True, metadata={"description": "Bearer"})
    device_name = fields.String(required=True)
    clinician = fields.Nested(Named, required=True, metadata={"description": "who said yes: whose device it is now"})
    practice = fields.String(required=True, metadata={"description": "the practice's name"})


_PAIRING = PairingRequest()
_TOKEN = TokenRequest()


def load_pairing(body: object) -> tuple[str, str]:
    """(device_name, browser) of a parsed body; BadInput says what is wrong with it."""
    loaded = _load(_PAIRING, body)
    return loaded["device_name"], loaded["browser"]


def load_device_code(body: object) -> str:
    """The device code of a parsed body; BadInput says what is wrong with it."""
    return _load(_TOKEN, body)["device_code"]


def _load(schema: Schema, body: object) -> dict[str, str]:
    if type(body) is not dict:
        raise BadInput("The body is not a JSON object.")
    try:
        loaded: dict[str, str] = schema.load(body)
    except ValidationError as error:
        name, said = next(iter(error.messages_dict.items()))
        first = said[0] if isinstance(said, list) else said
        raise BadInput(f"The body cannot be used: {str(name)[:50]}: {str(first).rstrip('.')}.") from None
    return loaded
