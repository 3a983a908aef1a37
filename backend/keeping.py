"""The commands that keep the data: backups, the key, and whether all is well."""

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO

import click

from backend.config import Config
from backend.console import working
from backend.errors import BadInput, ThreadtimeError
from backend.options import configured, in_folder, now, on_port, opened

ON_SERVER = "docs/operations.md, PostgreSQL"
FILE = click.Path(dir_okay=False, path_type=Path)
_NO_KEY = "A PostgreSQL database has no key of ours; its server's disk is what is encrypted"
BACKUP = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@in_folder
@click.argument("file", type=FILE)
@click.option("--force", is_flag=True, help="Replace an older backup of that name.")
def backup(data: Path | None, file: Path, force: bool) -> None:
    """Write a backup, beside a running server too.

    FILE is one copy of the whole database, encrypted with its key; without that key nobody can read it.
    """
    from backend.desk.audit import audit_kept
    from backend.store.backup import make_backup
    from backend.store.keys import read_key

    config = _with_file(data, "pg_dump takes a backup of a PostgreSQL database")
    with working("Writing the backup"):
        seal = make_backup(config.data, read_key(config.data, config.key_file), file, now=now(), replace=force)
    click.echo(f"{file} holds everything that was acknowledged before {_instant(seal.made_at)} UTC.")
    click.echo("It opens with the data folder's key alone: keep a copy of both keys, but not beside the backup.")
    with opened(data) as store:
        audit_kept(store, "backup_taken", now=now(), detail={"sha256": seal.sha256})


@click.command()
@in_folder
@click.argument("file", type=BACKUP)
@click.option("--force", is_flag=True, help="Although the folder holds a database, which is kept aside.")
def restore(data: Path | None, file: Path, force: bool) -> None:
    """Put a backup into a data folder.

    FILE is checked whole, and its key found, before anything is changed. No server may run on the folder.
    """
    from backend.desk.audit import audit_restored
    from backend.desk.erasing import erase_again
    from backend.store.restore import restore

    config = _with_file(data, "pg_restore restores what pg_dump took of a PostgreSQL database")
    with working("Checking and restoring the backup"):
        done = restore(config.data, config.key_file, file, now=now(), replace=force)
    click.echo(f"{config.data.resolve()} holds what was acknowledged before {_instant(done.seal.made_at)} UTC.")
    click.echo(f"Its database key is {done.key.resolve()}.")
    if done.aside is not None:
        click.echo(f"The database that was there is {done.aside.resolve()}.")
    with opened(data) as store:
        audit_restored(store, now=now())
        again = erase_again(store, now=now())
    for each in again:
        click.echo(f"The {each.kind} {each.id} was erased after this backup was made, and is erased again.")


@click.command()
@in_folder
@on_port
def doctor(data: Path | None, port: int) -> None:
    """Check this machine, the data folder and its key.

    One line for each thing that was looked at, with what to do about a problem; the exit code is 1 if there is one.
    """
    from backend.desk.doctor import examine

    with working("Looking at everything"):
        found = list(examine(replace(configured(data), port=port), now=now()))
    for finding in found:
        click.echo(f"{finding.state:8} {finding.about}: {finding.text.rstrip('.')}.")
    if problems := sum(finding.state == "problem" for finding in found):
        raise click.ClickException(f"{problems} problem(s) found.")


@click.command("support-bundle")
@in_folder
@on_port
@click.argument("file", type=FILE)
@click.option("--log", type=BACKUP, help="The file that the server's log goes to.")
def support_bundle(data: Path | None, port: int, file: Path, log: Path | None) -> None:
    """Write what somebody who helps you may see.

    FILE becomes a .zip: what doctor says, versions, settings, how many rows there are, and what the server measured.
    Nothing of the database's rows is in it.
    """
    from zipfile import ZIP_DEFLATED, ZipFile

    from backend.desk.support import bundle

    config = replace(configured(data), port=port)
    with working("Looking at everything"), ExitStack() as opening:
        try:
            store = opening.enter_context(opened(data))
        except ThreadtimeError:
            store = None  # doctor says in the bundle what is wrong
        files = list(bundle(config, store, log, now=now()))
    with file.open("xb") as raw, ZipFile(raw, "w", ZIP_DEFLATED) as packed:
        for name, content in files:
            packed.writestr(name, content)
    click.echo(f"{file} holds {', '.join(name for name, _ in files)}. Look through it before you send it.")


@click.group()
def key() -> None:
    """The key of the database."""


@key.command("rotate")
@in_folder
def key_rotate(data: Path | None) -> None:
    """Encrypt the database with a new key.

    No server may run on the folder. What was cut short is finished by running it again.
    """
    from backend.desk.audit import audit_kept
    from backend.store.keys import key_path
    from backend.store.rotation import rotate_key

    config = _with_file(data, _NO_KEY)
    with working("Encrypting the database anew"):
        earlier = rotate_key(config.data, config.key_file, now=now())
    path = key_path(config.data, config.key_file)
    click.echo(f"The new key is {path.resolve()}: keep a copy of it in another place.")
    if earlier is not None:
        click.echo(f"The key until now is {earlier}: backups made until now open with it alone.")
    with opened(data) as store:
        audit_kept(store, "key_rotated", now=now())


@key.command("show-recovery")
@in_folder
@click.option("--audit", is_flag=True, help="The key that seals the audit, instead of the one of the database.")
def key_show_recovery(data: Path | None, audit: bool) -> None:
    """Print the key as a line to be kept on paper.

    Nothing else stands on standard output. Who has this line and the data, or a backup, can read everything. A restore
    on another machine needs the audit's key as well: keep both lines.
    """
    from backend.store.keys import read_audit_key, read_key, recovery_line

    config = configured(data) if audit else _with_file(data, _NO_KEY)
    click.echo(recovery_line((read_audit_key if audit else read_key)(config.data, config.key_file)))


@key.command("recover")
@in_folder
@click.argument("line_file", metavar="FILE", type=click.File("r"), required=False)
@click.option(
    "--backup", type=BACKUP, metavar="FILE", help="The key of this backup's folder, where there is no folder."
)
@click.option("--audit", is_flag=True, help="It is the line of the key that seals the audit.")
def key_recover(data: Path | None, line_file: IO[str] | None, backup: Path | None, audit: bool) -> None:
    """Make the key file of a recovery line.

    The line is read from FILE; without one it is asked on a terminal, else read from standard input. A key that is
    there is never overwritten.
    """
    from backend.first_run import on_terminal
    from backend.store.keys import key_of_line
    from backend.store.recovery import recover_audit_key, recover_key

    config = configured(data) if audit else _with_file(data, _NO_KEY)
    if line_file is None and on_terminal():
        line = str(click.prompt("The recovery line", err=True))
    else:
        line = (line_file or sys.stdin).read()
    recover = recover_audit_key if audit else recover_key
    where = recover(key_of_line(line), config.data, config.key_file, backup)
    click.echo(f"The key is {where.resolve()}.")


def _with_file(data: Path | None, instead: str) -> Config:
    """The settings; BadInput with what serves instead, where the database is PostgreSQL's and not a file."""
    config = configured(data)
    if config.database is not None:
        raise BadInput(f"{instead}: see {ON_SERVER}.")
    return config


def _instant(at: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
