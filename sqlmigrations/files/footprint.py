"""What a file creates, changes and reads: enough to tell whether two files can be independent of each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmigrations.files.effects import Collector, MadeObject
from sqlmigrations.files.names import same
from sqlmigrations.files.statements import Statement

__all__ = ["Collector", "Footprint", "MadeObject", "footprint", "objects_made"]


@dataclass(frozen=True)
class Footprint:
    """The names of the objects that a file changes and reads; ``opaque`` with a reason when they can't be known."""

    changes: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    opaque: bool = False
    reason: str = ""
    #: The file has no statement: it is empty, or holds comments only.
    is_empty: bool = False

    def shared(self, other: Footprint) -> str | None:
        """Return the name of an object that one changes and the other names, if it is known."""
        return same(self.changes, other.changes | other.reads) or same(other.changes, self.reads)


def footprint(statements: Iterable[Statement]) -> Footprint:
    """Return the footprint of a file."""
    return of(collect(statements))


def collect(statements: Iterable[Statement]) -> Collector:
    """Read a file's statements once, for its footprint and the objects that it makes."""
    collector = Collector()
    for statement in statements:
        collector.add(statement)
    return collector


def of(collector: Collector) -> Footprint:
    """Return the footprint of the statements that a collector has been given."""
    changes, reads, reason = collector.result()
    return Footprint(frozenset(changes), frozenset(reads), bool(reason), reason, is_empty=collector.is_empty)


def objects_made(statements: Iterable[Statement]) -> tuple[MadeObject, ...]:
    """Return the objects that a file creates, each with the line of the statement that does."""
    return collect(statements).made()
