"""The one place that sends a file's statements to the server.

One at a time for now. Whoever calls it sees statements go in and results come out, so how they travel can change here.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import psycopg

from sqlmigrations.database import Connection, Cursor
from sqlmigrations.files.statements import Statement
from sqlmigrations.runner.failure import StatementFailed

#: Timings that are kept of one file: the slowest ones, so that a dump of a million rows costs no more.
TIMINGS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Result:
    """One statement that succeeded."""

    number: int
    line: int
    duration_ms: float


@dataclass(slots=True)
class Timings:
    """How many statements ran, and the slowest of them."""

    count: int = 0
    _slowest: list[tuple[float, int, int]] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Take one more result."""
        self.count += 1
        push = heapq.heappush if len(self._slowest) < TIMINGS_KEPT else heapq.heappushpop
        push(self._slowest, (result.duration_ms, result.number, result.line))

    def as_json(self) -> list[dict[str, float | int]]:
        """Return them in the file's order."""
        by_number = sorted(self._slowest, key=lambda timing: timing[1])
        return [
            {"number": number, "line": line, "duration_ms": round(duration, 3)} for duration, number, line in by_number
        ]


def send(connection: Connection, statements: Iterable[Statement]) -> Iterator[Result]:
    """Send each statement as it is asked for and yield its result.

    Raises:
        StatementFailed: PostgreSQL refused one; its error is the cause.
    """
    with connection.cursor() as cursor:
        for statement in statements:
            started = time.perf_counter()
            try:
                execute(cursor, statement)
            except psycopg.Error as error:
                raise StatementFailed(statement, error) from error
            yield Result(statement.number, statement.line, (time.perf_counter() - started) * 1000)


def execute(cursor: Cursor, statement: Statement) -> None:
    """Execute one statement, its COPY data included. No parameters are given, so ``%`` is just a character."""
    if statement.data is None:
        cursor.execute(statement.sql)
        return
    with cursor.copy(statement.sql) as copy:
        for block in statement.data:
            copy.write(block)
