"""The command line, `python -m backend COMMAND`: each command calls one verb of the desk and prints what came back.

Exit codes: 0 done, 1 refused with one line on standard error, 2 wrong usage. Imports stand inside the commands, so that
`serve` is ready soon and `--help` at once.
"""

import shutil
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import IO

import click

from backend.console import Commands, Day, Instant, loading, output, print_table, setting_lines, working
from backend.errors import BadInput
from backend.importing import facts_in
from backend.keeping import backup, doctor, key, restore, support_bundle
from backend.options import DEFAULTS, configured, in_folder, in_practice, now, on_port, opened
from backend.provider import oidc
from backend.removing import erase, hold, retention

ROLES = ("clinician", "staff", "manager", "biller", "auditor", "admin")
LATER_FORMATS = ("xlsx", "pdf")
FORMAT = click.Choice(("csv", "json", *LATER_FORMATS))


@click.group(cls=Commands)
def cli() -> None:
    """Threadtime: time spent on portal messages, and what of it may be reported."""


@cli.command()
@in_folder
@click.option("--practice", metavar="NAME", envvar="THREADTIME_PRACTICE", help="The practice's name.")
@click.option("--timezone", metavar="ZONE", envvar="THREADTIME_TIMEZONE", help="Its zone, such as America/New_York.")
@click.option("--admin", metavar="EMAIL", envvar="THREADTIME_ADMIN", help="The first account's e-mail address.")
def init(data: Path | None, practice: str | None, timezone: str | None, admin: str | None) -> None:
    """Create the data folder, its key, a practice.

    The practice gets its first account, as administrator and manager, and one portal of each kind that is shipped.

    What no option and no THREADTIME_PRACTICE, THREADTIME_TIMEZONE, THREADTIME_ADMIN or THREADTIME_ADMIN_PASSWORD says
    is asked on a terminal; without one, the machine's zone and a generated password serve.
    """
    from backend.first_run import ask, set_up

    for line in set_up(configured(data), ask(practice, timezone, admin), now=now()):
        click.echo(line)


@cli.command()
@in_folder
@click.option("--host", default=DEFAULTS.host, show_default=True, help="The address to listen on.")
@on_port
@click.option("--behind-proxy", is_flag=True, help="A TLS proxy on this machine stands in front.")
def serve(data: Path | None, host: str, port: int, behind_proxy: bool) -> None:
    """Serve; ready when GET /readyz answers 200."""
    with loading():
        from backend.app import serve

    serve(replace(configured(data), host=host, port=port, behind_proxy=behind_proxy))


@cli.command()
@in_folder
@on_port
def start(data: Path | None, port: int) -> None:
    """Serve, after setting up what is missing (`make run`).

    Creates the practice if there is none, asking or taking what `init` would; assembles the extension; says what to
    load in the browser and what to enter there.
    """
    with loading():
        from backend.app import serve
        from backend.first_run import assemble_extension, how_to_begin, set_up_once

    config = replace(configured(data), port=port)
    for line in set_up_once(config, now=now()):
        click.echo(line)
    extension = assemble_extension()
    serve(config, ready=lambda address: click.echo(how_to_begin(address, extension)))


@cli.group()
def user() -> None:
    """The people of a practice."""


@user.command("add")
@in_practice
@click.option("--email", required=True, help="What the person signs in with.")
@click.option("--name", required=True, help="The person's name.")
@click.option("--role", "roles", required=True, multiple=True, type=click.Choice(ROLES), help="May be repeated.")
@click.option("--credential", help="A clinician's credential, such as MD, NP or PT.")
@click.option("--specialty", help="A clinician's specialty, such as family_medicine.")
def user_add(
    data: Path | None,
    practice: str | None,
    email: str,
    name: str,
    roles: tuple[str, ...],
    credential: str | None,
    specialty: str | None,
) -> None:
    """Add a person.

    The password comes from THREADTIME_USER_PASSWORD, else a prompt on a terminal, else it is generated and shown once.
    """
    from backend.desk.people import add_user
    from backend.desk.practices import get_practice
    from backend.first_run import choose_password

    password, generated = choose_password("THREADTIME_USER_PASSWORD", f"A password for {email}")
    with opened(data) as store:
        added = add_user(
            store,
            get_practice(store, practice).practice_id,
            email=email,
            name=name,
            roles=roles,
            credential=credential,
            specialty=specialty,
            password=password,
            now=now(),
        )
    click.echo(f"{added.name} can sign in as {added.email}" + (f" with the password {password}" if generated else ""))


