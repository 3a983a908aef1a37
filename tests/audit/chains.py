"""Chains of entries, made in memory as the store makes them."""

from __future__ import annotations

import random
from dataclasses import replace

from backend.audit import ACTIONS, NOTHING, Actor, Detail, Entry, Head, Sealed, canonical_detail, digest_of, seal

KEY = bytes(range(32))
STRANGERS_KEY = bytes(range(1, 33))


def chain(length: int, key: bytes = KEY, seed: int = 0) -> list[Sealed]:
    """So many entries of one practice; each third has no detail."""
    chance, rows, last = random.Random(seed), [], NOTHING
    for number in range(1, length + 1):
        said = canonical_detail({"count": chance.randrange(1000), "word": "Grüße"})
        detail = None if number % 3 == 0 else Detail(chance.randbytes(16), said)
        entry = Entry(
            1,
            number,
            1_790_000_000_000 + number,
            Actor("user", f"{number:032x}"),
            chance.choice([action for action in ACTIONS if action != "detail_erased"]),
            ("episode", f"{number * 7:032x}"),
            None if detail is None else digest_of(detail),
            last,
        )
        rows.append(sealed(entry, detail, key))
        last = rows[-1].seal
    return rows


def sealed(entry: Entry, detail: Detail | None, key: bytes = KEY) -> Sealed:
    return Sealed(entry, seal(entry, key), detail)


def resealed(rows: list[Sealed], key: bytes) -> list[Sealed]:
    """The same entries, numbered and sealed anew under a key from the first to the last."""
    again: list[Sealed] = []
    for number, row in enumerate(rows, 1):
        last = again[-1].seal if again else NOTHING
        again.append(sealed(replace(row.entry, number=number, previous=last), row.detail, key))
    return again


def head_of(rows: list[Sealed]) -> Head:
    return Head(len(rows), rows[-1].seal) if rows else Head(0, NOTHING)
