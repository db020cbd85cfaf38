"""The events: append-only, each carrying the hash of the one before. Only the holder of the run lock appends."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from psycopg import sql

from sqlmigrations.database import (
    Connection,
    Filled,
    Rows,
    apart,
    cursor,
    execute_together,
    fetch_all,
    fetch_row,
    fetch_together,
    fillable,
)
from sqlmigrations.history.identity import Clock, Identity, identity_in, who_is_it
from sqlmigrations.history.records import adapt
from sqlmigrations.history.tables import Location, Tables
from sqlmigrations.messages import gettext as _
from sqlmigrations.models import EventType

#: What the first event carries in the place of a predecessor's hash.
GENESIS = "0" * 64

#: Makes it impossible for two events to follow the same one.
CHAIN_CONSTRAINT = "sqlmigrations_event_previous_hash_key"


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


#: What an event has of what it has nothing of, and what its row has by default: an INSERT leaves it out.
_NOTHING = {name: getattr(Event(EventType.STARTED, ""), name) for name in Event.__slots__[2:]}


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
    return hashlib.sha256(_encode(_canonical(values)).encode()).hexdigest()


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def _canonical(value: Any) -> Any:
    match value:
        case float():
            return int(Decimal(repr(value))) if value.is_integer() else value
        case dict():
            return {key: item if isinstance(item, _PLAIN) else _canonical(item) for key, item in value.items()}
        case list() | tuple():
            return [item if isinstance(item, _PLAIN) else _canonical(item) for item in value]
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case uuid.UUID():
            return str(value)
    return value


#: What is written as it is. Most values are such, and there are many in an event: they aren't looked at twice.
_PLAIN = (str, int, type(None))


@cache
def _insert(tables: Tables, columns: tuple[str, ...]) -> str:
    """Return the statement that inserts a row, without its values."""
    return fillable(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            tables.event,
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join(sql.Placeholder() * len(columns)),
        )
    )


class Chain:
    """The events' chain, as the holder of the run lock knows it: its head, and who appends."""

    def __init__(
        self, tables: Tables, head: str, run: uuid.UUID, identity: Identity, clock: Clock, *, user: str = ""
    ) -> None:
        self.tables = tables
        self.head = head
        self.run = run
        self.clock = clock
        self._sign(identity)
        #: The person who asked for the run in the admin, named in each of its events.
        self.user = user

    def link(self, event: Event) -> Link:
        """Give ``event`` its place behind the head, without moving the head."""
        what = {name: getattr(event, name) for name in Event.__slots__}
        what["type"] = str(event.type)
        if self.user:
            what["details"] = {**event.details, "user": self.user}
        values = {**self._who, **what, "run": self.run, "at": self.clock.now(), "previous_hash": self.head}
        return Link(values, digest(values))

    def statement(self, link: Link) -> Filled:
        """Return the statement that inserts the row."""
        said = {name: value for name, value in link.values.items() if name not in _NOTHING or value != _NOTHING[name]}
        row = {**said, "hash": link.hash}
        return Filled(_insert(self.tables, tuple(row)), [adapt(value) for value in row.values()])

    def write(self, connection: Connection, link: Link) -> None:
        """Insert the row; the head moves when the caller says that it was committed."""
        execute_together(connection, self.statement(link))

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
        self._sign(replace(identity, revision=self.identity.revision))

    def _sign(self, identity: Identity) -> None:
        self.identity = identity
        self._who = {name: getattr(identity, name) for name in Identity.__slots__}


def read_head(connection: Connection, tables: Tables | None) -> str:
    """Return the hash of the last event, or ``GENESIS``."""
    return GENESIS if tables is None else _head_in(fetch_all(connection, _head(tables)))


def read_beginning(connection: Connection, tables: Tables) -> tuple[str, Identity, Clock]:
    """Return what a chain goes on from: its head, who is going to append, and when. All in one message."""
    with apart(connection, rolled_back=True):
        heads, *who = fetch_together(connection, _head(tables), *who_is_it())
    return _head_in(heads), *identity_in(who)


