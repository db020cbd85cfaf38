"""Which locks a backend holds on relations that were there before its transaction, seen from another session.

Another session doesn't see what an open transaction has made, and sees what it has dropped or renamed under the name
that everybody else uses. So one look over the run lock's connection tells what a file keeps from others.
https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
https://www.postgresql.org/docs/current/view-pg-locks.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

import psycopg
from psycopg.rows import dict_row

from sqlmigrations.database import Connection
from sqlmigrations.queries import query


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


@dataclass(frozen=True, slots=True)
class HeldLock:
    """The strongest lock on one relation; ``kind`` is its ``relkind``."""

    relation: str
    kind: str
    mode: Mode
    oid: int = 0

    def as_json(self) -> dict[str, str]:
        """Return it as it is kept with an event."""
        return {"relation": self.relation, "mode": str(self.mode)}


def held_locks(observer: Connection, pid: int) -> list[HeldLock]:
    """Return what the backend ``pid`` holds on relations that ``observer`` sees, the strongest first.

    System catalogs and temporary tables are left out. Both statements of the query go in one message, which is one
    transaction: that needs a cursor that binds on the client's side.

    Raises:
        psycopg.errors.LockNotAvailable: the backend has locked the catalogs.
    """
    with psycopg.ClientCursor(observer, row_factory=dict_row) as cursor:
        cursor.execute(query("runner/sql/held_locks.sql"), {"pid": pid})
        cursor.nextset()
        rows = cursor.fetchall()
    return [HeldLock(row["relation"], row["kind"], Mode(row["strength"]), row["oid"]) for row in rows]


def strongest(locks: Iterable[HeldLock]) -> list[HeldLock]:
    """Return the strongest lock on each relation, the strongest first."""
    found: dict[str, HeldLock] = {}
    for lock in locks:
        known = found.get(lock.relation)
        if known is None or lock.mode > known.mode:
            found[lock.relation] = lock
    return sorted(found.values(), key=lambda lock: (-lock.mode, lock.relation))
