"""Twelve processes started at once: every file once, no deadlock, no wreck, whatever stands in between."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.faults.crowd import CONCURRENT, FILES, PATIENCE, at_work, check_outcome, crowd, put_files
from tests.faults.databases import ask, connect
from tests.faults.pgbouncer import pgbouncer
from tests.faults.processes import Place, run
from tests.helpers import put, wait_until

pytestmark = [pytest.mark.processes, pytest.mark.slow]


def test_twelve_at_once_with_concurrent_index_builds(place: Place, folder: Path) -> None:
    put_files(folder, concurrent=True)
    with crowd(place) as jobs:
        ends = [job.end(PATIENCE) for job in jobs]
    assert [end.code for end in ends] == [0] * len(jobs), [end for end in ends if end.code]
    assert sum(f"{FILES} applied." in end.out for end in ends) == 1
    check_outcome(place)


def test_one_of_twelve_is_killed_while_it_builds_an_index(place: Place, folder: Path) -> None:
    """An old snapshot keeps the build waiting, so that it is under way when its process is killed."""
    put_files(folder, concurrent=True)
    building = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'CREATE INDEX CONC%'"
    with connect(place) as old, crowd(place) as jobs:
        old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        wait_until(lambda: ask(place, f"{building} AND wait_event_type = 'Lock'"))
        ((first,),) = ask(place, building)
        victim = at_work(jobs)
        assert victim is not None
        victim.kill()
        wait_until(lambda: not ask(place, "SELECT 1 FROM pg_stat_activity WHERE pid = %s", first))
        old.execute("COMMIT")
        ends = [job.end(PATIENCE) for job in jobs if job is not victim]
        assert victim.end().code == -signal.SIGKILL
    assert [end.code for end in ends] == [0] * len(ends), [end for end in ends if end.code]
    assert ask(place, "SELECT count(*) FROM pg_index WHERE indexrelid::regclass::text ~ '^index_'") == [
        (len(CONCURRENT),)
    ]
    check_outcome(place)


def test_twelve_at_once_through_a_pooler(place: Place, folder: Path) -> None:
    put_files(folder, concurrent=False)
    with pgbouncer(place) as pooled:
        with crowd(pooled) as jobs:
            ends = [job.end(PATIENCE) for job in jobs]
        assert [end.code for end in ends] == [0] * len(jobs), [end for end in ends if end.code]
        assert sum(f"{FILES} applied." in end.out for end in ends) == 1
        check_outcome(place)


def test_one_that_is_killed_behind_a_pooler_holds_nobody_up(place: Place, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE counted (id int); INSERT INTO counted VALUES (1); SELECT pg_sleep(2);"})
    with pgbouncer(place) as pooled:
        with crowd(pooled) as jobs:
            sleeping = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
            wait_until(lambda: ask(place, sleeping))
            victim = at_work(jobs)
            assert victim is not None
            victim.kill()
            ends = [job.end(PATIENCE) for job in jobs if job is not victim]
        assert [end.code for end in ends] == [0] * len(ends), [end for end in ends if end.code]
        assert ask(place, "SELECT id FROM counted") == [(1,)]


def test_a_file_outside_a_transaction_is_refused_behind_a_pooler(place: Place, folder: Path) -> None:
    put(
        folder,
        {
            "001.sql": "CREATE TABLE t (id int);",
            "002.sql": "-- sqlmigrations: transaction off\nCREATE INDEX CONCURRENTLY i ON t (id);",
        },
    )
    with pgbouncer(place) as pooled:
        ran = run(pooled, "applysql")
        assert ran.code == 1, ran
        assert (
            "002.sql: A file with `transaction off` needs a backend of its own, "
            "and this alias goes through a pooler in transaction mode.\n"
            "    What to do: Add an alias to DATABASES that connects to the server directly, "
            "and name it with --database."
        ) in ran.out
        assert ask(place, "SELECT filename, state FROM sqlmigrations_migrationrecord ORDER BY 1") == [
            ("001.sql", "applied"),
            ("002.sql", "failed"),
        ]
    assert run(place, "applysql").code == 0


def test_a_pooler_that_keeps_a_backend_for_each_session_is_as_none(place: Place, folder: Path) -> None:
    put_files(folder, concurrent=True)
    with pgbouncer(place, "session") as pooled:
        ran = run(pooled, "applysql")
        assert (ran.err, ran.code) == ("", 0)
        check_outcome(place)


def test_a_pooler_that_knows_single_statements_only_is_refused(place: Place, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int);"})
    with pgbouncer(place, "statement") as pooled:
        ran = run(pooled, "applysql")
    assert (ran.out, ran.code) == ("", 2)
    assert ran.err.startswith("CommandError: The pooler in between refuses transactions: ")
    assert ran.err.endswith(
        "\n  Name an alias that connects to the server directly, or in pool_mode session or transaction.\n"
    )
    assert ask(place, "SELECT to_regclass('t')") == [(None,)]
