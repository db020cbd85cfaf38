"""In which order files came into the database.

The history's events stand in the order in which they happened; the times beside them come from the server's clock,
which may go back: after a failover, or when it is set right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg import sql

from sqlmigrations.database import Connection, fetch_all
from sqlmigrations.history.records import Record
from sqlmigrations.history.tables import Tables
from sqlmigrations.models import EventType

#: When something happened that nobody wrote down.
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Places:
    """Where files stand in the order in which they came into the database."""

    events: Mapping[str, int]

    def of(self, name: str, executed_at: datetime | None) -> tuple[int, datetime]:
        """Return where a file stands, to be compared with others.

        Those that no event of the history brought, such as adopted ones, stand before all others, by their time.
        """
        return self.events.get(name, 0), executed_at or _LONG_AGO

    def sort(self, records: Iterable[Record]) -> list[Record]:
        """Return the records in this order, oldest first; those that stand at one place stay as they are."""
        return sorted(records, key=lambda record: self.of(record.filename, record.executed_at))


def read_places(connection: Connection, tables: Tables | None) -> Places:
    """Read which event brought each file, if there is a history; a file that was renamed takes its place along."""
    if tables is None:
        return Places({})
    statement = sql.SQL("SELECT id, filename, details ->> 'from' FROM {} WHERE type = ANY (%s) ORDER BY id").format(
        tables.event
    )
    types = [str(type) for type in (EventType.APPLIED, EventType.BASELINED, EventType.RENAMED)]
    events: dict[str, int] = {}
    for event, name, old in fetch_all(connection, statement, [types]):
        events[name] = event if old is None else events.pop(old, 0)
    return Places(events)
