"""The page of a sign-in by the organisation's provider that came to nothing: what happened, and what to do."""

from typing import NamedTuple

import structlog
from flask import Response, make_response, render_template

from backend.errors import ProviderTrouble

log = structlog.get_logger()


class Words(NamedTuple):
    status: int
    title: str
    remedy: str


_AGAIN = "Nobody was signed in and nothing was changed. Try again; if it stays so, tell whoever runs Threadtime."

WORDS: dict[str, Words] = {
    "unknown": Words(
        403,
        "No account here is linked with you",
        "Sign in with your e-mail address and password, then link the two on the page Your account. Without an account "
        "here, ask an administrator of your practice for an invitation.",
    ),
    "deactivated": Words(403, "This account is closed", "An administrator of your practice can reactivate it."),
    "taken": Words(
        409,
        "Somebody else here is linked with it",
        "Perhaps another person is still signed in there, in this browser: sign out there, and try again as yourself. "
        "If it is you, an administrator of your practice can tell which account here is yours.",
    ),
    "lost": Words(
        400,
        "This sign-in cannot be finished",
        "Begin again, in this browser, and let it keep cookies. Nothing was changed.",
    ),
    "said_no": Words(
        403,
        "You were not signed in",
        "Try again, or sign in with your password. Who may use Threadtime by that account is decided there.",
    ),
    "failed": Words(502, "The provider could not sign you in", _AGAIN),
    "not_accepted": Words(
        502,
        "The provider does not accept Threadtime",
        "Sign in with your password for now. Whoever runs Threadtime finds the client's id and address by `oidc show`, "
        "and sets them and the client's secret anew by `oidc set`.",
    ),
    "unreachable": Words(
        503,
        "The provider cannot be reached",
        "Wait a minute and try again, or sign in with your password. If it stays so, tell whoever runs Threadtime.",
    ),
    "untrusted": Words(502, "The provider's answer could not be trusted", _AGAIN),
    "proxy": Words(
        400,
        "This is not the address that Threadtime knows",
        "Open Threadtime at its own address. If you did, tell whoever runs it: the proxy in front has to set "
        "X-Forwarded-Host and X-Forwarded-Proto, and the address that `oidc show` prints has to be this one.",
    ),
}

_OF_THE_SERVER = ("failed", "not_accepted", "unreachable", "untrusted", "proxy")
"""What whoever runs Threadtime can put right."""


def trouble_page(error: ProviderTrouble) -> Response:
    code = error.code or ""
    words = WORDS[code]
    if code in _OF_THE_SERVER:
        cause = error.__cause__
        log.warning("sign-in by the provider", said=code, error=None if cause is None else type(cause).__name__)
    page = render_template("trouble.html", title=words.title, detail=error.message, remedy=words.remedy)
    response = make_response(page, words.status)
    response.headers["Cache-Control"] = "no-store"
    return response
