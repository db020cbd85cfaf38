"""Whether two texts of one file differ in more than comments and layout."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from sqlmigrations.exceptions import InvalidFile
from sqlmigrations.files.checksum import Change, checksum_of
from sqlmigrations.files.splitter import split
from sqlmigrations.files.tokens import TokenKind, code


def compare(old: str, new: str) -> Change:
    """Say how two texts differ, judged by their tokens and by the data of COPY."""
    if checksum_of(_bytes(old)) == checksum_of(_bytes(new)):
        return Change.NONE
    before, after = meaning(old), meaning(new)
    return Change.COSMETIC if before is not None and before == after else Change.CHANGED


def meaning(text: str) -> str | None:
    """Return the hash of what a text means: texts that differ in comments and layout have the same.

    There is none of a text that can't be split.
    """
    found = hashlib.sha256()
    try:
        for part in _parts(_bytes(text)):
            found.update(b"%d:%b" % (len(part), part))
    except InvalidFile:
        return None
    return found.hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _parts(text: bytes) -> Iterator[bytes]:
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
