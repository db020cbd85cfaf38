"""A file's checksum, and whether two texts differ in more than comments and layout."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from enum import Enum

from sqlmigrations.exceptions import InvalidFile
from sqlmigrations.files.splitter import BOM, split
from sqlmigrations.files.tokens import TokenKind, code

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


def compare(old: str, new: str) -> Change:
    """Say how two texts differ, judged by their tokens and by the data of COPY."""
    before, after = old.encode(errors="surrogatepass"), new.encode(errors="surrogatepass")
    if checksum_of(before) == checksum_of(after):
        return Change.NONE
    try:
        same = list(_meaning(before)) == list(_meaning(after))
    except InvalidFile:
        return Change.CHANGED
    return Change.COSMETIC if same else Change.CHANGED


def _meaning(text: bytes) -> Iterator[bytes]:
    """Yield all that the server makes something of, in one form."""
    for statement in split([text]):
        end = 0
        string_before = False
        for token in code(statement.sql):
            is_string = token.kind is TokenKind.STRING
            if string_before and is_string and b"\n" in statement.sql[end : token.start].replace(b"\r", b"\n"):
                # Two constants on two lines are one; on one line they are an error.
                yield b"continued"
            yield token.text
            end, string_before = token.start + len(token.text), is_string
        if statement.data is not None:
            yield b"".join(statement.data).replace(b"\r\n", b"\n")
