"""Runs files where they can do no harm, and measures what each statement takes and does.

Two sessions: one runs the file as a run would, the other looks on. What the second one sees in ``pg_locks`` are the
relations that were there before; what the first one is told at ``debug1`` is what the server did to them. Where the
statements run is the caller's choice: a scratch database, in which each file is committed, or a transaction that the
caller rolls back.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import psycopg
from django.db import transaction
from psycopg.errors import Diagnostic
from psycopg.pq import TransactionStatus

from sqlmigrations.database import Connection, fetch_all, fetch_row
from sqlmigrations.exceptions import InvalidFile
from sqlmigrations.files.batches import Unbatchable
from sqlmigrations.files.masking import mask
from sqlmigrations.files.scripts import Script
from sqlmigrations.files.statements import Statement, needs_autocommit
from sqlmigrations.runner import concurrent
from sqlmigrations.runner import failure as failures
from sqlmigrations.runner.batches import Walk
from sqlmigrations.runner.executor import set_timeouts, transaction_id
from sqlmigrations.runner.failure import Failure, StatementFailed
from sqlmigrations.runner.held_locks import HeldLock, held_locks, strongest
from sqlmigrations.runner.send import execute
from sqlmigrations.runner.session import Session
from sqlmigrations.runner.verify import VerifyFailed, verify
from sqlmigrations.runner.work import Work, read

#: Seconds between two looks at a statement that runs outside a transaction.
INTERVAL = 0.005

#: Characters of a statement that a report shows.
EXCERPT = 200

T = TypeVar("T")

#: What a statement fails with that can't run in a transaction, though its words don't tell.
_BARE_AFTER_ALL = frozenset({"2D000", "25001"})


@dataclass(frozen=True, slots=True)
class MeasuredStatement:
    """What one statement took and did.

    ``locks`` are those that it gained on relations of before, ``began_ms`` is counted from the beginning of its
    transaction. ``is_watched`` says that its locks were seen from outside while it ran, where a short one can be
    missed. ``wal_bytes`` counts what the whole server wrote meanwhile. Of one in ``batches`` it is the longest.
    """

    number: int
    line: int
    text: str
    began_ms: float
    duration_ms: float
    wal_bytes: int
    locks: tuple[HeldLock, ...] = ()
    work: tuple[Work, ...] = ()
    is_watched: bool = False
    batches: int = 0

    @property
    def is_slow(self) -> bool:
        """Whether it did work that takes the longer the larger a table is."""
        return any(work.kind.is_slow for work in self.work)


@dataclass(frozen=True, slots=True)
class Block:
    """How long a file keeps others from one relation of before.

    Others wait from the statement that takes the lock until the transaction ends: writers for ``writers_ms``, readers
    for ``readers_ms``, 0 where they don't wait at all. ``work`` is the slow work that was done meanwhile.
    """

    lock: HeldLock
    writers_ms: float
    readers_ms: float = 0.0
    work: tuple[Work, ...] = ()

    @property
    def whom(self) -> str:
        """Who has to wait."""
        return "readers and writers" if self.lock.mode.blocks_readers else "writers"


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How one script went. ``left_out`` are the statements that were not run."""

    name: str
    in_transaction: bool
    duration_ms: float
    statements: tuple[MeasuredStatement, ...] = ()
    blocks: tuple[Block, ...] = ()
    error: Failure | None = None
    left_out: tuple[str, ...] = ()


class LeftTransaction(Exception):
    """A statement ended the transaction that was to be rolled back."""


