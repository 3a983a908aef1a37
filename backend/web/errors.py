"""Error pages: what happened, and what to do next."""

from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template
from werkzeug.exceptions import HTTPException

from backend.errors import ProviderTrouble, ThreadtimeError
from backend.web.trouble import trouble_page

_WORDS: dict[int, tuple[str, str]] = {
    400: ("That request cannot be read", "Go back and try again; if you typed the address, check it."),
    403: ("This page is not open to you", "An administrator of your practice gives people their roles."),
    404: ("There is nothing here", "It may have been joined with another episode, or the address is not right."),
    405: ("That cannot be done here", "Go back to the list of episodes."),
    413: ("That is too large", "Send less at once."),
    422: ("That cannot be used as it is", "Go back, change it, and try again."),
    429: ("Too many tries", "Wait a minute, then try once more."),
    500: ("Something went wrong that should not have", "Try again. If it stays, tell whoever runs Threadtime the id."),
    503: ("Threadtime is busy", "Nothing was lost. Wait a few seconds and try again."),
}


def handle(pages: Blueprint) -> None:
    """The blueprint's errors become pages; unknown addresses and unexpected exceptions are the app's to route here."""

    @pages.errorhandler(ThreadtimeError)
    def refused(error: ThreadtimeError) -> Response:
        return error_page(error.status, error.message, retry_after_seconds=error.retry_after_seconds)

    pages.register_error_handler(ProviderTrouble, trouble_page)

    @pages.errorhandler(HTTPException)
    def failed(error: HTTPException) -> Response:
        if error.response is not None:
            return make_response(error.response)
        return error_page(error.code or 500, retry_after_seconds=60 if error.code == 429 else None)


def error_page(
    status: int, detail: str | None = None, *, error_id: str | None = None, retry_after_seconds: int | None = None
) -> Response:
    """The page of an HTTP status; `detail` is a sentence of its own, `error_id` stands in the log as well."""
    title, remedy = _WORDS.get(status, (HTTPStatus(status).phrase, "Go back and try again."))
    page = render_template(
        "error.html",
        title=title,
        detail=detail,
        remedy=remedy,
        error_id=error_id,
    )
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    if retry_after_seconds is not None:
        response.headers["Retry-After"] = str(retry_after_seconds)
    return response