@user.command("reset")
@in_folder
@click.option("--email", required=True, help="What the person signs in with.")
@click.option("--second-factor", is_flag=True, help="Take the second factor away too.")
@click.option("--address", default=f"http://127.0.0.1:{DEFAULTS.port}", show_default=True, help="Of the server.")
def user_reset(data: Path | None, email: str, second_factor: bool, address: str) -> None:
    """Print a one-time link by which a person chooses a new password, whoever they are.

    The present password and every session of the person end at once.
    """
    from backend.desk.accounts import reset_by_email

    with opened(data) as store:
        found, token = reset_by_email(store, email, second_factor=second_factor, now=now())
    click.echo(f"{found.name} chooses a new password within 72 hours, once, at")
    click.echo(f"{address.rstrip('/')}/join/{token}")


@cli.group()
def portal() -> None:
    """The portals a practice works in."""


@portal.command("add")
@in_practice
@click.option("--key", required=True, help="The name this installation has in the extension and in reports.")
@click.option("--kind", required=True, help="Which portal file reads it, such as medplum, or own.")
@click.option("--origin", required=True, metavar="URL", help="Its address, such as https://portal.example.")
def portal_add(data: Path | None, practice: str | None, key: str, kind: str, origin: str) -> None:
    """Add another installation of a portal."""
    from backend.desk.portals import add_portal
    from backend.desk.practices import get_practice

    with opened(data) as store:
        practice_id = get_practice(store, practice).practice_id
        add_portal(store, practice_id, key=key, kind=kind, origin=origin, now=now())
    click.echo(f"The portal {key} is known. Enter this key and {origin} in the extension's options.")


@cli.group()
def setting() -> None:
    """What the practice says instead of the rules' own defaults."""


@setting.command("list")
@in_practice
def setting_list(data: Path | None, practice: str | None) -> None:
    """Every setting of the rules: its value today, its default, what it means."""
    from backend.desk.practices import get_practice
    from backend.desk.settings import list_settings

    with opened(data) as store:
        found = list_settings(store, get_practice(store, practice).practice_id, now=now())
    print_table(("name", "today", "default", "meaning"), (line for each in found for line in setting_lines(each)))


@setting.command("set")
@in_practice
@click.argument("name")
@click.argument("value", required=False)
@click.option("--payer", metavar="TYPE", help="Only for episodes of this payer, such as commercial.")
@click.option("--from", "from_on", type=Day(), help="For episodes that begin on this day or later; today without it.")
@click.option("--default", is_flag=True, help="Withdraw what was said: the rules' own value, from that day on.")
def setting_set(
    data: Path | None,
    practice: str | None,
    name: str,
    value: str | None,
    payer: str | None,
    from_on: date | None,
    default: bool,
) -> None:
    """Set a parameter of the rules.

    VALUE is JSON or plain text; a list may be written a,b,c. Every episode it concerns is decided again.
    """
    from backend.desk.practices import get_practice
    from backend.desk.settings import change_setting, value_of

    if (value is None) is not default:
        raise click.UsageError("Give either a value or --default.")
    said = None if value is None else value_of(name, value)
    with opened(data) as store:
        practice_id = get_practice(store, practice).practice_id
        first = change_setting(
            store, practice_id, name=name, value=said, payer=payer, from_on=from_on, by=None, now=now()
        )
    click.echo(f"{name} {'has its default again' if default else 'is set'}, for episodes from {first} on.")


@cli.group()
def device() -> None:
    """The browsers that send time."""


@device.command("add")
@in_practice
@click.option("--clinician", required=True, metavar="EMAIL", help="Whose device it is; it speaks in their name.")
@click.option("--name", required=True, help="A name to tell the device by, such as 'desk browser'.")
def device_add(data: Path | None, practice: str | None, clinician: str, name: str) -> None:
    """Print a new device's token, once, to be entered in the extension's options or in a feed's script."""
    from backend.desk.devices import add_device
    from backend.desk.practices import get_practice

    with opened(data) as store:
        practice_id = get_practice(store, practice).practice_id
        click.echo(add_device(store, practice_id, clinician_email=clinician, name=name, now=now()))


