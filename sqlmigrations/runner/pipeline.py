"""Sends statements without waiting for the answer of each: libpq's pipeline mode, over the raw connection.

psycopg's own pipeline hands out all results at one moment and raises an error from whichever cursor comes first. Here
each answer is taken when it arrives and belongs to its statement. The server works through the statements one after
the other, as ever; what is saved is a round trip for each.
https://www.postgresql.org/docs/current/libpq-pipeline-mode.html
"""

from __future__ import annotations

import re
import time
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from itertools import count
from typing import NamedTuple, NoReturn

import psycopg
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult
from psycopg.waiting import Ready, Wait

from sqlmigrations.database import Answer, Connection, Filled, execute_together
from sqlmigrations.files.statements import Statement
from sqlmigrations.runner.failure import StatementFailed

#: How much is on its way at most, in bytes and in statements: the server takes it in when it comes to it, and until
#: then it is kept in memory here.
BYTES_AHEAD = 64 * 1024
STATEMENTS_AHEAD = 256


#: What goes to the server: a statement of a file, or one of ours.
Sent = Statement | Filled


class Arrival(NamedTuple):
    """The answer to a statement, and when it came."""

    sent: Sent
    answer: PGresult
    at: float


class Prepared:
    """What a connection has prepared of our own statements, so that the server reads and plans each of them once.

    That takes a connection that keeps its backend, and that nobody else uses.
    """

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._names: dict[tuple[bytes, tuple[int, ...]], bytes] = {}

    def find(self, connection: Connection, text: bytes, types: tuple[int, ...]) -> tuple[bytes, bool]:
        """Return the name of a statement for values of these types, and whether it is still to be prepared.

        No session has had a new one: behind a pooler of sessions, those of another run may still be there.
        """
        if connection is not self._connection:
            self._connection, self._names = connection, {}
        name = self._names.get((text, types))
        if name is not None:
            return name, False
        self._names[text, types] = new = f"sqlmigrations_{uuid.uuid4().hex}".encode()
        return new, True

    def forget(self) -> None:
        """Prepare all anew: the server has refused something, or lost what it had."""
        self._connection = None


#: What stands for the preparation of a statement among what was sent.
_PREPARATION = Filled("PREPARE")


