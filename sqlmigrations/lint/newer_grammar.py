"""Read what is newer than pgparse's grammar: PostgreSQL 18's additions to tables and constraints.

Each addition is replaced by words of the older grammar that cost as much, or as little, under the same locks; what
comes after stays on its line.
"""

from __future__ import annotations

import re

from sqlmigrations.files.statements import PARSED, parse
from sqlmigrations.files.tokens import Token, TokenKind, code
from sqlmigrations.files.trees import Node

_MODERN = re.compile(rb"\b(?:virtual|enforced|overlaps|period|not\s+null|inherit)\b", re.IGNORECASE)


def parse_newer(sql: bytes) -> Node | None:
    """Return the tree of a statement after its newer words were replaced; None when it still can't be parsed."""
    if len(sql) > PARSED or not _MODERN.search(sql):
        return None
    replaced = _replaced(sql)
    return parse(replaced) if replaced != sql else None


def _replaced(sql: bytes) -> bytes:
    found = list(code(sql))
    words = [token.word for token in found]
    text = bytearray(sql)
    # From the end, so that the places of what comes before stay true when words grow.
    for place, word in reversed(list(enumerate(words))):
        before = words[place - 1] if place else ""
        if word == "VIRTUAL" and place and found[place - 1].text == b")":
            # A virtual column is computed when it is read: adding it is like adding one without a default.
            _blank(text, found[_generated_from(words, found, place)], found[place])
        elif word == "ENFORCED" and before == "NOT":
            # Nobody looks at the rows.
            _put(text, found[place - 1], found[place], b"NOT VALID")
        elif word == "ENFORCED" or (word == "OVERLAPS" and before == "WITHOUT"):
            _blank(text, found[place if word == "ENFORCED" else place - 1], found[place])
        elif word == "PERIOD" and found[place - 1].text in (b",", b"("):
            _blank(text, found[place], found[place])
        elif word == "NULL" and before == "NOT" and _is_constraint(found, words, place):
            # ADD [CONSTRAINT n] NOT NULL c is what ALTER COLUMN c SET NOT NULL has always been.
            _not_null(text, found, words, place)
    return bytes(text)


def _generated_from(words: list[str], found: list[Token], place: int) -> int:
    """Return the place of GENERATED for the VIRTUAL at ``place``; ``AS (...)`` may stand without it."""
    depth = 0
    for index in range(place - 1, -1, -1):
        depth += (found[index].text == b")") - (found[index].text == b"(")
        if not depth and words[index] == "AS":
            return index - 2 if index > 1 and words[index - 2] == "GENERATED" else index
    return place


def _is_constraint(found: list[Token], words: list[str], place: int) -> bool:
    named = place > 3 and words[place - 3] == "CONSTRAINT" and words[place - 4] == "ADD"
    follows = place + 1 < len(found) and found[place + 1].kind in (TokenKind.WORD, TokenKind.QUOTED_NAME)
    return follows and (named or (place > 1 and words[place - 2] == "ADD"))


def _not_null(text: bytearray, found: list[Token], words: list[str], place: int) -> None:
    first = place - 4 if words[place - 2] != "ADD" else place - 2
    last = place + 1
    column = found[last].text
    not_valid = words[place + 2 : place + 4] == ["NOT", "VALID"]
    if not_valid:
        last = place + 3
    # Without a look at the rows it is as brief as a change of the default's storage.
    new = b"ALTER " + column + (b" DROP NOT NULL" if not_valid else b" SET NOT NULL")
    _put(text, found[first], found[last], new)


def _blank(text: bytearray, first: Token, last: Token) -> None:
    _put(text, first, last, b"")


def _put(text: bytearray, first: Token, last: Token, new: bytes) -> None:
    """Put other words in the place of some tokens, padded to the length of these where they are shorter."""
    start, end = first.start, last.start + len(last.text)
    lines = text[start:end].count(b"\n")
    room = end - start - lines
    text[start:end] = new.ljust(room) + b"\n" * lines
