"""Applies one file in one transaction: its statements, its record and its event commit together or not at all."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import Enum
from functools import partial

import psycopg
from django.db import transaction
from django.db.utils import Error as DjangoError
from psycopg.pq import TransactionStatus

from sqlmigrations.conf import settings
from sqlmigrations.database import Connection, Filled, begin_statement
from sqlmigrations.exceptions import DatabaseUnavailable, InvalidFile
from sqlmigrations.files.directives import milliseconds
from sqlmigrations.files.discovery import DOWN, SUFFIX
from sqlmigrations.files.reading import Reading
from sqlmigrations.files.scripts import Script
from sqlmigrations.history import Record, identify
from sqlmigrations.messages import gettext as _
from sqlmigrations.models import EventType, State
from sqlmigrations.runner import failure as failures
from sqlmigrations.runner import outcome as outcomes
from sqlmigrations.runner.advice import advise
from sqlmigrations.runner.failure import Failure, StatementFailed
from sqlmigrations.runner.journal import Journal, is_chain_conflict
from sqlmigrations.runner.lock import Holder, OnWait, file_holder, file_lock_statements, poll, try_file_lock
from sqlmigrations.runner.moved import Moved
from sqlmigrations.runner.outcome import Attempt, Outcome
from sqlmigrations.runner.send import Aside, nothing, send_within
from sqlmigrations.runner.session import Session
from sqlmigrations.runner.stop import check, sleep, stoppable
from sqlmigrations.runner.task import Direction, Task
from sqlmigrations.runner.verify import VerifyFailed, verify
from sqlmigrations.runner.watcher import Watcher

#: What is tried again: a lock timeout and a deadlock, in which nothing was wrong with the file.
RETRIED = frozenset({"55P03", "40P01"})

#: Seconds of the first pause between two tries, and of the longest one.
BACKOFF = (0.5, 15.0)

#: Seconds after which no further try begins, however many are left.
RETRIED_FOR = 120.0

#: What a file can fail with.
ERRORS = (StatementFailed, VerifyFailed, InvalidFile, psycopg.Error, DjangoError, OSError)

_ISOLATION = {
    "read committed": Filled("SET TRANSACTION ISOLATION LEVEL READ COMMITTED"),
    "repeatable read": Filled("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
    "serializable": Filled("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"),
}

_TRANSACTION_ID = Filled("SELECT pg_catalog.pg_current_xact_id()")


class Transaction(Enum):
    """The transaction of a file: its own, or the one that surrounds the call.

    A joined file's record and event ride in the surrounding transaction; it is not tried again, and a file outside a
    transaction can't join one.
    """

    DURABLE = "durable"
    JOINED = "joined"


class FileInWork(Exception):
    """The backend of an earlier run still works on the file."""


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
        self.on_batch = on_batch

    @property
    def schema(self) -> str:
        """The schema of the history."""
        return self.journal.chain.tables.schema

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
            from sqlmigrations.runner.stepwise import Stepwise

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
        retries: int = settings.RETRIES if task.script.directives.retries is None else task.script.directives.retries
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
            failure = self.describe(task.script, error)
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
                self.await_file(task)
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
            connection = self.session.connection
            if looks_first:
                look()
            self._statements(connection, task, reading, attempt, nothing if looks_first else look)
            self.note_locks(attempt)
            # Django's COMMIT then finds the transaction ended, and psycopg sends none.
            link = self.journal.done(connection, task, reading, attempt, commit=not self.shares_connection)
        self.journal.chain.advance(link)
        return outcomes.done(task, reading, attempt)

    def _statements(
        self, connection: Connection, task: Task, reading: Reading, attempt: Attempt, look: Callable[[], None]
    ) -> None:
        """Send the file's statements, and leave the session as it was before.

        The look whether the file is still pending goes over the other connection while the statements are on their way:
        who finds that somebody else has dealt with it rolls back. Once the event that it writes is in the chain, no
        earlier run can commit any more.
        """
        enter, leave = self._entering(connection, task), self.session.leaving()
        with contextlib.ExitStack() as watching:

            def meanwhile() -> None:
                try:
                    look()
                except psycopg.errors.LockNotAvailable as error:
                    raise InItsOwnWay from error
                watching.enter_context(self.watched(attempt, lock_timeout_of(task.script)))

            behind = None if task.verify else leave
            results = send_within(
                connection, reading, enter=enter, leave=behind, meanwhile=meanwhile, ahead=self.session.goes_ahead
            )
            try:
                for result in results:
                    attempt.timings.add(result)
            except psycopg.errors.LockNotAvailable as error:
                if enter.is_answered:
                    raise
                raise FileInWork from error
            if task.verify is not None:
                verify(connection, task.verify)
            ended_in = behind.value if behind else self.session.reset()
        _check_transaction(enter.value, ended_in)

    def _entering(self, connection: Connection, task: Task) -> Aside:
        """Return what opens the file's transaction: isolation, the file's lock, timeouts; its value is the id."""
        statements: list[Filled] = []
        if self.session.goes_ahead and connection.info.transaction_status is TransactionStatus.IDLE:
            statements.append(begin_statement(connection))  # psycopg sends one only before what goes through a cursor
        if isolation := task.script.directives.isolation:
            statements.append(_ISOLATION[isolation])
        return Aside(
            (*statements, *file_lock_statements(self.schema, task.name), *timeouts(task.script), _TRANSACTION_ID)
        )

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
        self.await_backend(task)
        committed = self.journal.holds(attempt.link)
        if committed:
            self.recover()
        return committed

    def await_backend(self, task: Task) -> None:
        """Wait until no backend works on the task any more: one whose connection was lost may still do so.

        Raises:
            DatabaseUnavailable: it hadn't ended after the whole wait.
        """
        if worker := self.still_at_work(task):
            raise DatabaseUnavailable(
                f"The connection was lost, and its backend still works on {task.name}: {worker}.",
                hint="Run it again when that one is done.",
            )

    # What files inside and outside a transaction share

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction of its own, or a savepoint of the one that the file joins."""
        durable = self.in_transaction is Transaction.DURABLE
        with transaction.atomic(using=self.session.wrapper.alias, durable=durable):
            yield

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

    def take_file_lock(self, connection: Connection, task: Task) -> None:
        """Take the file's lock for the session, once a killed run's backend has let go of it.

        Raises:
            psycopg.errors.LockNotAvailable: it still works on the file after the whole wait.
        """
        while not try_file_lock(connection, self.schema, task.name, session=True):
            self.await_file(task)

    def await_file(self, task: Task) -> None:
        """Wait until a killed run's backend has let go of the file.

        Raises:
            psycopg.errors.LockNotAvailable: it still works on the file after the whole wait.
        """
        if worker := self.still_at_work(task):
            raise psycopg.errors.LockNotAvailable(f"An earlier run's backend still works on this file: {worker}.")

    def still_at_work(self, task: Task) -> str:
        """Wait until no backend works on the task; name the one that still does after the whole wait."""

        def worker() -> Holder | None:
            return file_holder(connection, self.schema, task.name)

        with self.journal.over_lock() as connection:
            if poll(lambda: worker() is None, worker, self.lock_wait, self.on_wait):
                return ""
            return str(worker() or "it has just left")

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

    def describe(self, script: Script, error: Exception) -> Failure:
        """Say what an error means for the file; it looks into the catalog, so only after the rollback."""
        match error:
            case StatementFailed():
                from sqlmigrations.files.recorded import RecordedFile  # few runs revert, and fewer fail at it

                failure = failures.of_statement(script.name, script.path, error)
                advice = advise(self._living(), error.statement, error.error)
                kept_down = isinstance(script, RecordedFile) and script.name.endswith(DOWN)
                if kept_down and (not advice or failure.sqlstate == "42P01"):
                    advice = _(
                        "This script was kept when the file was applied. Correct it on disk, and take that one: "
                        "revertsql {name} --from-disk",
                        name=script.name.removesuffix(DOWN) + SUFFIX,
                    )
                return replace(failure, advice=advice)
            case VerifyFailed():
                return error.failure.advised(_("The file was rolled back."))
            case InvalidFile():
                return failures.of_file(error)
            case psycopg.Error():
                return replace(failures.of_database(script.name, error), advice=advise(None, None, error))
            case _:
                return Failure(str(error).strip(), script.name)

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


