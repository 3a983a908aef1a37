"""Whatever is done to a chain by hand is found; what was written is not."""

from __future__ import annotations

import itertools
from dataclasses import fields, replace

from hypothesis import given
from hypothesis import strategies as st

from backend.audit import (
    MOST_PROBLEMS,
    NOTHING,
    Actor,
    Detail,
    Entry,
    Head,
    Sealed,
    Walk,
    canonical,
    canonical_detail,
    digest_of,
    verify,
)
from tests.audit.chains import KEY, STRANGERS_KEY, chain, head_of, resealed, sealed

ROWS = chain(12)
HEAD = head_of(ROWS)


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def changed_text(text: str, place: int) -> str:
    return text[:place] + ("x" if text[place] != "x" else "y") + text[place + 1 :]


def mutations(row: Sealed):
    """The row with each byte of each stored column changed, one at a time."""
    entry = row.entry
    for name in ("practice_id", "number", "at"):
        value = getattr(entry, name)
        yield from (replace(row, entry=replace(entry, **{name: value ^ 1 << bit})) for bit in range(0, 48, 8))
    for name in ("digest", "previous"):
        value = getattr(entry, name)
        if value is None:
            yield replace(row, entry=replace(entry, **{name: NOTHING}))
        else:
            yield replace(row, entry=replace(entry, **{name: None})) if name == "digest" else replace(row, seal=value)
            for bit in range(0, 256, 8):
                yield replace(row, entry=replace(entry, **{name: flipped(value, bit)}))
    for place in range(len(entry.action)):
        yield replace(row, entry=replace(entry, action=changed_text(entry.action, place)))
    for kind, id_ in ((entry.actor.kind, entry.actor.id), entry.subject):
        others = [(changed_text(kind, place), id_) for place in range(len(kind))]
        others += [(kind, changed_text(id_, place)) for place in range(len(id_))] + [(kind, None), (kind, "")]
        for other in others:
            yield replace(row, entry=replace(entry, actor=Actor(*other)))
            yield replace(row, entry=replace(entry, subject=other))
    yield from (replace(row, seal=flipped(row.seal, bit)) for bit in range(256))
    if row.detail is None:
        yield replace(row, detail=Detail(bytes(16), "{}"))
    else:
        salt, text = row.detail.salt, row.detail.text
        yield replace(row, detail=None)
        yield from (replace(row, detail=Detail(flipped(salt, bit), text)) for bit in range(0, 128, 8))
        yield from (replace(row, detail=Detail(salt, changed_text(text, place))) for place in range(len(text)))


def test_a_chain_as_it_was_written_has_no_problem() -> None:
    assert verify(ROWS, KEY) == []
    assert verify(ROWS, KEY, HEAD) == []
    assert verify([], KEY, Head(0, NOTHING)) == []


def test_a_head_from_any_moment_before_fits() -> None:
    for length in range(len(ROWS) + 1):
        assert verify(ROWS, KEY, head_of(ROWS[:length])) == []


def test_each_byte_of_each_column_of_a_thousand_entries_that_is_changed_is_found() -> None:
    """The way up to the changed entry is gone once: `verify` takes it anew for every change."""
    rows = chain(1000)
    walk = Walk(KEY, head_of(rows))
    for place, row in enumerate(rows):
        later, tried = rows[place + 1 :], 0
        for mutation in mutations(row):
            if mutation == row:
                continue
            from_here = replace(walk, without_detail=set(walk.without_detail))
            assert next(from_here.through(itertools.chain([mutation], later)), None), mutation
            tried += 1
        assert tried > 400
        assert list(walk.step(row)) == []
    assert (walk.number, walk.last) == (1000, rows[-1].seal)


def test_an_entry_that_was_deleted_is_found_and_named() -> None:
    for place in range(len(ROWS) - 1):
        rows = ROWS[:place] + ROWS[place + 1 :]
        assert f"Audit entry {place + 1} is missing: entry {place + 2} stands in its place." in verify(rows, KEY)


def test_an_entry_that_was_deleted_with_the_later_ones_renumbered_is_found() -> None:
    for place in range(len(ROWS) - 1):
        left = ROWS[:place] + ROWS[place + 1 :]
        rows = [replace(row, entry=replace(row.entry, number=n)) for n, row in enumerate(left, 1)]
        assert verify(rows, KEY)


