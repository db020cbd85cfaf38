"""Which locks a backend holds on relations that were there before its transaction, seen from another session.

Another session doesn't see what an open transaction has made, and sees what it has dropped or renamed under the name
that everybody else uses. So one look over the run lock's connection tells what a file keeps from others.
https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
https://www.postgresql.org/docs/current/view-pg-locks.html
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import LiteralString

from psycopg import sql

from sqlmigrations.database import Connection, Filled, fillable
from sqlmigrations.queries import query
from sqlmigrations.runner.modes import Mode
from sqlmigrations.runner.pipeline import ask


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


#: The other backend may have locked the catalogs, and waits for our answer: so it isn't waited for long.
NOT_LONG = Filled("SELECT pg_catalog.set_config('lock_timeout', '500ms', true)")


def held_locks(observer: Connection, pid: int) -> list[HeldLock]:
    """Return what the backend ``pid`` holds on relations that ``observer`` sees, the strongest first.

    System catalogs and temporary tables are left out. It is asked in one message, which is one transaction.

    Raises:
        psycopg.errors.LockNotAvailable: the backend has locked the catalogs.
    """
    return _read(observer, Filled(_query(), [pid]), ahead=False)


class RepeatedLook:
    """``held_locks`` for many looks over one connection: the server plans the query once, which is most of its work.

    That takes a connection that keeps its backend. Statements go ``ahead`` as the journal's do.
    """

    def __init__(self, *, ahead: bool) -> None:
        self._ahead = ahead
        self._prepared_on: Connection | None = None
        self._name = ""

    def __call__(self, observer: Connection, pid: int) -> list[HeldLock]:
        """Return what ``held_locks`` returns. Raises as it does."""
        before = [] if observer is self._prepared_on else [self._prepare()]
        found = _read(observer, *before, _execute(self._name, pid), ahead=self._ahead)
        self._prepared_on = observer
        return found

    def _prepare(self) -> Filled:
        """Return the statement that prepares the query, under a name that no session has had.

        Behind a pooler of sessions, that of another run may still be there.
        """
        self._name = f"sqlmigrations_{uuid.uuid4().hex}"
        asked = sql.SQL(_query().replace("%s", "$1"))
        return Filled(fillable(sql.SQL("PREPARE {} (integer) AS {}").format(sql.Identifier(self._name), asked)))


@lru_cache(maxsize=8)
def _execute(name: str, pid: int) -> Filled:
    """Return the statement that looks at a backend by the prepared query ``name``."""
    return Filled(fillable(sql.SQL("EXECUTE {} ({})").format(sql.Identifier(name), sql.Literal(pid))))


def _query() -> LiteralString:
    return query("runner/sql/held_locks.sql").as_string(None)


def _read(observer: Connection, *statements: Filled, ahead: bool) -> list[HeldLock]:
    rows = ask(observer, NOT_LONG, *statements, ahead=ahead)[-1].fetchall()
    return [HeldLock(relation, kind, Mode(strength), oid) for oid, relation, kind, strength in rows]


def strongest(locks: Iterable[HeldLock]) -> list[HeldLock]:
    """Return the strongest lock on each relation, the strongest first."""
    found: dict[str, HeldLock] = {}
    for lock in locks:
        known = found.get(lock.relation)
        if known is None or lock.mode > known.mode:
            found[lock.relation] = lock
    return sorted(found.values(), key=lambda lock: (-lock.mode, lock.relation))
