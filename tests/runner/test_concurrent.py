"""An INVALID index is never taken for success."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg
import pytest

from sqlmigrations.files.statements import Statement
from sqlmigrations.runner.concurrent import created_index
from tests.databases import session
from tests.helpers import Settings, applysql, put, rows, run_sql, states, value, wait_until

OFF = "-- sqlmigrations: transaction off\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (id)", "i"),
        ("create unique index concurrently if not exists i on only t (id)", "i"),
        ("CREATE INDEX CONCURRENTLY i ON app.t (id)", "app.i"),
        ('CREATE INDEX CONCURRENTLY "I x" ON "App"."T y" (id)', '"App"."I x"'),
        ("CREATE INDEX /* why */ CONCURRENTLY -- so\n i\nON t (id)", "i"),
        ("CREATE INDEX CONCURRENTLY ON t (id)", None),
        ("CREATE INDEX i ON t (id)", None),
        ("DROP INDEX CONCURRENTLY i", None),
    ],
)
def test_the_index_that_a_statement_makes(text: str, expected: str | None) -> None:
    assert created_index(Statement(1, text.encode())) == expected


def invalid_indexes() -> list[str]:
    found = rows("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1")
    return [name for (name,) in found]


def leave_invalid(statement: str) -> None:
    """Run a CREATE INDEX CONCURRENTLY that fails and leaves its index INVALID."""
    with pytest.raises(psycopg.errors.UniqueViolation):
        run_sql(statement)
    assert len(invalid_indexes()) == 1


DUPLICATES = "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1);"


def test_a_failed_build_leaves_no_wreck_for_the_next_run(ready_database: str, folder: Path) -> None:
    run_sql(DUPLICATES)
    put(folder, {"001.sql": f"{OFF}CREATE TABLE u (id int);\nCREATE UNIQUE INDEX CONCURRENTLY t_id ON t (id);\n"})
    ran = applysql()
    assert ran.code == 5
    assert '    001.sql:3: could not create unique index "t_id" [23505]\n' in ran.out
    assert (states(), invalid_indexes()) == ({"001.sql": "partial"}, ["t_id"])

    run_sql("DELETE FROM t WHERE ctid = '(0,1)'")
    ran = applysql("-v", "2")
    assert ran.code == 0
    note = "    Note: dropped the INVALID index public.t_id, which an earlier try had left\n"
    assert note in ran.out
    assert (states(), invalid_indexes()) == ({"001.sql": "applied"}, [])


@pytest.mark.parametrize("condition", ["", "IF NOT EXISTS "])
def test_somebody_elses_leftover_is_not_taken_for_success(ready_database: str, folder: Path, condition: str) -> None:
    """With IF NOT EXISTS, PostgreSQL reports success over an INVALID index. Who runs it again wants a new one."""
    run_sql(DUPLICATES)
    leave_invalid("CREATE UNIQUE INDEX CONCURRENTLY t_id ON t (id)")
    run_sql("DELETE FROM t WHERE ctid = '(0,1)'")
    put(folder, {"001.sql": f"{OFF}CREATE UNIQUE INDEX CONCURRENTLY {condition}t_id ON t (id);\n"})
    ran = applysql()
    assert (ran.code, invalid_indexes()) == (5, ["t_id"])
    if condition:
        assert (
            "    001.sql:2: The index public.t_id on t is INVALID: it is not used for any query.\n"
            "    2 | CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_id ON t (id);\n"
            "    What to do: Run it again: the INVALID index is dropped before the retry.\n"
        ) in ran.out
    else:
        assert '    001.sql:2: relation "t_id" already exists [42P07]\n' in ran.out
    assert applysql().code == 0
    assert invalid_indexes() == []
    assert value("SELECT count(*) FROM pg_index WHERE indexrelid = 't_id'::regclass") == 1


def test_a_leftover_without_a_name_of_ours_is_found_by_reindex(ready_database: str, folder: Path) -> None:
    run_sql(DUPLICATES)
    leave_invalid("CREATE UNIQUE INDEX CONCURRENTLY t_id ON t (id)")
    put(folder, {"001.sql": f"{OFF}REINDEX INDEX CONCURRENTLY t_id;\n"})
    ran = applysql()
    assert ran.code == 5
    assert states() == {"001.sql": "partial"}


def test_a_valid_index_of_the_same_name_is_not_touched(ready_database: str, folder: Path) -> None:
    run_sql("CREATE TABLE t (id int); CREATE INDEX t_id ON t (id)")
    before = value("SELECT 't_id'::regclass::oid")
    put(folder, {"001.sql": f"{OFF}CREATE INDEX CONCURRENTLY t_id ON t (id);\n"})
    assert applysql().code != 0
    assert value("SELECT 't_id'::regclass::oid") == before
    put(folder, {"001.sql": f"{OFF}CREATE INDEX CONCURRENTLY IF NOT EXISTS t_id ON t (id);\n"})
    assert applysql().code == 0
    assert value("SELECT 't_id'::regclass::oid") == before


def test_work_in_progress_is_waited_for(ready_database: str, folder: Path) -> None:
    """Another backend builds the same index: it is neither dropped nor taken for a leftover."""
    run_sql("CREATE TABLE t (id int)")
    put(folder, {"001.sql": f"{OFF}CREATE INDEX CONCURRENTLY IF NOT EXISTS t_id ON t (id);\n"})
    with session() as reader, session() as builder:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class")

        def build() -> None:
            builder.execute("CREATE INDEX CONCURRENTLY t_id ON t (id)")

        thread = threading.Thread(target=build)
        thread.start()
        wait_until(lambda: invalid_indexes() == ["t_id"])
        oid = value("SELECT 't_id'::regclass::oid")
        ran = applysql("--lock-wait", "300ms")
        assert ran.code == 1
        assert "    001.sql: The backend with pid <pid> is still building the index t_id.\n" in ran.out
        reader.execute("COMMIT")
        thread.join()
    assert applysql().code == 0
    assert (value("SELECT 't_id'::regclass::oid"), invalid_indexes()) == (oid, [])


def test_an_old_snapshot_is_waited_for_beyond_our_lock_timeout(
    ready_database: str, folder: Path, settings: Settings
) -> None:
    run_sql("CREATE TABLE t (id int)")
    settings.SQLMIGRATIONS_LOCK_TIMEOUT = "50ms"
    put(folder, {"001.sql": f"{OFF}CREATE INDEX CONCURRENTLY t_id ON t (id);\n"})
    with session() as reader:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class")

        def let_go() -> None:
            waiting = (
                "SELECT count(*) FROM pg_stat_progress_create_index "
                "WHERE phase LIKE 'waiting for %%' AND datname = current_database()"
            )
            wait_until(lambda: value(waiting))
            threading.Event().wait(0.3)
            reader.execute("COMMIT")

        thread = threading.Thread(target=let_go)
        thread.start()
        assert applysql().code == 0
        thread.join()
    assert invalid_indexes() == []