def test_two_entries_that_changed_places_are_found() -> None:
    for one in range(len(ROWS)):
        for other in range(one):
            rows = list(ROWS)
            rows[one], rows[other] = rows[other], rows[one]
            assert verify(rows, KEY)
            swapped = list(ROWS)
            for place, source in ((one, other), (other, one)):
                swapped[place] = replace(
                    ROWS[source], entry=replace(ROWS[source].entry, number=ROWS[place].entry.number)
                )
            assert verify(swapped, KEY)


def test_details_that_changed_places_are_found() -> None:
    rows = list(ROWS)
    rows[0], rows[1] = replace(rows[0], detail=rows[1].detail), replace(rows[1], detail=rows[0].detail)
    assert verify(rows, KEY) == ["The detail of audit entry 1 was changed.", "The detail of audit entry 2 was changed."]


def test_a_cut_before_the_last_head_is_found_and_one_after_it_is_not() -> None:
    for length in range(len(ROWS)):
        assert verify(ROWS[:length], KEY, HEAD) == [
            f"Audit entries {length + 1} to 12 are missing at the end: the head names them."
        ]
        assert verify(ROWS[:length], KEY, head_of(ROWS[:length])) == [], "nothing can know of what came after it"


def test_a_cut_that_was_filled_up_again_is_found() -> None:
    other = resealed([*ROWS[:8], *chain(4, seed=1)], KEY)
    assert verify(other, KEY) == [], "a chain of its own, under the right key"
    assert verify(other, KEY, HEAD) == ["Audit entry 12 is not the one that the head beside the key names."]


def test_a_chain_rewritten_without_the_key_is_found() -> None:
    forged = resealed([*ROWS[:4], *ROWS[6:]], STRANGERS_KEY)
    assert "Audit entry 1 was changed, or made without the audit key." in verify(forged, KEY)
    half = [*ROWS[:6], *resealed(ROWS, STRANGERS_KEY)[6:]]
    assert "Audit entry 7 was changed, or made without the audit key." in verify(half, KEY)


def test_entries_of_another_practice_are_found() -> None:
    moved = [replace(row, entry=replace(row.entry, practice_id=2)) for row in ROWS]
    assert verify(moved, KEY)


def test_an_erased_detail_keeps_the_chain_valid_when_an_entry_says_so() -> None:
    rows = [replace(ROWS[0], detail=None), replace(ROWS[1], detail=None), *ROWS[2:]]
    problem = "The detail of audit entry {} was removed, and no entry says so."
    assert verify(rows, KEY, HEAD) == [problem.format(1), problem.format(2)]
    for erased, left in (([1, 2], []), ([2], [problem.format(1)])):
        said = Detail(bytes(16), canonical_detail({"entries": erased}))
        last = Entry(1, 13, 1, Actor("server"), "detail_erased", ("entries", None), digest_of(said), ROWS[-1].seal)
        assert verify([*rows, sealed(last, said)], KEY, HEAD) == left
        forged = sealed(last, said, STRANGERS_KEY)
        assert problem.format(2) in verify([*rows, forged], KEY, HEAD), "only an entry of the chain can say so"


def test_after_many_problems_one_line_says_that_there_is_more() -> None:
    found = verify(resealed(chain(100), STRANGERS_KEY), KEY)
    assert len(found) == MOST_PROBLEMS + 1
    assert found[-1].startswith("There is more")


ids = st.none() | st.text(max_size=5)
entries = st.builds(
    Entry,
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(0, 3),
    st.builds(Actor, st.sampled_from(["user", "device"]), ids),
    st.sampled_from(["signed_in", "signed_out"]),
    st.tuples(st.text(max_size=5), ids),
    st.none() | st.sampled_from([bytes(32), bytes(range(32))]),
    st.sampled_from([bytes(32), bytes(range(32))]),
)


@given(entries, entries)
def test_no_two_entries_are_sealed_over_the_same_bytes(one: Entry, other: Entry) -> None:
    assert (canonical(one) == canonical(other)) == (one == other)


def test_the_sealed_bytes_hold_every_field() -> None:
    text = canonical(ROWS[0].entry).decode()
    assert text == (
        '["threadtime audit 1",1,1,1790000000001,"user","00000000000000000000000000000001",'
        f'"{ROWS[0].entry.action}","episode","00000000000000000000000000000007",'
        f'"{ROWS[0].entry.digest.hex()}","{"00" * 32}"]'
    ), "stored seals are made of these bytes: they stay as they are"
    assert len(fields(Entry)) == 8