@dataclass
class _Transaction:
    """One transaction of a script while it is measured."""

    started: float = field(default_factory=time.perf_counter)
    held: dict[int, HeldLock] = field(default_factory=dict)
    stops_writers: dict[int, float] = field(default_factory=dict)
    stops_readers: dict[int, float] = field(default_factory=dict)
    work: list[tuple[float, Work]] = field(default_factory=list)

    @property
    def now_ms(self) -> float:
        """Milliseconds since its beginning."""
        return (time.perf_counter() - self.started) * 1000

    def begin_again(self) -> None:
        """Begin the next script; the locks that were taken for the ones before are still held."""
        self.stops_writers.clear()
        self.stops_readers.clear()
        self.work.clear()

    def gain(self, locks: list[HeldLock], began_ms: float) -> tuple[HeldLock, ...]:
        """Take what is held after a statement; return what is new or stronger."""
        gained = []
        for lock in locks:
            known = self.held.get(lock.oid)
            if known is None or lock.mode > known.mode:
                gained.append(lock)
                self.held[lock.oid] = lock
                if lock.mode.blocks_writers:
                    self.stops_writers.setdefault(lock.oid, began_ms)
                if lock.mode.blocks_readers:
                    self.stops_readers.setdefault(lock.oid, began_ms)
        return tuple(gained)

    def blocks(self) -> Iterator[Block]:
        """Yield how long each relation was kept from others, now that the transaction ends."""
        end = self.now_ms
        for oid, since in self.stops_writers.items():
            work = tuple(work for at, work in self.work if at >= since and work.kind.is_slow)
            readers_ms = end - self.stops_readers.get(oid, end)
            yield Block(self.held[oid], round(end - since, 3), round(readers_ms, 3), work)


class Rehearsal:
    """A rehearsal of several scripts, one after the other.

    ``session`` runs them and ``observer`` looks on, both in the same database. ``is_surrounded`` says that the caller
    rolls all of it back, so that no script has a transaction of its own: a lock that an earlier script has taken is
    not seen again then. ``statement_timeout`` holds where a script has none. ``leaves_out`` says what is not run.
    """

    def __init__(
        self,
        session: Session,
        observer: Connection,
        *,
        is_surrounded: bool = False,
        statement_timeout: str | None = None,
        leaves_out: Callable[[Statement], str] = lambda statement: "",
    ) -> None:
        self.session = session
        self.observer = observer
        self.statement_timeout = statement_timeout
        self.leaves_out = leaves_out
        rows = fetch_all(observer, "SELECT oid::bigint, relname::text FROM pg_catalog.pg_class WHERE oid >= 16384")
        #: Relations that were there before the first script.
        self.existing: dict[int, str] = dict(rows)
        self._names = frozenset(self.existing.values())
        self._around = _Transaction() if is_surrounded else None
        self._notices: list[str] = []

    @property
    def connection(self) -> Connection:
        """The connection that runs the scripts."""
        return self.session.connection

    def run(self, script: Script, verifier: Script | None = None) -> Rehearsed:
        """Run one script, and its verify script, and return what was measured.

        Raises:
            LeftTransaction: a statement ended the transaction that is to be rolled back.
        """
        measuring = _Measuring(self, script)
        started = time.perf_counter()
        error: Failure | None = None
        try:
            with self._listening():
                if script.directives.transaction:
                    measuring.in_one_transaction(verifier)
                else:
                    measuring.step_by_step(verifier)
        except concurrent.InvalidIndex as invalid:
            error = Failure(str(invalid), script.name, advice=invalid.advice)
        except StatementFailed as failed:
            error = failures.of_statement(script.name, script.path, failed)
        except VerifyFailed as failed:
            error = failed.failure
        except Unbatchable as refused:
            error = failures.of_file(InvalidFile(refused.problem))
        except InvalidFile as invalid_file:
            error = failures.of_file(invalid_file)
        except psycopg.Error as unexpected:
            error = failures.of_database(script.name, unexpected)
        return Rehearsed(
            script.name,
            script.directives.transaction,
            round((time.perf_counter() - started) * 1000, 3),
            tuple(measuring.statements),
            tuple(_longest(measuring.blocks)),
            error,
            tuple(measuring.left_out),
        )

    @contextlib.contextmanager
    def transaction(self) -> Iterator[_Transaction]:
        """Open a transaction, or a savepoint of the one around the rehearsal."""
        if self._around is not None:
            self._around.begin_again()
            with transaction.atomic(using=self.session.wrapper.alias):
                yield self._around
            return
        with transaction.atomic(using=self.session.wrapper.alias, durable=True):
            yield _Transaction()

    def held(self) -> list[HeldLock]:
        """Return what the working session holds at this moment on relations of before."""
        pid = self.connection.info.backend_pid
        return [lock for lock in held_locks(self.observer, pid) if lock.oid in self.existing]

    def work_done(self) -> tuple[Work, ...]:
        """Return what the server said since it was last asked about tables of before."""
        heard, self._notices = self._notices, []
        found = (read(message) for message in heard)
        return tuple(work for work in found if work and (not work.relation or work.relation in self._names))

    def wal(self) -> int:
        """Return the position of the server's write-ahead log, in bytes."""
        statement = "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::bigint"
        return int(fetch_row(self.observer, statement)[0])

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        def hear(diagnostic: Diagnostic) -> None:
            self._notices.append(diagnostic.message_primary or "")

        connection = self.connection
        connection.add_notice_handler(hear)
        try:
            yield
        finally:
            connection.remove_notice_handler(hear)


