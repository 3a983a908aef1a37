"""Which account somebody signs in to by the organisation's provider: linking one's own, unlinking it."""

from dataclasses import dataclass

from backend.desk.people import User, audit_own
from backend.errors import Conflict, NotFound, ProviderTrouble
from backend.store import Connection, Store
from backend.store import identities as rows
from backend.store import people as users


@dataclass(frozen=True, slots=True)
class OwnIdentity:
    """What one's own page shows. `provider`: its name; `linked_at` None: not linked."""

    provider: str
    linked_at: int | None
    has_password: bool


def own_identity(store: Store, user: User) -> OwnIdentity | None:
    """None: the practice has no provider."""
    with store.read() as connection:
        provider = rows.provider(connection, user.practice_id)
        if provider is None:
            return None
        linked_at = rows.linked_at(connection, user.practice_id, user.user_id, provider.issuer)
        found = users.find_user(connection, user.practice_id, user.user_id)
    return OwnIdentity(provider.name, linked_at, found is not None and found.password_hash is not None)


def link(
    store: Store, connection: Connection, provider: rows.ProviderRow, user_id: str, subject: str, now: int
) -> None:
    """Links an account inside a unit of work that is already open; an earlier identity of the account ends.
    ProviderTrouble: somebody else's account has this one."""
    practice_id = provider.practice_id
    owner = rows.user_by_identity(connection, practice_id, provider.issuer, subject)
    if owner is not None and owner != user_id:
        raise ProviderTrouble(f"Your account at {provider.name} already signs in somebody else here.", code="taken")
    rows.put_identity(connection, practice_id, issuer=provider.issuer, subject=subject, user_id=user_id, linked_at=now)
    audit_own(store, connection, practice_id, user_id, "identity_linked", now)


def unlink(store: Store, user: User, now: int) -> None:
    """From now on the account is not signed in to by the provider. NotFound: it is not linked. Conflict: there would be
    no way in."""

    def work(connection: Connection) -> None:
        provider = rows.provider(connection, user.practice_id)
        found = users.find_user(connection, user.practice_id, user.user_id)
        if provider is None or found is None:
            raise NotFound("This practice has no provider for signing in.")
        if found.password_hash is None:
            raise Conflict(
                f"{provider.name} is your only way to sign in. Ask an administrator for a link to choose a password "
                "first."
            )
        if not rows.drop_identity(connection, user.practice_id, user.user_id, provider.issuer):
            raise NotFound("Your account is not linked.")
        audit_own(store, connection, user.practice_id, user.user_id, "identity_unlinked", now)

    store.write(work)
