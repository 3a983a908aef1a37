"""How a route stands in the OpenAPI description of the interface."""

from typing import Any

from backend.schemas.wire import PROTOCOL

_HEADER = {
    "name": "Threadtime-Protocol",
    "in": "header",
    "schema": {"type": "integer", "enum": list(range(1, PROTOCOL + 1))},
}
_OF_A_BODY = ("400", "411", "413", "415", "422", "503")
_OF_A_TOKEN = ("401", "403")


def described(
    summary: str,
    *,
    answer: object,
    answered: str,
    body: object = None,
    token: bool = True,
    problems: tuple[str, ...] = (),
    **more: object,
) -> dict[str, Any]:
    """An operation: `body` and `answer` are schemas, `answered` says what a 200 means, `token` whether a device's is
    needed; `problems` are statuses beside those of every body, token and protocol; `more` goes in as it is."""
    statuses = ("426", *problems, *(() if body is None else _OF_A_BODY), *(_OF_A_TOKEN if token else ()))
    return {
        "summary": summary,
        "parameters": [_HEADER],
        **({"security": [{"device": []}]} if token else {}),
        **({} if body is None else {"requestBody": {"required": True, "content": _json(body)}}),
        "responses": {
            "200": {"description": answered, "content": _json(answer)},
            **dict.fromkeys(sorted(statuses), "Problem"),
        },
        **more,
    }


def _json(schema: object) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
