"""The commands about the organisation's own provider for signing in."""

import os
from pathlib import Path

import click

from backend.errors import BadInput
from backend.options import DEFAULTS, in_practice, now, opened

SECRET = "THREADTIME_OIDC_CLIENT_SECRET"  # noqa: S105  (where it is, not what)


@click.group()
def oidc() -> None:
    """Signing in by the organisation's own provider (OpenID Connect)."""


@oidc.command("set")
@in_practice
@click.option("--issuer", required=True, metavar="URL", help="The provider, such as https://login.practice.example.")
@click.option("--client-id", required=True, metavar="ID", help="What the provider calls this server.")
@click.option("--name", help="What stands on the button; the issuer's host without it.")
@click.option("--address", default=f"http://127.0.0.1:{DEFAULTS.port}", show_default=True, help="Of this server.")
def oidc_set(
    data: Path | None, practice: str | None, issuer: str, client_id: str, name: str | None, address: str
) -> None:
    """Let the people of a practice sign in by its own provider.

    The client's secret comes from THREADTIME_OIDC_CLIENT_SECRET, else a prompt on a terminal. It is kept in the
    database and never shown.
    """
    from backend.desk.practices import get_practice
    from backend.desk.providers import set_provider

    secret = _client_secret()
    with opened(data) as store:
        done = set_provider(
            store,
            get_practice(store, practice).practice_id,
            issuer=issuer,
            client_id=client_id,
            client_secret=secret,
            name=name,
            address=address,
            now=now(),
        )
    click.echo(f"People can sign in with {done.name}, once they have linked their account on the page Your account.")
    click.echo(f"Register this redirect address there: {done.redirect}")


@oidc.command("show")
@in_practice
def oidc_show(data: Path | None, practice: str | None) -> None:
    """Print the provider and the redirect address to register there, without the secret."""
    from backend.desk.practices import get_practice
    from backend.desk.providers import provider_of

    with opened(data) as store:
        found = get_practice(store, practice)
        provider = provider_of(store, found.practice_id)
    if provider is None:
        click.echo("This practice has no provider for signing in.")
        return
    page = provider.redirect.removesuffix("/back")
    for name, value in (
        ("issuer", provider.issuer),
        ("client id", provider.client_id),
        ("name", provider.name),
        ("redirect address", provider.redirect),
        ("sign-in page", f"{page}/with/{found.key}"),
    ):
        click.echo(f"{name + ':':<18}{value}")


@oidc.command("remove")
@in_practice
def oidc_remove(data: Path | None, practice: str | None) -> None:
    """End signing in by the provider.

    Refused while no administrator has a password. Who is linked stays so, should the same issuer be set again.
    """
    from backend.desk.practices import get_practice
    from backend.desk.providers import remove_provider

    with opened(data) as store:
        cut_off = remove_provider(store, get_practice(store, practice).practice_id, now())
    click.echo("Nobody signs in by the provider any more.")
    if cut_off:
        click.echo(f"{cut_off} without a password need a link to choose one, from the page People or `user reset`.")


def _client_secret() -> str:
    if given := os.environ.get(SECRET):
        return given
    from backend.first_run import on_terminal

    if not on_terminal():
        raise BadInput(f"Give the client's secret in the environment, as {SECRET}.")
    return str(click.prompt("The client's secret", hide_input=True, err=True))
