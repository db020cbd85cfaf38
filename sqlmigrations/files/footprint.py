"""What a file creates, changes and reads: enough to tell whether two files can be independent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlmigrations.files.statements import Statement, tree


@dataclass(frozen=True)
class Footprint:
    """The names of the objects that a file changes and reads; ``opaque`` with a reason when they can't be known."""

    changes: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    opaque: bool = False
    reason: str = ""

    def overlaps(self, other: Footprint) -> bool:
        """Say whether one changes what the other names; an opaque one overlaps with everything."""
        if self.opaque or other.opaque:
            return True
        return _meet(self.changes, other.changes | other.reads) or _meet(other.changes, self.reads)


def _meet(some: frozenset[str], others: frozenset[str]) -> bool:
    bare = {name.rpartition(".")[2] for name in others}
    return any(name in others or name.rpartition(".")[2] in bare for name in some)


@dataclass(frozen=True)
class MadeObject:
    """An object that a file's statement creates, and that statement's line."""

    kind: str
    name: str
    line: int


def footprint(statements: Iterable[Statement]) -> Footprint:
    """Return the footprint of a file."""
    changes: set[str] = set()
    reads: set[str] = set()
    for statement in statements:
        parsed = tree(statement)
        if parsed is None:
            return Footprint(opaque=True, reason=f"line {statement.line} can't be parsed")
        node, content = next(iter(parsed.items()))
        if node in ("DoStmt", "CallStmt"):
            return Footprint(opaque=True, reason=f"line {statement.line} runs a block of code")
        names = set(_names(content))
        (reads if node == "SelectStmt" else changes).update(names)
    return Footprint(frozenset(changes), frozenset(reads))


def _names(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for part in node:
            yield from _names(part)
    elif isinstance(node, dict):
        if "relname" in node:
            schema = node.get("schemaname")
            yield f"{schema}.{node['relname']}" if schema else node["relname"]
        if "idxname" in node:
            yield node["idxname"]
        for key, part in node.items():
            if key in ("objects", "funcname", "typeName", "object") and isinstance(part, (list, dict)):
                yield from _path(part)
            yield from _names(part)


def _path(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for value in part.values():
            if isinstance(value, (list, dict)):
                yield from _path(value)
    elif isinstance(part, list):
        strings = [item["String"]["sval"] for item in part if isinstance(item, dict) and "String" in item]
        if strings and len(strings) == len(part):
            yield ".".join(strings)
        else:
            for item in part:
                yield from _path(item)


def objects_made(statements: Iterable[Statement]) -> tuple[MadeObject, ...]:
    """Return the objects that a file creates."""
    made = []
    for statement in statements:
        parsed = tree(statement)
        if parsed and "CreateStmt" in parsed:
            made.append(MadeObject("table", next(_names(parsed)), statement.line))
    return tuple(made)
