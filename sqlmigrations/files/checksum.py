"""A file's checksum, and the ways in which two texts of one file can differ."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import Enum

from sqlmigrations.files.window import BOM

SCHEME = "v1"
CR, LF, CRLF = b"\r", b"\n", b"\r\n"


class Checksum:
    r"""Take a text in blocks: SHA-256 of it without byte order mark and with ``\\n`` for ``\\r\\n``.

    Nothing else is evened out, so that every other change of a byte changes the checksum.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._kept = b""
        self._begun = False

    def update(self, block: bytes) -> None:
        """Take the next block."""
        text = self._kept + block
        self._kept = b""
        if not self._begun:
            if len(text) < len(BOM) and BOM.startswith(text):
                self._kept = text
                return
            self._begun = True
            text = text.removeprefix(BOM)
        if text.endswith(CR):
            text, self._kept = text[:-1], CR
        # One byte is looked for several times as fast as two are replaced.
        self._hash.update(text.replace(CRLF, LF) if CR in text else text)

    def value(self) -> str:
        """Return the checksum of all that was taken: ``v1:`` and 64 hexadecimal digits."""
        final = self._hash.copy()
        final.update(self._kept)
        return f"{SCHEME}:{final.hexdigest()}"


def checksum(blocks: Iterable[bytes]) -> str:
    """Return the checksum of a text that comes in blocks."""
    taken = Checksum()
    for block in blocks:
        taken.update(block)
    return taken.value()


def checksum_of(text: bytes) -> str:
    """Return the checksum of a whole text."""
    text = text.removeprefix(BOM)
    return f"{SCHEME}:{hashlib.sha256(text.replace(CRLF, LF) if CR in text else text).hexdigest()}"


class Change(Enum):
    """How two texts of one file differ."""

    NONE = "none"
    #: In comments and layout only.
    COSMETIC = "cosmetic"
    CHANGED = "changed"
