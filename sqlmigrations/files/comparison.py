"""Whether two texts of one file differ in more than comments and layout."""

from __future__ import annotations

from collections.abc import Iterator

from sqlmigrations.exceptions import InvalidFile
from sqlmigrations.files.checksum import Change, checksum_of
from sqlmigrations.files.splitter import split
from sqlmigrations.files.tokens import TokenKind, code


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
