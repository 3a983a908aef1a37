"""Interval algebra on half-open spans of whole milliseconds.

A span is `(start, end)` with `start <= end`; the millisecond `end` is not in it, so two spans that touch share nothing
and merge without a seam. An empty span `(t, t)` holds no time and disappears. Every function takes any iterable in any
order, leaves it as it was, and returns a *clean* list: sorted, merged, without empty spans. All cost one sort and one
sweep, so they grow with n log n.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

Span = tuple[int, int]


def union(spans: Iterable[Span]) -> list[Span]:
    """The time that at least one span holds.

    a      |======|
    b          |=====|
    c                     |===|
    union  |=========|    |===|
    """
    ordered = sorted(spans)
    if not ordered:
        return []
    merged: list[Span] = []
    start, end = ordered[0]
    for next_start, next_end in ordered:
        if next_start > end:
            if end > start:
                merged.append((start, end))
            start, end = next_start, next_end
        elif next_end > end:
            end = next_end
    if end > start:
        merged.append((start, end))
    return merged


def clip(spans: Iterable[Span], start: int, end: int) -> list[Span]:
    """The part of the spans that lies in `[start, end)`.

    spans  |====|   |=======|   |===|
    start      ^                         (start and end are the two marks)
    end                ^
    clip       ||   |==|
    """
    return union((max(s, start), min(e, end)) for s, e in spans if s < end and e > start)


def intersect(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The time that both hold.

    spans      |=======|    |=====|
    others        |===========|
    intersect     |====|    |=|
    """
    left, right = union(spans), union(others)
    shared: list[Span] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            shared.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return shared


def subtract(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The time that the spans hold and the others do not.

    spans     |===========|   |====|
    others       |==|   |======|
    subtract  |==|  |===|      |===|
    """
    kept: list[Span] = []
    removed = union(others)
    j = 0
    for span_start, end in union(spans):
        start = span_start
        while j < len(removed) and removed[j][1] <= start:
            j += 1
        k = j
        while k < len(removed) and removed[k][0] < end:
            if removed[k][0] > start:
                kept.append((start, removed[k][0]))
            start = max(start, removed[k][1])
            k += 1
        if start < end:
            kept.append((start, end))
    return kept


def total(spans: Iterable[Span]) -> int:
    """How much wall-clock time the spans hold, in milliseconds; shared time once.

    a      |=====|
    b         |=====|
    total  123456789       9, not 12
    """
    return sum(end - start for start, end in union(spans))


def cut(span: Span, clean: Sequence[Span]) -> list[tuple[Span, bool]]:
    """The span in order, in parts that are wholly outside (False) or wholly inside (True) the others.

        span   |==============|
        clean     |===|    |=======|
        parts  |--|===|----|==|           - False, = True

    `clean` is a clean list already (of `union`), so that many spans can be cut by one long list: each costs a binary
    search. The parts add up to the span; an empty span gives none.
    """
    start, end = span
    parts: list[tuple[Span, bool]] = []
    first = bisect_right(clean, start, key=_end)
    if first < len(clean) and clean[first][0] <= start < end <= clean[first][1]:
        return [(span, True)]  # the most frequent answer, at once
    for i in range(first, len(clean)):
        inside_start, inside_end = max(clean[i][0], start), min(clean[i][1], end)
        if inside_start >= end:
            break
        if start < inside_start:
            parts.append(((start, inside_start), False))
        parts.append(((inside_start, inside_end), True))
        start = inside_end
    if start < end:
        parts.append(((start, end), False))
    return parts


def _end(span: Span) -> int:
    return span[1]
