"""What is sent reaches the server as it is written: every character, COPY's data, one statement at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sqlmigrations.exceptions import InvalidFile, Problem
from sqlmigrations.files.splitter import split
from sqlmigrations.files.statements import Statement
from sqlmigrations.runner.failure import StatementFailed
from sqlmigrations.runner.send import GROUP, SMALL, TIMINGS_KEPT, Result, Timings, grouped, send
from tests.databases import session
from tests.helpers import applysql, put, rows, run_sql, value, wait_until


def test_results_come_one_by_one_with_line_and_time(ready_database: str) -> None:
    statements = [Statement(1, b"SELECT 1", line=1), Statement(2, b"SELECT pg_sleep(0.02)", line=5)]
    with session() as connection:
        results = list(send(connection, statements))
    assert [(result.number, result.line) for result in results] == [(1, 1), (2, 5)]
    assert all(result.duration_ms > 0 for result in results)
    assert results[1].duration_ms >= 20


def test_a_statement_is_sent_when_it_is_asked_for(ready_database: str) -> None:
    with session() as connection:
        results = send(connection, (Statement(n, b"CREATE TABLE t%d ()" % n, line=n) for n in (1, 2)))
        next(results)
        assert value("SELECT count(*) FROM pg_class WHERE relname ~ '^t[12]$'") == 1


INSERT = "INSERT INTO t VALUES (1);"


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("", []),
        ("SELECT 1; SELECT 2;", [1, 1]),
        (f"{INSERT} UPDATE t SET a = 1; DELETE FROM t; {INSERT}", [4]),
        (f"SELECT 1; {INSERT}{INSERT} CREATE TABLE u (); {INSERT}", [1, 2, 1, 1]),
        (f"{INSERT}{INSERT}COPY t FROM stdin;\n1\n\\.\n{INSERT}{INSERT}", [2, 1, 2]),
        (f"{INSERT}INSERT INTO t VALUES ('{'x' * SMALL}');{INSERT}{INSERT}", [1, 1, 2]),
        (INSERT * (GROUP // len(INSERT) + 1), [GROUP // len(INSERT), 1]),
    ],
)
def test_what_changes_rows_goes_together(text: str, sizes: list[int]) -> None:
    groups = []
    for group in grouped(split([text.encode()])):
        groups.append(len(group))
        assert len(group) == 1 or all(statement.data is None for statement in group)
    assert groups == sizes


ROWS = "INSERT INTO t VALUES (1, 'é€😀');\n  INSERT INTO t VALUES (2, 'b');\n"


@pytest.mark.parametrize("ahead", [True, False])
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("INSERT INTO t VALUES (1, 'twice');", ("23505", 3, 4)),
        ("INSERT INTO t VALUES (3, nothing);", ("42703", 3, 4)),
        ("INSERT INTO t VALUES (3,, 'b');", ("42601", 3, 4)),
        ("INSERT INTO t VALUES (3, 'c'); UPDATE t SET id = 1 WHERE id = 2; DELETE FROM t;", ("23505", 4, 4)),
        ("INSERT INTO t SELECT 3 / 0, 'c'; DELETE FROM t;", ("22012", 3, 4)),
    ],
)
def test_the_refused_one_of_several_is_named(
    ready_database: str, text: str, place: tuple[str, int, int], ahead: bool
) -> None:
    with session() as connection, connection.transaction():
        connection.execute("CREATE TABLE t (id int PRIMARY KEY, body text)")
        with connection.transaction(force_rollback=True), pytest.raises(StatementFailed) as failed:
            list(send(connection, split([f"\n{ROWS}{text}".encode()]), ahead=ahead))
    error, statement = failed.value.error, failed.value.statement
    assert (error.sqlstate, statement.number, statement.line) == place


def test_line_and_column_of_the_refused_one_of_several(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": f"CREATE TABLE t (id int, body text);\n{ROWS}INSERT INTO t\nVALUES ('😀', 3, nothing);"})
    ran = applysql()
    assert ran.out.splitlines()[2:5] == [
        '    001.sql:5: column "nothing" does not exist [42703]',
        "    5 | VALUES ('😀', 3, nothing);",
        "      | " + " " * len("VALUES ('😀', 3, _") + "^",  # the emoji takes two columns
    ]
    assert ran.code == 1


def test_several_together_share_their_time(ready_database: str) -> None:
    with session() as connection, connection.transaction():
        connection.execute("CREATE TABLE t (id int, body text)")
        results = list(send(connection, split([f"{ROWS}SELECT 1".encode()]), ahead=False))
        assert connection.execute("SELECT id FROM t ORDER BY id").fetchall() == [(1,), (2,)]
    assert [(result.number, result.line) for result in results] == [(1, 1), (2, 2), (3, 3)]
    assert results[0].duration_ms == results[1].duration_ms > 0


# Reading on while the server works on a large statement


def large(number: int, text: str) -> Statement:
    """Return a statement that goes in a message of its own."""
    return Statement(number, f"{text} -- {'x' * SMALL}".encode(), line=number)


def is_at_work(connection: psycopg.Connection[Any]) -> bool:
    state = value("SELECT state FROM pg_stat_activity WHERE pid = %s", connection.info.backend_pid)
    return bool(state == "active")


def test_the_next_statement_is_read_while_the_server_works(ready_database: str) -> None:
    """The first one waits for a lock that is given back once the second one is asked for."""

    def statements() -> Iterator[Statement]:
        yield large(1, "SELECT pg_advisory_xact_lock(1)")
        wait_until(lambda: is_at_work(connection))
        holder.execute("SELECT pg_advisory_unlock(1)")
        yield large(2, "SELECT 2")

    with session() as holder, session(options="-c lock_timeout=30s") as connection, connection.transaction():
        holder.execute("SELECT pg_advisory_lock(1)")
        assert [result.number for result in send(connection, statements())] == [1, 2]


def test_behind_a_huge_statement_the_next_one_is_read_later(
    ready_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory has room for one such."""
    monkeypatch.setattr("sqlmigrations.runner.send.AT_ONCE", SMALL)
    was_at_work = []

    def statements() -> Iterator[Statement]:
        yield large(1, "SELECT pg_sleep(0.5)")
        was_at_work.append(is_at_work(connection))
        yield large(2, "SELECT 2")

    with session() as connection, connection.transaction():
        assert [result.number for result in send(connection, statements())] == [1, 2]
    assert was_at_work == [False]


