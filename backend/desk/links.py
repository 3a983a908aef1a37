"""One-time links: what an administrator hands to a person, who chooses a password by it."""

from dataclasses import dataclass

from backend.auth import passwords, tokens
from backend.desk.people import audit_own
from backend.errors import NotFound
from backend.store import Connection, Store, accounts, factors, identities, people, practices

VALID_MS = 72 * 3_600_000

GONE = "This link is not valid any more: it was used, replaced, or is older than three days. Ask for a new one."


@dataclass(frozen=True, slots=True)
class Link:
    """Whose link it is; `provider`: the name of the practice's own one, where there is one."""

    practice_name: str
    name: str
    email: str
    provider: str | None = None


def make_link(connection: Connection, practice_id: int, user_id: str, *, by: str | None, now: int) -> str:
    """A new link's token inside a unit of work that is already open; an earlier link of the person ends.

    `by`: the user id of who asked for it; None: the command line.
    """
    token = tokens.new_token("tl", practice_id)
    accounts.put_link(
        connection,
        practice_id,
        user_id,
        token_digest=tokens.digest(token),
        made_by=by,
        created_at=now,
        expires_at=now + VALID_MS,
    )
    return token


def look_at_link(store: Store, token: str, now: int) -> Link:
    """Whose link this is; nothing changes. NotFound when it is no valid link."""
    with store.read() as connection:
        return find_link(connection, token, now)[1]


def use_link(store: Store, token: str, password: str, now: int) -> None:
    """Sets the password; the link and the person's sessions end, a lock is lifted. NotFound: no valid link. BadInput:
    a password that is too short or easy to guess; the link stays then."""
    link = look_at_link(store, token, now)
    password_hash = passwords.new_hash(password, about=(link.practice_name, link.name, link.email))

    def work(connection: Connection) -> None:
        user, _ = find_link(connection, token, now)
        people.set_password(connection, user.practice_id, user.user_id, password_hash)
        use_up(connection, user)
        audit_own(store, connection, user.practice_id, user.user_id, "password_set", now)

    store.write(work)


def use_up(connection: Connection, user: people.UserRow) -> None:
    """Ends the person's link once there is a new way in, with what was open by the ways before."""
    factors.forget_failures(connection, user.practice_id, user.user_id)
    accounts.end_sessions(connection, user.practice_id, user.user_id)
    accounts.drop_link(connection, user.practice_id, user.user_id)


def find_link(connection: Connection, token: str, now: int) -> tuple[people.UserRow, Link]:
    """Whose link this is. NotFound when it is no valid link."""
    practice_id = tokens.practice_of(token, "tl")
    found = accounts.find_link(connection, practice_id, tokens.digest(token)) if practice_id else None
    if practice_id is None or found is None or now >= found[1]:
        raise NotFound(GONE)
    user = people.find_user(connection, practice_id, found[0])
    if user is None or not user.active:
        raise NotFound(GONE)
    provider = identities.provider(connection, practice_id)
    practice_name = practices.by_id(connection, practice_id)["name"]
    return user, Link(practice_name, user.name, user.email, None if provider is None else provider.name)
