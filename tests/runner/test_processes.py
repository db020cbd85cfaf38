"""Real processes: killed, interrupted, waiting for each other, many at once."""

from __future__ import annotations

import contextlib
import json
import signal
from pathlib import Path

import pytest

from sqlmigrations.history import Tables, verify_chain
from tests.databases import session
from tests.helpers import Ran, applysql, events, put, rows, run_sql, started, states, tables, value, wait_until

pytestmark = pytest.mark.processes

OFF = "-- sqlmigrations: transaction off\n"

#: 200 statements, each of which counts itself; in the middle one that waits while the table ``slow`` has a row.
STATEMENTS = [f"INSERT INTO counted VALUES ({number});" for number in range(1, 199)]
TWO_HUNDRED = "\n".join(
    ["CREATE TABLE counted (number int);", *STATEMENTS[:99], "SELECT pg_sleep(600) FROM slow;", *STATEMENTS[99:]]
)


@pytest.fixture
def slow(fresh_database: str) -> str:
    """A database in which ``SELECT pg_sleep(600) FROM slow`` takes its time, until ``go_on``."""
    run_sql("CREATE TABLE slow (id int); INSERT INTO slow VALUES (1)")
    return fresh_database


def go_on() -> None:
    run_sql("DELETE FROM slow")


def is_sleeping() -> bool:
    return bool(
        value(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(600)%%' AND state = 'active' "
            "AND pid <> pg_backend_pid() AND datname = current_database()"
        )
    )


def advisory_locks() -> int:
    return int(
        value(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    )


def chain_is_intact() -> bool:
    with session() as connection:
        return verify_chain(connection, Tables("public")).is_intact


# kill -9


def test_a_killed_run_leaves_nothing_of_a_transactional_file(slow: str, folder: Path) -> None:
    put(folder, {"001.sql": TWO_HUNDRED})
    with started(folder) as process:
        wait_until(is_sleeping)
        process.kill()
    # The next one comes while the old backend may still be at work: it waits for that, and applies the file once.
    go_on()
    ran = applysql()
    assert ran.code == 0
    assert "  Applying 001.sql..." in ran.out
    assert rows("SELECT count(*), count(DISTINCT number) FROM counted") == [(198, 198)]
    assert states() == {"001.sql": "applied"}
    assert events() == [("started", "001.sql"), ("started", "001.sql"), ("applied", "001.sql")]
    assert chain_is_intact()


def test_the_backend_of_a_killed_run_ends_soon(slow: str, folder: Path) -> None:
    """``client_connection_check_interval``: its statement would otherwise go on for ten minutes, with its locks."""
    put(folder, {"001.sql": TWO_HUNDRED})
    with started(folder) as process:
        wait_until(is_sleeping)
        process.kill()
    wait_until(lambda: not is_sleeping() and not advisory_locks())
    assert tables() == ["slow"]


def test_a_killed_run_resumes_a_file_outside_a_transaction(slow: str, folder: Path) -> None:
    put(folder, {"001.sql": OFF + TWO_HUNDRED})
    with started(folder) as process:
        wait_until(is_sleeping)
        process.kill()
    assert rows("SELECT state, statements_done, statements_total FROM sqlmigrations_migrationrecord") == [
        ("partial", 100, 200)
    ]
    go_on()
    ran = applysql()
    assert ran.code == 0
    assert "  Resuming 001.sql..." in ran.out
    assert rows("SELECT count(*), count(DISTINCT number) FROM counted") == [(198, 198)]
    assert states() == {"001.sql": "applied"}
    assert events() == [("started", "001.sql"), ("resumed", "001.sql"), ("applied", "001.sql")]
    assert chain_is_intact()


def test_a_run_killed_again_and_again_runs_each_statement_once(slow: str, folder: Path) -> None:
    sleep = "SELECT pg_sleep(600) FROM slow WHERE id = {};"
    blocks = [f"INSERT INTO counted VALUES ({n});\n{sleep.format(n)}" for n in range(1, 5)]
    put(folder, {"001.sql": f"{OFF}CREATE TABLE counted (number int);\n" + "\n".join(blocks)})
    for number in range(1, 5):
        run_sql(f"DELETE FROM slow; INSERT INTO slow VALUES ({number})")
        with started(folder) as process:
            wait_until(is_sleeping)
            process.kill()
        wait_until(lambda: not is_sleeping())
    go_on()
    assert applysql().code == 0
    assert rows("SELECT number FROM counted ORDER BY number") == [(n,) for n in range(1, 5)]
    assert chain_is_intact()


def test_a_run_killed_while_it_builds_an_index_concurrently(fresh_database: str, folder: Path) -> None:
    run_sql("CREATE TABLE t (id int)")
    put(folder, {"001.sql": f"{OFF}CREATE TABLE u (id int);\nCREATE INDEX CONCURRENTLY t_id ON t (id);\nSELECT 1;"})
    invalid = "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('t_id') AND NOT indisvalid"
    with session() as reader:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class")
        with started(folder) as process:
            wait_until(lambda: value(invalid))
            process.kill()
        wait_until(
            lambda: not value("SELECT count(*) FROM pg_stat_progress_create_index WHERE datname = current_database()")
        )
        reader.execute("COMMIT")
    assert value(invalid) == 1
    ran = applysql("-v", "2")
    assert ran.code == 0
    assert "    Note: dropped the INVALID index public.t_id, which an earlier try had left\n" in ran.out
    assert rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_id'::regclass") == [(True,)]
    assert states() == {"001.sql": "applied"}


# Signals


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "Interrupted"), (signal.SIGTERM, 143, "Terminated")]
)
def test_a_signal_cancels_rolls_back_records_and_lets_go(
    slow: str, folder: Path, number: signal.Signals, code: int, word: str
) -> None:
    put(folder, {"000.sql": "SELECT 1;", "001.sql": TWO_HUNDRED, "002.sql": "CREATE TABLE never (id int);"})
    with started(folder) as process:
        wait_until(is_sleeping)
        ran = process.signal(number)
    assert ran == Ran(
        "Running SQL files:\n  Applying 000.sql... OK (<time>, 1 statement)\n  Applying 001.sql...\n",
        f"\n{word}: the statement in work was cancelled and rolled back.\n",
        code,
    )
    assert (is_sleeping(), advisory_locks()) == (False, 0)
    assert (tables(), states()) == (["slow"], {"000.sql": "applied", "001.sql": "failed"})
    assert rows("SELECT error_message FROM sqlmigrations_migrationrecord WHERE filename = '001.sql'") == [
        ("Interrupted: rolled back, nothing of it is left.",)
    ]
    assert events()[2:] == [("started", "001.sql"), ("failed", "001.sql")]
    go_on()
    assert applysql().code == 0
    assert value("SELECT count(*) FROM counted") == 198
    assert chain_is_intact()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_a_file_outside_a_transaction_half_way(
    slow: str, folder: Path, number: signal.Signals, code: int
) -> None:
    put(folder, {"001.sql": OFF + TWO_HUNDRED})
    with started(folder) as process:
        wait_until(is_sleeping)
        assert process.signal(number).code == code
    assert (is_sleeping(), advisory_locks()) == (False, 0)
    assert rows("SELECT state, statements_done FROM sqlmigrations_migrationrecord") == [("partial", 100)]
    go_on()
    assert applysql().code == 0
    assert rows("SELECT count(*), count(DISTINCT number) FROM counted") == [(198, 198)]
    assert chain_is_intact()


