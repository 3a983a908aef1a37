"""How many episodes of each status a practice has, which the database keeps by itself with every row that changes.

Each page of the list says it, and to count them takes longer than the page once years of episodes stand.
"""

COUNTS = """
CREATE TABLE episode_count (
  practice_id INTEGER NOT NULL REFERENCES practice,
  status TEXT NOT NULL,                   -- of a determination, or `approved`
  episodes INTEGER NOT NULL,              -- that stand
  PRIMARY KEY (practice_id, status)
) STRICT, WITHOUT ROWID;
"""


def _status(of: str) -> str:
    """Under which status the row `of` counts."""
    return f"CASE WHEN {of}.approved_at IS NULL THEN {of}.status ELSE 'approved' END"


COUNTED = (
    f"SELECT practice_id, {_status('episode')} AS status, count(*) AS episodes"  # noqa: S608  (column names)
    " FROM episode WHERE gone_at IS NULL GROUP BY 1, 2"
)
"""The same, counted."""

_CHANGES = (
    "(OLD.status <> NEW.status OR (OLD.approved_at IS NULL) <> (NEW.approved_at IS NULL)"
    " OR (OLD.gone_at IS NULL) <> (NEW.gone_at IS NULL))"
)
_COLUMNS = "UPDATE OF status, approved_at, gone_at"
_KEPT = (
    ("came", "INSERT", "NEW.gone_at IS NULL", "NEW", 1),
    ("left", "DELETE", "OLD.gone_at IS NULL", "OLD", -1),
    ("was", _COLUMNS, f"OLD.gone_at IS NULL AND {_CHANGES}", "OLD", -1),
    ("is", _COLUMNS, f"NEW.gone_at IS NULL AND {_CHANGES}", "NEW", 1),
)
"""Of each trigger: its name, of which changes, when, which state of the row it counts, and by how much."""


def keeping_counts(*, on_server: bool) -> list[str]:
    """Statements that have the database keep the counts, in SQLite's words or PostgreSQL's."""
    statements: list[str] = []
    for name, change, when, row, by in _KEPT:
        counts = (
            "INSERT INTO episode_count (practice_id, status, episodes)"  # noqa: S608  (a row's name and a number)
            f" VALUES ({row}.practice_id, {_status(row)}, {by}) ON CONFLICT (practice_id, status)"
            " DO UPDATE SET episodes = episode_count.episodes + excluded.episodes"
        )
        trigger = f"episode_count_{name}"
        if on_server:
            statements += (
                f"CREATE FUNCTION {trigger}() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN {counts}; RETURN NULL; END $$",
                f"CREATE TRIGGER {trigger} AFTER {change} ON episode FOR EACH ROW WHEN ({when})"
                f" EXECUTE FUNCTION {trigger}()",
            )
        else:
            statements.append(f"CREATE TRIGGER {trigger} AFTER {change} ON episode WHEN {when} BEGIN {counts}; END")
    return statements
