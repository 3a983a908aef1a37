"""Every shipped portal file keeps the documented format."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

PORTALS = Path(__file__).parents[2] / "extension/portals"
SCHEMA = json.loads((PORTALS / "schema/portal.schema.json").read_text())
MEDPLUM = json.loads((PORTALS / "medplum.json").read_text())


@pytest.mark.parametrize("path", sorted(PORTALS.glob("*.json")), ids=lambda path: path.stem)
def test_a_shipped_portal_file_keeps_the_schema_and_is_named_by_its_kind(path: Path):
    portal = json.loads(path.read_text())
    jsonschema.Draft202012Validator(SCHEMA).validate(portal)
    assert portal["kind"] == path.stem


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"seen": "guessed"},
        {"pages": []},
        {"pages": [{"page": "thread", "activity": "review_inquiry"}]},
        {"pages": [{"page": "thread", "path": "^/x$"}]},
        {"pages": [{"page": "thread", "path": "^/x$", "activity": "idle"}]},
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