def test_a_signal_during_copy(fresh_database: str, folder: Path) -> None:
    run_sql("CREATE TABLE t (id int)")
    put(folder, {"001.sql": "CREATE TABLE u (id int);\nCOPY t FROM stdin;\n" + "1\n" * 10 + "\\.\n"})
    with session() as blocker:
        blocker.execute("BEGIN; LOCK TABLE t")
        with started(folder, SQL_LOCK_TIMEOUT="10min") as process:
            wait_until(lambda: value("SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass AND NOT granted"))
            ran = process.signal(signal.SIGINT)
    assert ran.code == 130
    assert (tables(), states()) == (["t"], {"001.sql": "failed"})


def test_a_signal_while_it_waits_for_another_run(slow: str, folder: Path) -> None:
    put(folder, {"001.sql": TWO_HUNDRED})
    with started(folder) as first:
        wait_until(is_sleeping)
        with started(folder, "--lock-wait", "10min") as second:
            assert second.line().startswith("Waiting for pid <pid> (role ")
            assert second.signal(signal.SIGTERM).code == 143
        assert is_sleeping()
        first.signal(signal.SIGINT)
    assert states() == {"001.sql": "failed"}


def test_a_signal_where_a_document_is_expected(slow: str, folder: Path) -> None:
    put(folder, {"001.sql": TWO_HUNDRED})
    with started(folder, "--format", "json") as process:
        wait_until(is_sleeping)
        ran = process.signal(signal.SIGTERM)
    assert ran.code == 143
    assert json.loads(ran.out) == {
        "schema_version": 1,
        "command": "applysql",
        "database": "default",
        "error": {
            "message": "Terminated: the statement in work was cancelled and rolled back.",
            "hint": "",
            "problems": [],
        },
    }


