"""The run lock, and the lock of one file.

The run lock is a session advisory lock on a connection of its own. It is taken by polling: a session that waits inside
``pg_advisory_lock()`` holds a snapshot, for which ``CREATE INDEX CONCURRENTLY`` of the running one would wait in turn.
The file's lock is taken by the working connection: a killed runner frees the run lock while its backend works on.
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

from sqlmigrations.database import Connection, fetch_dicts, fetch_row, raw
from sqlmigrations.exceptions import RunLockHeld
from sqlmigrations.queries import query

#: First key of the run lock; "SQLM" in ASCII. Files' locks use the next one.
RUN_CLASS = int.from_bytes(b"SQLM", "big")
FILE_CLASS = RUN_CLASS + 1

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


def holders(connection: Connection, class_id: int, key: int) -> list[Holder]:
    """Return the other sessions that hold the advisory lock ``(class_id, key)``."""
    keys = {"class_id": class_id, "object_id": key & 0xFFFFFFFF}  # pg_locks shows both as unsigned
    return [Holder(**row) for row in fetch_dicts(connection, query("runner/sql/lock_holders.sql"), keys)]


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
        time.sleep(random.uniform(*POLL))  # noqa: S311 - jitter, not cryptography
    return True


class RunLock:
    """Hold the run lock of one database while the block runs.

    Raises:
        RunLockHeld: another run still held it after ``wait`` seconds.
    """

    def __init__(self, wrapper: BaseDatabaseWrapper, schema: str, *, wait: float, on_wait: OnWait) -> None:
        self._wrapper = _copy(wrapper)
        self._key = key_of(schema)
        self._wait = wait
        self._on_wait = on_wait

    @property
    def connection(self) -> Connection:
        """The lock's own connection, in autocommit."""
        return raw(self._wrapper)

    @property
    def is_alive(self) -> bool:
        """Whether the connection, and so the lock, is still there as far as the client knows."""
        connection = self._wrapper.connection
        return connection is not None and not connection.closed

    def __enter__(self) -> Self:
        try:
            self._wrapper.connect()
            self._wrapper.set_autocommit(True)
            _stay_alive(self.connection)
            self._acquire()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()

    def _acquire(self) -> None:
        if not poll(self._try, self._holder, self._wait, self._on_wait):
            holder = self._holder()
            raise RunLockHeld(
                f"Another run holds the lock: {holder or 'a session that has just left'}.",
                hint="Wait for it, give --lock-wait more time, or end its backend with "
                + (f"SELECT pg_terminate_backend({holder.pid});" if holder else "pg_terminate_backend()."),
            )

    def _try(self) -> bool:
        return bool(fetch_row(self.connection, "SELECT pg_try_advisory_lock(%s, %s)", [RUN_CLASS, self._key])[0])

    def _holder(self) -> Holder | None:
        return next(iter(holders(self.connection, RUN_CLASS, self._key)), None)

    def _close(self) -> None:
        """Release the lock by ending its session, which also works when the server is already gone."""
        try:
            self._wrapper.close()
        except (DjangoError, psycopg.Error):
            self._wrapper.connection = None


def _copy(wrapper: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    own = wrapper.copy()
    own.settings_dict["OPTIONS"].pop("pool", None)  # a pooled session would outlive the block, lock included
    own.settings_dict["OPTIONS"].setdefault("application_name", "sqlmigrations")
    return own


def _stay_alive(connection: Connection) -> None:
    """Keep the server from ending a session that only holds a lock."""
    connection.execute("SELECT set_config('idle_session_timeout', '0', false)")


def try_file_lock(connection: Connection, name: str, *, session: bool) -> bool:
    """Take the lock of one file, for the session or for the open transaction; return at once."""
    statement = "SELECT pg_try_advisory_lock(%s, %s)" if session else "SELECT pg_try_advisory_xact_lock(%s, %s)"
    return bool(fetch_row(connection, statement, [FILE_CLASS, key_of(name)])[0])


def file_holder(connection: Connection, name: str) -> Holder | None:
    """Return the session that works on the file: a killed run's backend that hasn't ended yet."""
    return next(iter(holders(connection, FILE_CLASS, key_of(name))), None)