def lock_timeout_of(script: Script) -> str:
    """Return how long a statement of ``script`` may wait for a lock, as PostgreSQL reads it."""
    return script.directives.lock_timeout or str(settings.LOCK_TIMEOUT)


def timeouts(script: Script) -> Iterator[Filled]:
    """Yield the statements that set the timeouts of the open transaction."""
    yield Filled("SELECT pg_catalog.set_config('lock_timeout', %s, true)", [lock_timeout_of(script)])
    statement_timeout = script.directives.statement_timeout or settings.STATEMENT_TIMEOUT
    if statement_timeout is not None:
        yield Filled("SELECT pg_catalog.set_config('statement_timeout', %s, true)", [statement_timeout])


def _check_transaction(began: str | None, now: str | None) -> None:
    """Check that the transaction about to be recorded is the one that the file began in."""
    if now != began:
        raise psycopg.ProgrammingError(
            f"The file ended its own transaction ({began}) and began another ({now}), so what it did can't be "
            "recorded together with it."
        )


def _interrupt_behind(error: BaseException) -> KeyboardInterrupt | None:
    """Return the interrupt that an error hides: Django can't leave a transaction whose COMMIT was interrupted."""
    above = error.__context__
    while above is not None and not isinstance(above, KeyboardInterrupt):
        above = above.__context__
    return above


def pause(number: int) -> float:
    """Return the seconds to wait after try ``number``: exponential, capped, with full jitter."""
    first, longest = BACKOFF
    return random.uniform(0, min(longest, first * 2 ** (number - 1)))  # noqa: S311 - jitter, not cryptography