def test_a_run_goes_on_when_nobody_reads_its_words_any_more(fresh_database: str, folder: Path) -> None:
    """As in ``applysql | head -1``."""
    run_sql("CREATE TABLE gate (id int)")
    put(folder, {"001.sql": "LOCK TABLE gate;", "002.sql": "CREATE TABLE two (id int);", "003.sql": "SELECT 1/0;"})
    with session() as keeper:
        keeper.execute("BEGIN; LOCK TABLE gate")
        with started(folder, SQL_LOCK_TIMEOUT="10min") as process:
            assert process.line() == "Running SQL files:\n"
            assert process.popen.stdout is not None
            process.popen.stdout.close()
            process.popen.stdout = None
            keeper.execute("COMMIT")
            ran = process.end()
    assert (ran.code, "BrokenPipe" in ran.err) == (1, False)
    assert states() == {"001.sql": "applied", "002.sql": "applied", "003.sql": "failed"}


def test_words_that_nobody_reads_at_all(fresh_database: str, folder: Path) -> None:
    """As in ``applysql --list | true``."""
    put(folder, {f"{number:03}.sql": "SELECT 1;" for number in range(1, 4)})
    with started(folder, "--list") as process:
        assert process.popen.stdout is not None
        process.popen.stdout.close()
        process.popen.stdout = None
        assert process.end() == Ran("", "", 0)


# Several at once


def test_a_second_run_waits_names_the_first_and_finds_all_done(slow: str, folder: Path) -> None:
    """A waiting run must not hold a snapshot: the first one builds an index concurrently meanwhile."""
    put(
        folder,
        {
            "001.sql": f"{OFF}CREATE TABLE t (id int);\nSELECT pg_sleep(600) FROM slow WHERE id = 1;\n"
            "CREATE INDEX CONCURRENTLY t_id ON t (id);\n"
        },
    )
    with started(folder) as first:
        wait_until(is_sleeping)
        with started(folder) as second:
            assert second.line().startswith("Waiting for pid <pid> (role ")
            go_on()
            run_sql(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity "
                "WHERE query LIKE 'SELECT pg_sleep%' AND datname = current_database()"
            )
            assert first.end().code == 5
            ran = second.end()
    assert ran.code == 0
    assert ran.out.splitlines()[:2] == ["Running SQL files:", "  Resuming 001.sql... OK (<time>, 3 statements)"]
    assert rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_id'::regclass") == [(True,)]


def test_a_second_run_gives_up_after_its_wait(slow: str, folder: Path) -> None:
    put(folder, {"001.sql": TWO_HUNDRED})
    with started(folder) as first:
        wait_until(is_sleeping)
        with started(folder, "--lock-wait", "300ms", "--format", "json") as second:
            ran = second.end()
        first.kill()
    assert ran.code == 3
    assert "Another run holds the lock: pid <pid> (role " in ran.err
    assert '"message": "Another run holds the lock: pid <pid> (role ' in ran.out


def test_a_second_run_does_not_disturb_an_index_build(fresh_database: str, folder: Path) -> None:
    run_sql("CREATE TABLE t (id int)")
    put(folder, {"001.sql": f"{OFF}CREATE INDEX CONCURRENTLY t_id ON t (id);\n"})
    with session() as reader:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class")
        with started(folder) as first:
            wait_until(
                lambda: value("SELECT count(*) FROM pg_stat_progress_create_index WHERE datname = current_database()")
            )
            with started(folder) as second:
                assert second.line().startswith("Waiting for pid <pid> (role ")
                reader.execute("COMMIT")
                assert first.end().code == 0
                assert second.end().code == 0
    assert rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_id'::regclass") == [(True,)]


def test_eight_at_once_apply_each_file_once(fresh_database: str, folder: Path) -> None:
    """On an empty database: also the history's tables are made by one of them alone."""
    run_sql("CREATE TABLE counted (name text)")
    put(
        folder,
        {f"00{n}.sql": f"CREATE TABLE t{n} (id int); INSERT INTO counted VALUES ('00{n}.sql');" for n in range(9)},
    )
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(started(folder)) for _ in range(8)]
        answers = [process.end() for process in processes]
    assert [(answer.code, answer.err) for answer in answers] == [(0, "")] * 8
    assert rows("SELECT name FROM counted ORDER BY name") == [(f"00{n}.sql",) for n in range(9)]
    assert events() == [(type, f"00{n}.sql") for n in range(9) for type in ("started", "applied")]
    assert len([answer for answer in answers if "up to date" in answer.out]) == 7
    assert chain_is_intact()
