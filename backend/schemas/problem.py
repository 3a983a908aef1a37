"""The problem (RFC 9457) that every error under /api is."""

from marshmallow import Schema, fields


class Problem(Schema):
    type = fields.String(required=True)
    title = fields.String(required=True, metadata={"description": "the status in words"})
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "one sentence for a person"})
    code = fields.String(metadata={"description": "for programs, where several problems have one status"})
    id = fields.String(metadata={"description": "of an unexpected error: stands in the server's log"})
