"""The columns of a report: one ordered list, which every tabular format writes.

A row is the object of one episode as `report_rows` gives it: the determination's fields with `episode_id`, `patient`,
`threads` and `clinicians`. A value is text, a whole number, or None for an empty cell.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
Value = str | int | None


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    title: str
    value: Callable[[Row], Value]


def _plain(key: str, title: str) -> Column:
    return Column(key, title, lambda row: row[key])


def _ids(key: str, title: str) -> Column:
    return Column(key, title, lambda row: "; ".join(row[key]))


def _threads(row: Row) -> str:
    return "; ".join(f"{each['portal']} {each['thread']} {each['seconds']} s" for each in row["threads"])


def _clinicians(row: Row) -> str:
    return "; ".join(f"{each['name']} ({each['credential']}) {each['seconds']} s" for each in row["clinicians"])


def _rendering(row: Row) -> Value:
    wanted: str | None = row["rendering_clinician"]
    return next((each["name"] for each in row["clinicians"] if each["id"] == wanted), wanted)


def _excluded(row: Row) -> str:
    return "; ".join(f"{each['reason']} {each['seconds']} s" for each in row["excluded"])


def _missing(row: Row) -> str:
    return "; ".join(each["id"] for each in row["missing"])


COLUMNS: tuple[Column, ...] = (
    _plain("episode_id", "Episode"),
    _plain("patient", "Patient"),
    _plain("status", "Status"),
    _plain("code", "Code"),
    _plain("projected_code", "Projected code"),
    _plain("family", "Family"),
    _plain("window_start", "First day"),
    _plain("window_end", "Last day"),
    _plain("date_of_service", "Date of service"),
    _plain("counted_minutes", "Counted minutes"),
    _plain("counted_seconds", "Counted seconds"),
    Column("excluded_seconds", "Not counted, seconds", lambda row: sum(each["seconds"] for each in row["excluded"])),
    Column("excluded", "Not counted, by reason", _excluded),
    Column("rendering_clinician", "Rendering clinician", _rendering),
    Column("clinicians", "Clinicians", _clinicians),
    Column("threads", "Threads", _threads),
    _plain("hold_until", "Hold until"),
    _ids("blocking", "Blocking"),
    _ids("warnings", "Warnings"),
    Column("missing", "Missing", _missing),
    _plain("rules_version", "Rules"),
)
