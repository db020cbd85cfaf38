"""Sends statements without waiting for the answer of each: libpq's pipeline mode, over the raw connection.

psycopg's own pipeline hands out all results at one moment and raises an error from whichever cursor comes first. Here
each answer is taken when it arrives and belongs to its statement. The server works through the statements one after
the other, as ever; what is saved is a round trip for each.
https://www.postgresql.org/docs/current/libpq-pipeline-mode.html
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult
from psycopg.waiting import Ready, Wait

from sqlmigrations.database import Connection
from sqlmigrations.files.statements import Statement
from sqlmigrations.runner.failure import StatementFailed

#: How much is on its way at most, in bytes and in statements: the server takes it in when it comes to it, and until
#: then it is kept in memory here.
BYTES_AHEAD = 64 * 1024
STATEMENTS_AHEAD = 256


@dataclass(frozen=True, slots=True)
class Arrival:
    """The answer to a statement, and when it came."""

    statement: Statement
    answer: PGresult
    at: float


class Pipeline:
    """Statements on their way to the server, in the open transaction of a connection.

    Used as a context manager: outside the block the connection is as every other. A block that is left by an error
    cancels what is still on its way; the transaction has failed then.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._sent: deque[Statement] = deque()
        self._bytes = 0
        self._arrived: deque[Arrival] = deque()
        #: Whether the server was told that nothing more comes, and has not said yet that it is done.
        self._is_ending = False

    def __enter__(self) -> Pipeline:
        self._pgconn.enter_pipeline_mode()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._pgconn.status != ConnStatus.OK:
            return
        if kind is None:
            self._finish()
        else:
            with suppress(psycopg.Error):  # the first error is the one that counts
                if self._sent and not issubclass(kind, StatementFailed):
                    self._connection.cancel_safe()
                self._finish()

    @property
    def is_full(self) -> bool:
        """Whether answers must come before more is sent."""
        return self._bytes > BYTES_AHEAD or len(self._sent) >= STATEMENTS_AHEAD

    def put(self, statement: Statement) -> None:
        """Send a statement; its answer is waited for later."""
        self._pgconn.send_query_params(statement.sql, None)
        self._pgconn.send_flush_request()
        if not self._sent:
            self._pgconn.flush()  # the server can begin; what follows goes in larger pieces
        self._sent.append(statement)
        self._bytes += len(statement.sql)

    def take(self) -> Iterator[Arrival]:
        """Wait for answers, and yield those that have come.

        Raises:
            StatementFailed: PostgreSQL refused a statement; its error is the cause.
        """
        self._wait(self._receive())
        yield from self._hand_out()

    def end(self) -> Iterator[Arrival]:
        """Say that nothing more comes, and yield all answers that are still to come. Raises as ``take``."""
        self._pgconn.pipeline_sync()
        self._is_ending = True
        while self._sent or self._is_ending:
            yield from self.take()

    def _hand_out(self) -> Iterator[Arrival]:
        while self._arrived:
            arrival = self._arrived.popleft()
            if arrival.answer.status == ExecStatus.FATAL_ERROR:
                error = psycopg.errors.error_from_result(arrival.answer, self._connection.info.encoding)
                raise StatementFailed(arrival.statement, error) from error
            yield arrival

    def _finish(self) -> None:
        """Bring the connection out of the pipeline, whatever is still on its way."""
        if self._sent and not self._is_ending:
            self._pgconn.pipeline_sync()
            self._is_ending = True
        while self._sent or self._is_ending:
            self._wait(self._receive())
        self._pgconn.exit_pipeline_mode()

    def _wait(self, generator: PQGen[None]) -> None:
        """Let psycopg wait for the connection; it also cancels what runs when a person interrupts.

        Raises:
            StatementFailed: the connection was lost.
        """
        try:
            with self._connection.lock:
                self._connection.wait(generator)
        except psycopg.Error as error:
            if not self._sent:
                raise
            raise StatementFailed(self._sent[0], error) from error

    def _receive(self) -> PQGen[None]:
        """Send what is not sent yet, and wait until at least one answer has come."""
        pgconn = self._pgconn
        waiting = len(self._sent)
        unsent = pgconn.flush()
        while True:
            self._collect()
            if len(self._sent) < waiting or not (self._sent or self._is_ending):
                return
            ready = yield Wait.RW if unsent else Wait.R
            if not ready:  # psycopg begins to wait anew after it has cancelled a statement
                continue
            if ready & Ready.W:
                unsent = pgconn.flush()
            if ready & Ready.R:
                pgconn.consume_input()

    def _collect(self) -> None:
        """Take the answers that are at hand."""
        pgconn = self._pgconn
        while (self._sent or self._is_ending) and not pgconn.is_busy():
            answer = pgconn.get_result()
            if answer is None:  # stands behind the answer to each statement
                continue
            if answer.status == ExecStatus.PIPELINE_SYNC:
                self._is_ending = False
                return
            statement = self._sent.popleft()
            self._bytes -= len(statement.sql)
            self._arrived.append(Arrival(statement, answer, time.perf_counter()))
