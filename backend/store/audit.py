"""The audit's rows: entries added at the end of a practice's chain, read in order, and details that are erased."""

import hmac
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from backend.audit import NOTHING, Actor, Detail, Entry, Head, Sealed, canonical_detail, digest_of, seal
from backend.store import erasures
from backend.store.connection import Connection
from backend.store.heads import HeadFile, Heads

SALT_BYTES = 16
ROWS_A_READ = 1000


class End:
    """Where a practice's chain ends: asked at once, read when it is wanted."""

    def __init__(self, connection: Connection, practice_id: int) -> None:
        self._asked = connection.execute(
            "SELECT number, seal FROM audit_entry WHERE practice_id = ? ORDER BY number DESC LIMIT 1", (practice_id,)
        )

    def read(self) -> Head:
        row = self._asked.fetchone()
        return Head(0, NOTHING) if row is None else Head(row[0], row[1])


class Audit:
    """The audit of one store: `key` seals its entries; `heads` is the file beside the key, None where there is none."""

    def __init__(self, key: bytes, key_file: Path | None = None) -> None:
        self.key = key
        self.heads = None if key_file is None else HeadFile(key_file)

    def add(
        self,
        connection: Connection,
        practice_id: int,
        *,
        at: int,
        actor: Actor,
        action: str,
        subject: tuple[str, str | None],
        detail: Mapping[str, Any] | None = None,
        end: End | None = None,
    ) -> int:
        """Adds an entry in the unit of work that does what it records; returns its number.

        `subject` and `detail` hold surrogate ids, counts and settings: never a portal's own identifier, a name, an
        e-mail address or a token. `end`: where the chain ends, if the unit of work has asked and added nothing since;
        an older one is refused by the entry's number.
        """
        last = (end or End(connection, practice_id)).read()
        said = None if detail is None else Detail(os.urandom(SALT_BYTES), canonical_detail(detail))
        entry = Entry(
            practice_id,
            last.count + 1,
            at,
            actor,
            action,
            subject,
            None if said is None else digest_of(said),
            last.seal,
        )
        connection.execute(
            "INSERT INTO audit_entry (practice_id, number, at, actor_kind, actor_id, action, subject_kind, subject_id,"
            " detail_digest, previous, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                practice_id,
                entry.number,
                at,
                actor.kind,
                actor.id,
                action,
                *subject,
                entry.digest,
                entry.previous,
                seal(entry, self.key),
            ),
        )
        if said is not None:
            connection.execute(
                "INSERT INTO audit_detail (practice_id, number, salt, detail) VALUES (?, ?, ?, ?)",
                (practice_id, entry.number, said.salt, said.text),
            )
        return entry.number

    def erase(
        self,
        connection: Connection,
        practice_id: int,
        subjects: Iterable[tuple[str, str]],
        *,
        at: int,
        actor: Actor,
    ) -> int:
        """Erases the details of every entry about these subjects, and says so in an entry; returns how many went.

        In a unit of work in which details may go (`erasures.erasing`).
        """
        numbers = sorted(
            row[0]
            for kind, id_ in subjects
            for row in connection.execute(
                "SELECT number FROM audit_entry JOIN audit_detail USING (practice_id, number)"
                " WHERE practice_id = ? AND subject_kind = ? AND subject_id = ?",
                (practice_id, kind, id_),
            ).fetchall()
        )
        if numbers:
            self._drop_details(connection, practice_id, numbers, {"entries": numbers}, at=at, actor=actor)
        return len(numbers)

    def erase_old(
        self, connection: Connection, practice_id: int, before: int, *, most: int, at: int, actor: Actor
    ) -> tuple[int, int | None]:
        """Erases the details of at most so many entries from before an instant, and says so in an entry; returns how
        many went, and when the oldest of them was made. Their entries, and with them the chain, stay.

        Details that `verify` itself needs stay too: which details went, and where a restored chain had ended.
        """
        rows = connection.execute(
            f"SELECT number, at {_OLD_DETAILS} ORDER BY number LIMIT ?3", (practice_id, before, most)
        ).fetchall()
        if not rows:
            return 0, None
        numbers = [row[0] for row in rows]
        self._drop_details(connection, practice_id, numbers, {"ranges": _ranges(numbers)}, at=at, actor=actor)
        return len(numbers), min(row[1] for row in rows)

    def _drop_details(
        self,
        connection: Connection,
        practice_id: int,
        numbers: Iterable[int],
        said: Mapping[str, Any],
        *,
        at: int,
        actor: Actor,
    ) -> None:
        self.add(
            connection,
            practice_id,
            at=at,
            actor=actor,
            action="detail_erased",
            subject=("entries", None),
            detail=said,
        )
        connection.executemany(
            "DELETE FROM audit_detail WHERE practice_id = ? AND number = ?", [(practice_id, each) for each in numbers]
        )

    def move_heads(self, connection: Connection) -> list[int]:
        """Writes where every chain ends, and who was erased, beside the key; returns the practices whose head stays.

        A head stays, for `verify` to show, where the chain does not hold what it names: moved on, it would hide a cut.
        """
        if self.heads is None:
            return []
        with self.heads.held() as file:
            written = file.read()
            stay, moved = [], dict(written.heads)
            for practice_id in _practices(connection) | set(moved):
                old, new = written.heads.get(practice_id), head(connection, practice_id)
                if old is not None and seal_at(connection, practice_id, old.count) != old.seal:
                    stay.append(practice_id)
                elif new.count:
                    moved[practice_id] = new
            erased = written.erased | erasures.of_people(connection)
            if (moved, erased) != (written.heads, written.erased):
                file.write(Heads(moved, written.before, erased))
            return sorted(stay)

    def restart_heads(self, connection: Connection) -> None:
        """Writes where every chain ends now, whatever the file named; it goes on to name what it named before."""
        if self.heads is not None:
            with self.heads.held() as file:
                now = {practice_id: head(connection, practice_id) for practice_id in _practices(connection)}
                written = file.read()
                file.write(Heads(now, [*written.before, written.heads], written.erased))


