"""Pages for people: sign-in, the list of episodes, one episode, the report to take away, accounts, the practice."""

from flask import Blueprint, Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from backend.config import Config
from backend.store.database import Store
from backend.web import (
    account,
    context,
    episodes,
    errors,
    joining,
    people,
    practice,
    report,
    second_factor,
    settings,
    signing,
    start,
)
from backend.web.doors import Doors


def register(app: Flask, store: Store, config: Config) -> None:
    """Adds every page to the app. A route that does not say who may open it opens for nobody (doors.py)."""
    pages = Blueprint("web", __name__, template_folder="templates", static_folder="static", static_url_path="/look")
    doors = Doors(store, config)
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", headers_enabled=True)
    doors.guard(pages)
    errors.handle(pages)
    context.add(pages)
    start.add(pages)
    signing.add(pages, doors, limiter)
    episodes.add(pages, store)
    report.add(pages, store)
    people.add(pages, store)
    joining.add(pages, store, limiter)
    practice.add(pages, store)
    settings.add(pages, store)
    account.add(pages, doors, limiter)
    second_factor.add(pages, doors, limiter)
    app.register_blueprint(pages)
