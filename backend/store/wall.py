"""The second wall between practices: whose rows the database itself shows, whatever a query forgets to ask for.

Every query names its practice; that is the first wall. PostgreSQL has row-level security besides: each transaction says
for which practice it is, and rows of another are neither found nor written. A request is for one from the moment on at
which its session or token has said whose it is; commands, jobs and signing in are for every practice.
"""

from contextvars import ContextVar

SETTING = "threadtime.practice"
EVERY = "every"
"""What a transaction says that is for all practices."""

_practice: ContextVar[int | None] = ContextVar("practice", default=None)


def stay_within(practice_id: int | None) -> None:
    """From now on this thread reads and writes rows of one practice alone; None: of all."""
    _practice.set(practice_id)


def practice() -> int | None:
    """The practice that this thread stays within; None: it may see all of them."""
    return _practice.get()


def said(practice_id: int | None) -> str:
    """How a transaction says to PostgreSQL for whom it is."""
    return f"SET LOCAL {SETTING} = '{name(practice_id)}'"


def name(practice_id: int | None) -> str:
    """What the setting is for this practice; None: for all."""
    return EVERY if practice_id is None else str(int(practice_id))


def raised_on(table: str) -> tuple[str, ...]:
    """Statements that put the wall on a table, for its owner too. A connection that says nothing sees no row."""
    return (
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY wall ON {table} USING (current_setting('{SETTING}', true) IN ('{EVERY}', practice_id::text))",
    )
