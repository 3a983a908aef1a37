"""The origin that may read answers is the one that the shipped extension has."""

import base64
import hashlib
import json
from pathlib import Path

from backend.api import EXTENSION_ID

MANIFEST = Path(__file__).parents[2] / "extension" / "manifest.json"


def test_the_extensions_id_is_the_one_that_its_key_gives() -> None:
    key = base64.b64decode(json.loads(MANIFEST.read_text())["key"])
    digits = hashlib.sha256(key).hexdigest()[:32]
    assert "".join(chr(ord("a") + int(digit, 16)) for digit in digits) == EXTENSION_ID
