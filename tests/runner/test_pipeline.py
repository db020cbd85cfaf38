"""Statements that go ahead: one round trip for all, each with its own answer, time and error."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psycopg
import pytest
from psycopg.pq import PipelineStatus, TransactionStatus
from pytest_django import Settings

from sqlmigrations.database import Connection, Filled
from sqlmigrations.exceptions import InvalidFile, Problem
from sqlmigrations.files.splitter import split
from sqlmigrations.files.statements import Statement
from sqlmigrations.runner.failure import StatementFailed
from sqlmigrations.runner.pipeline import STATEMENTS_AHEAD, Pipeline, Prepared, Sent, ask
from sqlmigrations.runner.send import SMALL, send
from tests.databases import session
from tests.helpers import applysql, put, rows, run_sql, value

TABLES = "".join(f"CREATE TABLE t{number} (id int);\n" for number in range(40))
COPY = "COPY t0 FROM stdin;\n1\n\\.\n"
BULK = f"INSERT INTO t0 SELECT length('{'x' * SMALL}');\n"


def round_trips(connection: psycopg.Connection, text: str, trace: Path, *, ahead: bool = True) -> int:
    """Send a text in a transaction that is rolled back; return how often the server was waited for.

    It says "ready for query" after each message of the simple protocol, and once at the end of a pipeline.
    """
    with connection.transaction(force_rollback=True), trace.open("w") as file:
        connection.execute("CREATE TABLE unrelated ()")
        connection.pgconn.trace(file.fileno())
        try:
            results = list(send(connection, split([text.encode()]), ahead=ahead))
        finally:
            connection.pgconn.untrace()
    assert [result.number for result in results] == list(range(1, len(results) + 1))
    return sum("ReadyForQuery" in line for line in trace.read_text().splitlines())


@pytest.mark.parametrize(
    ("text", "ahead", "trips"),
    [
        (TABLES, True, 1),
        (TABLES, False, 40),
        (TABLES + COPY + TABLES.replace(" t", " u"), True, 3),
        (TABLES + BULK + TABLES.replace(" t", " u"), True, 3),
        (TABLES + BULK + BULK, True, 3),
        ("SELECT 1;" * (STATEMENTS_AHEAD * 3), True, 1),
    ],
    ids=["ahead", "not ahead", "around COPY", "around rows in bulk", "rows in bulk", "more than are on their way"],
)
def test_a_file_costs_one_round_trip(ready_database: str, tmp_path: Path, text: str, ahead: bool, trips: int) -> None:
    with session() as connection:
        assert round_trips(connection, text, tmp_path / "trace", ahead=ahead) == trips


def test_each_has_the_time_between_the_answers(ready_database: str) -> None:
    with session() as connection, connection.transaction():
        text = b"SELECT 1; SELECT pg_sleep(0.4); SELECT 2; SELECT pg_sleep(0.02); SELECT 3"
        times = [result.duration_ms for result in send(connection, split([text]))]
    assert len(times) == 5
    assert times[1] == max(times)
    assert sum(times) >= 420  # a busy client hears of an answer late, and of the next one sooner after it


def test_what_comes_after_an_error_is_not_done(ready_database: str) -> None:
    """Nothing after it is executed, and the connection is as after any failed statement."""
    run_sql("CREATE SEQUENCE done")
    text = b"SELECT nextval('done'); SELECT 1 / 0; SELECT nextval('done'); SELECT nextval('done')"
    with session() as connection:
        connection.execute("BEGIN")
        with pytest.raises(StatementFailed) as failed:
            list(send(connection, split([text])))
        assert connection.info.transaction_status == TransactionStatus.INERROR
        assert connection.pgconn.pipeline_status == PipelineStatus.OFF
        connection.execute("ROLLBACK")
        assert (failed.value.statement.number, failed.value.error.sqlstate) == (2, "22012")
        assert connection.execute("SELECT nextval('done')").fetchone() == (2,)


def test_a_file_that_cant_be_read_on_ends_what_is_on_its_way(ready_database: str) -> None:
    def statements() -> Iterator[Statement]:
        yield Statement(1, b"SELECT pg_sleep(60)", line=1)
        raise InvalidFile(Problem("no more", "001.sql", 2))

    with session() as connection:
        connection.execute("BEGIN")
        with pytest.raises(InvalidFile):
            list(send(connection, statements()))
        connection.execute("ROLLBACK")
        assert connection.pgconn.pipeline_status == PipelineStatus.OFF
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_reader_that_stops_leaves_the_connection_in_order(ready_database: str) -> None:
    with session() as connection:
        with connection.transaction(force_rollback=True):
            connection.execute("SELECT 1")
            results = send(connection, split([b"SELECT 1;" * (STATEMENTS_AHEAD * 2)]))
            next(results)
            results.close()
            assert connection.pgconn.pipeline_status == PipelineStatus.OFF
        assert connection.execute("SELECT 1").fetchone() == (1,)


class Interrupted(deque[Sent]):
    """Notes some statements that were sent; then a person interrupts."""

    def append(self, sent: Sent) -> None:
        if len(self) == self.maxlen:
            raise KeyboardInterrupt
        super().append(sent)


@pytest.mark.parametrize("noted", [0, 2])
def test_an_interrupt_between_sending_and_noting_leaves_the_connection_in_order(
    ready_database: str, monkeypatch: pytest.MonkeyPatch, noted: int
) -> None:
    class Interrupting(Pipeline):
        def __init__(self, connection: Connection) -> None:
            super().__init__(connection)
            self._sent = Interrupted(maxlen=noted)

    monkeypatch.setattr("sqlmigrations.runner.send.Pipeline", Interrupting)
    with session() as connection:
        connection.execute("BEGIN")
        with pytest.raises(KeyboardInterrupt):
            list(send(connection, split([b"SELECT pg_sleep(60);" * 3])))
        assert connection.pgconn.pipeline_status == PipelineStatus.OFF
        connection.execute("ROLLBACK")
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_lost_connection_is_told_of_the_statement_it_was_lost_in(ready_database: str) -> None:
    text = b"SELECT 1; SELECT pg_terminate_backend(pg_backend_pid()); SELECT 2"
    with session() as connection:
        connection.execute("BEGIN")
        with pytest.raises(StatementFailed) as failed:
            list(send(connection, split([text])))
        assert failed.value.statement.number == 2
        assert failed.value.error.sqlstate == "57P01"
        assert connection.closed


def test_another_thread_waits_for_the_connection(ready_database: str) -> None:
    """The watcher looks over the connection that the looks at locks and records go ahead on."""
    with session() as connection, ThreadPoolExecutor() as threads:
        with Pipeline(connection) as pipeline:
            pipeline.put(Filled("SELECT pg_sleep(%s), 1", [0.3]))
            beside = threads.submit(connection.execute, "SELECT 2")
            pipeline.close()
            [arrival] = pipeline.rest()
        assert arrival.answer.get_value(0, 1) == b"1"
        assert beside.result().fetchone() == (2,)


@pytest.mark.parametrize("pipeline", [True, False])
def test_a_file_is_applied_the_same_way(ready_database: str, folder: Path, settings: Settings, pipeline: bool) -> None:
    """Notices, settings, temporary tables and lines are right whether statements go ahead or not."""
    settings.SQLMIGRATIONS_PIPELINE = pipeline
    put(
        folder,
        {
            "001.sql": "SET search_path = pg_temp;\nCREATE TEMP TABLE seen (at timestamptz);\n"
            "INSERT INTO seen VALUES (statement_timestamp());\nDO $$ BEGIN RAISE NOTICE 'hello'; END $$;\n"
            "CREATE TABLE public.kept (id int PRIMARY KEY);\nINSERT INTO public.kept SELECT count(*) FROM seen;\n",
            "002.sql": "SELECT 1;\nCREATE TABLE b (id int);\n\nSELECT nothing FROM b;\nDROP TABLE kept;\n",
        },
    )
    ran = applysql()
    assert ran.code == 1
    assert "002.sql:4:" in ran.out
    assert rows("SELECT id FROM kept") == [(1,)]
    assert value("SELECT to_regclass('b')") is None
    told = rows(
        "SELECT filename, notices, jsonb_array_length(timings) FROM sqlmigrations_migrationevent WHERE type = 'applied'"
    )
    assert told == [("001.sql", ["NOTICE: hello"], 6)]


def test_what_is_prepared_is_prepared_once_for_each_kind_of_values(ready_database: str) -> None:
    """An error, and a connection that has lost what it had, make it begin anew."""
    prepared = Prepared()
    asked = partial(ask, ahead=True, prepared=prepared)
    both = (
        Filled("SELECT set_config('my.setting', %s, true)", ["a"]),
        Filled("SELECT %s + 1, current_setting('my.setting')", [1]),
    )
    known = "SELECT count(*) FROM pg_prepared_statements"
    with session() as connection:
        for _each in range(3):
            assert [answer.fetchall() for answer in asked(connection, *both)] == [[("a",)], [(2, "a")]]
        assert connection.execute(known).fetchone() == (2,)
        assert asked(connection, Filled(both[1].text, [3_000_000_000]))[0].fetchall() == [(3_000_000_001, "")]
        assert connection.execute(known).fetchone() == (3,)
        connection.execute("DEALLOCATE ALL")
        assert asked(connection, *both)[1].fetchall() == [(2, "a")]
        assert connection.execute(known).fetchone() == (2,)
        with pytest.raises(psycopg.errors.DivisionByZero):
            asked(connection, Filled("SELECT 1 / %s", [0]))
        assert asked(connection, *both)[1].fetchall() == [(2, "a")]
