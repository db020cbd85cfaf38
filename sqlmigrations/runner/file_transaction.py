"""The statements of one file's own transaction: what opens it, the file's, and what brings the session back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
from psycopg.pq import TransactionStatus

from sqlmigrations.conf import settings
from sqlmigrations.database import Filled, begin_statement, select
from sqlmigrations.files.reading import Reading
from sqlmigrations.files.scripts import Script
from sqlmigrations.runner.send import Aside, Timings, send_within
from sqlmigrations.runner.session import Session
from sqlmigrations.runner.task import Task
from sqlmigrations.runner.verify import verify

_ISOLATION = {
    "read committed": Filled("SET TRANSACTION ISOLATION LEVEL READ COMMITTED"),
    "repeatable read": Filled("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
    "serializable": Filled("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"),
}

_TRANSACTION_ID = Filled("pg_catalog.pg_current_xact_id()")


class FileInWork(Exception):
    """The backend of an earlier run still works on the file."""


def send_file(
    session: Session,
    task: Task,
    reading: Reading,
    file_lock: tuple[Filled, ...],
    timings: Timings,
    meanwhile: Callable[[], None],
    touches_others: Callable[[], bool],
) -> None:
    """Send a file's statements behind what opens their transaction, verify them, and leave the session as it was.

    There is nothing to bring back where the file ``touches_others`` in no way, which is asked when all was answered.

    Raises:
        FileInWork: another backend holds the file's lock.
        StatementFailed: PostgreSQL refused a statement; its error is the cause.
        VerifyFailed: the verify script says no.
        psycopg.Error: a deferred constraint is violated, or the file has ended its transaction.
    """
    enter = _opening(session, task.script, file_lock)
    leave = None if task.verify else session.leaving()
    results = send_within(
        session.connection,
        reading,
        enter=enter,
        leave=lambda: None if reading.touches_only_new else leave,
        meanwhile=meanwhile,
        ahead=session.goes_ahead,
    )
    try:
        for result in results:
            timings.add(result)
    except psycopg.errors.LockNotAvailable as error:
        if enter.is_answered:
            raise
        raise FileInWork from error
    if task.verify is not None:
        verify(session.connection, task.verify)
    if touches_others():
        _check_still_open(enter.value, leave.value if leave and leave.is_answered else session.reset())


def _opening(session: Session, script: Script, file_lock: tuple[Filled, ...]) -> Aside:
    """Return what goes before the statements of ``script``; its value is the transaction's id."""
    statements: list[Filled] = []
    if session.goes_ahead and session.connection.info.transaction_status is TransactionStatus.IDLE:
        # psycopg sends one only before what goes through a cursor
        statements.append(begin_statement(session.connection))
    if isolation := script.directives.isolation:
        statements.append(_ISOLATION[isolation])
    return Aside((*statements, select(_TRANSACTION_ID, *file_lock, *timeouts(script))))


def timeouts(script: Script) -> Iterator[Filled]:
    """Yield what sets the timeouts of the open transaction, as values to select."""
    yield Filled("pg_catalog.set_config('lock_timeout', %s, true)", [lock_timeout_of(script)])
    if (statement_timeout := statement_timeout_of(script)) is not None:
        yield Filled("pg_catalog.set_config('statement_timeout', %s, true)", [statement_timeout])


def lock_timeout_of(script: Script) -> str:
    """Return how long a statement of ``script`` may wait for a lock, as PostgreSQL reads it."""
    return script.directives.lock_timeout or str(settings.LOCK_TIMEOUT)


def statement_timeout_of(script: Script) -> str | None:
    """Return how long a statement of ``script`` may take, as PostgreSQL reads it, if we say so."""
    return script.directives.statement_timeout or settings.STATEMENT_TIMEOUT


def _check_still_open(opened: str | None, now: str | None) -> None:
    """Check by their ids that the transaction about to be recorded is the one that was opened."""
    if now != opened:
        raise psycopg.ProgrammingError(
            f"The file ended its own transaction ({opened}) and began another ({now}), so what it did can't be "
            "recorded together with it."
        )