def test_what_cant_be_read_is_told_behind_what_has_run(ready_database: str) -> None:
    def statements() -> Iterator[Statement]:
        yield large(1, "CREATE TABLE t ()")
        raise InvalidFile(Problem("unterminated quote", "001.sql", 2))

    with session() as connection, connection.transaction(force_rollback=True):
        results = send(connection, statements())
        assert next(results).number == 1
        with pytest.raises(InvalidFile, match="unterminated quote"):
            next(results)
        assert connection.execute("SELECT to_regclass('t')::text").fetchall() == [("t",)]


def test_an_error_is_told_before_what_cant_be_read_behind_it(ready_database: str) -> None:
    def statements() -> Iterator[Statement]:
        yield large(1, "SELECT 1 / 0")
        raise InvalidFile(Problem("unterminated quote", "001.sql", 2))

    with session() as connection, connection.transaction(force_rollback=True):
        with pytest.raises(StatementFailed) as failed:
            list(send(connection, statements()))
        assert isinstance(failed.value.__cause__, psycopg.errors.DivisionByZero)


def test_an_interrupt_while_the_next_one_is_read_cancels_what_runs(ready_database: str) -> None:
    def statements() -> Iterator[Statement]:
        yield large(1, "SELECT pg_sleep(600)")
        raise KeyboardInterrupt

    with session() as connection:
        with connection.transaction(force_rollback=True), pytest.raises(KeyboardInterrupt):
            list(send(connection, statements()))
        assert connection.execute("SELECT 1").fetchall() == [(1,)]


# Outside a transaction


def test_outside_a_transaction_each_goes_alone(ready_database: str) -> None:
    """Together they would be one transaction, and the first would be gone with the second."""
    run_sql("CREATE TABLE t (id int PRIMARY KEY, body text)")
    with session() as connection, pytest.raises(StatementFailed):
        list(send(connection, split([f"{ROWS}INSERT INTO t VALUES (1, 'twice');".encode()])))
    assert rows("SELECT id FROM t ORDER BY id") == [(1,), (2,)]


