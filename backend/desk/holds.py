"""Holds: what a court, an auditor or a payer asks for stays, whatever its age, until somebody lifts the hold."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from backend.audit import Action, by_user
from backend.errors import BadInput, Conflict, NotFound
from backend.store import Connection, Store, patients, people, practices
from backend.store import holds as rows
from backend.store import retention as ages

REASON_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Hold:
    """`about`: patient, user or practice; `whom`: the portal's identifier or the e-mail address, None where it is gone
    or the whole practice's. `by` None: a command."""

    hold_id: int
    about: str
    portal: str | None
    whom: str | None
    reason: str
    placed_at: int
    placed_by: str | None
    lifted_at: int | None
    lifted_by: str | None
    lifted_reason: str | None


def place_on_patient(
    store: Store, practice_id: int, *, portal: str | None, reference: str, reason: str, by: str | None, now: int
) -> int:
    """The new hold's number. NotFound: nobody is stored under that reference. BadInput: it has no reason."""

    def find(connection: Connection) -> str:
        return find_patient(connection, practice_id, portal, reference)

    return _place(store, practice_id, "patient", find, reason, (reference,), by, now)


def place_on_user(store: Store, practice_id: int, *, email: str, reason: str, by: str | None, now: int) -> int:
    """A hold on a person's account and on all that they recorded; as of `place_on_patient`."""

    def find(connection: Connection) -> str:
        return find_user(connection, practice_id, email).user_id

    return _place(store, practice_id, "user", find, reason, (email,), by, now)


def place_on_everything(store: Store, practice_id: int, *, reason: str, by: str | None, now: int) -> int:
    """A hold on all that the practice has."""
    return _place(store, practice_id, "practice", lambda _: None, reason, (), by, now)


def lift(store: Store, practice_id: int, hold_id: int, *, reason: str, by: str | None, now: int) -> None:
    """From now on it holds nothing. NotFound: there is no such hold; Conflict: it was lifted already."""
    said = reason_of(reason, ())

    def work(connection: Connection) -> None:
        found = next((row for row in rows.of_practice(connection, practice_id) if row["hold_id"] == hold_id), None)
        if found is None:
            raise NotFound(f"There is no hold {hold_id}; hold list shows them.")
        if found["lifted_at"] is not None:
            raise Conflict(f"Hold {hold_id} was lifted already.")
        rows.lift(connection, practice_id, hold_id, reason=said, by=by, at=now)
        _say(store, connection, practice_id, "hold_lifted", hold_id, found["about"], found["about_id"], by, now)

    store.write(work, practice_id)


def list_holds(store: Store, practice_id: int) -> list[Hold]:
    """Every hold, oldest first, lifted ones too."""
    with store.read() as connection:
        names = people.names(connection, practice_id)
        return [_hold(row, names) for row in rows.of_practice(connection, practice_id)]


class Holding:
    """What holds stand in a practice now, and whether they stand on somebody."""

    def __init__(self, connection: Connection, practice_id: int) -> None:
        self._connection = connection
        self._practice_id = practice_id
        self._rows = rows.standing(connection, practice_id)
        self._users = {row["about_id"] for row in self._rows if row["about"] == "user"}
        self.any = bool(self._rows)
        self.everything = any(row["about"] == "practice" for row in self._rows)

    def on_patients(self, patient_ids: Collection[str]) -> Any:
        """The first hold on one of these patients, on somebody who worked with them, or on everything; None: none."""
        workers = ages.users_at_work(self._connection, self._practice_id, patient_ids) if self._users else set()
        return self._first({"patient": set(patient_ids), "user": workers})

    def on_user(self, user_id: str) -> Any:
        """The first hold on this person, or on everything."""
        return self._first({"user": {user_id}})

    def _first(self, wanted: dict[str, set[str]]) -> Any:
        for row in self._rows:
            if row["about"] == "practice" or row["about_id"] in wanted.get(row["about"], ()):
                return row
        return None


def refuse_held(found: Any) -> None:
    """Conflict, naming the hold, where there is one."""
    if found is not None:
        number = found["hold_id"]
        raise Conflict(f"Hold {number} stands on {_WORDS[found['about']]}: hold lift {number} ends it.")


_WORDS = {"patient": "this patient", "user": "this person or their work", "practice": "all of the practice"}


def reason_of(reason: str, names: Iterable[str]) -> str:
    """A reason as it is kept. BadInput: it is empty, too long, or has one of the names that are to be gone one day."""
    said = " ".join(reason.split())
    if not said or len(said) > REASON_LENGTH:
        raise BadInput(f"A reason has 1 to {REASON_LENGTH} characters.")
    if any(name.lower() in said.lower() for name in names):
        raise BadInput("The reason is kept when the person is gone: say it without the reference or the address.")
    return said


def find_patient(connection: Connection, practice_id: int, portal: str | None, reference: str) -> str:
    """The patient's id. BadInput: there are several portals and none is named. NotFound."""
    known = sorted(practices.portal_keys(connection, practice_id))
    if portal is None and len(known) != 1:
        raise BadInput(f"Say with --portal which portal's patient it is; there are {', '.join(known)}.")
    found = patients.known(connection, practice_id, (portal or known[0], reference))
    if found is None:
        raise NotFound("Nobody is stored under this reference of this portal.")
    return found


def find_user(connection: Connection, practice_id: int, email: str) -> people.UserRow:
    """The person who signs in with that address. NotFound: nobody of this practice does."""
    found = people.find_by_email(connection, email.strip().lower())
    if found is None or found.practice_id != practice_id:
        raise NotFound("Nobody of this practice signs in with that e-mail address.")
    return found


def _place(
    store: Store,
    practice_id: int,
    about: str,
    find: Any,
    reason: str,
    names: Iterable[str],
    by: str | None,
    now: int,
) -> int:
    said = reason_of(reason, names)

    def work(connection: Connection) -> int:
        about_id = find(connection)
        number = rows.insert(connection, practice_id, about=about, about_id=about_id, reason=said, by=by, at=now)
        _say(store, connection, practice_id, "hold_placed", number, about, about_id, by, now)
        return number

    return store.write(work, practice_id)


def _say(
    store: Store,
    connection: Connection,
    practice_id: int,
    action: Action,
    number: int,
    about: str,
    about_id: str | None,
    by: str | None,
    now: int,
) -> None:
    """The entry; its reason stands with the hold alone, where it can be erased."""
    subject = (about, str(practice_id) if about_id is None else about_id)
    add = partial(store.audit.add, connection, practice_id, at=now, actor=by_user(by))
    add(action=action, subject=subject, detail={"hold": number})


def _hold(row: Any, names: dict[str, str]) -> Hold:
    return Hold(
        row["hold_id"],
        row["about"],
        row["portal"],
        row["reference"] if row["about"] == "patient" else row["email"],
        row["reason"],
        row["placed_at"],
        names.get(row["placed_by"]),
        row["lifted_at"],
        names.get(row["lifted_by"]),
        row["lifted_reason"],
    )
