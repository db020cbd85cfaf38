"""The one place that sends a file's statements to the server.

Whoever calls it sees statements go in and results come out, in the order of the file; how they travel is decided here.
"""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, groupby, islice
from typing import NamedTuple

import psycopg
from psycopg import generators
from psycopg.abc import PQGen
from psycopg.errors import Diagnostic
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.waiting import Wait

from sqlmigrations.database import Answer, Connection, Cursor, Filled, execute_together
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

#: Up to what size, in bytes, a statement is kept while the next one is read: memory has room for one that is huge.
AT_ONCE = 1024 * 1024

_CHANGES_ROWS = (("INSERT",), ("UPDATE",), ("DELETE",))


class Result(NamedTuple):
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
    if connection.info.transaction_status is TransactionStatus.INTRANS:
        yield from send_within(connection, statements, ahead=ahead)
    else:
        for statement in statements:
            yield from _in_message(connection, [statement], nothing)


@dataclass(slots=True)
class Aside:
    """Statements of ours before those of a file or behind them, and the answers once they have come."""

    statements: tuple[Filled, ...]
    answers: list[Answer] = field(default_factory=list)

    @property
    def is_answered(self) -> bool:
        """Whether all answers have come."""
        return len(self.answers) == len(self.statements)

    @property
    def value(self) -> str | None:
        """The first value of the last answer, as the server words it."""
        value = self.answers[-1].result.get_value(0, 0)
        return None if value is None else value.decode()


#: What goes together: statements of ours, or some of the file.
Group = Aside | Sequence[Statement]


def nothing() -> None:
    """Do nothing, meanwhile or behind the last statement."""


def send_within(
    connection: Connection,
    statements: Iterable[Statement],
    *,
    enter: Aside | None = None,
    leave: Callable[[], Aside | None] = nothing,
    meanwhile: Callable[[], None] = nothing,
    ahead: bool = True,
) -> Generator[Result, None, None]:
    """Send the statements of one transaction between ``enter``, which may begin it, and ``leave``.

    How to leave is asked behind the last statement, when all are known. What is to be done ``meanwhile`` is done once,
    before the first answer is waited for.

    Raises:
        StatementFailed: PostgreSQL refused one; its error is the cause.
        psycopg.Error: it refused one of ours.
    """
    way = _Way(connection, meanwhile)
    around = chain[Group]([enter] if enter else [], grouped(statements), _asked(leave))
    for goes_ahead, groups in groupby(around, key=lambda group: ahead and _is_small(group)):
        send_groups = way.ahead if goes_ahead else way.in_messages
        yield from send_groups(groups)
    way.meanwhile()


def _asked(leave: Callable[[], Aside | None]) -> Iterator[Aside]:
    aside = leave()
    if aside is not None:
        yield aside


def _is_small(group: Group) -> bool:
    if isinstance(group, Aside):
        return True
    return group[0].keywords[:1] != ("COPY",) and sum(len(statement.sql) for statement in group) < SMALL


class _Way:
    """How the groups of one transaction travel, and where answers to statements of ours go."""

    def __init__(self, connection: Connection, meanwhile: Callable[[], None]) -> None:
        self._connection = connection
        self._unanswered: deque[Aside] = deque()
        self._meanwhile: Callable[[], None] | None = meanwhile

    def meanwhile(self) -> None:
        """Do what is to be done meanwhile, unless that was done."""
        act, self._meanwhile = self._meanwhile, None
        if act is not None:
            act()

    def ahead(self, groups: Iterable[Group]) -> Iterator[Result]:
        """Send statements without waiting for the answers; what each took is the time from answer to answer."""
        before = time.perf_counter()
        with Pipeline(self._connection) as pipeline:
            for arrival in self._arrivals(pipeline, groups):
                if isinstance(arrival.sent, Statement):
                    yield Result(arrival.sent.number, arrival.sent.line, (arrival.at - before) * 1000)
                else:
                    self._take(arrival.answer)
                before = arrival.at

    def _arrivals(self, pipeline: Pipeline, groups: Iterable[Group]) -> Iterator[Arrival]:
        for group in groups:
            if isinstance(group, Aside):
                self._unanswered.append(group)
            for sent in group.statements if isinstance(group, Aside) else group:
                pipeline.put(sent)
                if pipeline.is_full:
                    self.meanwhile()
                    yield from pipeline.take()
        pipeline.close()
        self.meanwhile()
        yield from pipeline.rest()

    def _take(self, answer: PGresult) -> None:
        """Note an answer to a statement of ours: they come in order."""
        aside = self._unanswered[0]
        aside.answers.append(Answer(answer, self._connection))
        if aside.is_answered:
            self._unanswered.popleft()

    def in_messages(self, groups: Iterable[Group]) -> Iterator[Result]:
        """Send each group in one message, and wait for its end; the next one is read while the server is at work."""
        upcoming = _Upcoming(groups)
        for group in upcoming:
            self.meanwhile()
            if isinstance(group, Aside):
                group.answers = execute_together(self._connection, *group.statements)
            else:
                yield from _in_message(self._connection, group, upcoming.read)


class _Upcoming(Iterator[Group]):
    """Groups one after the other, the next of which can be read before its turn comes."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self._groups = iter(groups)
        self._read: list[Group] = []
        self._error: Exception | None = None

    def read(self) -> None:
        """Read the next one. What is wrong with it is told in its turn, since those before it are answered first."""
        try:
            self._read.extend(islice(self._groups, 1))
        except Exception as error:
            self._error = error

    def __next__(self) -> Group:
        if self._error is not None:
            raise self._error
        return self._read.pop() if self._read else next(self._groups)


def _in_message(connection: Connection, group: Sequence[Statement], meanwhile: Callable[[], None]) -> Iterator[Result]:
    """Send a group in one message and wait for its end; act ``meanwhile`` unless it is huge or has data."""
    started = time.perf_counter()
    if group[0].data is not None:
        _execute_copy(connection, group[0])
    else:
        _execute_group(connection, group, meanwhile if len(group[0].sql) <= AT_ONCE else nothing)
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


def _execute_copy(connection: Connection, statement: Statement) -> None:
    try:
        with connection.cursor() as cursor:
            execute(cursor, statement)
    except psycopg.Error as error:
        raise StatementFailed(statement, error) from error


def _execute_group(connection: Connection, group: Sequence[Statement], meanwhile: Callable[[], None]) -> None:
    """Send statements in one message, act while the server is at work, and find out which of them was refused.

    psycopg's cursors tell the error but not how many statements came before it; the results in themselves do.
    """
    try:
        with connection.lock:
            answers = _answers(connection, b"\n".join(statement.sql for statement in group), meanwhile)
    except psycopg.Error as error:
        raise StatementFailed(group[0], error) from error
    for number, answer in enumerate(answers):
        if answer.status == ExecStatus.FATAL_ERROR:
            refusal = psycopg.errors.error_from_result(answer, connection.info.encoding)
            statement, before = _refused(group, number, refusal.diag)
            raise StatementFailed(statement, refusal, before) from refusal


def _answers(connection: Connection, message: bytes, meanwhile: Callable[[], None]) -> list[PGresult]:
    """Send a message, act ``meanwhile``, and return the answers. An interrupt of that cancels what the server does."""
    pgconn = connection.pgconn
    pgconn.send_query(message)
    try:
        connection.wait(generators.send(pgconn))
        meanwhile()
    except BaseException:  # an interrupt
        with suppress(psycopg.Error):
            connection.cancel_safe()
            connection.wait(generators.fetch_many(pgconn))
        raise
    return connection.wait(generators.fetch_many(pgconn))


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
