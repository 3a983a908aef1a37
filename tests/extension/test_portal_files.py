"""Every shipped portal file keeps the documented format."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import jsonschema
import pytest

from backend.desk.portals import portal_kinds, verified_kinds

PORTALS = Path(__file__).parents[2] / "extension/portals"
SCHEMA = json.loads((PORTALS / "schema/portal.schema.json").read_text())
MEDPLUM = json.loads((PORTALS / "medplum.json").read_text())


@pytest.mark.parametrize("path", sorted(PORTALS.glob("*.json")), ids=lambda path: path.stem)
def test_a_shipped_portal_file_keeps_the_schema_and_is_named_by_its_kind(path: Path):
    portal = json.loads(path.read_text())
    jsonschema.Draft202012Validator(SCHEMA).validate(portal)
    assert portal["kind"] == path.stem


def test_a_new_practice_has_portals_of_the_verified_kinds_and_others_can_be_added():
    assert verified_kinds() == ("medplum",)
    assert set(verified_kinds()) < set(portal_kinds()) == {path.stem for path in PORTALS.glob("*.json")}


def test_what_runs_in_a_portals_page_stays_small():
    scripts = sorted((PORTALS.parent / "content").glob("*.js"))
    largest = max(PORTALS.glob("*.json"), key=lambda path: path.stat().st_size)
    assert len(gzip.compress(b"".join(path.read_bytes() for path in [*scripts, largest]))) <= 24_000


@pytest.mark.parametrize("path", sorted(PORTALS.glob("*.json")), ids=lambda path: path.stem)
def test_the_documentation_says_what_a_shipped_file_can_see(path: Path):
    page = (PORTALS.parents[1] / "docs/adding-a-portal.md").read_text()
    assert f"| `{path.stem}` |" in page


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"seen": "guessed"},
        {"version": ""},
        {"pages": []},
        {"pages": [{"page": "thread", "activity": "review_inquiry"}]},
        {"pages": [{"page": "thread", "path": "^/x$"}]},
        {"pages": [{"page": "thread", "path": "^/x$", "activity": "idle"}]},
        {"pages": [{"page": "frames", "path": "^/x$"}]},
        {"pages": [{"page": "compose", "path": "^/x$"}]},
        {"pages": [{"page": "thread", "path": "^/x$", "activity": "review_inquiry", "frames": "iframe"}]},
        {"pages": [{"page": "thread", "path": "^/x$", "activity": "review_inquiry", "title": "h1"}]},
        {
            "pages": [
                {
                    "page": "thread",
                    "path": "^/x$",
                    "activity": "review_inquiry",
                    "thread": [{"selector": ".name", "attribute": "textContent"}],
                }
            ]
        },
    ],
    ids=str,
)
def test_a_portal_file_with_a_mistake_is_refused(change: dict[str, object]):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate({**MEDPLUM, **change})
