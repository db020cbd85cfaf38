"""Writes down what became of a file: its record and its event, always together.

A success is written over the working connection, in the file's own transaction. All else goes over the connection that
holds the run lock, since the file's transaction is rolled back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, TypeVar

import psycopg
from django.db.utils import Error as DjangoError
from psycopg.pq import TransactionStatus

from sqlmigrations.database import Connection, Filled, is_lost, select
from sqlmigrations.exceptions import DatabaseUnavailable, InvalidFile
from sqlmigrations.files.reading import Reading
from sqlmigrations.files.scripts import SMALL, Script, SQLFile
from sqlmigrations.history import (
    CHAIN_CONSTRAINT,
    Chain,
    Event,
    Link,
    Record,
    change_record,
    holds_event,
    look_statement,
    read_head,
    record_in,
    record_statement,
    remove_record,
    write_record,
)
from sqlmigrations.messages import kept
from sqlmigrations.models import EventType, State
from sqlmigrations.runner.failure import Failure
from sqlmigrations.runner.held_locks import NOT_LONG, HeldLock, held_locks
from sqlmigrations.runner.outcome import Attempt
from sqlmigrations.runner.pipeline import Prepared, ask
from sqlmigrations.runner.task import Columns, Direction, Task, companions, read_whole, text_columns

#: Writes what goes with an event, into its transaction.
Write = Callable[[Connection], None]

Answer = TypeVar("Answer")

_NOT_DURABLE = Filled("pg_catalog.set_config('synchronous_commit', 'off', true)")

#: Whether functions of others run with each DDL statement: they may lock whatever they like.
_FOLLOWED = Filled(
    "EXISTS (SELECT FROM pg_catalog.pg_event_trigger "
    "WHERE evtenabled <> 'D' AND evtevent <> 'login' AND evtname !~ '^sqlmigrations_')"
)

#: A plan that is kept is to look into the index when the table has grown, however small it was when it was made.
_BY_INDEX = Filled("pg_catalog.set_config('enable_seqscan', 'off', true)")


class Journal:
    """The events' chain and the records of one run; ``connect`` returns the run lock's connection.

    Statements go without waiting for each other's answers where they may go ``ahead``, and those over that connection
    are ``prepared`` where that is given.

    Its methods raise ``DatabaseUnavailable`` when that connection was lost, for then the lock is lost too.
    """

    def __init__(
        self,
        chain: Chain,
        connect: Callable[[], Connection],
        *,
        ahead: bool = False,
        prepared: Prepared | None = None,
    ) -> None:
        self.chain = chain
        self.connect = connect
        self._ahead = ahead
        self._prepared = prepared
        #: Kept with the beginning of each attempt: the name of the backup that was taken before, for one.
        self.context: dict[str, Any] = {}
        #: Whether the last look at a record saw event triggers of others; before the first look there may be some.
        self.ddl_is_followed = True

    def started(self, task: Task, type: EventType, *, meanwhile: bool = False, **details: Any) -> Record | None:
        """Note that an attempt begins, and return the file's record as it is committed then, in one message.

        Nothing depends on the event's having reached the disk, so nobody waits for that. What is done ``meanwhile``,
        with the file on its way, doesn't wait long for locks.

        Raises:
            psycopg.errors.LockNotAvailable: the file itself may be in the way.
        """
        event = Event(type, task.name, details=self._directed(task, {**self.context, **details}))
        return self._behind_the_head(lambda: self._started(event, meanwhile))

    def _started(self, event: Event, meanwhile: bool) -> Record | None:
        link = self.chain.link(event)
        with self.over_lock() as connection:
            # What goes together is a transaction by itself; inside another it takes a savepoint, and that one has to
            # reach the disk.
            is_alone = connection.info.transaction_status is TransactionStatus.IDLE
            settings = [*([_NOT_DURABLE] if is_alone else []), *([NOT_LONG] if meanwhile else [])]
            with nullcontext() if is_alone else connection.transaction():
                record = self._look_at(connection, event.filename, settings, self.chain.statement(link))
        self.chain.advance(link)
        return record

    def _look_at(self, connection: Connection, name: str, settings: Sequence[Filled], *before: Filled) -> Record | None:
        """Change settings of the transaction, execute what comes ``before``, and return the record of ``name``.

        Along with it goes the look at event triggers.
        """
        first = select(_FOLLOWED, *settings, *([_BY_INDEX] if self._prepared else []))
        look = look_statement(self.chain.tables, name)
        answers = ask(connection, first, *before, look, ahead=self._ahead, prepared=self._prepared)
        self.ddl_is_followed = answers[0].is_true
        return record_in(answers[-1])

    def done(
        self, connection: Connection, task: Task, reading: Reading, attempt: Attempt, *, commit: bool = False
    ) -> Link:
        """Write the record and, last of all, the event into the open transaction, and ``commit`` it: in one message.

        The event's link is noted in the attempt before: should the answer never come, it is what to look for. The
        caller moves the chain's head when the transaction is committed.
        """
        attempt.freeze()
        values = {**self._attempted(task, attempt), **task.done_columns(reading, self.chain.clock.now())}
        record = record_statement(self.chain.tables, task.name, values)
        event = Event(
            task.done,
            task.name,
            duration_ms=attempt.duration_ms,
            checksum=reading.checksum,
            timings=attempt.timings.as_json(),
            notices=[] if reading.directives.sensitive else attempt.notices,
            details={
                "statements": reading.count,
                "attempts": attempt.number,
                **attempt.as_json(),
                **task.details,
            },
        )
        attempt.link = self.chain.link(event)
        end = [Filled("COMMIT")] if commit else []
        ask(connection, record, self.chain.statement(attempt.link), *end, ahead=self._ahead)
        return attempt.link

    def failed(self, task: Task, attempt: Attempt, failure: Failure, state: State, **columns: Any) -> Failure:
        """Write down a failed attempt, ``columns`` being further columns of the record; return the failure as kept.

        A revert that left nothing behind leaves the record alone: the database holds the file as before.
        """
        attempt.freeze()
        sensitive = task.script.directives.sensitive
        kept = failure.without_data() if sensitive else failure
        event = Event(
            task.failed if state is State.FAILED else EventType.STOPPED,
            task.name,
            duration_ms=attempt.duration_ms,
            checksum=_checksum(task.script),
            timings=attempt.timings.as_json(),
            notices=[] if sensitive else attempt.notices,
            sqlstate=kept.sqlstate,
            line=kept.line,
            blockers=[blocker.as_json() for blocker in kept.blockers],
            details=self._directed(task, {**_details(kept, attempt), **attempt.as_json()}),
        )
        values = {
            **self._attempted(task, attempt),
            "state": str(state),
            "success": False,
            "error_message": kept.text,
            "error_sqlstate": kept.sqlstate,
            "error_line": kept.line,
            **columns,
        }
        untouched = task.direction is Direction.BACKWARDS and state is State.FAILED
        self.append(event, None if untouched else self.recording(task.name, values))
        return kept

    def baselined(self, file: SQLFile, reason: str) -> int:
        """Record ``file`` as held by the database without running it; return how many statements it has."""
        reading = read_whole(file, objects=True)
        now = self.chain.clock.now()
        values: Columns = {
            **self.signature(now),
            **companions(file),
            "kind": str(file.kind),
            "state": str(State.BASELINED),
            "success": None,
            "executed_at": now,
            "execution_time_ms": None,
            **text_columns(reading),
            "statements_total": reading.count,
            "error_message": "",
            "error_sqlstate": "",
            "error_line": None,
            "progress": None,
        }
        event = Event(EventType.BASELINED, file.name, checksum=reading.checksum, details={"reason": reason})
        self.append(event, self.recording(file.name, values))
        return reading.count

    def checkpoint(self, connection: Connection, task: Task, columns: Columns) -> None:
        """Write how far a file outside a transaction has come, into the open transaction of ``connection``."""
        values: Columns = {
            **self.signature(self.chain.clock.now()),
            "kind": str(task.kind),
            "state": str(State.PARTIAL),
            "success": False,
            "error_message": "",
            **columns,
        }
        write_record(connection, self.chain.tables, task.name, values)

    def record(self, name: str, *, meanwhile: bool = False) -> Record | None:
        """Return the record of ``name`` as it is committed now; ``meanwhile`` is as in ``started``."""
        with self.over_lock() as connection:
            return self._look_at(connection, name, [NOT_LONG] if meanwhile else [])

    def locks_of(self, connection: Connection, pid: int) -> list[HeldLock]:
        """Return the locks that the open transaction of ``connection`` holds on relations that were there before it.

        They are seen from the run lock's connection. There is none inside a surrounding transaction, such as that of a
        ``TestCase``, and so no answer; nor where that one was lost or can't look. A file doesn't fail for that.
        """
        with suppress(psycopg.Error, DjangoError):
            observer = self.connect()
            if observer is not connection:
                return held_locks(observer, pid, ahead=self._ahead, prepared=self._prepared)
        return []

    def holds(self, link: Link) -> bool:
        """Tell whether the event of ``link`` was committed, and take it for the chain's head if so."""
        with self.over_lock() as connection:
            committed = holds_event(connection, self.chain.tables, link.hash)
        if committed:
            self.chain.advance(link)
        return committed

    def follow(self) -> None:
        """Find the chain's head anew, after somebody else has appended to it."""
        with self.over_lock() as connection:
            self.chain.head = read_head(connection, self.chain.tables)

    @contextmanager
    def over_lock(self) -> Iterator[Connection]:
        """Use the run lock's connection in the block.

        Raises:
            DatabaseUnavailable: it was lost, and the lock with it.
        """
        try:
            yield self.connect()
        except (psycopg.Error, DjangoError) as error:
            if not is_lost(error):
                raise
            raise DatabaseUnavailable(
                f"The connection that held the run lock was lost: {str(error).strip()}",
                hint="Run it again: what was committed is on record, and the rest is still pending.",
            ) from error

    def append(self, event: Event, write: Write | None = None) -> None:
        """Append ``event`` in a transaction of its own, together with what ``write`` writes.

        If another event has taken its place (an interrupt came before the end of a COMMIT was seen, say), it goes
        behind that one.

        Raises:
            DatabaseUnavailable: the run lock's connection was lost.
        """
        self._behind_the_head(lambda: self._append(event, write))

    def _behind_the_head(self, act: Callable[[], Answer]) -> Answer:
        """Append by ``act``, once more if somebody else has appended meanwhile."""
        try:
            return act()
        except psycopg.errors.UniqueViolation as error:
            if not is_chain_conflict(error):
                raise
            self.follow()
            return act()

    def _append(self, event: Event, write: Write | None) -> None:
        link = self.chain.link(event)
        with self.over_lock() as connection, connection.transaction():
            if write is not None:
                write(connection)
            self.chain.write(connection, link)
        self.chain.advance(link)

    def recording(self, name: str, columns: Columns) -> Write:
        """Return a function that writes the record of ``name``, to go with an event."""
        return lambda connection: write_record(connection, self.chain.tables, name, columns)

    def changing(self, name: str, columns: Columns) -> Write:
        """Return a function that changes the record of ``name``, to go with an event; who and when are added."""
        values = {**self.signature(self.chain.clock.now()), **columns}
        return lambda connection: change_record(connection, self.chain.tables, name, values)

    def removing(self, name: str) -> Write:
        """Return a function that removes the record of ``name``, to go with an event; the events stay."""
        return lambda connection: remove_record(connection, self.chain.tables, name)

    def each(self, *writes: Write) -> Write:
        """Return a function that writes one after the other."""

        def write(connection: Connection) -> None:
            for one in writes:
                one(connection)

        return write

    def signature(self, now: Any) -> Columns:
        """Return the columns that say who changed a record and when."""
        identity = self.chain.identity
        return {"attempted_at": now, "applied_by": identity.role, "revision": identity.revision}

    def _attempted(self, task: Task, attempt: Attempt) -> Columns:
        return {
            **self.signature(self.chain.clock.now()),
            "kind": str(task.kind),
            "execution_time_ms": attempt.duration_ms,
        }

    def _directed(self, task: Task, details: dict[str, Any]) -> dict[str, Any]:
        backwards = {"direction": str(task.direction)} if task.direction is Direction.BACKWARDS else {}
        return {**details, **backwards}


def is_chain_conflict(error: Exception) -> bool:
    """Tell whether another event already follows the one that ours was to follow."""
    return isinstance(error, psycopg.errors.UniqueViolation) and error.diag.constraint_name == CHAIN_CONSTRAINT


def _checksum(script: Script) -> str:
    """Return a script's checksum; nothing where it is large, or can't be read any more."""
    try:
        return script.checksum if script.size <= SMALL else ""
    except InvalidFile:
        return ""


def _details(failure: Failure, attempt: Attempt) -> dict[str, Any]:
    details = {
        "message": failure.message,
        "detail": failure.detail,
        "hint": failure.hint,
        "context": failure.context,
        "advice": failure.advice,
        "statement": failure.statement,
        "statement_line": failure.statement_line,
        "column": failure.column,
        "file": failure.file,
        "attempts": attempt.number,
    }
    return dict(kept({key: value for key, value in details.items() if value not in ("", None)}))
