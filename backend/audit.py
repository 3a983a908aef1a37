"""The audit's chain: what an entry is, the bytes that are sealed, and whether a chain is the one that was written.

Pure: no SQL, clock, randomness or files. Each entry is sealed with an HMAC under a key that the database does not hold,
over its fields and the seal of the entry before it. Details (what a person may one day have erased) are not sealed
themselves: the entry has their salted digest, so that the chain stays whole without them.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Action = Literal[
    "answered_for_colleague",
    "audit_begun",
    "audit_exported",
    "backup_taken",
    "colleague_named",
    "delegation_ended",
    "detail_erased",
    "device_added",
    "device_revoked",
    "episode_approved",
    "episode_read",
    "episodes_listed",
    "facts_learned",
    "hold_lifted",
    "hold_placed",
    "identity_linked",
    "identity_unlinked",
    "intervals_exported",
    "key_rotated",
    "pairing_answered",
    "password_changed",
    "password_refused",
    "password_reset",
    "password_set",
    "patient_erased",
    "portal_added",
    "portal_moved",
    "practice_changed",
    "practice_created",
    "provider_refused",
    "provider_removed",
    "provider_set",
    "recovery_codes_made",
    "report_taken",
    "restored",
    "retention_applied",
    "retention_set",
    "second_factor_off",
    "second_factor_on",
    "session_ended",
    "sessions_ended",
    "setting_changed",
    "sign_in_failed",
    "signed_in",
    "signed_in_by_provider",
    "signed_out",
    "time_recorded",
    "user_added",
    "user_changed",
    "user_deactivated",
    "user_erased",
    "user_reactivated",
    "verified",
    "work_moved",
]
ACTIONS: tuple[str, ...] = get_args(Action)

NOTHING = bytes(32)
"""What the first entry has in the place of the seal before it."""
MOST_PROBLEMS = 20
"""After so many sentences about one chain, one says that there is more."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a user, a device, a command on the server's machine, the server itself, or a visitor nobody knows."""

    kind: Literal["user", "device", "command", "server", "visitor"]
    id: str | None = None


COMMAND, SERVER, VISITOR = Actor("command"), Actor("server"), Actor("visitor")


def by_user(user_id: str | None) -> Actor:
    """A person signed in, or whoever typed the command."""
    return COMMAND if user_id is None else Actor("user", user_id)


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened in a practice; `number` counts 1, 2, 3 ... without gaps, `at` in milliseconds since the epoch.

    `subject`: (kind, surrogate id) of what it was done to. `digest`: 32 bytes, of the detail; None without one.
    `previous`: the 32 bytes that seal the entry before it.
    """

    practice_id: int
    number: int
    at: int
    actor: Actor
    action: str
    subject: tuple[str, str | None]
    digest: bytes | None
    previous: bytes


@dataclass(frozen=True, slots=True)
class Detail:
    """What an entry says beyond who, what and when: canonical JSON with a random salt of its own."""

    salt: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """An entry as it is stored: `seal` is its 32-byte HMAC; `detail` None: there is none, or it was erased."""

    entry: Entry
    seal: bytes
    detail: Detail | None


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain as it was once seen: how many entries, and the seal of the last."""

    count: int
    seal: bytes


def canonical_detail(detail: Mapping[str, Any]) -> str:
    """The one text of a detail: JSON, keys sorted, no spaces."""
    return json.dumps(detail, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of(detail: Detail) -> bytes:
    return hashlib.sha256(detail.salt + detail.text.encode()).digest()


def canonical(entry: Entry) -> bytes:
    """The bytes that are sealed: no two different entries have the same."""
    fields = [
        "threadtime audit 1",
        entry.practice_id,
        entry.number,
        entry.at,
        entry.actor.kind,
        entry.actor.id,
        entry.action,
        *entry.subject,
        None if entry.digest is None else entry.digest.hex(),
        entry.previous.hex(),
    ]
    return json.dumps(fields, separators=(",", ":")).encode()


def seal(entry: Entry, key: bytes) -> bytes:
    """The entry's 32-byte HMAC-SHA-256 under the audit's key."""
    return hmac.digest(key, canonical(entry), "sha256")


def verify(rows: Iterable[Sealed], key: bytes, head: Head | None = None) -> list[str]:
    """What is wrong with a chain, read from its first entry on: a sentence for each problem, none when it is whole.

    Finds every entry or detail that was changed, removed, moved or slipped in, and, with the `head` that was once seen,
    a cut before it and a chain that somebody began anew. What was cut after the last head is not found.
    """
    found: list[str] = []
    for problem in Walk(key, head).through(rows):
        if len(found) == MOST_PROBLEMS:
            return [*found, "There is more that is wrong with the audit; the first problems are told."]
        found.append(problem)
    return found


@dataclass(slots=True)
class Walk:
    """The way along one chain; `number` and `last` are those of the entry before the next one."""

    key: bytes
    head: Head | None
    number: int = 0
    last: bytes = NOTHING
    without_detail: set[int] = field(default_factory=set)

    def through(self, rows: Iterable[Sealed]) -> Iterator[str]:
        """What is wrong from here to the end."""
        for row in rows:
            yield from self.step(row)
        for number in sorted(self.without_detail):
            yield f"The detail of audit entry {number} was removed, and no entry says so."
        if self.head is not None and self.number < self.head.count:
            yield f"Audit entries {self.number + 1} to {self.head.count} are missing at the end: the head names them."

    def step(self, row: Sealed) -> Iterator[str]:
        """What is wrong with the next entry."""
        entry, place = row.entry, self.number + 1
        if entry.number != place:
            yield f"Audit entry {place} is missing: entry {entry.number} stands in its place."
        whole = hmac.compare_digest(seal(entry, self.key), row.seal)
        if not whole:
            yield f"Audit entry {entry.number} was changed, or made without the audit key."
        elif entry.previous != self.last:
            yield f"Audit entry {entry.number} does not follow the one that stands before it."
        yield from self._detail(row, whole)
        if self.head is not None and entry.number == self.head.count and row.seal != self.head.seal:
            yield f"Audit entry {entry.number} is not the one that the head beside the key names."
        self.number, self.last = entry.number, row.seal

    def _detail(self, row: Sealed, whole: bool) -> Iterator[str]:
        number, digest, detail = row.entry.number, row.entry.digest, row.detail
        if detail is None:
            if digest is not None:
                self.without_detail.add(number)
            return
        if digest is None or digest_of(detail) != digest:
            yield f"The detail of audit entry {number} was changed."
        elif whole and row.entry.action == "detail_erased":
            said = json.loads(detail.text)
            self.without_detail.difference_update(said.get("entries", ()))
            for first, last in said.get("ranges", ()):
                self.without_detail.difference_update(range(first, last + 1))