def _head(tables: Tables) -> sql.Composed:
    return sql.SQL("SELECT hash FROM {} ORDER BY id DESC LIMIT 1").format(tables.event)


def _head_in(rows: Rows) -> str:
    return rows[0][0] if rows else GENESIS


def read_head_of_settled(connection: Connection, location: Location) -> str | None:
    """Return the hash of the last event of a history that a run without work would leave as it is.

    That is one whose tables are up to date, and where a version of the schema is kept; ``None`` for any other.
    """
    if location.tables is None or not location.has_reports:
        return None
    statement = sql.SQL("SELECT hash, EXISTS (SELECT FROM {}) FROM {} ORDER BY id DESC LIMIT 1").format(
        location.tables.snapshot, location.tables.event
    )
    row = cursor(connection).execute(statement).fetchone()
    return row[0] if row and row[1] else None


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


def verify_chain(
    connection: Connection, tables: Tables | None, *, last: int | None = None, after: int = 0
) -> ChainReport:
    """Walk along the chain in constant memory and name the first event that doesn't fit.

    ``last`` limits the walk to that many events at the end, ``after`` to those behind an event's id; the event before
    them is then taken on trust.
    """
    if tables is None:
        return ChainReport(0, GENESIS)
    if last is not None:
        after = _id_before(connection, tables, last)
    head, count = (None if after else GENESIS), 0
    for event_id, values, hash in _walk(connection, tables, after):
        head = values["previous_hash"] if head is None else head
        if values["previous_hash"] != head:
            reason = _("it does not follow the event before it: one was removed, added or put elsewhere")
            return ChainReport(count, head, event_id, reason)
        if digest(values) != hash:
            return ChainReport(count, head, event_id, _("its values are not those that its hash was made of"))
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


def read_reverted_with(connection: Connection, tables: Tables, names: Iterable[str]) -> dict[str, list[str]]:
    """Return, for those of ``names`` that were last reverted since they build on others, which these were."""
    statement = sql.SQL(
        "SELECT DISTINCT ON (filename) filename, details -> 'reverted_with' FROM {} "
        "WHERE type = %s AND filename = ANY(%s) ORDER BY filename, id DESC"
    ).format(tables.event)
    rows = fetch_all(connection, statement, [str(EventType.REVERTED), list(names)])
    return {name: others for name, others in rows if others}


#: Events that a walk along the chain reads at a time.
_PAGE = 1_000

#: A role or database may have durations rounded: https://www.postgresql.org/docs/current/runtime-config-client.html
_EXACTLY = Filled("SELECT pg_catalog.set_config('extra_float_digits', '1', true)")

_HASHED_COLUMNS = (*Identity.__slots__, *Event.__slots__, "run", "at", "previous_hash")


def _walk(connection: Connection, tables: Tables, after: int) -> Iterator[tuple[int, dict[str, Any], str]]:
    """Yield the events behind the id ``after`` in order: its id, the values that were hashed, its hash."""
    columns = sql.SQL(", ").join(map(sql.Identifier, ("id", "hash", *_HASHED_COLUMNS)))
    page = fillable(
        sql.SQL("SELECT {} FROM {} WHERE id > {} ORDER BY id LIMIT {}").format(
            columns, tables.event, sql.Placeholder(), sql.Placeholder()
        )
    )
    last, count = after, _PAGE
    while count == _PAGE:
        with apart(connection, rolled_back=True):
            _set, answer = execute_together(connection, _EXACTLY, Filled(page, [last, _PAGE]))
        rows = answer.fetchall()
        count = len(rows)
        for event_id, hash, *values in rows:
            yield event_id, dict(zip(_HASHED_COLUMNS, values, strict=True)), hash
            last = event_id
