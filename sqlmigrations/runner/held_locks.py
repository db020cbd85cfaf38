"""Which locks a backend holds on relations that were there before its transaction, seen from another session.

Another session doesn't see what an open transaction has made, and sees what it has dropped or renamed under the name
that everybody else uses. So one look over the run lock's connection tells what a file keeps from others.
https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
https://www.postgresql.org/docs/current/view-pg-locks.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmigrations.database import Connection, Filled, select
from sqlmigrations.queries import query
from sqlmigrations.runner.modes import Mode
from sqlmigrations.runner.pipeline import Prepared, ask


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
NOT_LONG = Filled("pg_catalog.set_config('lock_timeout', '500ms', true)")


def held_locks(
    observer: Connection, pid: int, *, ahead: bool = False, prepared: Prepared | None = None
) -> list[HeldLock]:
    """Return what the backend ``pid`` holds on relations that ``observer`` sees, the strongest first.

    System catalogs and temporary tables are left out. It is asked as ``ask`` does, which is one transaction. To plan
    the query is most of the server's work: who looks often has it ``prepared``.

    Raises:
        psycopg.errors.LockNotAvailable: the backend has locked the catalogs.
    """
    asked = Filled(query("runner/sql/held_locks.sql").as_string(None), [pid])
    rows = ask(observer, select(NOT_LONG), asked, ahead=ahead, prepared=prepared)[-1].fetchall()
    return [HeldLock(relation, kind, Mode(strength), oid) for oid, relation, kind, strength in rows]


def strongest(locks: Iterable[HeldLock]) -> list[HeldLock]:
    """Return the strongest lock on each relation, the strongest first."""
    found: dict[str, HeldLock] = {}
    for lock in locks:
        known = found.get(lock.relation)
        if known is None or lock.mode > known.mode:
            found[lock.relation] = lock
    return sorted(found.values(), key=lambda lock: (-lock.mode, lock.relation))
