"""Measures one script of a rehearsal, statement by statement."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from sqlmigrations.database import execute_together, fetch_row, select
from sqlmigrations.files.masking import mask
from sqlmigrations.files.scripts import Script
from sqlmigrations.files.statements import Statement, needs_autocommit
from sqlmigrations.runner import concurrent
from sqlmigrations.runner.batches import Walk
from sqlmigrations.runner.failure import StatementFailed
from sqlmigrations.runner.file_transaction import timeouts
from sqlmigrations.runner.held_locks import HeldLock, strongest
from sqlmigrations.runner.measurements import Block, MeasuredStatement
from sqlmigrations.runner.send import execute
from sqlmigrations.runner.table_work import Work
from sqlmigrations.runner.verify import verify

if TYPE_CHECKING:
    from sqlmigrations.runner.rehearsal import Rehearsal

#: Seconds between two looks at a statement that runs outside a transaction.
INTERVAL = 0.005

#: Characters of a statement that a report shows.
EXCERPT = 200

T = TypeVar("T")


class LeftTransaction(Exception):
    """A statement ended the transaction that was to be rolled back."""


@dataclass
class MeasuredTransaction:
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


class Measuring:
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
            execute_together(self.connection, select(*timeouts(self.script)))
            xid = self._transaction_id()
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
            if failed.error.sqlstate not in concurrent.BARE_AFTER_ALL:
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

    def _within(self, statement: Statement, around: MeasuredTransaction, run: Callable[[], T]) -> T:
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
        self._note(statement, duration, wal, gained, work)
        return answer

    def _bare(self, statement: Statement) -> None:
        """Run a statement outside any transaction while the other session looks on."""
        wal = self.rehearsal.wal()
        self.connection.execute("SET client_min_messages = debug1")
        self.rehearsal.work_done()
        watch = Watch(self.rehearsal)
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
        self._note(statement, duration, wal, tuple(locks), work, is_watched=True)

    def _execute(self, statement: Statement) -> None:
        try:
            with self.connection.cursor() as cursor:
                execute(cursor, statement)
        except psycopg.Error as error:
            raise StatementFailed(statement, error) from error

    def _check_inside(self, xid: str) -> None:
        """Check that the transaction is still the one that the script began in."""
        inside = self.connection.info.transaction_status is TransactionStatus.INTRANS
        if not inside or self._transaction_id() != xid:
            raise LeftTransaction(self.script.name)

    def _transaction_id(self) -> str:
        return str(fetch_row(self.connection, "SELECT pg_current_xact_id()")[0])

    def _note(
        self,
        statement: Statement,
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
                round(duration, 3),
                self.rehearsal.wal() - wal,
                locks,
                work,
                is_watched,
            )
        )


class Watch:
    """Look on, from the other session, while a statement runs bare."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._rehearsal = rehearsal
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="sqlmigrations-rehearsal", daemon=True)
        self.seen: list[HeldLock] = []

    def __enter__(self) -> Watch:
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
