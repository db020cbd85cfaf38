"""Reads and writes the history: a record for each file, and a chain of events.

Everything is written by SQL composed with the schema that was found at the start, never by the ORM: a file may change
``search_path``, and the ORM can't qualify names. Only the holder of the run lock appends events.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import socket
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error as DjangoError
from psycopg import sql
from psycopg.types.json import Jsonb

from sqlmigrations import __version__
from sqlmigrations.conf import settings
from sqlmigrations.database import Connection, cursor, fetch_all, fetch_row, raw
from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.files.kinds import Kind
from sqlmigrations.models import EventType, State
from sqlmigrations.queries import query

#: What the first event carries in the place of a predecessor's hash.
GENESIS = "0" * 64

#: Makes it impossible for two events to follow the same one.
CHAIN_CONSTRAINT = "sqlmigrations_event_previous_hash_key"

#: States in which the database holds what the file made.
HELD_STATES = frozenset({State.APPLIED, State.BASELINED, State.RETIRED})


# Where the history is


@dataclass(frozen=True, slots=True)
class Tables:
    """The history's two tables in the schema where they were found."""

    schema: str

    @property
    def record(self) -> sql.Identifier:
        """The qualified name of the table of records."""
        return sql.Identifier(self.schema, "sqlmigrations_migrationrecord")

    @property
    def event(self) -> sql.Identifier:
        """The qualified name of the table of events."""
        return sql.Identifier(self.schema, "sqlmigrations_migrationevent")


@dataclass(frozen=True, slots=True)
class Location:
    """Where the history is, or would be made."""

    tables: Tables | None
    current_schema: str
    has_django_migrations: bool

    @property
    def schema(self) -> str:
        """The schema of the tables; the one that they would be made in while there are none."""
        return self.tables.schema if self.tables else self.current_schema


def locate(connection: Connection) -> Location:
    """Find the history's tables through the session's ``search_path``."""
    schema, current_schema, has_django_migrations = fetch_row(connection, query("sql/find_tables.sql"))
    return Location(Tables(schema) if schema else None, current_schema or "public", has_django_migrations)


@cache
def _own_migrations() -> frozenset[str]:
    folder = Path(__file__).parent / "migrations"
    return frozenset(path.stem for path in folder.glob("[0-9]*.py"))


def ensure_tables(wrapper: BaseDatabaseWrapper) -> Tables:
    """Return the history's tables, made by this app's own migrations where they are missing.

    Django's executor runs them for this app alone and sends no signal, which ``call_command("migrate")`` would send to
    every app of the project.

    Raises:
        ConfigurationError: they can't be made, or Django's history says that they were and they are not there.
    """
    connection = raw(wrapper)
    location = locate(connection)
    if location.has_django_migrations:
        rows = fetch_all(connection, "SELECT name FROM django_migrations WHERE app = 'sqlmigrations'")
        applied = {name for (name,) in rows}
    else:
        applied = set()
    if not location.tables or not _own_migrations() <= applied:
        _migrate(wrapper)
        location = locate(connection)
    if not location.tables:
        raise ConfigurationError(
            f"The tables of the history are missing from schema {location.current_schema}, though Django's history "
            "says that they were made.",
            hint="Find them in another schema, or run `manage.py migrate sqlmigrations zero --fake` and this again.",
        )
    return location.tables


def _migrate(wrapper: BaseDatabaseWrapper) -> None:
    from django.db.migrations.executor import MigrationExecutor  # loads every app's migrations: only when needed

    executor = MigrationExecutor(wrapper)
    try:
        executor.migrate([key for key in executor.loader.graph.leaf_nodes() if key[0] == "sqlmigrations"])
    except DjangoError as error:
        raise ConfigurationError(
            f"The tables of the history can't be made: {_first_words(error)}.",
            hint="Run `manage.py migrate sqlmigrations` as a role that may make tables there, or grant this one CREATE "
            "on the schema.",
        ) from error


def _first_words(error: BaseException) -> str:
    """Return what PostgreSQL said first, below the exceptions that Django wrapped around it."""
    while not isinstance(error, psycopg.Error):
        below = error.__cause__ or error.__context__
        if below is None:
            return str(error)
        error = below
    return error.diag.message_primary or str(error)


# Who writes it, and when


@dataclass(frozen=True, slots=True)
class Identity:
    """Who works here: a connection, its role, and the person and machine behind it."""

    role: str
    os_user: str
    host: str
    application_name: str
    backend_pid: int
    backend_start: datetime
    server: str
    revision: str
    tool: str = __version__


@dataclass(frozen=True, slots=True)
class Clock:
    """The server's time, read once and carried on by the client's steady clock."""

    server: datetime
    steady: float

    def now(self) -> datetime:
        """Return the server's present time, to the microsecond."""
        return self.server + timedelta(microseconds=round((time.monotonic() - self.steady) * 1_000_000))


