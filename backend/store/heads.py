"""The file beside the audit's key that says where each practice's chain ended when it was last looked at, so that a cut
shows, and who was erased, so that a backup from before does not bring them back unnoticed."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.audit import Head
from backend.errors import WrongKey


@dataclass(frozen=True, slots=True)
class Heads:
    """Practice -> its head; `before`: what a restore replaced, oldest first.

    `erased`: (practice, patient or user, the random id under which the database had them).
    """

    heads: dict[int, Head] = field(default_factory=dict)
    before: list[dict[int, Head]] = field(default_factory=list)
    erased: frozenset[tuple[int, str, str]] = frozenset()


class HeadFile:
    """JSON in a file of mode 0600, replaced whole, so that a crash leaves the old one or the new one."""

    def __init__(self, key_file: Path) -> None:
        self._key_file = key_file
        self.path = head_path(key_file)

    @contextmanager
    def held(self) -> Iterator["HeadFile"]:
        """Keeps other processes from writing between what this one reads and what it writes."""
        with self._key_file.open("rb") as key:
            fcntl.flock(key, fcntl.LOCK_EX)
            yield self

    def read(self) -> Heads:
        """No heads where the file is not there yet; WrongKey when it cannot be read."""
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return Heads()
        try:
            said = json.loads(text)
            erased = frozenset((int(of), str(kind), str(id_)) for of, kind, id_ in said.get("erased", ()))
            return Heads(_heads(said["heads"]), [_heads(each) for each in said["before"]], erased)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise WrongKey(f"The audit's head {self.path} is damaged: put it back from its copy.") from None

    def write(self, heads: Heads) -> None:
        """Replaces the file, on disk when this returns."""
        said: dict[str, Any] = {"heads": _said(heads.heads), "before": [_said(each) for each in heads.before]}
        if heads.erased:
            said["erased"] = sorted(heads.erased)
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(json.dumps(said, indent=1).encode() + b"\n")
            file.flush()
            os.fsync(descriptor)
        draft.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def head_path(key_file: Path) -> Path:
    """`ID.key.audit` -> `ID.key.audit-head`."""
    return key_file.with_name(f"{key_file.name}-head")


def _said(heads: dict[int, Head]) -> dict[str, Any]:
    return {str(id_): {"count": each.count, "seal": each.seal.hex()} for id_, each in heads.items()}


def _heads(said: dict[str, Any]) -> dict[int, Head]:
    return {int(id_): Head(int(each["count"]), bytes.fromhex(each["seal"])) for id_, each in said.items()}
