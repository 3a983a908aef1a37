"""Pages for people: sign-in, devices, pairing, episodes, the report to take away, accounts, practice, the audit."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Flask
from flask_limiter import Limiter

from backend.config import Config
from backend.store.database import Store
from backend.web import (
    account,
    audit,
    by_provider,
    context,
    devices,
    episodes,
    errors,
    interface,
    joining,
    pairing,
    people,
    practice,
    report,
    second_factor,
    settings,
    signing,
    start,
)
from backend.web.doors import Doors


def register(
    app: Flask, store: Store, config: Config, limiter: Limiter, describe: Callable[[], dict[str, Any]]
) -> None:
    """Adds every page to the app; `describe` gives the interface for devices in OpenAPI. A route
    that does not say who may open it opens for nobody (doors.py)."""
    pages = Blueprint("web", __name__, template_folder="templates", static_folder="static", static_url_path="/look")
    doors = Doors(store, config)
    doors.guard(pages)
    errors.handle(pages)
    context.add(pages)
    start.add(pages)
    signing.add(pages, doors, limiter)
    by_provider.add(pages, doors, limiter)
    devices.add(pages, store)
    pairing.add(pages, store, config, limiter)
    episodes.add(pages, store)
    report.add(pages, store)
    people.add(pages, store)
    joining.add(pages, doors, limiter)
    practice.add(pages, store)
    settings.add(pages, store)
    account.add(pages, doors, limiter)
    second_factor.add(pages, doors, limiter)
    audit.add(pages, store)
    interface.add(pages, describe)
    app.register_blueprint(pages)
