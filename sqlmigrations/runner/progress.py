"""How far a file outside a transaction has come, and whether its part that has run is still the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlmigrations.files.scripts import Script
from sqlmigrations.files.statements import Statement
from sqlmigrations.history import Record
from sqlmigrations.runner.batch_position import Position
from sqlmigrations.runner.task import Direction


@dataclass(slots=True)
class Progress:
    """How far the file has come: the statements done, a hash over them, and the one begun bare.

    ``refused`` tells that the server answered the begun one with an error, ``before`` are the INVALID indexes that
    were there when it was begun. ``batches`` is the place within a statement that runs in batches.
    """

    done: int = 0
    prefix: str = ""
    intent: int | None = None
    refused: bool = False
    before: tuple[str, ...] = ()
    direction: Direction = Direction.FORWARDS
    batches: Position | None = None

    @classmethod
    def of(cls, record: Record | None, direction: Direction) -> Progress:
        """Read the progress of an earlier attempt in this direction; none where it left nothing behind."""
        if record is None or record.progress is None or record.progress["direction"] != direction:
            return cls(direction=direction)
        kept = record.progress
        refused, before = kept.get("refused", False), tuple(kept.get("before", ()))
        batches = Position.read(kept["batches"]) if "batches" in kept else None
        return cls(record.statements_done, kept["prefix"], kept["intent"], refused, before, direction, batches)

    def columns(self) -> dict[str, Any]:
        """Return it as columns of the record."""
        progress: dict[str, Any] = {"prefix": self.prefix, "intent": self.intent, "direction": str(self.direction)}
        if self.intent is not None:
            progress |= {"refused": self.refused, "before": list(self.before)}
        if self.batches is not None:
            progress |= {"batches": self.batches.as_json()}
        return {"statements_done": self.done, "progress": progress}


class Prefix:
    """A hash over statements as they pass by, the data of COPY included."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def take(self, statement: Statement) -> Statement:
        """Take the next statement; return it with its data, if any, hashed on its way."""
        self._digest.update(statement.sql + b"\0")
        return statement if statement.data is None else replace(statement, data=self._hashed(statement.data))

    def value(self) -> str:
        """Return the hash over what has passed by."""
        return self._digest.hexdigest()

    def _hashed(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self._digest.update(block)
            yield block


def pass_by(statement: Statement) -> None:
    """Let a statement's data stream by unsent."""
    for _block in statement.data or ():
        pass


def prefix_of(script: Script, count: int) -> str | None:
    """Return the hash over the first ``count`` statements of a script; ``None`` where it hasn't as many."""
    prefix, seen = Prefix(), 0
    for statement in script.read():
        if seen < count:
            pass_by(prefix.take(statement))
            seen += 1
    return prefix.value() if seen == count else None
