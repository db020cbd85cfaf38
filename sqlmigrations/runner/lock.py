"""The run lock, which one run at a time holds.

It is a session advisory lock on a connection of its own. It is taken by polling: a session that waits inside
``pg_advisory_lock()`` holds a snapshot, for which ``CREATE INDEX CONCURRENTLY`` of the running one would wait in turn.
"""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error as DjangoError
from psycopg import sql

from sqlmigrations.database import (
    Answer,
    Connection,
    Filled,
    execute_together,
    fetch_row,
    fillable,
    own_connection,
    raw,
)
from sqlmigrations.exceptions import RunLockHeld
from sqlmigrations.queries import query
from sqlmigrations.runner.pooler import PoolMode, find_mode
from sqlmigrations.runner.stop import sleep

#: First key of the run lock; "SQLM" in ASCII. The second one is that of the history's schema.
RUN_CLASS = int.from_bytes(b"SQLM", "big")

#: Lets a transaction stay open as long as it will. PostgreSQL has the second setting from 17 on.
_LASTS = """
    SELECT pg_catalog.set_config(name, '0', true) FROM pg_catalog.pg_settings
     WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')
"""

#: Seconds between two tries, drawn anew each time so that waiting runs don't march in step.
POLL = (0.05, 0.25)


@dataclass(frozen=True, slots=True)
class Holder:
    """A session that holds a lock we want."""

    pid: int
    role: str
    host: str
    application: str
    since: datetime | None
    state: str
    query: str

    def __str__(self) -> str:
        application = f", application {self.application}" if self.application else ""
        since = f", connected since {self.since:%Y-%m-%d %H:%M:%S %Z}" if self.since else ""
        return f"pid {self.pid} (role {self.role or '?'}, host {self.host}{application}{since})"


#: Called when a wait begins and whenever the holder changes.
OnWait = Callable[[Holder | None], None]


def key_of(text: str) -> int:
    """Return a signed 32-bit key for ``text``: the second key of an advisory lock."""
    value = zlib.crc32(text.encode())
    return value - (1 << 32) if value >= 1 << 31 else value


def holders(connection: Connection, class_id: int, key: int | None = None) -> list[Holder]:
    """Return the other sessions that hold the advisory lock ``(class_id, key)``, or any of that class."""
    [answer] = execute_together(connection, _holders(class_id, key))
    return _holders_in(answer)


def _holders(class_id: int, key: int | None = None) -> Filled:
    """Return the statement that asks who holds a lock; ``_holders_in`` its answer are they."""
    unsigned = 0xFFFFFFFF  # as pg_locks shows them
    values = [class_id & unsigned, None if key is None else key & unsigned]
    return Filled(fillable(query("runner/sql/lock_holders.sql").format(*[sql.Placeholder()] * 2)), values)


def _holders_in(answer: Answer) -> list[Holder]:
    return [Holder(*row) for row in answer.fetchall()]


def run_in_progress(connection: Connection, schema: str) -> Holder | None:
    """Return who holds the run lock of the history in ``schema``; take nothing."""
    return next(iter(holders(connection, RUN_CLASS, key_of(schema))), None)


def poll(attempt: Callable[[], bool], holder: Callable[[], Holder | None], wait: float, on_wait: OnWait) -> bool:
    """Try ``attempt`` until it succeeds or ``wait`` seconds have passed; say whom we wait for."""
    deadline = time.monotonic() + wait
    known: int | None = None
    while not attempt():
        present = holder()
        if present is not None and present.pid != known:
            known = present.pid
            on_wait(present)
        if time.monotonic() >= deadline:
            return False
        sleep(random.uniform(*POLL))  # noqa: S311 - jitter, not cryptography
    return True


