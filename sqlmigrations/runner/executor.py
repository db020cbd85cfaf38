"""Applies one file in one transaction: its statements, its record and its event commit together or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from enum import Enum
from functools import partial

import psycopg
from django.db import transaction
from django.db.utils import Error as DjangoError
from psycopg.pq import TransactionStatus

from sqlmigrations.database import Connection
from sqlmigrations.exceptions import DatabaseUnavailable, InvalidFile
from sqlmigrations.files.directives import milliseconds
from sqlmigrations.files.reading import Reading
from sqlmigrations.files.scripts import Script
from sqlmigrations.history import Record, identify
from sqlmigrations.models import EventType, State
from sqlmigrations.runner import outcome as outcomes
from sqlmigrations.runner.failure import Failure, StatementFailed
from sqlmigrations.runner.file_locks import FileLocks
from sqlmigrations.runner.file_transaction import FileInWork, lock_timeout_of, send_file
from sqlmigrations.runner.journal import Journal, is_chain_conflict
from sqlmigrations.runner.lock import OnWait
from sqlmigrations.runner.moved import Moved
from sqlmigrations.runner.outcome import Attempt, Outcome
from sqlmigrations.runner.retries import RETRIED, RETRIED_FOR, pause, retries_of
from sqlmigrations.runner.send import nothing
from sqlmigrations.runner.session import Session
from sqlmigrations.runner.stop import check, sleep, stoppable
from sqlmigrations.runner.task import Direction, Task
from sqlmigrations.runner.verify import VerifyFailed
from sqlmigrations.runner.watcher import Watcher

#: What a file can fail with.
ERRORS = (StatementFailed, VerifyFailed, InvalidFile, psycopg.Error, DjangoError, OSError)


class Transaction(Enum):
    """The transaction of a file: its own, or the one that surrounds the call.

    A joined file's record and event ride in the surrounding transaction; it is not tried again, and a file outside a
    transaction can't join one.
    """

    DURABLE = "durable"
    JOINED = "joined"


class InItsOwnWay(Exception):
    """The file, on its way already, has locked what the look whether it is still pending needs: the catalog, say."""


class SettledElsewhere(Exception):
    """Another run has dealt with the file since the plan was made."""

    def __init__(self, record: Record) -> None:
        self.record = record
        super().__init__(record.filename)


class Executor:
    """Apply files one by one over the working connection of a run that holds the lock."""

    def __init__(
        self,
        session: Session,
        journal: Journal,
        *,
        in_transaction: Transaction = Transaction.DURABLE,
        watcher: Watcher | None = None,
        logs_ddl: bool = False,
        lock_wait: float = 60.0,
        on_wait: OnWait = lambda holder: None,
        on_batch: Callable[[Moved], None] = lambda moved: None,
    ) -> None:
        self.session = session
        self.journal = journal
        self.in_transaction = in_transaction
        self.watcher = watcher
        self.logs_ddl = logs_ddl
        self.lock_wait = lock_wait
        self.on_wait = on_wait
        self.file_locks = FileLocks(journal.chain.tables.schema, journal.over_lock, wait=lock_wait, on_wait=on_wait)
        self.on_batch = on_batch

    @property
    def shares_connection(self) -> bool:
        """Whether the journal writes over the working connection: inside a surrounding transaction it does."""
        return self.journal.connect() is self.session.connection

    @property
    def looks_first(self) -> bool:
        """Whether a file's statements wait for the look whether it is still pending.

        They do where that takes the same connection, and where the DDL log looks which file has begun.
        """
        return self.logs_ddl or self.shares_connection

    def run(self, task: Task, known: Record | None) -> Outcome:
        """Run ``task``, whose record was ``known`` when the plan was made, and return how it went.

        Raises:
            DatabaseUnavailable: the run lock's connection was lost, so nothing more can be recorded.
            KeyboardInterrupt: the run was interrupted.
        """
        check()
        if not self.session.is_alive:
            self._reconnect()
        try:
            if self._begins_before(task):
                self.begin(task, known)
            if task.script.directives.transaction:
                return self._run(task, known)
            from sqlmigrations.runner.stepwise import Stepwise  # few files run so, and it builds on this module

            return Stepwise(self, task, known).run()
        except SettledElsewhere as settled:
            note = "another run dealt with it meanwhile"
            return Outcome(task.name, settled.record.state, notes=(note,), settled_elsewhere=True)

    def _begins_before(self, task: Task) -> bool:
        """Tell whether the beginning has to be noted before the file's transaction, and not along with the look.

        Over a shared connection it would be rolled back with the file; and behind a snapshot that is older, the DDL
        log would not know which file is at work.
        """
        directives = task.script.directives
        return self.shares_connection or not directives.transaction or bool(directives.isolation)

    def begin(self, task: Task, known: Record | None, *, meanwhile: bool = False) -> Record | None:
        """Note that the work on a file begins; return its record as it is committed now."""
        resumes = known is not None and known.state == State.PARTIAL
        type = EventType.RESUMED if resumes else EventType.STARTED
        return self.journal.started(task, type, meanwhile=meanwhile, backend_pid=self.session.backend_pid)

    def _run(self, task: Task, known: Record | None) -> Outcome:
        """Try the task until it succeeds, fails for good, or has been tried often and long enough."""
        retries = retries_of(task.script)
        attempt = Attempt()
        try:
            while True:
                outcome = self._try(task, known, attempt, is_last=attempt.number > retries)
                if outcome is not None:
                    return outcome
                self.recover()
                sleep(pause(attempt.number))
                attempt = Attempt(attempt.number + 1, attempt.lock_wait_ms + attempt.duration_ms)
        except KeyboardInterrupt:
            if not self.was_committed(task, attempt):
                self.fail(task, attempt, Failure("Interrupted: rolled back, nothing of it is left.", task.script.name))
            raise

    def _try(self, task: Task, known: Record | None, attempt: Attempt, *, is_last: bool) -> Outcome | None:
        """Make one attempt; return its outcome, or nothing when the file is to be tried again."""
        try:
            with stoppable():
                return self._attempt(task, known, attempt)
        except ERRORS as error:
            if interrupt := _interrupt_behind(error):
                raise interrupt from error
            overtaken = is_chain_conflict(error)
            if overtaken:
                self._follow(task, known)
            elif self.was_committed(task, attempt):
                return outcomes.settled(task, attempt)
            failure = self.explain(error, task.script)
            if failure.sqlstate in RETRIED:
                failure = replace(failure, blockers=tuple(attempt.blockers))
            may_retry = not is_last and self._may_retry(attempt)
            if may_retry and (overtaken or failure.sqlstate in RETRIED):
                return None
            return self.fail(task, attempt, failure)

    def _follow(self, task: Task, known: Record | None) -> None:
        """Find the chain's new head: somebody who didn't hold the lock has appended to it.

        Raises:
            SettledElsewhere: and dealt with this very file.
        """
        self.journal.follow()
        self.look_again(task, known)

    def _may_retry(self, attempt: Attempt) -> bool:
        spent = attempt.lock_wait_ms + attempt.duration_ms
        return self.in_transaction is Transaction.DURABLE and spent < RETRIED_FOR * 1000

    def _attempt(self, task: Task, known: Record | None, attempt: Attempt) -> Outcome:
        """Make one attempt, once an earlier run's backend has let go of the file."""
        begins = attempt.number == 1 and not self._begins_before(task)
        looks_first = self.looks_first
        while True:
            look = partial(self.look_again, task, known, begins=begins, meanwhile=not looks_first)
            try:
                return self._in_transaction(task, attempt, look, looks_first)
            except FileInWork:
                self.file_locks.await_release(task.name)
                begins = False
            except InItsOwnWay:
                looks_first = True

    def _in_transaction(self, task: Task, attempt: Attempt, look: Callable[[], None], looks_first: bool) -> Outcome:
        """Run the file, its record and its event in one transaction, and commit it.

        Raises:
            FileInWork: an earlier run's backend holds the file's lock.
            InItsOwnWay: the look has to come first.
        """
        reading = task.script.read(objects=task.direction is Direction.FORWARDS)
        with self.notices_of(attempt), self.transaction():
            if looks_first:
                look()
            self._send(task, reading, attempt, nothing if looks_first else look)
            if self._touches_others(task, reading):
                self.note_locks(attempt)
            # Django's COMMIT then finds the transaction ended, and psycopg sends none.
            link = self.journal.done(self.session.connection, task, reading, attempt, commit=not self.shares_connection)
        self.journal.chain.advance(link)
        return outcomes.done(task, reading, attempt)

    def _send(self, task: Task, reading: Reading, attempt: Attempt, look: Callable[[], None]) -> None:
        """Send the file's statements, and watch who is in their way.

        The look whether the file is still pending goes over the other connection while the statements are on their way:
        who finds that somebody else has dealt with it rolls back. Once the event that it writes is in the chain, no
        earlier run can commit any more.
        """
        with contextlib.ExitStack() as watching:

            def meanwhile() -> None:
                try:
                    look()
                except psycopg.errors.LockNotAvailable as error:
                    raise InItsOwnWay from error
                watching.enter_context(self.watched(attempt, lock_timeout_of(task.script)))

            file_lock = self.file_locks.taking(task.name)
            touches_others = partial(self._touches_others, task, reading)
            send_file(self.session, task, reading, file_lock, attempt.timings, meanwhile, touches_others)

    def _touches_others(self, task: Task, reading: Reading) -> bool:
        """Tell of a file that has run whether it may have locked what was there before, or changed the session."""
        return not reading.touches_only_new or task.verify is not None or self.journal.ddl_is_followed

    def was_committed(self, task: Task, attempt: Attempt) -> bool:
        """Settle an unknown COMMIT: once the old backend is gone, the event itself says whether it happened.

        Raises:
            DatabaseUnavailable: the history can't be asked, or the old backend does not end.
        """
        if attempt.link is None:
            return False
        connection = self._living()
        if connection is not None and connection.info.transaction_status != TransactionStatus.IDLE:
            self._reconnect()  # the COMMIT was never sent, and Django can't roll back any more
        self.file_locks.await_own_backend(task.name)
        committed = self.journal.holds(attempt.link)
        if committed:
            self.recover()
        return committed

    # What files inside and outside a transaction share

    def transaction(self) -> AbstractContextManager[None]:
        """Return a transaction of its own, or a savepoint of the one that the file joins."""
        durable = self.in_transaction is Transaction.DURABLE
        return transaction.atomic(using=self.session.wrapper.alias, durable=durable)

    @contextlib.contextmanager
    def watched(self, attempt: Attempt, lock_timeout: str) -> Iterator[None]:
        """Watch who is in the way of the working connection while the block runs."""
        if self.watcher is None:
            yield
            return
        seconds = (milliseconds(lock_timeout) or 0) / 1000
        self.watcher.begin(self.session.backend_pid, lock_timeout_s=seconds)
        try:
            yield
        finally:
            attempt.blockers = self.watcher.end()

    @contextlib.contextmanager
    def notices_of(self, attempt: Attempt) -> Iterator[None]:
        """Collect the server's notices while the block runs."""
        connection = self.session.connection
        connection.add_notice_handler(attempt.notice)
        try:
            yield
        finally:
            connection.remove_notice_handler(attempt.notice)

    def note_locks(self, attempt: Attempt) -> None:
        """Note the locks that the open transaction holds on relations of before: what it keeps from others."""
        attempt.take_locks(self.journal.locks_of(self.session.connection, self.session.backend_pid))

    def look_again(self, task: Task, known: Record | None, *, begins: bool = False, meanwhile: bool = False) -> None:
        """Check that nobody has dealt with the file since the plan was made.

        The journal's connection sees what is committed now; the file's own transaction may have an older snapshot. If
        the work on the file ``begins``, that is noted in the same message.

        Raises:
            SettledElsewhere: somebody has.
            DatabaseUnavailable: the run lock's connection was lost.
            psycopg.errors.LockNotAvailable: the file is ``meanwhile`` on its way, and may be in the way of the look.
        """
        if begins:
            record = self.begin(task, known, meanwhile=meanwhile)
        else:
            record = self.journal.record(task.name, meanwhile=meanwhile)
        if record is not None and (known is None or record.attempted_at != known.attempted_at):
            raise SettledElsewhere(record)

    def explain(self, error: Exception, script: Script) -> Failure:
        """Say what an error means for the file; it looks into the catalog, so only after the rollback."""
        from sqlmigrations.runner.explanation import explain  # few files fail

        return explain(error, script, self._living())

    def _living(self) -> Connection | None:
        return self.session.connection if self.session.is_alive else None

    def fail(self, task: Task, attempt: Attempt, failure: Failure) -> Outcome:
        """Bring the session back, write the failure down, and return it as an outcome."""
        self.recover()
        kept = self.journal.failed(task, attempt, failure, State.FAILED)
        return outcomes.failed(task, attempt, kept, State.FAILED)

    def recover(self) -> None:
        """Bring the session back after a failure: a rollback leaves advisory locks and prepared statements behind.

        Raises:
            DatabaseUnavailable: the connection was lost and can't be opened again.
        """
        try:
            if self.session.is_alive:  # else Django would open a connection that has none of the session's settings
                with self.transaction():
                    self.session.reset()
                return
        except (psycopg.Error, DjangoError):
            pass
        self._reconnect()

    def _reconnect(self) -> None:
        """Open the connection again; the events that follow name its new backend."""
        try:
            self.session.reconnect()
            self.journal.chain.signed_by(identify(self.session.connection)[0])
        except (psycopg.Error, DjangoError) as error:
            raise DatabaseUnavailable(
                f"The connection was lost and can't be opened again: {str(error).strip()}",
                hint="Run it again when the server is back: what was committed is on record.",
            ) from error


def _interrupt_behind(error: BaseException) -> KeyboardInterrupt | None:
    """Return the interrupt that an error hides: Django can't leave a transaction whose COMMIT was interrupted."""
    above = error.__context__
    while above is not None and not isinstance(above, KeyboardInterrupt):
        above = above.__context__
    return above
