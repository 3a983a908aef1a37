"""The description of the interface for devices and feeds, as a page: what /api/openapi.json says, for people."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any

from flask import Blueprint, render_template

from backend.web.doors import ANYBODY, opens_to


@dataclass(frozen=True, slots=True)
class Part:
    """One object that is sent or answered; `name` is None for the whole body."""

    name: str | None
    fields: list[tuple[str, str, bool, str]]
    """(name, what it may be, whether it has to be there, what it means)."""


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    address: str
    id: str
    summary: str
    description: str
    needs_token: bool
    sends: list[Part]
    answers: list[Part]
    statuses: list[tuple[str, str]]


def add(pages: Blueprint, describe: Callable[[], dict[str, Any]]) -> None:
    @cache
    def operations() -> list[Operation]:
        return list(_operations(describe()))

    @pages.get("/api/docs")
    @opens_to(ANYBODY)
    def interface() -> str:
        return render_template("interface.html", operations=operations())


def _operations(described: dict[str, Any]) -> Iterator[Operation]:
    for address, methods in described["paths"].items():
        for method, each in methods.items():
            ok = each["responses"]["200"]
            yield Operation(
                method=method.upper(),
                address=address,
                id=f"{method}-{address.strip('/').replace('/', '-')}",
                summary=each["summary"],
                description=each.get("description", ""),
                needs_token="security" in each,
                sends=_parts(described, _schema_of(each.get("requestBody", {}))),
                answers=_parts(described, _schema_of(ok)),
                statuses=[
                    (status, answer.get("description") or HTTPStatus(int(status)).phrase)
                    for status, answer in sorted(each["responses"].items())
                ],
            )


def _schema_of(holder: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = holder.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _parts(described: dict[str, Any], schema: dict[str, Any]) -> list[Part]:
    """The body and every object in it, each once, in the order in which they are met."""
    parts: list[Part] = []
    waiting: list[tuple[str | None, dict[str, Any]]] = [(None, schema)] if schema else []
    met: set[str | None] = set()
    while waiting:
        name, each = waiting.pop(0)
        if "$ref" in each:
            reference = each["$ref"].rpartition("/")[2]
            name, each = name and reference, described["components"]["schemas"][reference]
        if name in met:
            continue
        met.add(name)
        needed = each.get("required", ())
        parts.append(
            Part(
                name,
                [
                    (field, _kind(one), field in needed, one.get("description", ""))
                    for field, one in each.get("properties", {}).items()
                ],
            )
        )
        waiting += [(_name(one), one) for field in each.get("properties", {}).values() for one in _objects(field)]
    return parts


def _objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in schema:
        yield schema
    for one in (schema.get("items"), *schema.get("anyOf", ()), *schema.get("allOf", ())):
        if one:
            yield from _objects(one)


def _name(schema: dict[str, Any]) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _kind(schema: dict[str, Any]) -> str:
    """What a field may hold, in a few words."""
    if "$ref" in schema:
        return _name(schema)
    if choices := schema.get("enum"):
        return ", ".join("null" if one is None else str(one) for one in choices)
    if several := schema.get("anyOf") or schema.get("allOf"):
        return " or ".join(_kind(one) for one in several)
    kinds = schema.get("type", "anything")
    words = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if "items" in schema:
        most = f", at most {schema['maxItems']}" if "maxItems" in schema else ""
        return f"list of {_kind(schema['items'])}{most}"
    if "format" in schema:
        words += f", {schema['format']}"
    if "minimum" in schema and "maximum" in schema:
        return f"{words}, {schema['minimum']} to {schema['maximum']}"
    if "maxLength" in schema:
        return f"{words}, {schema.get('minLength', 0)} to {schema['maxLength']} characters"
    return words
