"""The one place that sends a file's statements to the server.

Whoever calls it sees statements go in and results come out, in the order of the file; how they travel is decided here.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby

import psycopg
from psycopg import generators
from psycopg.abc import PQGen
from psycopg.errors import Diagnostic
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn
from psycopg.waiting import Wait

from sqlmigrations.database import Connection, Cursor
from sqlmigrations.files.statements import Statement
from sqlmigrations.runner.failure import StatementFailed
from sqlmigrations.runner.pipeline import Arrival, Pipeline

#: Timings that are kept of one file: the slowest ones, so that a dump of a million rows costs no more.
TIMINGS_KEPT = 1_000

#: A statement that is smaller than this, in bytes, goes together with others: a round trip for each row costs several
#: times what the row does. For a larger one it's the other way round. Before the server executes a statement of the
#: extended protocol it copies its parse tree, and what comes in one message it parses as a whole.
SMALL = 8 * 1024

#: How much is sent in one message, in bytes.
GROUP = 64 * 1024

_CHANGES_ROWS = (("INSERT",), ("UPDATE",), ("DELETE",))


@dataclass(frozen=True, slots=True)
class Result:
    """One statement that succeeded."""

    number: int
    line: int
    duration_ms: float


@dataclass(slots=True)
class Timings:
    """How many statements ran, when the first one began (nanoseconds since 1970), and the slowest of them."""

    count: int = 0
    began_ns: int = 0
    _spent_ms: float = 0.0
    _slowest: list[tuple[float, int, int, float]] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Take one more result."""
        if not self.count:
            self.began_ns = time.time_ns() - int(result.duration_ms * 1e6)
        self.count += 1
        push = heapq.heappush if len(self._slowest) < TIMINGS_KEPT else heapq.heappushpop
        push(self._slowest, (result.duration_ms, result.number, result.line, self._spent_ms))
        self._spent_ms += result.duration_ms

    def slowest(self, most: int) -> list[tuple[Result, int]]:
        """Return the slowest ones in the file's order, each with the nanosecond when it began.

        They follow each other without a gap: what a statement took is the time from the answer before it to its own.
        """
        chosen = sorted(heapq.nlargest(most, self._slowest), key=lambda timing: timing[1])
        return [
            (Result(number, line, duration), self.began_ns + int(before * 1e6))
            for duration, number, line, before in chosen
        ]

    def as_json(self) -> list[dict[str, float | int]]:
        """Return them in the file's order."""
        by_number = sorted(self._slowest, key=lambda timing: timing[1])
        return [
            {"number": number, "line": line, "duration_ms": round(duration, 3)}
            for duration, number, line, _before in by_number
        ]


def send(
    connection: Connection, statements: Iterable[Statement], *, ahead: bool = True
) -> Generator[Result, None, None]:
    """Send the statements as they are asked for and yield their results.

    Within a transaction statements go ahead, without waiting for each other's answers, unless ``ahead`` says no; rows
    in bulk go in messages of several statements, each of which has an equal part of the time that they took. Outside a
    transaction each goes alone: the server would take what comes together for one transaction.

    Raises:
        StatementFailed: PostgreSQL refused one; its error is the cause.
    """
    if connection.info.transaction_status is not TransactionStatus.INTRANS:
        yield from _in_messages(connection, ([statement] for statement in statements))
        return
    for goes_ahead, groups in groupby(grouped(statements), key=lambda group: ahead and _is_small(group)):
        way = _ahead if goes_ahead else _in_messages
        yield from way(connection, groups)


def _is_small(group: Sequence[Statement]) -> bool:
    return group[0].keywords[:1] != ("COPY",) and sum(len(statement.sql) for statement in group) < SMALL


def _ahead(connection: Connection, groups: Iterable[Sequence[Statement]]) -> Iterator[Result]:
    """Send statements without waiting for the answers; what each of them took is the time from answer to answer."""
    before = time.perf_counter()
    with Pipeline(connection) as pipeline:
        for arrival in _arrivals(pipeline, chain.from_iterable(groups)):
            yield Result(arrival.statement.number, arrival.statement.line, (arrival.at - before) * 1000)
            before = arrival.at


def _arrivals(pipeline: Pipeline, statements: Iterable[Statement]) -> Iterator[Arrival]:
    for statement in statements:
        pipeline.put(statement)
        if pipeline.is_full:
            yield from pipeline.take()
    yield from pipeline.end()


def _in_messages(connection: Connection, groups: Iterable[Sequence[Statement]]) -> Iterator[Result]:
    """Send each group in one message, and wait for its end."""
    for group in groups:
        started = time.perf_counter()
        if len(group) > 1:
            _execute_group(connection, group)
        else:
            _execute_alone(connection, group[0])
        duration = (time.perf_counter() - started) * 1000 / len(group)
        for statement in group:
            yield Result(statement.number, statement.line, duration)


def grouped(statements: Iterable[Statement]) -> Iterator[list[Statement]]:
    """Yield the statements in groups: small ones that change rows, up to 64 kB of them, and everything else alone."""
    group: list[Statement] = []
    size = 0
    for statement in statements:
        joins = statement.keywords[:1] in _CHANGES_ROWS and len(statement.sql) < SMALL
        if group and (not joins or size + len(statement.sql) > GROUP):
            yield group
            group, size = [], 0
        if joins:
            group.append(statement)
            size += len(statement.sql)
        else:
            yield [statement]
    if group:
        yield group


def _execute_alone(connection: Connection, statement: Statement) -> None:
    try:
        with connection.cursor() as cursor:
            execute(cursor, statement)
    except psycopg.Error as error:
        raise StatementFailed(statement, error) from error


def _execute_group(connection: Connection, group: Sequence[Statement]) -> None:
    """Send several statements in one message, and find out which of them was refused.

    psycopg's cursors tell the error but not how many statements came before it; the results in themselves do.
    """
    try:
        with connection.lock:
            connection.pgconn.send_query(b"\n".join(statement.sql for statement in group))
            answers = connection.wait(generators.execute(connection.pgconn))
    except psycopg.Error as error:
        raise StatementFailed(group[0], error) from error
    for number, answer in enumerate(answers):
        if answer.status == ExecStatus.FATAL_ERROR:
            refusal = psycopg.errors.error_from_result(answer, connection.info.encoding)
            statement, before = _refused(group, number, refusal.diag)
            raise StatementFailed(statement, refusal, before) from refusal


def _refused(group: Sequence[Statement], number: int, diagnostic: Diagnostic) -> tuple[Statement, int]:
    """Return the statement that an error is about, and how many characters were sent before it.

    That is the one at the error's position, if there is one: syntax errors come before any result. Otherwise as many
    have succeeded as results came before.
    """
    position = int(diagnostic.statement_position or 0)
    before = 0
    for index, statement in enumerate(group):
        end = before + len(statement.text) + 1
        if position <= end if position else index == number:
            return statement, before
        before = end
    return group[-1], before - len(group[-1].text) - 1


def execute(cursor: Cursor, statement: Statement) -> None:
    """Execute one statement, its COPY data included. No parameters are given, so ``%`` is just a character."""
    if statement.data is None:
        cursor.execute(statement.sql)
        return
    with cursor.copy(statement.sql) as copy:
        for block in statement.data:
            copy.write(block)
            cursor.connection.wait(_flush(cursor.connection.pgconn))


def _flush(pgconn: PGconn) -> PQGen[None]:
    """Wait until the server has taken all that was written: libpq would keep it in memory without limit."""
    while pgconn.flush():
        yield Wait.W
