"""The algebra of spans obeys its laws and leaves what it is given as it was."""

from hypothesis import given
from hypothesis import strategies as st

from backend.billing.spans import clip, cut, intersect, subtract, total, union

EDGE = st.integers(0, 60)
SPAN = st.tuples(EDGE, EDGE).map(lambda pair: (min(pair), max(pair)))
SPANS = st.lists(SPAN, max_size=12)


def moments(spans):
    return {moment for start, end in spans for moment in range(start, end)}


def is_clean(spans):
    flat = [edge for span in spans for edge in span]
    return flat == sorted(set(flat))


@given(SPANS)
def test_a_union_holds_every_moment_once(spans):
    assert moments(union(spans)) == moments(spans)
    assert is_clean(union(spans))
    assert total(spans) == len(moments(spans))


@given(SPANS)
def test_a_union_of_a_union_is_itself(spans):
    assert union(union(spans)) == union(spans)


@given(SPANS, st.randoms())
def test_order_and_repetition_change_no_union(spans, chance):
    shuffled = spans * 2
    chance.shuffle(shuffled)
    assert union(shuffled) == union(spans)


@given(SPANS, EDGE)
def test_splitting_spans_changes_no_union(spans, at):
    split = [part for s, e in spans for part in ([(s, at), (at, e)] if s < at < e else [(s, e)])]
    assert union(split) == union(spans)


@given(SPANS)
def test_a_union_is_never_longer_than_the_sum_or_the_wall_clock(spans):
    assert total(spans) <= sum(end - start for start, end in spans)
    if spans:
        assert total(spans) <= max(e for _, e in spans) - min(s for s, _ in spans)


@given(SPANS, SPANS)
def test_intersection_and_difference_part_the_spans(spans, others):
    both, rest = intersect(spans, others), subtract(spans, others)
    assert moments(both) == moments(spans) & moments(others)
    assert moments(rest) == moments(spans) - moments(others)
    assert is_clean(both)
    assert is_clean(rest)


@given(SPANS, SPAN)
def test_clipping_is_the_intersection_with_one_span(spans, window):
    assert clip(spans, *window) == intersect(spans, [window])


@given(SPAN, SPANS)
def test_the_parts_of_a_cut_add_up_to_the_span(span, others):
    parts = cut(span, union(others))
    assert moments(part for part, _ in parts) == moments([span])
    assert moments(part for part, inside in parts if inside) == moments([span]) & moments(others)
    assert sum(end - start for (start, end), _ in parts) == span[1] - span[0]


@given(SPANS, SPANS)
def test_nothing_that_is_given_is_changed(spans, others):
    before = (list(spans), list(others))
    union(spans), subtract(spans, others), intersect(spans, others), clip(spans, 3, 9), total(spans)
    assert (spans, others) == before


def test_spans_that_touch_become_one_and_empty_ones_disappear():
    assert union([(5, 9), (0, 5), (7, 7), (20, 20)]) == [(0, 9)]