class Pipeline:
    """Statements on their way to the server, in the open transaction of a connection.

    Statements of ours are ``prepared`` where that is given.

    Used as a context manager: outside the block the connection is as every other, and in it other threads wait for
    theirs. A block that is left by an error cancels what is still on its way; the transaction has failed then.
    """

    def __init__(self, connection: Connection, prepared: Prepared | None = None) -> None:
        self._connection = connection
        self._prepared = prepared
        self._pgconn = connection.pgconn
        self._sent: deque[Sent] = deque()
        self._bytes = 0
        self._has_begun = False
        self._adapting = Transformer(connection)
        self._arrived: deque[Arrival] = deque()
        #: Whether the server was told that nothing more comes, and has not said yet that it is done.
        self._is_ending = False

    def __enter__(self) -> Pipeline:
        self._connection.lock.acquire()
        try:
            self._pgconn.enter_pipeline_mode()
        except BaseException:
            self._connection.lock.release()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if self._pgconn.status == ConnStatus.OK:
                self._leave(kind)
        finally:
            self._connection.lock.release()

    def _leave(self, kind: type[BaseException] | None) -> None:
        if kind is None:
            self._finish(is_over=not self._sent)
            return
        with suppress(psycopg.Error):  # the first error is the one that counts
            if not issubclass(kind, (StatementFailed, psycopg.Error)):
                self._connection.cancel_safe()
            self._finish(is_over=False)  # an interrupt can come between sending a statement and noting it

    @property
    def is_full(self) -> bool:
        """Whether answers must come before more is sent."""
        return self._bytes > BYTES_AHEAD or len(self._sent) >= STATEMENTS_AHEAD

    def put(self, sent: Sent) -> None:
        """Send a statement; its answer is waited for later.

        Answers to a file's statements come one by one, for each is to have its time. Ours come when there are others.
        """
        if isinstance(sent, Filled):
            self._put_ours(sent)
            self._bytes += len(sent.text)
        else:
            self._pgconn.send_query_params(sent.sql, None)
            self._bytes += len(sent.sql)
            self._pgconn.send_flush_request()
            if not self._has_begun:
                self._pgconn.flush()  # the server can begin; what follows goes in larger pieces
                self._has_begun = True
        self._sent.append(sent)

    def _put_ours(self, ours: Filled) -> None:
        """Send a statement with its values, which the server puts in."""
        text = _numbered(ours.text)
        if not (ours.values or self._prepared):
            self._pgconn.send_query_params(text, None)
            return
        values = self._adapting.dump_sequence(ours.values, [PyFormat.TEXT] * len(ours.values))
        types, formats = self._adapting.types or (), self._adapting.formats
        if self._prepared is None:
            self._pgconn.send_query_params(text, values, types, formats)
            return
        name, is_new = self._prepared.find(self._connection, text, types)
        if is_new:
            self._pgconn.send_prepare(name, text, types)
            self._sent.append(_PREPARATION)
        self._pgconn.send_query_prepared(name, values, formats)

    def take(self) -> Iterator[Arrival]:
        """Wait for answers, and yield those that have come.

        Raises:
            StatementFailed: PostgreSQL refused a file's statement; its error is the cause.
            psycopg.Error: it refused one of ours.
        """
        self._wait(self._receive())
        yield from self._hand_out()

    def close(self) -> None:
        """Say that nothing more comes, and let all that was put go out, as far as the network takes it."""
        self._pgconn.pipeline_sync()
        self._is_ending = True
        self._pgconn.flush()

    def rest(self) -> Iterator[Arrival]:
        """Yield all answers that are still to come. Raises as ``take``."""
        while self._sent or self._is_ending:
            yield from self.take()

    def _hand_out(self) -> Iterator[Arrival]:
        while self._arrived:
            arrival = self._arrived.popleft()
            if arrival.answer.status == ExecStatus.FATAL_ERROR:
                error = psycopg.errors.error_from_result(arrival.answer, self._connection.info.encoding)
                _refuse(arrival.sent, error)
            yield arrival

    def _finish(self, *, is_over: bool) -> None:
        """Bring the connection out of the pipeline, whatever is still on its way unless it ``is_over``."""
        if not (is_over or self._is_ending):
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
            self._connection.wait(generator)
        except psycopg.Error as error:
            if not self._sent:
                raise
            _refuse(self._sent[0], error)

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
            if not self._sent:  # it was sent, and not noted any more
                continue
            sent = self._sent.popleft()
            if sent is _PREPARATION and answer.status == ExecStatus.COMMAND_OK:
                continue
            self._bytes -= len(sent.text if isinstance(sent, Filled) else sent.sql)
            self._arrived.append(Arrival(sent, answer, time.perf_counter()))


def _refuse(sent: Sent, error: psycopg.Error) -> NoReturn:
    """Raise the server's error, that of a file's statement with its place."""
    if isinstance(sent, Filled):
        raise error
    raise StatementFailed(sent, error) from error


_PLACEHOLDER = re.compile("%(.)")


@cache
def _numbered(text: str) -> bytes:
    """Return the text of a ``Filled`` statement with the server's placeholders in it: ``$1`` and so on."""
    numbers = count(1)
    return _PLACEHOLDER.sub(lambda found: f"${next(numbers)}" if found[1] == "s" else found[1], text).encode()


def ask(connection: Connection, *statements: Filled, ahead: bool, prepared: Prepared | None = None) -> list[Answer]:
    """Send statements of ours together, and return the answer to each.

    Outside a transaction block they are one transaction. They go in a pipeline, and are ``prepared`` if that is given;
    or, unless they may go ``ahead``, in one message with their values written into it.

    Raises:
        psycopg.Error: PostgreSQL refused one; those behind it are not executed.
    """
    if not ahead:
        return execute_together(connection, *statements)
    try:
        return _ask_ahead(connection, statements, prepared)
    except BaseException as error:
        if prepared is None:
            raise
        prepared.forget()
        if not isinstance(error, psycopg.errors.InvalidSqlStatementName):
            raise
    # psycopg has deallocated all of the session's, as it does behind a DROP where it prepares statements itself.
    return _ask_ahead(connection, statements, prepared)


def _ask_ahead(connection: Connection, statements: Sequence[Filled], prepared: Prepared | None) -> list[Answer]:
    with Pipeline(connection, prepared) as pipeline:
        for statement in statements:
            pipeline.put(statement)
        pipeline.close()
        return [Answer(arrival.answer, connection) for arrival in pipeline.rest()]
