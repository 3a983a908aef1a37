"""Who comes through which door: the session of a request, the right that its route declares, the proof in its form."""

import time
from collections.abc import Callable
from typing import Final, Literal, TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from backend.auth import tokens
from backend.auth.roles import Right
from backend.auth.roles import may as roles_may
from backend.config import Config
from backend.desk.by_provider import WITHIN_MS
from backend.desk.people import Session, session
from backend.errors import NotAllowed, ProviderTrouble
from backend.store.database import Store
from backend.store.wall import stay_within

View = TypeVar("View", bound=Callable[..., object])

ANYBODY: Final = "anybody"
SIGNED_IN: Final = "signed in"
Door = Right | Literal["anybody", "signed in"]

FORM_FIELD = "form_token"


def opens_to(door: Door) -> Callable[[View], View]:
    """Declares who may open a route: anybody, anybody signed in, or the holders of a right."""

    def declare(view: View) -> View:
        view.door = door  # type: ignore[attr-defined]
        return view

    return declare


def here() -> Session:
    """The session of the request; only behind a door that asks for one."""
    found: Session | None = g.get("session")
    if found is None:
        raise NotAllowed("This page is for people who are signed in.")
    return found


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Doors:
    """The guard before every page, and the cookies that know a browser."""

    def __init__(self, store: Store, config: Config) -> None:
        self.store, self.config = store, config
        # A __Host- cookie must be Secure, and browsers keep no Secure cookie that came over plain http.
        prefix = "__Host-" if config.behind_proxy else ""
        self.session_cookie = f"{prefix}threadtime"
        self.visitor_cookie = f"{prefix}threadtime-visitor"
        self.provider_cookie = f"{prefix}threadtime-provider"

    def guard(self, pages: Blueprint) -> None:
        pages.before_request(self.check)
        pages.after_request(self.finish)

    def check(self) -> AnyResponse | None:
        """Lets the request through (None), sends it to the sign-in page, or raises NotAllowed."""
        g.form_token = None
        token = request.cookies.get(self.session_cookie)
        g.session = session(self.store, token, now_ms(), self.config)
        door = _door_of(request.endpoint)
        if g.session is not None and door != ANYBODY:
            stay_within(g.session.user.practice_id)
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            self._check_origin()
        if door != ANYBODY and g.session is None:
            return redirect(self._sign_in_address(ended=token is not None), 303)
        g.form_token = self._form_token()
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            self._check_form()
        if not _opens(door):
            raise NotAllowed(_WHY_NOT.get(door, "This is not for your role."))
        return None

    def finish(self, response: Response) -> Response:
        """Pages hold patients' references: no cache keeps them. The visitor's cookie goes with a form made before
        anybody is signed in."""
        if request.endpoint != "web.static":
            response.headers["Cache-Control"] = "no-store"
        if made := g.get("new_visitor"):
            self._set(response, self.visitor_cookie, made)
        return response

    def let_in(self, response: AnyResponse, token: str) -> AnyResponse:
        """The response with the session's cookie, and without the visitor's."""
        self._set(response, self.session_cookie, token)
        self._drop(response, self.visitor_cookie)
        return response

    def let_out(self, response: AnyResponse) -> AnyResponse:
        self._drop(response, self.session_cookie)
        return response

    def provider_secret(self) -> str:
        """What the browser is known by while it is at the organisation's provider; a new one where it has none."""
        found = request.cookies.get(self.provider_cookie, "")
        return found if tokens.is_secret(found) else tokens.new_secret()

    def keep_provider_secret(self, response: Response, secret: str) -> Response:
        self._set(response, self.provider_cookie, secret, seconds=WITHIN_MS // 1000)
        return response

    def _form_token(self) -> str:
        if g.session is not None:
            return str(g.session.form_token)
        visitor = request.cookies.get(self.visitor_cookie)
        if not visitor:
            visitor = g.new_visitor = tokens.new_secret()
        return tokens.form_token(visitor)

    def _check_form(self) -> None:
        if not tokens.same(request.form.get(FORM_FIELD, ""), g.form_token):
            raise NotAllowed("This form is out of date. Go back, load the page again, and send it once more.")

    def _check_origin(self) -> None:
        ours = urlsplit(request.host_url)
        theirs = urlsplit(request.headers.get("Origin", ""))
        if (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc):
            return
        if request.headers.get("Sec-Fetch-Site") == "same-origin":  # the browser's own word, which no page can write
            raise ProviderTrouble(
                f"This page stands at {theirs.scheme}://{theirs.netloc} in your browser, and the server was asked as "
                f"{ours.scheme}://{ours.netloc}.",
                code="proxy",
            )
        raise NotAllowed("This form was not sent from one of Threadtime's own pages.")

    def _sign_in_address(self, *, ended: bool) -> str:
        after = request.full_path.rstrip("?") if request.method == "GET" and request.path != "/" else None
        return url_for("web.sign_in", after=after, ended="1" if ended else None)

    def _set(self, response: AnyResponse, name: str, value: str, *, seconds: int | None = None) -> None:
        """Sets a cookie for as long as the browser is open, or for some seconds."""
        secure = self.config.behind_proxy
        response.set_cookie(name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="Lax")

    def _drop(self, response: AnyResponse, name: str) -> None:
        response.delete_cookie(name, path="/", secure=self.config.behind_proxy, httponly=True, samesite="Lax")


def _door_of(endpoint: str | None) -> Door:
    if endpoint == "web.static":
        return ANYBODY
    view = current_app.view_functions.get(endpoint or "")
    door: Door | None = getattr(view, "door", None)
    if door is None:
        raise NotAllowed("This page has not said who may open it.")
    return door


def _opens(door: Door) -> bool:
    match door:
        case "anybody" | "signed in":
            return True
        case right:
            return roles_may(here().user.roles, right)


_WHY_NOT: dict[Door, str] = {
    "see episodes": "Patients' episodes are open to the managers of the practice.",
    "take reports": "Reports are open to the managers of the practice.",
    "record time": "A browser is paired by whoever records time: clinicians and staff.",
    "name a colleague": "Only clinicians are asked what a colleague could answer for them.",
    "see devices": "Devices are open to whoever may hold one, and to administrators.",
    "manage people": "Accounts are open to the administrators and managers of the practice.",
    "set up the practice": "The practice is set up by its administrators and managers.",
    "set the rules": "The settings of the rules are open to the administrators and managers of the practice.",
}
