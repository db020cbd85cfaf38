"""What a statement that can't be parsed changes and reads, as far as its leading keywords tell."""

from __future__ import annotations

from sqlmigrations.files.statements import Statement
from sqlmigrations.files.tokens import Token, TokenKind, code

Path = tuple[str, ...]

#: How much of a large statement is looked at, in bytes: the rows of an INSERT repeat themselves.
_LOOKED_AT = 4096
_MODIFIERS = {"OR", "REPLACE", "UNIQUE", "UNLOGGED", "RECURSIVE", "MATERIALIZED", "FOREIGN", "CONSTRAINT"}
_FILLERS = {"IF", "NOT", "EXISTS", "ONLY", "CONCURRENTLY"}
_OBJECTS = {"TABLE", "VIEW", "SEQUENCE", "TYPE", "DOMAIN", "FUNCTION", "PROCEDURE", "AGGREGATE", "INDEX", "STATISTICS"}
_ON_TABLE = {"INDEX", "TRIGGER", "POLICY", "RULE"}
_WRITES = {
    ("INSERT", "INTO"): 2,
    ("MERGE", "INTO"): 2,
    ("DELETE", "FROM"): 2,
    ("UPDATE", ""): 1,
    ("COPY", ""): 1,
}
_NO_CHANGE = {"VACUUM", "ANALYZE", "SELECT", "VALUES", "SHOW", "SET", "RESET", "EXPLAIN", "LOCK"}


def read_by_keywords(statement: Statement) -> tuple[set[Path], set[Path]] | None:
    """Return the paths that a statement changes and all that it may read; None when its keywords don't tell.

    Every word counts as read that is not one of the leading keywords: more than there is, never less.
    """
    found = [token for token in code(statement.sql[:_LOOKED_AT]) if token.text != b";"]
    words = [token.word for token in found]
    first, second = [*words, "", ""][:2]
    if first in _NO_CHANGE and "INTO" not in words:
        return set(), _identifiers(found)
    for (verb, follows), place in _WRITES.items():
        if first == verb and (not follows or second == follows):
            target = _path_after_fillers(found, place)
            return ({target}, _identifiers(found)) if target else None
    if first in ("CREATE", "ALTER", "DROP"):
        return _definition(found, words)
    return None


def _definition(found: list[Token], words: list[str]) -> tuple[set[Path], set[Path]] | None:
    place = 1
    while place < len(words) and words[place] in _MODIFIERS:
        place += 1
    kind = words[place] if place < len(words) else ""
    if kind not in _OBJECTS | _ON_TABLE or (words[0] == "DROP" and any(token.text == b"," for token in found)):
        return None
    changed = {target} if (target := _path_after_fillers(found, place + 1)) else set()
    if kind in _ON_TABLE and "ON" in words:
        changed |= {target} if (target := _path_after_fillers(found, words.index("ON") + 1)) else set()
    return (changed, _identifiers(found)) if changed else None


def _path_after_fillers(found: list[Token], place: int) -> Path:
    while place < len(found) and found[place].word in _FILLERS:
        place += 1
    return _dotted_name(found, place)


def _identifiers(found: list[Token]) -> set[Path]:
    """Return every dotted name among the tokens."""
    paths: set[Path] = set()
    for index, token in enumerate(found):
        starts = index == 0 or found[index - 1].text != b"."
        if starts and token.kind in (TokenKind.WORD, TokenKind.QUOTED_NAME):
            paths.add(_dotted_name(found, index)[:2])
    return paths


def _dotted_name(found: list[Token], start: int) -> tuple[str, ...]:
    """Return the dotted name that begins at token ``start``, folded as the server folds it."""
    parts: list[str] = []
    for index in range(start, len(found), 2):
        name = found[index].identifier
        if not name:
            break
        parts.append(name)
        if index + 1 >= len(found) or found[index + 1].text != b".":
            break
    return tuple(parts)
