"""The records: what the database holds of each file, and how the last attempt at it went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, LiteralString, NamedTuple

from psycopg import sql
from psycopg.types.json import Jsonb

from sqlmigrations.database import Answer, Connection, Filled, execute_together, fetch_all, fillable
from sqlmigrations.files.kinds import Kind
from sqlmigrations.history.tables import Tables
from sqlmigrations.models import State

#: States in which the database holds what the file made.
HELD_STATES = frozenset({State.APPLIED, State.BASELINED, State.RETIRED})


class Record(NamedTuple):
    """A ``MigrationRecord`` without its texts, as plans are made from it: a tuple, for every plan reads all of them."""

    filename: str
    kind: Kind
    state: State
    checksum: str
    executed_at: datetime | None
    attempted_at: datetime
    execution_time_ms: float | None
    error_message: str
    error_sqlstate: str
    error_line: int | None
    statements_done: int
    statements_total: int | None
    applied_by: str
    progress: Mapping[str, Any] | None

    @property
    def is_held(self) -> bool:
        """Whether the database holds what the file made; a repeatable that failed later still counts."""
        return self.state in HELD_STATES or (self.state == State.FAILED and self.executed_at is not None)


_RECORD_COLUMNS = sql.SQL(", ").join(sql.Identifier(column) for column in Record._fields)


def read_records(connection: Connection, tables: Tables | None) -> dict[str, Record]:
    """Return every record by file name; none where the tables are missing."""
    if tables is None:
        return {}
    statement = sql.SQL("SELECT {} FROM {}").format(_RECORD_COLUMNS, tables.record)
    return {row[0]: _record(row) for row in fetch_all(connection, statement)}


def read_records_of(
    connection: Connection, tables: Tables | None, names: Iterable[str], checksums: Iterable[str]
) -> dict[str, Record]:
    """Return the records of the files ``names``, and of others whose text has one of ``checksums``; by file name."""
    if tables is None:
        return {}
    statement = sql.SQL("SELECT {} FROM {} WHERE filename = ANY(%s) OR checksum = ANY(%s)").format(
        _RECORD_COLUMNS, tables.record
    )
    return {row[0]: _record(row) for row in fetch_all(connection, statement, [list(names), list(checksums)])}


#: Whether the file of a record is missed where it isn't on disk, as ``plan`` decides it.
_IS_MISSED = sql.SQL(
    "(state IN ('applied', 'baselined', 'partial', 'in_doubt') OR state = 'failed' AND executed_at IS NOT NULL)"
)


def read_missing(
    connection: Connection, tables: Tables | None, names: Iterable[str], *, first: int
) -> tuple[int, tuple[str, ...]]:
    """Count the records whose file is none of ``names`` though the database holds it; name the ``first`` ones."""
    if tables is None:
        return 0, ()
    statement = sql.SQL(
        "SELECT filename, count(*) OVER () FROM {} WHERE {} AND NOT filename = ANY(%s) ORDER BY filename LIMIT %s"
    ).format(tables.record, _IS_MISSED)
    found = fetch_all(connection, statement, [list(names), first])
    return (found[0][1] if found else 0), tuple(name for name, _count in found)


def read_record(connection: Connection, tables: Tables, name: str) -> Record | None:
    """Return the record of one file."""
    return record_in(execute_together(connection, look_statement(tables, name))[-1])


def look_statement(tables: Tables, name: str) -> Filled:
    """Return the statement that reads the record of one file; ``record_in`` its answer is that record."""
    return Filled(_look(tables), [name])


def record_in(answer: Answer) -> Record | None:
    """Return the record in the answer to ``look_statement``."""
    return next(map(_record, answer.fetchall()), None)


@cache
def _look(tables: Tables) -> str:
    """Return the statement that reads the record of one file, without its name."""
    statement = sql.SQL("SELECT {} FROM {} WHERE filename = {}")
    return fillable(statement.format(_RECORD_COLUMNS, tables.record, sql.Placeholder()))


_KINDS = {str(kind): kind for kind in Kind}
_STATES = {str(state): state for state in State}


def _record(row: tuple[Any, ...]) -> Record:
    return Record(row[0], _KINDS[row[1]], _STATES[row[2]], *row[3:])


def read_texts(connection: Connection, tables: Tables, names: Iterable[str]) -> dict[str, str]:
    """Return the SQL that was applied, for those of ``names`` whose text is kept."""
    statement = sql.SQL(
        "SELECT filename, applied_sql FROM {} WHERE filename = ANY(%s) AND applied_sql IS NOT NULL"
    ).format(tables.record)
    return dict(fetch_all(connection, statement, [list(names)]))


@dataclass(frozen=True, slots=True)
class Texts:
    """The scripts kept with a record."""

    applied: str | None
    down: str | None


def read_all_texts(connection: Connection, tables: Tables) -> dict[str, Texts]:
    """Return the scripts kept with every record."""
    statement = sql.SQL("SELECT filename, applied_sql, down_sql FROM {}").format(tables.record)
    return {name: Texts(applied, down) for name, applied, down in fetch_all(connection, statement)}


def record_statement(tables: Tables, filename: str, values: Mapping[LiteralString, Any]) -> Filled:
    """Return the statement that inserts the record of ``filename``, or changes just the columns ``values`` names."""
    columns = {"filename": filename, **values}
    return Filled(_upsert(tables, tuple(columns)), [adapt(value) for value in columns.values()])


@cache
def _upsert(tables: Tables, columns: tuple[str, ...]) -> str:
    """Return the statement that inserts or changes a record, without its values."""
    names = [sql.Identifier(name) for name in columns]
    return fillable(
        sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT (filename) DO UPDATE SET {}").format(
            tables.record,
            sql.SQL(", ").join(names),
            sql.SQL(", ").join(sql.Placeholder() * len(names)),
            sql.SQL(", ").join(sql.SQL("{0} = EXCLUDED.{0}").format(name) for name in names[1:]),
        )
    )


def write_record(connection: Connection, tables: Tables, filename: str, values: Mapping[LiteralString, Any]) -> None:
    """Insert the record of ``filename``, or change just the columns that ``values`` names."""
    execute_together(connection, record_statement(tables, filename, values))


def change_record(connection: Connection, tables: Tables, filename: str, values: Mapping[LiteralString, Any]) -> None:
    """Change the columns that ``values`` names of the record of ``filename``, which is there."""
    statement = sql.SQL("UPDATE {} SET {} WHERE filename = %s").format(
        tables.record,
        sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in values),
    )
    connection.execute(statement, [*(adapt(value) for value in values.values()), filename])


def remove_record(connection: Connection, tables: Tables, filename: str) -> None:
    """Remove the record of ``filename``, if there is one; what happened stays in the events."""
    connection.execute(sql.SQL("DELETE FROM {} WHERE filename = %s").format(tables.record), [filename])


def adapt(value: Any) -> Any:
    """Return a value as psycopg takes it: containers as JSON."""
    return Jsonb(value) if isinstance(value, (dict, list)) else value


def read_objects_made(connection: Connection, tables: Tables | None) -> dict[str, list[dict[str, Any]]]:
    """Return the objects that each file made, each with its kind, name and line."""
    if tables is None:
        return {}
    return dict(fetch_all(connection, sql.SQL("SELECT filename, objects_made FROM {}").format(tables.record)))
