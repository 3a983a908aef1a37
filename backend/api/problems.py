"""Errors as RFC 9457 problems: what a person or a program is told, and nothing of what was sent."""

from http import HTTPStatus

import orjson
from flask import Response

MEDIA_TYPE = "application/problem+json"


def problem(status: int, detail: str, *, headers: dict[str, str] | None = None, **more: object) -> Response:
    """The answer to an error; `detail` is one sentence, `more` are members of its own."""
    return Response(problem_body(status, detail, **more), status, headers, content_type=MEDIA_TYPE)


def problem_body(status: int, detail: str, **more: object) -> bytes:
    title = HTTPStatus(status).phrase
    return orjson.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail, **more})


def sentence(status: int) -> str:
    """What to say of a status that the framework or the server itself chose."""
    return _SENTENCES.get(status, f"{HTTPStatus(status).phrase}.")


_SENTENCES = {
    400: "The request cannot be understood.",
    404: "There is nothing at this address.",
    405: "This address does not take this method.",
    411: "The request must say its length in Content-Length; chunked bodies are not taken.",
    413: "The request is larger than the server takes.",
    421: "The server does not go by this name.",
    431: "The request's header is larger than the server takes.",
    500: "Something went wrong that should not have; the id stands in the server's log.",
    501: "The server does not know this transfer encoding.",
}