def identify(connection: Connection) -> tuple[Identity, Clock]:
    """Ask the server who this connection is and what time it is there."""
    role, address, application, pid, server, now = fetch_row(connection, query("sql/identity.sql"))
    identity = Identity(
        role=role,
        os_user=_os_user(),
        host=socket.gethostname() + (f" ({address})" if address else ""),
        application_name=application,
        backend_pid=pid,
        backend_start=_backend_start(connection).astimezone(UTC),
        server=server,
        revision=revision(),
    )
    return identity, Clock(now.astimezone(UTC), time.monotonic())


def _backend_start(connection: Connection) -> datetime:
    """Ask for the start of this session as the role that began it: from another, assumed role the server hides it."""
    with connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL SESSION AUTHORIZATION DEFAULT")
        start: datetime = fetch_row(connection, query("sql/backend_start.sql"))[0]
    return start


def _os_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())


#: Where build systems and platforms put the revision of the code.
_REVISION_VARIABLES = ("GIT_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA", "SOURCE_VERSION", "HEROKU_SLUG_COMMIT")


def revision() -> str:
    """Return the code's revision: the setting's, else the one that the environment names."""
    if settings.REVISION is not None:
        return str(settings.REVISION)
    return next((os.environ[name] for name in _REVISION_VARIABLES if os.environ.get(name)), "")


# Records


@dataclass(frozen=True, slots=True)
class Record:
    """A ``MigrationRecord`` without its texts, as plans are made from it."""

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


_RECORD_COLUMNS = sql.SQL(", ").join(sql.Identifier(column.name) for column in fields(Record))


def read_records(connection: Connection, tables: Tables | None) -> dict[str, Record]:
    """Return every record by file name; none where the tables are missing."""
    if tables is None:
        return {}
    statement = sql.SQL("SELECT {} FROM {}").format(_RECORD_COLUMNS, tables.record)
    return {row[0]: _record(row) for row in fetch_all(connection, statement)}


def read_record(connection: Connection, tables: Tables, name: str) -> Record | None:
    """Return the record of one file."""
    statement = sql.SQL("SELECT {} FROM {} WHERE filename = %s").format(_RECORD_COLUMNS, tables.record)
    row = cursor(connection).execute(statement, [name]).fetchone()
    return _record(row) if row else None


def _record(row: tuple[Any, ...]) -> Record:
    filename, kind, state, *rest = row
    return Record(filename, Kind(kind), State(state), *rest)


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


def write_record(connection: Connection, tables: Tables, filename: str, values: Mapping[LiteralString, Any]) -> None:
    """Insert the record of ``filename``, or change just the columns that ``values`` names."""
    columns = {"filename": filename, **values}
    names = [sql.Identifier(name) for name in columns]
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT (filename) DO UPDATE SET {}").format(
        tables.record,
        sql.SQL(", ").join(names),
        sql.SQL(", ").join(sql.Placeholder() * len(names)),
        sql.SQL(", ").join(sql.SQL("{0} = EXCLUDED.{0}").format(name) for name in names[1:]),
    )
    connection.execute(statement, [_adapt(value) for value in columns.values()])


def change_record(connection: Connection, tables: Tables, filename: str, values: Mapping[LiteralString, Any]) -> None:
    """Change the columns that ``values`` names of the record of ``filename``, which is there."""
    statement = sql.SQL("UPDATE {} SET {} WHERE filename = %s").format(
        tables.record,
        sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in values),
    )
    connection.execute(statement, [*(_adapt(value) for value in values.values()), filename])


def remove_record(connection: Connection, tables: Tables, filename: str) -> None:
    """Remove the record of ``filename``, if there is one; what happened stays in the events."""
    connection.execute(sql.SQL("DELETE FROM {} WHERE filename = %s").format(tables.record), [filename])


def _adapt(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, (dict, list)) else value


# Events


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, before it has a place in the chain."""

    type: EventType
    filename: str
    duration_ms: float | None = None
    checksum: str = ""
    timings: list[dict[str, Any]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    sqlstate: str = ""
    line: int | None = None
    blockers: list[dict[str, Any]] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """A row of the events' table: the event, who and when, the hash of the one before and its own."""

    values: Mapping[str, Any]
    hash: str