def test_the_slowest_timings_are_kept_in_the_order_of_the_file() -> None:
    timings = Timings()
    count = TIMINGS_KEPT + 500
    for number in range(1, count + 1):
        timings.add(Result(number, number * 2, float(number % 7)))
    kept = timings.as_json()
    assert (timings.count, len(kept)) == (count, TIMINGS_KEPT)
    assert [timing["number"] for timing in kept] == sorted(timing["number"] for timing in kept)
    left_out = count - TIMINGS_KEPT
    assert sorted(timing["duration_ms"] for timing in kept) == sorted(n % 7 for n in range(1, count + 1))[left_out:]


def test_every_statement_has_its_time_on_record(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int);\n\nSELECT 1; SELECT\n2;\n-- end"})
    assert applysql().code == 0
    timings = value("SELECT timings FROM sqlmigrations_migrationevent WHERE type = 'applied'")
    assert [(timing["number"], timing["line"]) for timing in timings] == [(1, 1), (2, 3), (3, 3)]


def test_notices_are_on_record(ready_database: str, folder: Path) -> None:
    raises = "RAISE NOTICE 'hello %', 1; RAISE WARNING 'careful'; RAISE INFO 'é€😀';"
    put(folder, {"001.sql": f"DROP TABLE IF EXISTS none; DO $$ BEGIN {raises} END $$;"})
    assert applysql().code == 0
    assert value("SELECT notices FROM sqlmigrations_migrationevent WHERE type = 'applied'") == [
        'NOTICE: table "none" does not exist, skipping',
        "NOTICE: hello 1",
        "WARNING: careful",
        "INFO: é€😀",
    ]


def test_notices_without_end_are_cut(ready_database: str, folder: Path) -> None:
    loop = "FOR i IN 1..2000 LOOP RAISE NOTICE '%', repeat('x', 9000); END LOOP;"
    put(folder, {"001.sql": f"DO $$ BEGIN {loop} END $$;"})
    assert applysql().code == 0
    notices = value("SELECT notices FROM sqlmigrations_migrationevent WHERE type = 'applied'")
    assert [len(notice) for notice in notices] == [500] * 50


@pytest.mark.parametrize("text", ["100%", "%s %(x)s %% %", ":x ? {}", "it''s", "é€😀", "back\\slash", "$1 $$ $"])
def test_characters_are_just_characters(ready_database: str, folder: Path, text: str) -> None:
    put(folder, {"001.sql": f"CREATE TABLE t AS SELECT '{text}' AS text; SELECT 'a%b' LIKE 'a%';"})
    assert applysql().code == 0
    assert value("SELECT text FROM t") == text.replace("''", "'")


COPY = """\
CREATE TABLE t (id int, body text);
COPY t (id, body) FROM stdin;
1\tit's; -- no comment
2\t\\N
3\té€😀 \\\\. $$ /* "
\\.
COPY t FROM STDIN WITH (FORMAT csv, HEADER);
id,body
4,"with, comma
and line"
\\.
COPY t FROM stdin;
\\.
INSERT INTO t VALUES (5, 'after');
"""


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_copy_with_its_data(ready_database: str, folder: Path, line_end: str) -> None:
    put(folder, {"001.sql": COPY.replace("\n", line_end)})
    ran = applysql()
    assert (ran.out.splitlines()[1], ran.code) == ("  Applying 001.sql... OK (<time>, 5 statements)", 0)
    assert rows("SELECT id, replace(body, chr(13), '') FROM t ORDER BY id") == [
        (1, "it's; -- no comment"),
        (2, None),
        (3, 'é€😀 \\. $$ /* "'),
        (4, "with, comma\nand line"),
        (5, "after"),
    ]


def test_a_large_copy_streams(ready_database: str, folder: Path) -> None:
    lines = b"".join(b"%d\t%s\n" % (number, b"x" * 90) for number in range(20_000))
    put(folder, {"001.sql": b"CREATE TABLE t (id int, body text);\nCOPY t FROM stdin;\n" + lines + b"\\.\nSELECT 1;\n"})
    assert applysql().code == 0
    assert rows("SELECT count(*), sum(id) FROM t") == [(20_000, 199_990_000)]
