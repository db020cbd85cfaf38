"""Does the same work on several databases side by side, each in a thread with connections of its own.

Django's connections belong to the thread that opened them. A thread closes its own when its database is done, so there
are never more databases at work, and never more connections, than was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import suppress
from contextvars import copy_context
from typing import Generic, TypeVar

import psycopg
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import TransactionStatus

from sqlmigrations.runner.stop import Stop, stoppable, stopped_by

Answer = TypeVar("Answer")

#: Seconds between two tries to cancel what is in work, until its thread has noticed that it shall stop.
CANCELS_EVERY = 0.1


def in_parallel(
    aliases: Sequence[str],
    work: Callable[[str], Answer],
    *,
    jobs: int,
    ended: Callable[[str, Answer], None] = lambda alias, answer: None,
) -> dict[str, Answer]:
    """Do ``work`` for each alias, for at most ``jobs`` of them at a time; return the answers in the aliases' order.

    ``ended`` is called in this thread, as soon as each has its answer. Errors are the work's own business: one that it
    raises ends the call, though not before the others have their answers.

    Raises:
        KeyboardInterrupt: the call was interrupted. Each database in work was stopped as a run on it alone would have
            been, and those that had not begun were left alone.
    """
    workers = [_Worker(alias, work) for alias in aliases]
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="sqlmigrations") as pool:
        working = {pool.submit(copy_context().run, worker.run): worker for worker in workers}
        try:
            for future in as_completed(working):
                if future.exception() is None:
                    ended(working[future].alias, future.result())
        except BaseException:
            _stop(working)
            raise
    return {worker.alias: future.result() for future, worker in working.items()}


def _stop(working: dict[Future[Answer], _Worker[Answer]]) -> None:
    """Stop what is in work, and wait until it has."""
    for future, worker in working.items():
        future.cancel()
        worker.stop.ask()
    while wait(working, timeout=CANCELS_EVERY).not_done:
        for worker in working.values():
            worker.cancel()


class _Worker(Generic[Answer]):
    """The work on one database."""

    def __init__(self, alias: str, work: Callable[[str], Answer]) -> None:
        self.alias = alias
        self.stop = Stop()
        self._work = work
        self._wrapper: BaseDatabaseWrapper | None = None

    def run(self) -> Answer:
        """Do the work, in a thread of its own."""
        self._wrapper = connections[self.alias]
        try:
            with stopped_by(self.stop), stoppable():
                return self._work(self.alias)
        finally:
            connections.close_all()  # this thread's own

    def cancel(self) -> None:
        """Cancel the statement that is in work, unless its thread has noticed already that it shall stop."""
        connection = self._wrapper.connection if self._wrapper is not None else None
        if connection is None or connection.closed or self.stop.is_noticed:
            return
        if connection.info.transaction_status is TransactionStatus.ACTIVE:
            with suppress(psycopg.Error):
                connection.cancel_safe()
