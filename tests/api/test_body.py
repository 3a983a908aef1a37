"""Finding names that stand twice: the cheap count and the exact walk agree on every JSON."""

import json
from typing import Any

from flask import Flask, request
from hypothesis import example, given
from hypothesis import strategies as st

from backend.api.body import Body, read_json

APP = Flask(__name__)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=4) | st.sampled_from([":", '":', '"', "\\", '\\":'])


class Pairs(list[tuple[str, Any]]):
    """An object whose names may repeat."""


values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(texts, inner), max_size=3).map(Pairs),
    max_leaves=8,
)


def written(value: object, gap: str) -> str:
    if isinstance(value, Pairs):
        members = [f"{json.dumps(name)}{gap}:{written(inner, gap)}" for name, inner in value]
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(inner, gap) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def repeats(value: object, path: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], str]:
    found: dict[tuple[str | int, ...], str] = {}
    if isinstance(value, Pairs):
        names = [name for name, _ in value]
        doubled = [name for index, name in enumerate(names) if name in names[:index]]
        found = {path: doubled[0]} if doubled else {}
        for name, inner in value:
            for inner_path, repeated in repeats(inner, (*path, name)).items():
                found.setdefault(inner_path, repeated)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found |= repeats(inner, (*path, index))
    return found


def read(text: bytes) -> Body:
    with APP.test_request_context("/", method="POST", data=text, content_type="application/json"):
        return read_json(request, most=100_000)


@given(value=values, gap=st.sampled_from(["", " ", "\r\n\t "]))
@example(value=Pairs([("a", 1), ("a", 2)]), gap="")
@example(value=[Pairs([("b", Pairs([("a", ":"), ("a", '":')]))])], gap=" ")
def test_names_that_stand_twice_are_named_with_their_place(value: object, gap: str) -> None:
    assert read(written(value, gap).encode()).repeated == repeats(value)


def test_a_number_of_very_many_digits_beside_a_repeated_name_is_read_as_well() -> None:
    body = read(b'{"a": ' + b"9" * 300 + b', "a": 1}')
    assert body.repeated == {(): "a"}
