"""The commands by which data goes, and those that keep it from going."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backend.console import Day, print_table, working
from backend.errors import BadInput
from backend.options import in_folder, in_practice, now, opened

if TYPE_CHECKING:
    from backend.desk.erasing import Counts
    from backend.desk.holds import Hold

DRY_RUN = click.option("--dry-run", is_flag=True, help="Only say how much would go.")
YES = click.option("--yes", is_flag=True, help="Do not ask.")
DESPITE = click.option(
    "--despite-retention", metavar="REASON", help="Although it proves a claim that is still to be proved: why."
)
NAMES = {
    "patients": ("patient", "patients"),
    "threads": ("thread", "threads"),
    "intervals": ("interval", "intervals"),
    "facts": ("fact", "facts"),
    "episodes": ("episode", "episodes"),
    "details": ("detail of the audit", "details of the audit"),
}
"""What `Counts` counts: the words for one and for several."""


@click.group()
def retention() -> None:
    """How long what is kept."""


@retention.command("show")
@in_practice
def retention_show(data: Path | None, practice: str | None) -> None:
    """How long each kind of data is kept, and how short it may be kept at least."""
    from backend.desk.practices import get_practice
    from backend.desk.retention import list_retention

    with opened(data) as store:
        found = list_retention(store, get_practice(store, practice).practice_id, now=now())
    lines = []
    for each in found:
        lines.append((each.name, each.period or "for good", each.kind.least, each.kind.meaning))
        lines += [(f"  from {word.from_on}", word.period or "for good", "", "") for word in each.coming]
    print_table(("kind", "kept", "at least", "what it is"), lines)


@retention.command("set")
@in_practice
@click.argument("kind")
@click.argument("period", required=False)
@click.option("--from", "from_on", type=Day(), help="The day from which it holds; today without it.")
@click.option("--for-good", is_flag=True, help="Withdraw what was said: nothing of the kind goes by age.")
def retention_set(
    data: Path | None, practice: str | None, kind: str, period: str | None, from_on: date | None, for_good: bool
) -> None:
    """Say how long a kind of data is kept.

    KIND is intervals, records or audit; PERIOD is written like "7 years", "18 months" or "400 days". What is older goes
    by the next retention apply, which a running server does once a day.
    """
    from backend.desk.practices import get_practice
    from backend.desk.retention import keep_for

    if (period is None) is not for_good:
        raise click.UsageError("Give either a period or --for-good.")
    with opened(data) as store:
        practice_id = get_practice(store, practice).practice_id
        first = keep_for(store, practice_id, kind=kind, period=period, from_on=from_on, by=None, now=now())
    click.echo(f"{kind} are kept {'for good' if for_good else f'for {period}'}, from {first} on.")


@retention.command("apply")
@in_practice
@DRY_RUN
def retention_apply(data: Path | None, practice: str | None, dry_run: bool) -> None:
    """Remove what is older than the practice keeps it."""
    from backend.audit import COMMAND
    from backend.desk.aging import apply_retention
    from backend.desk.practices import get_practice
    from backend.words import iso_day

    with opened(data) as store, working("Looking through what is old"):
        found = get_practice(store, practice)
        removed = apply_retention(store, found.practice_id, actor=COMMAND, now=now(), dry_run=dry_run)
    if not removed:
        click.echo("Everything is kept for good: retention set says otherwise.")
    for each in removed:
        since = "" if each.oldest is None else f", the oldest from {iso_day(each.oldest, found.timezone)}"
        click.echo(f"{each.kind}: {_counted(each.counts)} {'would go' if dry_run else 'removed'}{since}.")


@click.group()
def hold() -> None:
    """What must not be removed, whatever its age."""


@hold.command("add")
@in_practice
@click.option("--patient", metavar="REF", help="All that is stored of this patient, by the portal's own identifier.")
@click.option("--portal", metavar="KEY", help="Which portal's patient, where the practice has several portals.")
@click.option("--user", metavar="EMAIL", help="This person's account, and all that they recorded.")
@click.option("--all", "everything", is_flag=True, help="All that the practice has.")
@click.option("--reason", required=True, help="Why, and who asked for it.")
def hold_add(
    data: Path | None,
    practice: str | None,
    patient: str | None,
    portal: str | None,
    user: str | None,
    everything: bool,
    reason: str,
) -> None:
    """Place a hold: nothing that it is on is removed or erased until it is lifted."""
    from backend.desk import holds
    from backend.desk.practices import get_practice

    if [patient is not None, user is not None, everything].count(True) != 1:
        raise click.UsageError("Give one of --patient, --user and --all.")
    with opened(data) as store:
        practice_id = get_practice(store, practice).practice_id
        said: dict[str, Any] = {"reason": reason, "by": None, "now": now()}
        if patient is not None:
            number = holds.place_on_patient(store, practice_id, portal=portal, reference=patient, **said)
        elif user is not None:
            number = holds.place_on_user(store, practice_id, email=user, **said)
        else:
            number = holds.place_on_everything(store, practice_id, **said)
    click.echo(f"Hold {number} stands until hold lift {number}.")


@hold.command("list")
@in_practice
def hold_list(data: Path | None, practice: str | None) -> None:
    """Every hold: on whom, why, since when, and until when it stood."""
    from backend.desk.holds import list_holds
    from backend.desk.practices import get_practice
    from backend.words import iso_day

    with opened(data) as store:
        found = get_practice(store, practice)
        holds = list_holds(store, found.practice_id)

    def line(each: "Hold") -> tuple[str, ...]:
        lifted = "stands"
        if each.lifted_at is not None:
            lifted = f"lifted {iso_day(each.lifted_at, found.timezone)} by {each.lifted_by or 'a command'}"
            lifted += f": {each.lifted_reason}" if each.lifted_reason else ""
        whom = " ".join(part for part in (each.portal, each.whom) if part)
        on = "everything" if each.about == "practice" else f"{each.about} {whom or 'who was erased'}"
        placed = f"{iso_day(each.placed_at, found.timezone)} by {each.placed_by or 'a command'}"
        return str(each.hold_id), on, placed, each.reason, lifted

    print_table(("hold", "on", "placed", "why", "until"), map(line, holds))


@hold.command("lift")
@in_practice
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Why it is no longer needed.")
def hold_lift(data: Path | None, practice: str | None, number: int, reason: str) -> None:
    """Lift a hold, whose NUMBER hold list shows."""
    from backend.desk.holds import lift
    from backend.desk.practices import get_practice

    with opened(data) as store:
        lift(store, get_practice(store, practice).practice_id, number, reason=reason, by=None, now=now())
    click.echo(f"Hold {number} is lifted.")


@click.group()
def erase() -> None:
    """Remove a person for good."""


@erase.command("patient")
@in_practice
@click.option("--portal", metavar="KEY", help="Which portal's patient, where the practice has several portals.")
@click.option("--patient", required=True, metavar="REF", help="The portal's own identifier of the patient.")
@DESPITE
@DRY_RUN
@YES
def erase_patient(
    data: Path | None,
    practice: str | None,
    portal: str | None,
    patient: str,
    despite_retention: str | None,
    dry_run: bool,
    yes: bool,
) -> None:
    """Remove a patient with all that is stored of them."""
    from backend.desk import erasing
    from backend.desk.practices import get_practice

    with opened(data) as store:
        about: dict[str, Any] = {"portal": portal, "reference": patient, "despite": despite_retention, "by": None}
        practice_id = get_practice(store, practice).practice_id
        counts = erasing.erase_patient(store, practice_id, **about, now=now(), dry_run=True)
        if dry_run:
            click.echo(f"{_counted(counts)} would go.")
            return
        _confirm(f"{_counted(counts)} go for good. Type the patient's reference to go on", patient, yes)
        counts = erasing.erase_patient(store, practice_id, **about, now=now())
    click.echo(f"Erased: {_counted(counts)}.")
    _say_what_is_left()


@erase.command("user")
@in_practice
@click.argument("email")
@DESPITE
@DRY_RUN
@YES
def erase_user(
    data: Path | None, practice: str | None, email: str, despite_retention: str | None, dry_run: bool, yes: bool
) -> None:
    """Remove a person's name and e-mail address, and close the account.

    What they recorded stays, under a random id: billed time needs whose it was.
    """
    from backend.desk import erasing
    from backend.desk.practices import get_practice

    with opened(data) as store:
        about: dict[str, Any] = {"email": email, "despite": despite_retention, "by": None}
        practice_id = get_practice(store, practice).practice_id
        erasing.erase_user(store, practice_id, **about, now=now(), dry_run=True)
        if dry_run:
            click.echo("Name, e-mail address, password and sessions would go.")
            return
        _confirm("Name, e-mail address, password and sessions go for good. Type the address to go on", email, yes)
        erasing.erase_user(store, practice_id, **about, now=now())
    click.echo("Erased: name, e-mail address, password and sessions.")
    _say_what_is_left()


@erase.command("again")
@in_folder
def erase_again(data: Path | None) -> None:
    """Erase who was erased and came back with an older database, such as one that pg_restore put back."""
    from backend.desk.erasing import erase_again

    with opened(data) as store:
        found = erase_again(store, now=now())
    for each in found:
        click.echo(f"The {each.kind} {each.id} is erased again.")
    click.echo(f"{len(found)} came back." if found else "Nobody who was erased is in the database.")


def _confirm(question: str, wanted: str, yes: bool) -> None:
    """BadInput where the person did not type what they mean; nothing else was done."""
    from backend.first_run import on_terminal

    if yes:
        return
    if not on_terminal():
        raise BadInput("Nobody can be asked here: --yes goes on without a question.")
    if str(click.prompt(question, err=True)) != wanted:
        raise BadInput("That is not what was to be typed: nothing was erased.")


def _say_what_is_left() -> None:
    click.echo("Backups made until now still hold it: a restore of one erases it again. Delete them when you can.")


def _counted(counts: "Counts") -> str:
    """`3 intervals, 1 episode`; of what is none, nothing."""
    found = [(getattr(counts, name), words) for name, words in NAMES.items()]
    parts = [f"{count:,} {words[count != 1]}" for count, words in found if count]
    return ", ".join(parts) or "nothing"
