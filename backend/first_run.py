"""What a first run needs: the practice's answers, its folder and key, its portals, the assembled extension."""

import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from backend.config import Config
from backend.desk.portals import verified_kinds
from backend.desk.practices import create_practice, get_practice
from backend.errors import BadInput, CannotStart, NotFound
from backend.store.database import open_folder
from backend.store.folder import create_folder, database_path, refuse_missing_database
from backend.store.keys import audit_key_path, create_key, key_path

ROOT = Path(__file__).parents[1]
EXTENSION = ROOT / "build" / "extension"
NAME = "My practice"
ADMIN = "admin@practice.example"
PASSWORD_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # noqa: S105  (no letters that look like digits)


@dataclass(frozen=True, slots=True)
class Answers:
    practice: str
    timezone: str
    admin: str
    password: str
    generated: bool
    """True: nobody knows the password yet, so it has to be shown."""


def ask(practice: str | None, timezone: str | None, admin: str | None) -> Answers:
    """What was given, else what a person at the terminal says, else a default that is printed."""
    practice = practice or _asked("Name of the practice", NAME)
    timezone = timezone or _asked("Its time zone", machine_zone())
    admin = admin or _asked("E-mail address of the administrator", ADMIN)
    password, generated = choose_password("THREADTIME_ADMIN_PASSWORD", f"A password for {admin}")
    return Answers(practice, timezone, admin, password, generated)


def on_terminal() -> bool:
    """True when a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _asked(question: str, default: str) -> str:
    return str(click.prompt(question, default=default, err=True)) if on_terminal() else default


def choose_password(variable: str, question: str) -> tuple[str, bool]:
    """(the password, whether it was generated): from the environment, else typed twice, else made here."""
    if given := os.environ.get(variable):
        return given, False
    while on_terminal() and (given := _typed(f"{question} (nothing: one is made and shown)")):
        if _typed("The same again") == given:
            return given, False
        click.echo("The two are not the same.", err=True)
    return "-".join("".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(5)) for _ in range(4)), True


def _typed(question: str) -> str:
    return str(click.prompt(question, default="", show_default=False, hide_input=True, err=True))


def machine_zone() -> str:
    """The IANA name of this machine's time zone, UTC where it does not say."""
    said, linked = Path("/etc/timezone"), Path("/etc/localtime")
    candidates = (
        os.environ.get("TZ", "").lstrip(":"),
        said.read_text().strip() if said.is_file() else "",
        str(linked.resolve()).partition("zoneinfo/")[2],
    )
    return next((name for name in candidates if name and _is_zone(name)), "UTC")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def set_up(config: Config, answers: Answers, *, now: int) -> list[str]:
    """Creates what is not there yet: the folder, its key, and the practice; returns the lines to print.

    A key that is there is used and never overwritten. BadInput: a name, zone or address that cannot be one. Conflict:
    a practice of that name is there already.
    """
    create_folder(config.data)
    key_file = key_path(config.data, config.key_file)
    of_file = config.database is None
    if of_file and not key_file.exists() and not database_path(config.data).exists():  # a lost key is not replaced
        create_key(config.data, config.key_file)
    store = open_folder(config.data, config.key_file, database=config.database, now=now)
    try:
        practice = create_practice(
            store,
            name=answers.practice,
            timezone=answers.timezone,
            admin_email=answers.admin,
            admin_name="Administrator",
            password=answers.password,
            kinds=verified_kinds(),
            now=now,
        )
    finally:
        store.close()
    password = answers.password if answers.generated else "as you chose it"
    audit_key = audit_key_path(config.data, config.key_file)
    if not of_file:
        return [
            f"The practice {practice.name} ({practice.timezone}) is in the PostgreSQL database.",
            "PostgreSQL keeps it as readable as its disk is: encrypt that disk, and its backups.",
            f"The key of the audit is {audit_key.resolve()}. Keep a copy of it in another place:",
            "it shows whether anybody has changed what the audit says.",
            f"Sign in as {answers.admin}, password: {password}",
        ]
    return [
        f"The practice {practice.name} ({practice.timezone}) is in {config.data.resolve()}.",
        f"Its database key is {key_file.resolve()}. Keep a copy of it in another place than the data:",
        "without the key nobody can read the data again, and who has both can read everything.",
        f"Beside it lies the key of the audit, {audit_key.name}. Copy it too:",
        "it shows whether anybody has changed what the audit says.",
        f"Sign in as {answers.admin}, password: {password}",
    ]


def set_up_once(config: Config, *, now: int) -> list[str]:
    """Sets up a practice where there is none yet; returns the lines to print, none on a later run."""
    if _has_practice(config, now):
        return []
    names = ("THREADTIME_PRACTICE", "THREADTIME_TIMEZONE", "THREADTIME_ADMIN")
    return set_up(config, ask(*(os.environ.get(name) for name in names)), now=now)


def assemble_extension() -> Path:
    """Assembles the extension afresh and returns its folder; CannotStart where that fails."""
    command = [sys.executable, str(ROOT / "extension" / "assemble.py"), "--out", str(EXTENSION)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  (our own script)
    if done.returncode:
        raise CannotStart("The extension could not be assembled: " + done.stderr.strip().rpartition("\n")[2])
    return EXTENSION


def how_to_begin(address: str, extension: Path) -> str:
    """What to open, to load and to enter, for a server that listens on `address`."""
    command = f"{_python()} -m backend"
    return f"""
Threadtime serves on {address} until you press Ctrl-C.

In each clinician's browser (Chromium, Chrome, Edge) open chrome://extensions, switch on Developer mode,
press "Load unpacked" and choose {extension}
Give each clinician an account:
  {command} user add --email EMAIL --name NAME --role clinician --credential MD
Then enter in the extension's options:
  portal           its address in the browser, and its key: {" or ".join(verified_kinds())}
  server address   {address}
and press "Save" and "Pair this browser". It shows a code: the clinician signs in on {address}/pair,
types it, and says yes. (Without a page to sign in on, a device token serves instead of a code:
  {command} device add --clinician EMAIL --name BROWSER )
"""


def _has_practice(config: Config, now: int) -> bool:
    if not config.data.exists():
        return False
    if config.database is None:
        refuse_missing_database(config.data)
    store = open_folder(config.data, config.key_file, database=config.database, now=now)
    try:
        get_practice(store)
    except NotFound:
        return False  # an earlier first run was ended half-way
    except BadInput:
        return True  # there are several
    finally:
        store.close()
    return True


def _python() -> str:
    """The Python of this process as a person in the project's folder would type it."""
    executable = Path(sys.executable)
    return str(executable.relative_to(ROOT)) if executable.is_relative_to(ROOT) else str(executable)