def digest(values: Mapping[str, Any]) -> str:
    """Return the hash of an event's explicit values, its predecessor's hash among them.

    The values are written as JSON in one way only: keys sorted, no spaces, times in UTC with microseconds, whole
    numbers without a fraction (``jsonb`` gives ``1e22`` back as an integer).
    """
    text = json.dumps(_canonical(values), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    match value:
        case Mapping():
            return {key: _canonical(item) for key, item in value.items()}
        case list() | tuple():
            return [_canonical(item) for item in value]
        case float() if value.is_integer():
            return int(Decimal(repr(value)))
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case uuid.UUID():
            return str(value)
    return value


class Chain:
    """The events' chain, as the holder of the run lock knows it: its head, and who appends."""

    def __init__(self, tables: Tables, head: str, run: uuid.UUID, identity: Identity, clock: Clock) -> None:
        self.tables = tables
        self.head = head
        self.run = run
        self.identity = identity
        self.clock = clock

    def link(self, event: Event) -> Link:
        """Give ``event`` its place behind the head, without moving the head."""
        who = {name: getattr(self.identity, name) for name in Identity.__slots__}
        what = {name: getattr(event, name) for name in Event.__slots__}
        what["type"] = str(event.type)
        values = {**who, **what, "run": self.run, "at": self.clock.now(), "previous_hash": self.head}
        return Link(values, digest(values))

    def write(self, connection: Connection, link: Link) -> None:
        """Insert the row; the head moves when the caller says that it was committed."""
        row = {**link.values, "hash": link.hash}
        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            self.tables.event,
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(sql.Placeholder() * len(row)),
        )
        connection.execute(statement, [_adapt(value) for value in row.values()])

    def advance(self, link: Link) -> None:
        """Take ``link`` for the head: it was committed."""
        self.head = link.hash

    def append(self, connection: Connection, event: Event) -> None:
        """Write ``event`` in a transaction of its own (a savepoint where one is open) and move the head."""
        link = self.link(event)
        with connection.transaction():
            self.write(connection, link)
        self.advance(link)

    def signed_by(self, identity: Identity) -> None:
        """Let the events that follow name another connection."""
        self.identity = replace(identity, revision=self.identity.revision)


def read_head(connection: Connection, tables: Tables | None) -> str:
    """Return the hash of the last event, or ``GENESIS``."""
    if tables is None:
        return GENESIS
    statement = sql.SQL("SELECT hash FROM {} ORDER BY id DESC LIMIT 1").format(tables.event)
    row = cursor(connection).execute(statement).fetchone()
    return row[0] if row else GENESIS


def holds_event(connection: Connection, tables: Tables, hash: str) -> bool:
    """Tell whether an event of this hash was committed: the answer to an unknown COMMIT."""
    statement = sql.SQL("SELECT EXISTS (SELECT 1 FROM {} WHERE hash = %s)").format(tables.event)
    return bool(fetch_row(connection, statement, [hash])[0])


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a walk along the chain found."""

    events: int
    head: str
    break_id: int | None = None
    break_reason: str = ""

    @property
    def is_intact(self) -> bool:
        """Whether every event fits the one before it."""
        return self.break_id is None


def verify_chain(connection: Connection, tables: Tables | None, *, last: int | None = None) -> ChainReport:
    """Walk along the chain in constant memory and name the first event that doesn't fit.

    ``last`` limits the walk to that many events at the end; the one before them is then taken on trust.
    """
    if tables is None:
        return ChainReport(0, GENESIS)
    after = _id_before(connection, tables, last) if last is not None else 0
    head, count = (None if after else GENESIS), 0
    for event_id, values, hash in _walk(connection, tables, after):
        head = values["previous_hash"] if head is None else head
        if values["previous_hash"] != head:
            reason = "it does not follow the event before it: one was removed, added or put elsewhere"
            return ChainReport(count, head, event_id, reason)
        if digest(values) != hash:
            return ChainReport(count, head, event_id, "its values are not those that its hash was made of")
        head, count = hash, count + 1
    return ChainReport(count, head or GENESIS)


def _id_before(connection: Connection, tables: Tables, last: int) -> int:
    """Return the id of the event before the ``last`` ones, 0 where there are no more than that."""
    statement = sql.SQL("SELECT id FROM {} ORDER BY id DESC LIMIT 1 OFFSET %s").format(tables.event)
    row = cursor(connection).execute(statement, [last]).fetchone()
    return row[0] if row else 0


def knows_head(connection: Connection, tables: Tables | None, head: str) -> bool:
    """Tell whether ``head`` was once the head of this chain: one of its events, or the beginning."""
    return head == GENESIS or (tables is not None and holds_event(connection, tables, head))


def read_events(connection: Connection, tables: Tables | None) -> Iterator[dict[str, Any]]:
    """Yield every event in order as plain values, each with its id and hash, in constant memory."""
    if tables is not None:
        for event_id, values, hash in _walk(connection, tables, 0):
            yield {"id": event_id, **_canonical(values), "hash": hash}


_HASHED_COLUMNS = (*Identity.__slots__, *Event.__slots__, "run", "at", "previous_hash")


def _walk(connection: Connection, tables: Tables, after: int) -> Iterator[tuple[int, dict[str, Any], str]]:
    """Yield the events behind the id ``after`` in order: its id, the values that were hashed, its hash."""
    columns = sql.SQL(", ").join(map(sql.Identifier, ("id", "hash", *_HASHED_COLUMNS)))
    page = sql.SQL("SELECT {} FROM {} WHERE id > %s ORDER BY id LIMIT 1000").format(columns, tables.event)
    last = after
    while rows := fetch_all(connection, page, [last]):
        for event_id, hash, *values in rows:
            yield event_id, dict(zip(_HASHED_COLUMNS, values, strict=True)), hash
            last = event_id
