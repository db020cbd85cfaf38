"""Takes over another tool's history: recognises its table by shape and makes records of its rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import psycopg
from django.db import DEFAULT_DB_ALIAS
from psycopg import sql

from sqlmigrations.database import Connection, connected, fetch_all, raw
from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.files.scripts import SQLFile
from sqlmigrations.history import Event
from sqlmigrations.models import EventType, State
from sqlmigrations.queries import query
from sqlmigrations.runner.journal import Journal
from sqlmigrations.runner.task import Columns, companions, read_whole, text_columns
from sqlmigrations.service.gather import read_disk, recall
from sqlmigrations.service.run import open_run
from sqlmigrations.service.told import LOCK_WAIT, Tell


@dataclass(frozen=True, slots=True)
class Shape:
    """A tool's table: the columns that tell it, and a query for ``key, at, ms, success, error`` of each row in order.

    The key is a file's name, or the number that the file's name begins with. ``naming`` finds files that were renamed
    since, by the ``number`` or the ``name`` in what the tool called them. A time without a zone is in that of the
    connection, as the tool's own ``now()`` was.
    """

    tool: str
    columns: frozenset[str]
    query: LiteralString
    by_number: bool = False
    naming: re.Pattern[str] | None = None


#: The shapes that are known, the richer ones first.
SHAPES = (
    Shape(
        "Flyway",
        frozenset({"installed_rank", "version", "script", "installed_on", "execution_time", "success"}),
        # What `undo` took back and `repair` marked as deleted is pending there: such rows, and what they are about.
        "SELECT script::text, installed_on::timestamptz, execution_time::float8, success::boolean, '' "
        "FROM {table} AS done WHERE type NOT IN ('SCHEMA', 'BASELINE', 'DELETE') AND type NOT LIKE 'UNDO%' "
        "AND NOT EXISTS (SELECT FROM {table} AS back WHERE (back.type = 'DELETE' OR back.type LIKE 'UNDO%') "
        "AND back.success AND back.installed_rank > done.installed_rank "
        "AND coalesce(back.version, back.description) = coalesce(done.version, done.description)) "
        "ORDER BY installed_rank",
        naming=re.compile(r"V(?P<number>\d+)__.+|R__(?P<name>.+)"),
    ),
    Shape(
        "a table of file names",
        frozenset({"filename", "executed_at", "execution_time_ms", "success", "error_message"}),
        "SELECT filename::text, executed_at::timestamptz, execution_time_ms::float8, success::boolean, "
        "coalesce(error_message::text, '') FROM {table} "
        "ORDER BY executed_at",
    ),
    Shape(
        "goose",
        frozenset({"id", "version_id", "is_applied", "tstamp"}),
        "SELECT version_id::text, tstamp::timestamptz, NULL, is_applied::boolean, NULL FROM {table} "
        "WHERE version_id <> 0 ORDER BY id",
        by_number=True,
    ),
    Shape("dbmate", frozenset({"version"}), "SELECT version::text, NULL, NULL, true, '' FROM {table} ORDER BY 1", True),
)


@dataclass(frozen=True, slots=True)
class Adoption:
    """One file as another tool left it. An error of ``None`` with no success means that it was undone there."""

    name: str
    file: SQLFile | None
    at: datetime | None
    duration_ms: float | None
    success: bool
    error: str | None

    @property
    def state(self) -> State:
        """The state of the record that it becomes; without its file, what it made is held all the same."""
        if not self.success:
            return State.FAILED
        return State.APPLIED if self.file is not None else State.RETIRED


@dataclass(frozen=True, slots=True)
class AdoptionPlan:
    """What would be taken over from a table, and what is on record already."""

    database: str
    table: str
    tool: str
    adoptions: tuple[Adoption, ...]
    known: int


def plan_adoption(table: str, *, database: str = DEFAULT_DB_ALIAS) -> AdoptionPlan:
    """Return what would be taken over from another tool's ``table``. Nothing is locked, made or changed.

    Raises:
        ConfigurationError: there is no such table, or it has no shape that is known.
        InvalidFiles: files can't be read.
    """
    with connected(database) as wrapper:
        disk = read_disk(database)
        records = recall(wrapper, disk).records
        shape, rows = _read(raw(wrapper), table)
        adoptions = {adoption.name: adoption for adoption in (_adoption(row, shape, disk.files) for row in rows)}
        undone = [name for name, adoption in adoptions.items() if not adoption.success and adoption.error is None]
        new = tuple(adoption for name, adoption in adoptions.items() if name not in records and name not in undone)
        return AdoptionPlan(database, table, shape.tool, new, len([name for name in adoptions if name in records]))


Row = tuple[str, datetime | None, float | None, bool, str | None]


def _read(connection: Connection, table: str) -> tuple[Shape, Sequence[Row]]:
    found = fetch_all(connection, query("service/sql/table_columns.sql"), {"table": table})
    if not found:
        raise ConfigurationError(f"There is no table {table}.", hint="Name it as in SQL, with its schema if need be.")
    ((schema, name, columns),) = found
    for shape in SHAPES:
        if shape.columns <= set(columns) and (shape.tool != "dbmate" or set(columns) == shape.columns):
            return shape, _rows(connection, shape, sql.Identifier(schema, name))
    known = ", ".join(shape.tool for shape in SHAPES)
    raise ConfigurationError(
        f"{table} has the columns {', '.join(columns)}, which is no history that is known ({known}).",
        hint="Record what was applied with: applysql --baseline NAME",
    )


def _rows(connection: Connection, shape: Shape, table: sql.Identifier) -> Sequence[Row]:
    try:
        return fetch_all(connection, sql.SQL(shape.query).format(table=table))
    except psycopg.DataError as error:
        raise ConfigurationError(
            f"It has the shape of {shape.tool}, but a row of it can't be read: {str(error).strip()}",
            hint="Mend that row, or record what was applied with: applysql --baseline NAME",
        ) from error


def _adoption(row: Row, shape: Shape, files: Sequence[SQLFile]) -> Adoption:
    key, at, duration_ms, success, error = row
    file = _by_number(key, files) if shape.by_number else _by_name(key, files) or _renamed(key, shape, files)
    return Adoption(file.name if file else key, file, at, duration_ms, bool(success), error)


def _by_name(name: str, files: Sequence[SQLFile]) -> SQLFile | None:
    return next((file for file in files if name in (file.name, file.name.rpartition("/")[2])), None)


def _renamed(key: str, shape: Shape, files: Sequence[SQLFile]) -> SQLFile | None:
    named = shape.naming.fullmatch(key.rpartition("/")[2]) if shape.naming else None
    if named is None:
        return None
    return _by_number(named["number"], files) if named["number"] else _by_name(named["name"], files)


def _by_number(number: str, files: Sequence[SQLFile]) -> SQLFile | None:
    wanted = int(number) if number.isdecimal() else None
    return next((file for file in files if file.number is not None and int(file.number) == wanted), None)


def adopt(plan: AdoptionPlan, *, tell: Tell, lock_wait: float = LOCK_WAIT) -> str:
    """Make records of ``plan`` and return the head of the history. The other tool's table is left alone.

    Raises:
        RunLockHeld: another run went on for longer than ``lock_wait``.
        DatabaseUnavailable: the database can't be reached.
    """
    with connected(plan.database) as wrapper, open_run(wrapper, lock_wait=lock_wait, tell=tell) as run:
        known = recall(wrapper, read_disk(plan.database)).records
        for adoption in plan.adoptions:
            if adoption.name not in known:
                _record(run.journal, adoption, plan)
        return run.head


def _record(journal: Journal, adoption: Adoption, plan: AdoptionPlan) -> None:
    now = journal.chain.clock.now()
    columns: Columns = {
        **journal.signature(now),
        **(_held(adoption, now) if adoption.success else {}),
        "kind": str(adoption.file.kind if adoption.file else "versioned"),
        "state": str(adoption.state),
        "success": None if adoption.state is State.RETIRED else adoption.success,
        "attempted_at": adoption.at or now,
        "execution_time_ms": adoption.duration_ms,
        "error_message": "" if adoption.success else adoption.error or "",
    }
    event = Event(
        EventType.ADOPTED,
        adoption.name,
        duration_ms=adoption.duration_ms,
        details={"table": plan.table, "tool": plan.tool, "state": str(adoption.state), **_message(adoption)},
    )
    journal.append(event, journal.recording(adoption.name, columns))


def _message(adoption: Adoption) -> Mapping[str, str]:
    return {"message": adoption.error} if adoption.error else {}


def _held(adoption: Adoption, now: datetime) -> Columns:
    columns: Columns = {"executed_at": adoption.at or now}
    if adoption.file is not None:
        reading = read_whole(adoption.file, objects=True)
        columns |= {**text_columns(reading), **companions(adoption.file), "statements_total": reading.count}
    return columns
