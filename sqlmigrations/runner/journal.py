"""Writes down what became of a file: its record and its event, always together.

A success is written over the working connection, in the file's own transaction. All else goes over the connection that
holds the run lock, since the file's transaction is rolled back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, LiteralString

import psycopg
from django.db.utils import Error as DjangoError

from sqlmigrations.database import Connection
from sqlmigrations.exceptions import DatabaseUnavailable
from sqlmigrations.files.footprint import objects_made
from sqlmigrations.files.scripts import SMALL, Reading, Script, SQLFile
from sqlmigrations.history import Chain, Event, Link, holds_event, read_head, write_record
from sqlmigrations.models import EventType, State
from sqlmigrations.runner.failure import Failure
from sqlmigrations.runner.outcome import Attempt

Columns = dict[LiteralString, Any]


class Journal:
    """The events' chain and the records of one run; ``connect`` returns the run lock's connection.

    Its methods raise ``DatabaseUnavailable`` when that connection was lost, for then the lock is lost too.
    """

    def __init__(self, chain: Chain, connect: Callable[[], Connection]) -> None:
        self.chain = chain
        self.connect = connect

    def started(self, file: SQLFile, type: EventType = EventType.STARTED, **details: Any) -> None:
        """Note that an attempt begins. Nothing depends on its having reached the disk, so nobody waits for that."""
        self._append(Event(type, file.name, details=details), durable=False)

    def applied(self, connection: Connection, file: SQLFile, reading: Reading, attempt: Attempt) -> Link:
        """Write the record and, last of all, the event into the open transaction; return the event's link.

        The caller moves the chain's head when the transaction is committed.
        """
        duration = attempt.duration_ms
        values = {**self._attempted(file, duration), **self._holding(file, reading)}
        values |= {
            "state": str(State.APPLIED),
            "success": True,
            "statements_done": reading.count,
        }
        write_record(connection, self.chain.tables, file.name, values)
        event = Event(
            EventType.APPLIED,
            file.name,
            duration_ms=duration,
            checksum=reading.checksum,
            timings=attempt.timings.as_json(),
            notices=attempt.notices,
            details={"statements": reading.count, "attempts": attempt.number},
        )
        link = self.chain.link(event)
        self.chain.write(connection, link)
        return link

    def failed(self, file: SQLFile, attempt: Attempt, failure: Failure, state: State, **columns: Any) -> None:
        """Write down a failed attempt; ``columns`` are further columns of the record."""
        kept = failure.without_data() if file.directives.sensitive else failure
        event = Event(
            EventType.FAILED if state is State.FAILED else EventType.STOPPED,
            file.name,
            duration_ms=attempt.duration_ms,
            timings=attempt.timings.as_json(),
            notices=[] if file.directives.sensitive else attempt.notices,
            sqlstate=kept.sqlstate,
            line=kept.line,
            blockers=[blocker.as_json() for blocker in kept.blockers],
            details=_details(kept, attempt),
        )
        values = {
            **self._attempted(file, attempt.duration_ms),
            "state": str(state),
            "success": False,
            "error_message": kept.text,
            "error_sqlstate": kept.sqlstate,
            "error_line": kept.line,
            **columns,
        }
        self._append(event, record=values)

    def baselined(self, file: SQLFile, reason: str) -> int:
        """Record ``file`` as held by the database without running it; return how many statements it has."""
        reading = read_whole(file)
        values = {**self._attempted(file, None), **self._holding(file, reading)}
        values |= {"state": str(State.BASELINED), "success": None}
        event = Event(EventType.BASELINED, file.name, checksum=reading.checksum, details={"reason": reason})
        self._append(event, record=values)
        return reading.count

    def checkpoint(self, connection: Connection, file: SQLFile, columns: Columns) -> None:
        """Write how far a file outside a transaction has come, into the open transaction of ``connection``."""
        values = {**self._attempted(file, None), "state": str(State.PARTIAL), "success": False, **columns}
        write_record(connection, self.chain.tables, file.name, values)

    def follow(self) -> None:
        """Find the chain's head anew, after somebody else has appended to it."""
        self.chain.head = read_head(self.connect(), self.chain.tables)

    def holds(self, link: Link) -> bool:
        """Tell whether the event of ``link`` was committed, and take it for the chain's head if so."""
        committed = holds_event(self.connect(), self.chain.tables, link.hash)
        if committed:
            self.chain.advance(link)
        return committed

    def _append(self, event: Event, *, record: Columns | None = None, durable: bool = True) -> None:
        link = self.chain.link(event)
        try:
            connection = self.connect()
            with connection.transaction():
                if not durable:
                    connection.execute("SET LOCAL synchronous_commit = off")
                if record is not None:
                    write_record(connection, self.chain.tables, event.filename, record)
                self.chain.write(connection, link)
        except (psycopg.OperationalError, DjangoError) as error:
            raise DatabaseUnavailable(
                f"The connection that held the run lock was lost: {str(error).strip()}",
                hint="Run it again: what was committed is on record, and the rest is still pending.",
            ) from error
        self.chain.advance(link)

    def _attempted(self, file: SQLFile, duration_ms: float | None) -> Columns:
        return {
            "kind": str(file.kind),
            "attempted_at": self.chain.clock.now(),
            "execution_time_ms": duration_ms,
            "applied_by": self.chain.identity.role,
            "revision": self.chain.identity.revision,
            "tags": list(file.directives.tags),
        }

    def _holding(self, file: SQLFile, reading: Reading) -> Columns:
        """Return the columns that say what the database holds from now on."""
        return {
            "executed_at": self.chain.clock.now(),
            "checksum": reading.checksum,
            "applied_sql": reading.stored,
            "down_sql": text_of(file.down),
            "verify_sql": text_of(file.verify),
            "statements_total": reading.count,
            "objects_made": made_by(file),
            "error_message": "",
            "error_sqlstate": "",
            "error_line": None,
            "progress": None,
        }


def read_whole(script: Script) -> Reading:
    """Read a script to its end, for its checksum and the text to keep."""
    reading = script.read()
    for _statement in reading:
        pass
    return reading


def text_of(script: Script | None) -> str | None:
    """Return a companion script's text as it is kept with the record."""
    return read_whole(script).stored if script else None


def made_by(file: SQLFile) -> list[dict[str, Any]]:
    """Return the objects that a file makes, each with its line; none for a file too large to be parsed."""
    if file.path.stat().st_size > SMALL:
        return []
    return [{"kind": made.kind, "name": made.name, "line": made.line} for made in objects_made(list(file.read()))]


def _details(failure: Failure, attempt: Attempt) -> dict[str, Any]:
    details = {
        "message": failure.message,
        "detail": failure.detail,
        "hint": failure.hint,
        "context": failure.context,
        "advice": failure.advice,
        "statement": failure.statement,
        "column": failure.column,
        "file": failure.file,
        "attempts": attempt.number,
    }
    return {key: value for key, value in details.items() if value not in ("", None)}