class _Measuring:
    """The measuring of one script."""

    def __init__(self, rehearsal: Rehearsal, script: Script) -> None:
        self.rehearsal = rehearsal
        self.script = script
        self.connection = rehearsal.connection
        self.statements: list[MeasuredStatement] = []
        self.blocks: list[Block] = []
        self.left_out: list[str] = []

    def _read(self) -> Iterator[Statement]:
        """Yield the statements to run."""
        for statement in self.script.read():
            if left_out := self.rehearsal.leaves_out(statement):
                self.left_out.append(f"line {statement.line}: {left_out}")
            else:
                yield statement

    def in_one_transaction(self, verifier: Script | None) -> None:
        """Run all statements, what is left to be checked, and the verify script in one transaction."""
        with self.rehearsal.transaction() as around:
            if self.rehearsal.statement_timeout is not None:
                self.connection.execute(
                    "SELECT set_config('statement_timeout', %s, true)", [self.rehearsal.statement_timeout]
                )
            set_timeouts(self.connection, self.script)
            xid = transaction_id(self.connection)
            for statement in self._read():
                self._within(statement, around, partial(self._execute, statement))
                self._check_inside(xid)
            if verifier is not None:
                verify(self.connection, verifier)
            self.rehearsal.session.reset()
            self.blocks += around.blocks()

    def step_by_step(self, verifier: Script | None) -> None:
        """Run each statement in a transaction of its own where it can, else bare."""
        for statement in self._read():
            if self.script.directives.batch is not None:
                self._in_batches(statement)
            elif needs_autocommit(statement):
                self._bare(statement)
            else:
                self._alone(statement)
        with self.rehearsal.transaction():
            if verifier is not None:
                verify(self.connection, verifier)
            self.rehearsal.session.reset()

    def _alone(self, statement: Statement) -> None:
        try:
            with self.rehearsal.transaction() as around:
                self._within(statement, around, partial(self._execute, statement))
                self.blocks += around.blocks()
        except StatementFailed as failed:
            if failed.error.sqlstate not in _BARE_AFTER_ALL:
                raise
            self._bare(statement)

    def _in_batches(self, statement: Statement) -> None:
        """Run a statement in batches, one after the other at once; of all of them only the longest is kept."""
        walk = Walk.begin(self.connection, self.script, statement, None)
        if walk.position is None:
            self._batch(statement, walk.step_nowhere)
            return
        batches: list[MeasuredStatement] = []
        while (now := walk.rest) is not None:
            walk.position = self._batch(statement, partial(walk.step, now))
            longest = max((*batches, self.statements.pop()), key=lambda batch: batch.duration_ms)
            batches = [replace(longest, batches=walk.position.batches)]
        self.statements += batches

    def _batch(self, statement: Statement, run: Callable[[], T]) -> T:
        """Run one batch of a statement in a transaction of its own."""
        with self.rehearsal.transaction() as around:
            answer = self._within(statement, around, run)
            self.blocks += around.blocks()
            return answer

    def _within(self, statement: Statement, around: _Transaction, run: Callable[[], T]) -> T:
        """Run a statement in the open transaction and look at what it holds from then on."""
        wal = self.rehearsal.wal()
        self.connection.execute("SET LOCAL client_min_messages = debug1")
        self.rehearsal.work_done()
        began = around.now_ms
        answer = run()
        duration = around.now_ms - began
        gained = around.gain(self.rehearsal.held(), began)
        work = self.rehearsal.work_done() if around.held else ()
        around.work += [(began, one) for one in work]
        self._note(statement, began, duration, wal, gained, work)
        return answer

    def _bare(self, statement: Statement) -> None:
        """Run a statement outside any transaction while the other session looks on."""
        wal = self.rehearsal.wal()
        self.connection.execute("SET client_min_messages = debug1")
        self.rehearsal.work_done()
        watch = _Watch(self.rehearsal)
        started = time.perf_counter()
        with watch:
            self._execute(statement)
        duration = (time.perf_counter() - started) * 1000
        concurrent.check_result(self.connection, statement)
        work = self.rehearsal.work_done()
        slow = tuple(one for one in work if one.kind.is_slow)
        locks = strongest(watch.seen)
        for lock in locks:
            if lock.mode.blocks_writers:
                readers_ms = duration if lock.mode.blocks_readers else 0.0
                self.blocks.append(Block(lock, round(duration, 3), round(readers_ms, 3), slow))
        self._note(statement, 0.0, duration, wal, tuple(locks), work, is_watched=True)

    def _execute(self, statement: Statement) -> None:
        try:
            with self.connection.cursor() as cursor:
                execute(cursor, statement)
        except psycopg.Error as error:
            raise StatementFailed(statement, error) from error

    def _check_inside(self, xid: str) -> None:
        """Check that the transaction is still the one that the script began in."""
        inside = self.connection.info.transaction_status is TransactionStatus.INTRANS
        if not inside or transaction_id(self.connection) != xid:
            raise LeftTransaction(self.script.name)

    def _note(
        self,
        statement: Statement,
        began: float,
        duration: float,
        wal: int,
        locks: tuple[HeldLock, ...],
        work: tuple[Work, ...],
        *,
        is_watched: bool = False,
    ) -> None:
        text = "" if self.script.directives.sensitive else " ".join(mask(statement).decode().split())[:EXCERPT]
        self.statements.append(
            MeasuredStatement(
                statement.number,
                statement.line,
                text,
                round(began, 3),
                round(duration, 3),
                self.rehearsal.wal() - wal,
                locks,
                work,
                is_watched,
            )
        )


class _Watch:
    """Look on, from the other session, while a statement runs bare."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._rehearsal = rehearsal
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="sqlmigrations-rehearsal", daemon=True)
        self.seen: list[HeldLock] = []

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._over.set()
        self._thread.join()

    def _look_on(self) -> None:
        while not self._over.is_set():
            try:
                self.seen = strongest([*self.seen, *self._rehearsal.held()])
            except psycopg.Error:
                return  # the connection is lost: the rehearsal itself will say so
            self._over.wait(INTERVAL)


def _longest(blocks: list[Block]) -> Iterator[Block]:
    """Yield the longest block of each relation, the strongest locks first."""
    found: dict[int, Block] = {}
    for block in blocks:
        known = found.get(block.lock.oid)
        if known is None or (block.lock.mode, block.writers_ms) > (known.lock.mode, known.writers_ms):
            found[block.lock.oid] = block
    yield from sorted(found.values(), key=lambda block: (-block.lock.mode, block.lock.relation))
