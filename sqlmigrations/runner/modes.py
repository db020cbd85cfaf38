"""The modes of locks on tables: https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES."""

from __future__ import annotations

from enum import IntEnum


class Mode(IntEnum):
    """The modes of table-level locks, the weakest first; PostgreSQL adds ``Lock`` to their names."""

    AccessShare = 1
    RowShare = 2
    RowExclusive = 3
    ShareUpdateExclusive = 4
    Share = 5
    ShareRowExclusive = 6
    Exclusive = 7
    AccessExclusive = 8

    @property
    def blocks_writers(self) -> bool:
        """Whether INSERT, UPDATE and DELETE wait for it."""
        return self >= Mode.Share

    @property
    def blocks_readers(self) -> bool:
        """Whether a plain SELECT waits for it."""
        return self is Mode.AccessExclusive

    def __str__(self) -> str:
        return self.name
