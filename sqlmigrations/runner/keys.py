"""Walks the rows of a table in ranges of its key, for a statement that runs in batches.

A key is a unique index over columns that can't be NULL. Its values travel as text: PostgreSQL reads them as values of
the columns' types where it compares them.
https://www.postgresql.org/docs/current/functions-comparisons.html#ROW-WISE-COMPARISON
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, LiteralString, NamedTuple

from psycopg import sql

from sqlmigrations.database import Connection, fetch_all, fetch_dicts
from sqlmigrations.exceptions import Problem
from sqlmigrations.files import names
from sqlmigrations.files.batches import Batched, Unbatchable
from sqlmigrations.files.directives import Batch
from sqlmigrations.files.trees import Path
from sqlmigrations.queries import query
from sqlmigrations.runner.batch_position import Key


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one table. ``rows`` is how many rows it is taken to have, ``None`` where nobody has counted."""

    batched: Batched
    columns: tuple[str, ...]
    table: sql.Composable
    rows: int | None

    def last(self, connection: Connection) -> Key | None:
        """Return the highest key; ``None`` for an empty table."""
        found = fetch_all(
            connection, sql.SQL("{} ORDER BY {} LIMIT 1").format(self._selected(), self._ordered("{} DESC"))
        )
        return tuple(found[0]) if found else None

    def end_of(self, connection: Connection, size: int, after: Key | None, until: Key) -> Key:
        """Return the last key of the next ``size`` ones behind ``after``, which is at most ``until``."""
        statement = sql.SQL("{} WHERE {} ORDER BY {} OFFSET {} LIMIT 1").format(
            self._selected(), self.between(after, until), self._ordered("{}"), sql.Literal(size - 1)
        )
        found = fetch_all(connection, statement)
        return tuple(found[0]) if found else until

    def between(self, after: Key | None, until: Key) -> sql.Composable:
        """Return the condition of the rows behind ``after``, up to ``until``."""
        row = self._row([sql.Identifier(self.batched.reference, column) for column in self.columns])
        below = sql.SQL("{} <= {}").format(row, self._row(map(sql.Literal, until)))
        if after is None:
            return below
        return sql.SQL("{} > {} AND {}").format(row, self._row(map(sql.Literal, after)), below)

    @staticmethod
    def _row(values: Iterable[sql.Composable]) -> sql.Composable:
        return sql.SQL("({})").format(sql.SQL(", ").join(values))

    def _selected(self) -> sql.Composable:
        columns = [sql.SQL("{}::text").format(sql.Identifier(column)) for column in self.columns]
        return sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(columns), self.table)

    def _ordered(self, each: LiteralString) -> sql.Composable:
        return sql.SQL(", ").join(
            sql.SQL(each).format(sql.Identifier(self.batched.reference, column)) for column in self.columns
        )


def find_keys(connection: Connection, batched: Batched, batch: Batch, name: str) -> Keys:
    """Return the keys by which the file ``name`` walks its table.

    Raises:
        Unbatchable: the table has no such key, or all batches together would not do what the statement does at once.
    """
    quoted = sql.Identifier(*batched.table).as_string(connection)
    found = fetch_dicts(connection, query("runner/sql/batch_key.sql"), {"table": quoted})
    columns, problem = _columns(found[0], batched, batch, quoted) if found else ((), _missing(batched.table))
    problem = problem or _aggregates(connection, batched)
    if problem:
        why, instead = problem
        message = f"the statement can't run in batches: {why}"
        raise Unbatchable(Problem(message, name, batched.statement.line, instead))
    table = sql.SQL("{}{} AS {}").format(
        sql.SQL("ONLY " if batched.only else ""), sql.Identifier(*batched.table), sql.Identifier(batched.reference)
    )
    rows = int(found[0]["rows"])
    return Keys(batched, columns, table, rows if rows >= 0 else None)


class _Refusal(NamedTuple):
    """Why a statement can't run in batches, and what to do instead."""

    why: str
    instead: str = ""


def _missing(table: Path) -> _Refusal:
    return _Refusal(f"there is no table {names.name(*table)}", "Make it in an earlier file.")


_BY_OTHER = "Name the columns of a unique index: batch 5000 by COLUMN"


def _columns(row: dict[str, Any], batched: Batched, batch: Batch, quoted: str) -> tuple[Key, _Refusal | None]:
    """Return the columns of the key, or what is in the way."""
    keys, shown = [tuple(key) for key in row["keys"]], names.name(*batched.table)
    columns = batch.key or (keys[0] if row["has_primary_key"] else ())
    if row["kind"] not in ("r", "p"):
        return columns, _Refusal(f"{shown} is no table", "Name the table itself.")
    if not columns:
        return columns, _Refusal(f"{shown} has no primary key", _BY_OTHER)
    if columns not in keys:
        listed = ", ".join(columns)
        return columns, _Refusal(
            f"{shown} has no unique index on ({listed}) whose columns are NOT NULL",
            f"Make it in an earlier file: CREATE UNIQUE INDEX CONCURRENTLY ON {quoted} ({listed});",
        )
    if changed := sorted(batched.sets.intersection(columns)):
        return columns, _Refusal(
            f"it changes {changed[0]}, by which it walks", "Name another key: batch 5000 by COLUMN"
        )
    return columns, None


def _aggregates(connection: Connection, batched: Batched) -> _Refusal | None:
    """Say which function of an INSERT's SELECT is an aggregate, by the catalog."""
    called = sorted({path[-1] for path in batched.calls})
    found = fetch_all(connection, query("runner/sql/aggregates.sql"), {"names": called}) if called else []
    return _Refusal(f"{found[0][0]}() needs all rows at once", "Write the file without `batch`.") if found else None
