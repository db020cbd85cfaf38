"""What the live catalog says of the objects that findings are about. Reads only; each question is asked once."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from sqlmigrations.conf import settings
from sqlmigrations.database import Connection, fetch_dicts, fetch_row
from sqlmigrations.files.trees import Path
from sqlmigrations.lint.rewriting import identifier
from sqlmigrations.messages import counted
from sqlmigrations.queries import query

#: How long one question may take, and wait for a lock.
STATEMENT_TIMEOUT, LOCK_TIMEOUT = "5s", "500ms"
#: A table with fewer rows is worked on faster than anybody notices.
FEW = 1_000
#: A database without a table of so many rows is one of development: what is small there may be large elsewhere.
LIVED_IN = 10_000
#: A table with more rows makes slow work a matter of minutes.
MANY = 1_000_000
#: Queries or changed rows a second from which on a table is busy: whoever locks it has a queue behind him at once.
BUSY = 10.0
#: Below it nobody is likely to come by while a brief statement runs.
QUIET = 0.1

Row = dict[str, Any]

#: Why the rows of a table can't be looked at: no right to, somebody has it locked, it takes too long.
_UNSEEN = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.QueryCanceled,
    psycopg.errors.ObjectNotInPrerequisiteState,
)


@dataclass(frozen=True)
class Relation:
    """A table, or the like, as it is now; rates are means since the statistics were reset."""

    oid: int
    path: Path
    kind: str
    tablespace: str
    is_populated: bool
    rows: int
    reads_per_second: float
    writes_per_second: float
    #: Whether it is as large in production, as far as one can tell here.
    is_telling: bool = True

    @property
    def is_busy(self) -> bool:
        """Whether many ask for it at any time."""
        return self.reads_per_second + self.writes_per_second >= BUSY

    @property
    def is_small(self) -> bool:
        """Whether it has so few rows, and so few visitors, that slow work on it is none."""
        return self.rows < FEW and self.reads_per_second + self.writes_per_second < QUIET

    def __str__(self) -> str:
        rows = f"about {counted(self.rows, 'row')}"
        reads, writes = self.reads_per_second, self.writes_per_second
        traffic = f", {reads:,.0f} reads and {writes:,.0f} changed rows a second" if reads + writes >= 1 else ""
        return f"{identifier(self.path)} has {rows}{traffic}"


@contextmanager
def read_only(connection: Connection) -> Iterator[None]:
    """Read in one transaction that can change nothing, and waits for nobody for long."""
    with connection.transaction(force_rollback=True):
        connection.execute("SET TRANSACTION READ ONLY")
        connection.execute(
            "SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true)",
            (STATEMENT_TIMEOUT, LOCK_TIMEOUT),
        )
        yield


class Catalog:
    """The catalog of one database, asked through a connection that is in a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.relation = functools.cache(self._relation)
        self.index = functools.cache(self._index)
        self.constraints = functools.cache(self._constraints)
        self.is_lived_in = functools.cache(self._is_lived_in)

    @property
    def version(self) -> int:
        """The server's version, as 180003."""
        return self._connection.info.server_version

    def ask(self, question: str, /, **parameters: Any) -> list[Row]:
        """Return the rows of one of this room's queries."""
        return fetch_dicts(self._connection, query(f"lint/sql/{question}.sql"), parameters)

    def _is_lived_in(self) -> bool:
        """Say whether what is small here is small in production too: this is production, or has large tables."""
        return bool(settings.PRODUCTION) or self.ask("largest_table")[0]["rows"] >= LIVED_IN

    def _relation(self, path: Path) -> Relation | None:
        """Return what a name stands for; None when there is nothing."""
        found = self.ask("relation", **_named(path)) if path else []
        if not found:
            return None
        row = found[0]
        own = (row["schema"], row["name"])
        rows = row["rows"]
        if row["is_unknown"] or rows < FEW:
            rows = max(rows, self._at_least(own)) if row["kind"] in ("r", "p", "m") else rows
        return Relation(
            row["oid"],
            own,
            row["kind"],
            row["tablespace"],
            row["is_populated"],
            rows,
            row["reads_per_second"],
            row["writes_per_second"],
            self.is_lived_in(),
        )

    def _at_least(self, path: Path) -> int:
        """Count the rows of a table that was never analysed, or was small then, up to what is no longer few."""
        counting = sql.SQL("SELECT count(*) FROM (SELECT FROM {} LIMIT {}) AS counted").format(
            sql.Identifier(*path), sql.Literal(FEW)
        )
        try:
            with self._connection.transaction():
                return int(fetch_row(self._connection, counting)[0])
        except _UNSEEN:
            return 0  # the estimate has to do

    def has_rows(self, path: Path) -> bool | None:
        """Say whether a table has any row; None when that can't be seen."""
        looking = sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(*path))
        try:
            with self._connection.transaction():
                return bool(fetch_row(self._connection, looking)[0])
        except _UNSEEN:
            return None

    def _index(self, path: Path) -> Row | None:
        """Return an index with its table and what needs it."""
        return next(iter(self.ask("index", **_named(path))), None) if path else None

    def _constraints(self, table: int) -> list[Row]:
        """Return a table's constraints, and the foreign keys that point to it."""
        return self.ask("constraints", table=table)

    def column(self, table: int, column: str) -> Row | None:
        """Return a column's type, and whether it can be NULL."""
        return next(iter(self.ask("column", table=table, column=column)), None)

    def timezone(self) -> str:
        """Return the session's time zone."""
        return str(fetch_row(self._connection, "SELECT current_setting('TimeZone')")[0])

    def volatility(self, function: Path) -> str | None:
        """Return ``v``, ``s`` or ``i``; None for a function that is not there."""
        found: str | None = self.ask("volatility", **_named(function))[0]["volatility"]
        return found


def _named(path: Path) -> dict[str, str]:
    return {"schema": path[-2] if len(path) > 1 else "", "name": path[-1]}
