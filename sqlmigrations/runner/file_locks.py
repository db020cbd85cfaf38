"""The locks of files: each is held by the backend that works on one, and tells of a killed run's that still does.

They are taken by the working connection, since a killed runner frees the run lock while its backend works on.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import psycopg

from sqlmigrations.database import Connection, Filled, fetch_row
from sqlmigrations.exceptions import DatabaseUnavailable
from sqlmigrations.runner.lock import Holder, OnWait, file_class, holders, key_of, poll


class FileLocks:
    """The locks of the files of the history in ``schema``.

    Whoever waits for one asks over the connection that ``observe`` lends, for at most ``wait`` seconds.
    """

    def __init__(
        self, schema: str, observe: Callable[[], AbstractContextManager[Connection]], *, wait: float, on_wait: OnWait
    ) -> None:
        self._class = file_class(schema)
        self._observe = observe
        self._wait = wait
        self._on_wait = on_wait

    def taking(self, name: str) -> tuple[Filled, Filled]:
        """Return what takes one file's lock for the open transaction, or fails at once, as values to select.

        Who sends others behind them can't decide in between. They leave a ``lock_timeout`` behind that is to be set
        anew.
        """
        at_once = Filled("pg_catalog.set_config('lock_timeout', '1ms', true)")
        return at_once, Filled("pg_catalog.pg_advisory_xact_lock(%s, %s)", self._keys(name))

    def take(self, connection: Connection, name: str) -> None:
        """Take one file's lock for the session, once a killed run's backend has let go of it.

        Raises:
            psycopg.errors.LockNotAvailable: it still works on the file after the whole wait.
        """
        while not fetch_row(connection, "SELECT pg_try_advisory_lock(%s, %s)", self._keys(name))[0]:
            self.await_release(name)

    def take_for_transaction(self, connection: Connection, name: str) -> None:
        """Take the lock that the session holds already for the open transaction, too."""
        connection.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", self._keys(name))

    def free(self, connection: Connection, name: str) -> None:
        """Give the session's lock of one file back."""
        connection.execute("SELECT pg_advisory_unlock(%s, %s)", self._keys(name))

    def await_release(self, name: str) -> None:
        """Wait until a killed run's backend has let go of the file.

        Raises:
            psycopg.errors.LockNotAvailable: it still works on the file after the whole wait.
        """
        if worker := self._still_at_work(name):
            raise psycopg.errors.LockNotAvailable(f"An earlier run's backend still works on this file: {worker}.")

    def await_own_backend(self, name: str) -> None:
        """Wait until no backend works on the file any more: one whose connection was lost may still do so.

        Raises:
            DatabaseUnavailable: it hadn't ended after the whole wait.
        """
        if worker := self._still_at_work(name):
            raise DatabaseUnavailable(
                f"The connection was lost, and its backend still works on {name}: {worker}.",
                hint="Run it again when that one is done.",
            )

    def _still_at_work(self, name: str) -> str:
        """Wait until no backend works on the file; name the one that still does after the whole wait."""
        class_id, key = self._keys(name)

        def worker() -> Holder | None:
            return next(iter(holders(connection, class_id, key)), None)

        with self._observe() as connection:
            if poll(lambda: worker() is None, worker, self._wait, self._on_wait):
                return ""
            return str(worker() or "it has just left")

    def _keys(self, name: str) -> tuple[int, int]:
        return self._class, key_of(name)
