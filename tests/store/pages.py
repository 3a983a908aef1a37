"""What stands in the pages of an encrypted file, free ones and the log's too, for somebody who has its key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PAGE, RESERVED, SALT = 4096, 80, 16
FRAME_HEADER, LOG_HEADER = 24, 32


def decrypted(database: Path, key: bytes) -> bytes:
    """Every page of the database and of its log, one after the other."""
    pages = list(_pages(database.read_bytes(), 0, 0))
    log = database.with_name(f"{database.name}-wal")
    if log.exists():
        pages += _pages(log.read_bytes(), LOG_HEADER, FRAME_HEADER)
    return b"".join(_open(page, key) for page in pages)


def _pages(raw: bytes, start: int, header: int) -> Iterator[bytes]:
    for at in range(start, len(raw), header + PAGE):
        yield raw[at + header : at + header + PAGE]


def _open(page: bytes, key: bytes) -> bytes:
    """AES-256 in CBC mode; the vector stands behind what is encrypted. The first page begins with the salt instead."""
    end = PAGE - RESERVED
    vector = page[end : end + 16]
    found = b""
    for begin in (0, SALT):
        open_ = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
        found += open_.update(page[begin:end])
    return found