_OLD_DETAILS = (
    "FROM audit_detail JOIN audit_entry USING (practice_id, number) WHERE practice_id = ?1"
    " AND number <= (SELECT max(number) FROM audit_entry WHERE practice_id = ?1 AND at < ?2) AND at < ?2"
    " AND action NOT IN ('detail_erased', 'restored')"
)


def old_details(connection: Connection, practice_id: int, before: int) -> tuple[int, int | None]:
    """How many details `erase_old` would erase in all, and when the oldest of their entries was made."""
    row = connection.execute(f"SELECT count(*), min(at) {_OLD_DETAILS}", (practice_id, before)).fetchone()
    return int(row[0]), row[1]


def _ranges(numbers: Iterable[int]) -> list[list[int]]:
    """Ascending numbers as runs without gaps: [[first, last], ...]."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return runs


def head(connection: Connection, practice_id: int) -> Head:
    """Where the practice's chain ends."""
    return End(connection, practice_id).read()


def seal_at(connection: Connection, practice_id: int, number: int) -> bytes | None:
    """The seal of an entry; of the place before the first one what stands for it."""
    if number == 0:
        return NOTHING
    row = connection.execute(
        "SELECT seal FROM audit_entry WHERE practice_id = ? AND number = ?", (practice_id, number)
    ).fetchone()
    return None if row is None else bytes(row[0])


def has_entry_between(connection: Connection, practice_id: int, start: int, end: int) -> bool:
    """Whether there is an entry of `[start, end)`."""
    row = connection.execute(
        "SELECT 1 FROM audit_entry WHERE practice_id = ? AND at >= ? AND at < ? LIMIT 1", (practice_id, start, end)
    ).fetchone()
    return row is not None


def is_empty(connection: Connection) -> bool:
    return connection.execute("SELECT 1 FROM audit_entry LIMIT 1").fetchone() is None


def is_sealed_with(connection: Connection, key: bytes) -> bool:
    """Whether the first entry that is there has its seal by this key; so it is where there is none."""
    row = connection.execute(f"{_ENTRIES} LIMIT 1").fetchone()
    if row is None:
        return True
    first = _sealed(row)
    return hmac.compare_digest(seal(first.entry, key), first.seal)


def has_entries(connection: Connection) -> bool:
    """The same of a database that may be of a version before there was an audit."""
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'audit_entry'").fetchone()
    return there is not None and not is_empty(connection)


def not_begun(connection: Connection) -> list[int]:
    """The practices whose chain has no entry."""
    rows = connection.execute(
        "SELECT practice_id FROM practice WHERE NOT EXISTS"
        " (SELECT 1 FROM audit_entry WHERE audit_entry.practice_id = practice.practice_id) ORDER BY practice_id"
    )
    return [row[0] for row in rows]


def chain(connection: Connection, practice_id: int, after: int = 0) -> Iterator[Sealed]:
    """Every entry of the practice behind number `after`, in order."""
    while part := some(connection, practice_id, after):
        yield from part
        after = part[-1].entry.number


def some(connection: Connection, practice_id: int, after: int) -> list[Sealed]:
    """The first of the entries behind number `after`, in order."""
    rows = connection.execute(f"{_ROWS} AND number > ? ORDER BY number LIMIT {ROWS_A_READ}", (practice_id, after))
    return [_sealed(row) for row in rows]


def page(
    connection: Connection,
    practice_id: int,
    *,
    start: int,
    end: int,
    action: str | None,
    before: int | None,
    limit: int,
) -> list[Sealed]:
    """Entries of the instants [start, end), newest first, below number `before`."""
    rows = connection.execute(
        f"{_ROWS} AND at >= ? AND at < ? AND (CAST(?4 AS TEXT) IS NULL OR action = ?4)"
        " AND (CAST(?5 AS BIGINT) IS NULL OR number < ?5) ORDER BY number DESC LIMIT ?6",
        (practice_id, start, end, action, before, limit),
    )
    return [_sealed(row) for row in rows]


_ENTRIES = "SELECT * FROM audit_entry LEFT JOIN audit_detail USING (practice_id, number)"
_ROWS = f"{_ENTRIES} WHERE practice_id = ?"


def _sealed(row: Any) -> Sealed:
    entry = Entry(
        row["practice_id"],
        row["number"],
        row["at"],
        Actor(row["actor_kind"], row["actor_id"]),
        row["action"],
        (row["subject_kind"], row["subject_id"]),
        row["detail_digest"],
        row["previous"],
    )
    return Sealed(entry, row["seal"], None if row["salt"] is None else Detail(row["salt"], row["detail"]))


def _practices(connection: Connection) -> set[int]:
    return {row[0] for row in connection.execute("SELECT practice_id FROM practice")}
