"""Watches, over the run lock's connection, whom the working backend waits for.

When a lock timeout strikes, the wait is over and the server no longer knows what it was for; so a thread looks while it
lasts. It also lets a person see what a long CREATE INDEX CONCURRENTLY is waiting for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import psycopg
from django.db.utils import Error as DjangoError

from sqlmigrations.database import Connection, fetch_dicts
from sqlmigrations.queries import query

#: Seconds between two looks: the longest, and the shortest for a short lock_timeout.
LONGEST, SHORTEST = 0.25, 0.02

#: Seconds of waiting for the same sessions after which a person is told, once.
TOLD_AFTER = 5.0


@dataclass(frozen=True, slots=True)
class Blocker:
    """A session that the working backend waits for."""

    pid: int
    role: str
    host: str
    application: str
    state: str
    transaction_s: float | None
    query: str

    def __str__(self) -> str:
        age = f", in its transaction for {self.transaction_s:.0f} s" if self.transaction_s is not None else ""
        application = f", application {self.application}" if self.application else ""
        query = " ".join(self.query.split())
        last = f": {query}" if query else ""
        return f"pid {self.pid} (role {self.role or '?'}, host {self.host}{application}, {self.state}{age}){last}"

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept with the event."""
        return {name: getattr(self, name) for name in self.__slots__}


OnBlocked = Callable[[list[Blocker]], None]


class Watcher:
    """Look, while a file runs, which sessions are in its way.

    One thread serves the whole run. It uses the run lock's connection only between ``begin`` and ``end``; where the run
    does so then, too, each waits for the other.
    """

    def __init__(self, connect: Callable[[], Connection], on_blocked: OnBlocked = lambda blockers: None) -> None:
        self._connect = connect
        self._on_blocked = on_blocked
        self._pid: int | None = None
        self._interval = LONGEST
        self._waited = 0.0
        self._seen: list[Blocker] = []
        self._looking = threading.Lock()
        self._woken = threading.Event()
        self._over = False
        self._thread = threading.Thread(target=self._look_on, name="sqlmigrations-watcher", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._over = True
        self._woken.set()
        self._thread.join()

    def begin(self, pid: int, *, lock_timeout_s: float) -> None:
        """Watch the backend ``pid``, often enough for a wait of ``lock_timeout_s`` seconds not to be missed."""
        with self._looking:
            self._seen, self._waited, self._pid = [], 0.0, pid
            self._interval = min(LONGEST, max(SHORTEST, lock_timeout_s / 4)) if lock_timeout_s else LONGEST
        if self._interval < LONGEST:
            self._woken.set()

    def end(self) -> list[Blocker]:
        """Watch no more; return the sessions that were last seen in the way."""
        with self._looking:
            self._pid = None
            return self._seen

    def _look_on(self) -> None:
        while not self._over:
            self._woken.wait(self._interval)
            self._woken.clear()
            with self._looking:
                if self._pid is not None:
                    self._look(self._pid)

    def _look(self, pid: int) -> None:
        try:
            rows = fetch_dicts(self._connect(), query("runner/sql/blockers.sql"), {"pid": pid})
        except (psycopg.Error, DjangoError):
            self._pid = None  # the connection is lost: the run will find out and say so
            return
        if not rows:
            self._waited = 0.0
            return
        self._seen = [Blocker(**row) for row in rows]
        before, self._waited = self._waited, self._waited + self._interval
        if before < TOLD_AFTER <= self._waited:
            self._on_blocked(self._seen)
