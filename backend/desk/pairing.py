"""Pairing by code (RFC 8628): a browser asks, a person who sees its code says yes, and the browser gets a token."""

from dataclasses import dataclass

from backend.audit import by_user
from backend.auth import tokens
from backend.auth.codes import EXPIRES_SECONDS, INTERVAL_SECONDS, LOCKED_SECONDS, TRIES, new_code, read_code
from backend.auth.roles import may
from backend.desk.devices import keep_device
from backend.desk.people import User
from backend.errors import BadInput, Busy, NotFound, NotPaired, ThreadtimeError, TooManyTries
from backend.store import pairings as rows
from backend.store import people
from backend.store.connection import Connection
from backend.store.database import Store
from backend.store.practices import by_id

MOST = 10_000
"""Pairings under way at once; far below the number of names a code can have."""
EARLY_MS = 1000
"""A browser that asks so much too early is not told to slow down: its timers and the network are not that exact."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a browser that asks is told. `device_code` is its secret, `user_code` is for the person to see."""

    device_code: str
    user_code: str
    expires_in: int
    interval: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pairing that waits for a person's answer, as it describes itself."""

    user_code: str
    device_name: str
    browser: str
    asked_at: int


@dataclass(frozen=True, slots=True)
class Paired:
    """`token` is shown here once and stored as a digest; the rest says whose it is."""

    token: str
    device_name: str
    user_id: str
    user_name: str
    practice_name: str


def begin(store: Store, *, device_name: str, browser: str, now: int) -> Asked:
    """Keeps that a browser asks to be paired. BadInput for names nobody could tell it by, Busy when thousands ask."""
    shown, of = _shown(device_name, "device_name"), _shown(browser, "browser")
    device_code = tokens.new_secret()

    def work(connection: Connection) -> str:
        rows.delete_expired(connection, now)
        if rows.count(connection) >= MOST:
            raise Busy("Too many browsers ask to be paired at once.", retry_after_seconds=60)
        expires_at = now + EXPIRES_SECONDS * 1000
        while True:  # a name that is in use is rare, and ten thousand are at most a sixteenth of them
            code = new_code()
            asked = rows.PairingRow(tokens.digest(device_code), *code, shown, of, now, expires_at)
            if rows.insert(connection, asked):
                return code.shown

    return Asked(device_code, store.write(work), EXPIRES_SECONDS, INTERVAL_SECONDS)


def poll(store: Store, device_code: str, *, now: int) -> Paired:
    """The token, once. NotPaired says by its `code` why there is none: authorization_pending (ask again after the
    interval), slow_down (five seconds later than that), access_denied, expired_token (also for what nobody knows)."""
    name = tokens.digest(device_code)
    with store.read() as connection:
        if rows.by_device_code(connection, name) is None:
            raise _expired()

    def work(connection: Connection) -> Paired | NotPaired:
        found = rows.by_device_code(connection, name)
        if found is None or found.expires_at <= now:
            return _expired()
        if found.wrong_tries >= TRIES:
            return _refused(f"The code was locked after {TRIES} wrong tries; ask for another one.")
        if found.answer is None:
            early = found.polled_at is not None and now - found.polled_at < INTERVAL_SECONDS * 1000 - EARLY_MS
            rows.note_poll(connection, name, now)
            if early:
                return NotPaired("That was too soon: ask five seconds less often.", code="slow_down")
            return NotPaired("Nobody has answered yet.", code="authorization_pending")
        rows.delete(connection, name)
        return _hand_over(store, connection, found, now) if found.answer == "yes" else _refused("The answer was no.")

    outcome = store.write(work)
    if isinstance(outcome, NotPaired):
        raise outcome
    return outcome


def find(store: Store, user: User, typed: str, *, now: int) -> Waiting:
    """The pairing whose code a person typed. NotFound for a code that is none, is over or is locked; TooManyTries for
    a person who typed five wrong ones. A wrong second group counts against its code as well."""
    return _settled(store.write(lambda connection: _look_up(connection, user, typed, now)))


def answer(store: Store, user: User, typed: str, *, yes: bool, now: int) -> Waiting:
    """A person's yes or no to the pairing of that code; raises what `find` raises."""

    def work(connection: Connection) -> Waiting | ThreadtimeError:
        found = _look_up(connection, user, typed, now)
        if isinstance(found, Waiting):
            name = found.user_code.partition("-")[0]
            said = "yes" if yes else "no"
            rows.set_answer(connection, name, said, user.practice_id, user.user_id)
            store.audit.add(
                connection,
                user.practice_id,
                at=now,
                actor=by_user(user.user_id),
                action="pairing_answered",
                subject=("user", user.user_id),
                detail={"answer": said},
            )
        return found

    return _settled(store.write(work))


def _look_up(connection: Connection, user: User, typed: str, now: int) -> Waiting | ThreadtimeError:
    """Errors are handed back, not raised: raised, they would take the count of wrong tries back with them."""
    since = now - LOCKED_SECONDS * 1000
    wrong, last_at = rows.wrong_codes(connection, user.practice_id, user.user_id, since)
    if wrong >= TRIES:
        wait = -((now - last_at) // 1000) + LOCKED_SECONDS
        return TooManyTries(f"That were {TRIES} wrong codes. Wait {-(-wait // 60)} min.", retry_after_seconds=wait)
    code = read_code(typed)
    found = rows.by_code_name(connection, code.name) if code else None
    if code and found and found.expires_at > now and found.answer is None and found.wrong_tries < TRIES:
        if tokens.same(found.code_proof, code.proof):
            return Waiting(code.shown, found.device_name, found.browser, found.asked_at)
        rows.note_wrong_proof(connection, code.name)
    rows.set_wrong_codes(connection, user.practice_id, user.user_id, wrong + 1, now)
    return NotFound("No browser waits with this code now: it is mistyped, or its ten minutes are over.")


def _settled(outcome: Waiting | ThreadtimeError) -> Waiting:
    if isinstance(outcome, ThreadtimeError):
        raise outcome
    return outcome


def _hand_over(store: Store, connection: Connection, asked: rows.PairingRow, now: int) -> Paired | NotPaired:
    """A device with a token, for the person who said yes, who must still be one who records time."""
    practice_id, user_id = asked.practice_id, asked.user_id
    user = people.find_user(connection, practice_id, user_id) if practice_id and user_id else None
    if user is None or not user.active or not may(user.roles, "record time"):
        return _refused("Whoever said yes records no time here any more.")
    token = tokens.new_token("tt", user.practice_id)
    name, browser = asked.device_name, asked.browser
    keep_device(store, connection, user, token, name=name, browser=browser, by=user.user_id, now=now)
    return Paired(token, asked.device_name, user.user_id, user.name, str(by_id(connection, user.practice_id)["name"]))


def _shown(text: str, field: str) -> str:
    shown = " ".join(text.split())
    if not shown or len(shown) > 100 or not shown.isprintable():
        raise BadInput(f"{field} has 1 to 100 printable characters, for example: Rosa's laptop.")
    return shown


def _refused(message: str) -> NotPaired:
    return NotPaired(message, code="access_denied")


def _expired() -> NotPaired:
    return NotPaired("The code is over; ask for another one.", code="expired_token")