class RunLock:
    """Hold the run lock of one database while the block runs.

    Behind a pooler the lock is one of a transaction that stays open and idle, on a connection that does nothing else:
    a pooler that lends a backend for each transaction would lend that of a session's lock to others, and that it does
    so can be guessed only. Such a transaction holds no snapshot, so nobody waits for it. Whether any pooler is there
    has to be known; what it lends is found out here.

    Raises:
        RunLockHeld: another run still held it after ``wait`` seconds.
    """

    def __init__(
        self,
        wrapper: BaseDatabaseWrapper,
        schema: str,
        *,
        has_pooler: bool,
        wait: float,
        on_wait: OnWait,
    ) -> None:
        self._working = wrapper
        self._has_pooler = has_pooler
        self._lock = _copy(wrapper)
        self._journal = self._lock
        self._key = key_of(schema)
        self._files = file_class(schema)
        self._wait = wait
        self._on_wait = on_wait
        #: The backend of a run that was killed which is still at work, as it was last seen.
        self._worker: Holder | None = None
        self.pool_mode = PoolMode.NONE

    @property
    def connection(self) -> Connection:
        """A connection in autocommit that lives as long as the lock: the lock's own, unless a pooler is there."""
        return raw(self._journal)

    def __enter__(self) -> Self:
        try:
            self._connect()
            self._acquire()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()

    def _connect(self) -> None:
        self._lock.connect()
        self._lock.set_autocommit(True)
        if not self._has_pooler:
            return
        if not self._working.in_atomic_block:
            self.pool_mode = find_mode(raw(self._lock), raw(self._working))
        self._journal = _copy(self._working)
        self._journal.connect()
        self._journal.set_autocommit(True)
        raw(self._lock).isolation_level = psycopg.IsolationLevel.READ_COMMITTED  # all others keep a snapshot
        self._lock.set_autocommit(False)

    def _acquire(self) -> None:
        if not poll(self._try, self._holder, self._wait, self._on_wait):
            raise _held("Another run holds the lock", self._holder())
        # A killed run's backend may still be at work: what it commits must be seen before anything is planned.
        if self._worker and not poll(self._is_alone, lambda: self._worker, self._wait, self._on_wait):
            raise _held("The backend of an earlier run is still at work on a file", self._worker)

    def _try(self) -> bool:
        """Try to take the lock, and look who else is at work on files."""
        if self._has_pooler:
            was_taken = self._try_in_transaction()
            self._worker = self._find_worker()
            return was_taken
        _never_idle, taken, workers = execute_together(
            raw(self._lock),
            Filled("SELECT set_config('idle_session_timeout', '0', false)"),
            Filled("SELECT pg_try_advisory_lock(%s, %s)", [RUN_CLASS, self._key]),
            _holders(self._files),
        )
        self._worker = next(iter(_holders_in(workers)), None)
        [(was_taken,)] = taken.fetchall()
        return bool(was_taken)

    def _try_in_transaction(self) -> bool:
        lock = raw(self._lock)
        (taken,) = fetch_row(lock, "SELECT pg_try_advisory_xact_lock(%s, %s)", [RUN_CLASS, self._key])
        if taken:
            lock.execute(_LASTS)
        else:
            lock.rollback()
        return bool(taken)

    def _is_alone(self) -> bool:
        self._worker = self._find_worker()
        return self._worker is None

    def _find_worker(self) -> Holder | None:
        return next(iter(holders(self.connection, self._files)), None)

    def _holder(self) -> Holder | None:
        return next(iter(holders(self.connection, RUN_CLASS, self._key)), None)

    def _close(self) -> None:
        """Release the lock, and end its session: that also works when the server is already gone."""
        self._release()
        for wrapper in (self._lock, self._journal):
            try:
                wrapper.close()
            except (DjangoError, psycopg.Error):
                wrapper.connection = None

    def _release(self) -> None:
        """Let go of the lock now: a closed session's backend may hold it for a moment longer."""
        connection = self._lock.connection
        if connection is None or connection.closed:
            return
        try:
            connection.rollback()
            if not self._has_pooler:  # a backend that was lent may have locks of others
                connection.execute("SELECT pg_advisory_unlock_all()")
        except psycopg.Error:
            pass  # the session ends next, and the lock with it


def join_lock(connection: Connection, schema: str, *, wait: float, on_wait: OnWait) -> None:
    """Take the run lock for the open transaction of ``connection``: a commit or rollback releases it.

    Raises:
        RunLockHeld: another run still held it after ``wait`` seconds.
    """
    keys = (RUN_CLASS, key_of(schema))

    def attempt() -> bool:
        return bool(fetch_row(connection, "SELECT pg_try_advisory_xact_lock(%s, %s)", keys)[0])

    def holder() -> Holder | None:
        return next(iter(holders(connection, *keys)), None)

    if not poll(attempt, holder, wait, on_wait):
        raise _held("Another run holds the lock", holder())


def _held(what: str, holder: Holder | None) -> RunLockHeld:
    return RunLockHeld(
        f"{what}: {holder or 'a session that has just left'}.",
        hint="Wait for it, give --lock-wait more time, or end its backend with "
        + (f"SELECT pg_terminate_backend({holder.pid});" if holder else "pg_terminate_backend()."),
    )


def _copy(wrapper: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    own = own_connection(wrapper)
    own.settings_dict["OPTIONS"].setdefault("application_name", "sqlmigrations")
    return own


def file_class(schema: str) -> int:
    """Return the first key of the locks of files, which each history has for itself; the second is the file's."""
    return key_of(f"files of {schema}")
