"""What a rehearsal has measured: of each statement, of each relation that it kept from others, of each script."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmigrations.runner.failure import Failure
from sqlmigrations.runner.held_locks import HeldLock
from sqlmigrations.runner.table_work import Work


@dataclass(frozen=True, slots=True)
class MeasuredStatement:
    """What one statement took and did.

    ``locks`` are those that it gained on relations of before. ``is_watched`` says that its locks were seen from outside
    while it ran, where a short one can be missed. ``wal_bytes`` counts what the whole server wrote meanwhile. Of one in
    ``batches`` it is the longest.
    """

    number: int
    line: int
    text: str
    duration_ms: float
    wal_bytes: int
    locks: tuple[HeldLock, ...] = ()
    work: tuple[Work, ...] = ()
    is_watched: bool = False
    batches: int = 0

    @property
    def is_slow(self) -> bool:
        """Whether it did work that takes the longer the larger a table is."""
        return any(work.kind.is_slow for work in self.work)


@dataclass(frozen=True, slots=True)
class Block:
    """How long a file keeps others from one relation of before.

    Others wait from the statement that takes the lock until the transaction ends: writers for ``writers_ms``, readers
    for ``readers_ms``, 0 where they don't wait at all. ``work`` is the slow work that was done meanwhile.
    """

    lock: HeldLock
    writers_ms: float
    readers_ms: float = 0.0
    work: tuple[Work, ...] = ()

    @property
    def whom(self) -> str:
        """Who has to wait."""
        return "readers and writers" if self.lock.mode.blocks_readers else "writers"


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How one script went. ``left_out`` are the statements that were not run."""

    name: str
    in_transaction: bool
    duration_ms: float
    statements: tuple[MeasuredStatement, ...] = ()
    blocks: tuple[Block, ...] = ()
    error: Failure | None = None
    left_out: tuple[str, ...] = ()
