"""The program without its writer thread: each request commits by itself, on its own thread's connection.

python -m tests.bench.each_its_own COMMAND ...      as `python -m backend COMMAND ...`
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from backend.cli import cli
from backend.store.engine import EncryptedFile, Transactions
from backend.store.writer import Writer

opened: list[EncryptedFile] = []
own = threading.local()
with_a_writer = EncryptedFile.transactions


def transactions(self: EncryptedFile) -> Transactions:
    opened.append(self)
    return with_a_writer(self)


def submit(_: Writer, work: Callable[[Any], Any], practice_id: int | None = None) -> Any:
    if getattr(own, "transactions", None) is None:
        own.transactions = with_a_writer(opened[-1])
    connection = own.transactions.begin({practice_id})
    try:
        result = work(connection)
        own.transactions.commit()
    except BaseException:
        own.transactions.take_back()
        raise
    return result


if __name__ == "__main__":
    EncryptedFile.transactions = transactions  # type: ignore[method-assign]
    Writer.submit = submit  # type: ignore[method-assign,assignment]
    cli(prog_name="python -m backend")