@cli.command()
@in_practice
@click.option("--from", "start", required=True, type=Day(), help="The first day a window may start on.")
@click.option("--to", "end", required=True, type=Day(), help="The last day a window may start on.")
@click.option("--as-of", type=Instant(), help="Decide as of this instant, with what is stored now.")
@click.option("--format", "form", type=FORMAT, default="csv", show_default=True, help="xlsx and pdf come later.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Where, if not here.")
def report(
    data: Path | None,
    practice: str | None,
    start: date,
    end: date,
    as_of: int | None,
    form: str,
    out: Path | None,
) -> None:
    """The episodes that began in some days, decided.

    Those whose seven days start in [from, to], each with its determination and the reasons for it.
    """
    if start > end:
        raise click.UsageError(f"--from {start} is after --to {end}.")
    if form in LATER_FORMATS:
        raise BadInput(f"Reports as {form} come in a later version; csv and json are there.")
    from backend.desk.episodes import report_rows
    from backend.desk.practices import get_practice
    from backend.reports.as_csv import csv_chunks
    from backend.reports.as_json import json_chunks

    with opened(data) as store, working("Deciding every episode"):
        practice_id = get_practice(store, practice).practice_id
        rows = report_rows(store, practice_id, start=start, end=end, as_of=as_of, now=now())
    chunks = json_chunks(rows) if form == "json" else csv_chunks(rows)
    with output(out) as file:
        file.writelines(chunks)


for group in (facts_in, oidc, backup, restore, doctor, support_bundle, key, retention, hold, erase):
    cli.add_command(group)


@cli.group()
def export() -> None:
    """What is stored, for other programs."""


@export.command("intervals")
@in_practice
def export_all_intervals(data: Path | None, practice: str | None) -> None:
    """Every stored interval as JSON Lines, with the fields it came with."""
    import orjson

    from backend.desk.export import export_intervals
    from backend.desk.practices import get_practice

    with opened(data) as store, output(None) as file:
        for interval in export_intervals(store, get_practice(store, practice).practice_id, now=now()):
            file.write(orjson.dumps(interval, option=orjson.OPT_APPEND_NEWLINE))


@cli.group()
def audit() -> None:
    """Who did what."""


@audit.command("export")
@in_practice
def audit_export(data: Path | None, practice: str | None) -> None:
    """Every entry of a practice's audit as JSON Lines, oldest first, with what its seal is made of."""
    import orjson

    from backend.desk.audit import export_audit
    from backend.desk.practices import get_practice

    with opened(data) as store, output(None) as file:
        for entry in export_audit(store, get_practice(store, practice).practice_id, now=now()):
            file.write(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))


@cli.command()
@click.argument("file", type=click.File("rb"))
@click.option("--explain", is_flag=True, help="For people instead of programs: how each answer was reached.")
def evaluate(file: IO[bytes], explain: bool) -> None:
    """Facts in, determinations out, as JSON Lines.

    FILE (or - for standard input) holds one facts object, an array of them, JSON Lines, or {"cases": [...]}. A facts
    object that breaks the schema gives an error in its place, and the exit code 1.
    """
    import orjson

    from backend.billing.evaluate import judged
    from backend.reports.as_text import NOTHING_GIVEN, WIDTH, text_page

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH
    given = wrong = 0
    with output(None) as out:
        for given, one in enumerate(judged(file.read()), 1):
            wrong += one.case is None
            if explain:
                out.write(text_page(one, number=given, width=width))
            else:
                out.write(orjson.dumps(one.answer, option=orjson.OPT_APPEND_NEWLINE))
        if explain and not given:
            out.write(NOTHING_GIVEN)
    if wrong:
        raise click.ClickException(f"{wrong} of them could not be judged: see the error in each one's place.")


@cli.command()
@in_folder
def verify(data: Path | None) -> None:
    """Check the database and what is kept in it.

    Its integrity, that its audit is the one that was written, and that deciding every episode afresh gives what is
    stored.
    """
    from backend.desk.verify import verify

    with opened(data) as store, working("Checking the database and deciding every episode afresh"):
        problems = verify(store, now=now())
        for problem in problems:
            click.echo(problem)
    if problems:
        raise click.ClickException(f"{len(problems)} problem(s) found.")
    click.echo("No problem found.")
