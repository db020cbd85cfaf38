"""What is rehearsed is measured, and nothing of it is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from sqlmigrations.runner.modes import Mode
from sqlmigrations.schema import scratch
from sqlmigrations.service.apply import ApplyOptions
from sqlmigrations.service.rehearse import RehearsalReport, RehearseOptions, Unrehearsable, Where, rehearse
from tests.databases import all_of_pool, pooled, session
from tests.helpers import (
    Settings,
    catalog,
    database_name,
    put,
    rows,
    run_sql,
    started,
    value,
    wait_until,
    wait_until_sessions,
)

SCHEMA = """
    CREATE TABLE users (id int PRIMARY KEY, name text, age int);
    CREATE TABLE orders (id serial PRIMARY KEY, user_id int);
    INSERT INTO users SELECT g, g::text, g FROM generate_series(1, 2000) g;
    INSERT INTO orders (user_id) SELECT g FROM generate_series(1, 10) g;
    ANALYZE;
"""

# An autovacuum of these tables, at work when one looks, is the server's own.
LOCKS = """
    SELECT relation::regclass::text, mode, backend_type
    FROM pg_locks LEFT JOIN pg_stat_activity USING (pid)
    WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND relation IN ('users'::regclass, 'orders'::regclass)
      AND backend_type IS DISTINCT FROM 'autovacuum worker'
"""


@pytest.fixture
def shop(fresh_database: str) -> None:
    """Make a database with two tables and rows in them."""
    run_sql(SCHEMA)


def state() -> list[Any]:
    """Return all that a rehearsal must leave as it was."""
    counts = rows("SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM orders)")
    return [catalog(), counts, rows(LOCKS)]


def measured(report: RehearsalReport) -> list[str]:
    """Return what each file takes and does, as text."""
    found = []
    for each in report.files:
        assert each.run is not None
        assert each.run.error is None, each.run.error
        for statement in each.run.statements:
            locks = " ".join(f"{lock.relation}={lock.mode}" for lock in statement.locks)
            work = " ".join(f"{one.kind}:{one.relation}" for one in statement.work)
            found.append(f"{each.name}:{statement.line} {locks or '-'} {work or '-'}")
    return found


@pytest.mark.parametrize("where", list(Where))
def test_what_is_taken_and_done_is_measured_and_nothing_is_left(shop: None, folder: Path, where: Where) -> None:
    put(
        folder,
        {
            "001.sql": "ALTER TABLE users ADD COLUMN a int;\nALTER TABLE users ALTER age TYPE bigint;\n"
            "CREATE TABLE t (id int PRIMARY KEY);",
            "001.down.sql": "ALTER TABLE users DROP a;\nDROP TABLE t;",
            "002.sql": "CREATE INDEX ON orders (user_id);\nINSERT INTO t VALUES (1);",
            "002.down.sql": "DROP INDEX orders_user_id_idx;",
            "002.verify.sql": "SELECT count(*) = 1 FROM t;",
        },
    )
    before = state()
    report = rehearse(RehearseOptions(where=where))
    assert measured(report) == [
        "001.sql:1 public.users=AccessExclusive -",
        "001.sql:2 - rewrite:users index:users",
        "001.sql:3 - -",
        "002.sql:1 public.orders=Share index:orders",
        "002.sql:2 - -",
    ]
    blocks = [
        (each.name, block.lock.relation, block.whom, block.readers_ms > 0)
        for each in report.files
        if each.run
        for block in each.run.blocks
    ]
    assert blocks == [
        ("001.sql", "public.users", "readers and writers", True),
        ("002.sql", "public.orders", "writers", False),
    ]
    assert report.sizes["public.users"].rows == 2000
    assert [(each.state, each.down is not None, each.again is not None) for each in report.files] == [
        ("ok", True, True),
        ("ok", True, True),
    ]
    assert state() == before


def test_statements_outside_a_transaction_are_watched(shop: None, folder: Path) -> None:
    text = "-- sqlmigrations: transaction off\nCREATE INDEX CONCURRENTLY i ON users (age);\nUPDATE users SET age = 0;"
    put(folder, {"001.sql": text})
    before = state()
    report = rehearse(RehearseOptions(where=Where.DATA))
    ((run,),) = [[each.run for each in report.files]]
    assert run is not None
    assert [statement.is_watched for statement in run.statements] == [True, False]
    assert [work.kind for work in run.statements[0].work] == ["index"]
    assert (run.error, run.blocks, state()) == (None, (), before)


def test_a_session_of_its_own_is_not_in_the_way_of_the_copy(shop: None, folder: Path) -> None:
    """It would still be there for a moment after its end. The one that is open ends for the copy, and comes anew."""
    put(folder, {"001.sql": "SELECT 1;"})
    opened: list[str] = []

    def note(connection: BaseDatabaseWrapper, **_: object) -> None:
        opened.append(connection.settings_dict["NAME"])

    connection_created.connect(note)
    try:
        rehearse(RehearseOptions(where=Where.DATA))
    finally:
        connection_created.disconnect(note)
    assert opened.count(database_name()) == 2


def test_the_server_copies_a_database_that_nobody_else_is_in(shop: None, folder: Path) -> None:
    """INVALID indexes tell the two ways apart: no dump has them. The database's own settings come along."""
    run_sql("CREATE INDEX left_over ON users (age); UPDATE pg_index SET indisvalid = false "
            "WHERE indexrelid = 'left_over'::regclass")  # fmt: skip
    name = value("SELECT current_database()")
    verify = "SELECT count(*) = 1, current_setting('work_mem') = '7MB' FROM pg_index WHERE NOT indisvalid;"
    run_sql(f"ALTER DATABASE \"{name}\" SET work_mem = '7MB'")
    put(folder, {"001.sql": "SELECT 1;", "001.verify.sql": verify})
    before = state()
    wait_until_sessions(0)
    report = rehearse(RehearseOptions(where=Where.DATA))
    assert ([each.state for each in report.files], report.notes) == (["ok"], ())
    with session():
        wait_until_sessions(1)
        report = rehearse(RehearseOptions(where=Where.DATA))
    assert report.notes == ("Copied with pg_dump: 1 other session is in it.",)
    assert [each.state for each in report.files] == ["failed"]
    assert state() == before


def test_pg_dump_copies_where_the_server_has_no_other_database_for_us(
    shop: None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Providers let nobody into the database ``postgres``, or drop it."""
    monkeypatch.setattr(scratch, "OUTSIDE", "sqlm_nowhere")
    put(folder, {"001.sql": "SELECT 1;"})
    report = rehearse(RehearseOptions(where=Where.DATA))
    assert [each.state for each in report.files] == ["ok"]
    (note,) = report.notes
    assert note.startswith("Copied with pg_dump: database sqlm_nowhere can't be reached: connection failed: ")
    assert note.endswith('database "sqlm_nowhere" does not exist.')


def test_a_batched_file_runs_in_batches_here_too(shop: None, folder: Path) -> None:
    """With rows all batches run, and the longest is told; without any, the statement is still read by the server."""
    text = "-- sqlmigrations: batch 300\nUPDATE users SET age = orders.id FROM orders WHERE orders.user_id = users.id;"
    down = "-- sqlmigrations: batch 1999\nUPDATE users SET age = id;"
    put(folder, {"001.sql": text, "001.down.sql": down})
    before = state()
    for where, batches in ((Where.DATA, 7), (Where.SCHEMA, 0)):
        report = rehearse(RehearseOptions(where=where))
        (result,) = report.files
        assert result.run is not None
        assert measured(report) == ["001.sql:2 public.users=RowExclusive public.orders=AccessShare -"]
        assert [statement.batches for statement in result.run.statements] == [batches]
        assert (result.state, result.down is not None, result.again is not None) == ("ok", True, True)
    put(folder, {"001.sql": text.replace("age", "agee")})
    assert [each.state for each in rehearse(RehearseOptions()).files] == ["failed"]
    put(folder, {"001.sql": text.replace("users", "gone")})
    assert [each.state for each in rehearse(RehearseOptions()).files] == ["failed"]
    assert state() == before


def test_orphans_fail_where_the_rows_are_and_not_where_they_are_not(shop: None, folder: Path) -> None:
    put(
        folder,
        {"001.sql": "DELETE FROM users WHERE id < 5;\nALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users;"},
    )
    before = state()
    states = {where: rehearse(RehearseOptions(where=where)).files[0].state for where in Where}
    assert states == {Where.SCHEMA: "ok", Where.DATA: "failed", Where.IN_PLACE: "failed"}
    assert state() == before


def test_a_deferred_constraint_is_checked_at_the_end(shop: None, folder: Path) -> None:
    run_sql("ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users DEFERRABLE INITIALLY DEFERRED")
    put(
        folder,
        {
            "001.sql": "CREATE TABLE t (id int);",
            "001.down.sql": "DROP TABLE t;",
            "002.sql": "INSERT INTO orders (user_id) VALUES (-1);",
            "003.sql": "SELECT 1;",
            "003.down.sql": "SELECT 1;",
        },
    )
    report = rehearse(RehearseOptions(where=Where.IN_PLACE))
    before, first, second = report.files
    assert (before.state, before.down is not None, before.again is not None) == ("ok", True, True)
    assert first.run is not None
    assert first.run.error is not None
    assert first.run.error.sqlstate == "23503"
    assert (second.state, second.down is not None, second.again is not None) == ("ok", True, True)


def test_a_down_script_that_does_not_undo_shows_on_the_second_run(shop: None, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int);\nCREATE TABLE u (id int);", "001.down.sql": "DROP TABLE t;"})
    (result,) = rehearse(RehearseOptions()).files
    assert result.down is not None
    assert result.again is not None
    assert result.again.error is not None
    assert (result.down.error, result.again.error.sqlstate, result.state) == (None, "42P07", "failed")


def test_budgets(shop: None, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE INDEX ON users (age);"})
    within = RehearseOptions(max_block_ms=60_000, max_lock=Mode.Share)
    assert [each.state for each in rehearse(within).files] == ["ok"]
    (over,) = rehearse(RehearseOptions(max_lock=Mode.ShareUpdateExclusive)).files
    assert [each.message for each in over.over] == ["public.users is locked Share, stronger than ShareUpdateExclusive"]
    (over,) = rehearse(RehearseOptions(max_block_ms=0)).files
    assert (over.state, [each.relation for each in over.over]) == ("over", ["public.users"])


def test_in_place_refuses_what_cannot_be_rolled_back(shop: None, folder: Path) -> None:
    put(folder, {"001.sql": "-- sqlmigrations: transaction off\nCREATE INDEX CONCURRENTLY i ON users (age);"})
    with pytest.raises(Unrehearsable, match="can't be rolled back"):
        rehearse(RehearseOptions(where=Where.IN_PLACE))


def test_in_place_looks_on_from_outside_of_a_pool(shop: None, folder: Path) -> None:
    """The session that looks on is never the pool's: there may be no room for it, and its settings would stay there."""
    put(folder, {"001.sql": "CREATE TABLE t (id int);"})
    with pooled(max_size=1):
        (result,) = rehearse(RehearseOptions(where=Where.IN_PLACE)).files
        assert result.state == "ok"
        assert value("SHOW lock_timeout") == "0"
    with pooled(max_size=2):
        rehearse(RehearseOptions(where=Where.IN_PLACE))
        with all_of_pool() as sessions:
            assert [each.execute("SHOW lock_timeout").fetchone() for each in sessions] == [("0",), ("0",)]


def test_in_place_has_timeouts(shop: None, folder: Path, settings: Settings) -> None:
    settings.SQLMIGRATIONS_STATEMENT_TIMEOUT = "100ms"
    put(folder, {"001.sql": "SELECT pg_sleep(30);"})
    (result,) = rehearse(RehearseOptions(where=Where.IN_PLACE)).files
    assert result.run is not None
    assert result.run.error is not None
    assert result.run.error.sqlstate == "57014"


def test_what_reaches_beyond_the_database_is_left_out(shop: None, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE ROLE sqlm_never;\nCREATE TABLE t (id int);"})
    (result,) = rehearse(RehearseOptions()).files
    assert result.run is not None
    assert (result.state, result.run.left_out) == ("ok", ("line 1: CREATE ROLE",))
    assert value("SELECT count(*) FROM pg_roles WHERE rolname = 'sqlm_never'") == 0


def test_proofs_that_spare_the_reading_are_told(shop: None, folder: Path) -> None:
    run_sql("ALTER TABLE users ADD CONSTRAINT c CHECK (name IS NOT NULL)")
    put(folder, {"001.sql": "ALTER TABLE users ALTER name SET NOT NULL;"})
    assert measured(rehearse(RehearseOptions())) == ["001.sql:1 public.users=AccessExclusive proof:users"]


def test_only_what_is_asked_for_is_rehearsed(shop: None, folder: Path) -> None:
    put(folder, {"001.sql": "SELECT 1;", "002.sql": "SELECT 1;"})
    report = rehearse(RehearseOptions(ApplyOptions(names=("002",))))
    assert [(each.name, each.state) for each in report.files] == [("002.sql", "ok")]


@pytest.mark.processes
@pytest.mark.parametrize("flags", [["--with-data"], ["--in-place"]])
def test_a_killed_rehearsal_leaves_nothing(shop: None, folder: Path, flags: list[str]) -> None:
    """A killed one's transaction ends with its backend; its scratch database goes when the next one is made."""
    put(folder, {"001.sql": "ALTER TABLE users ADD COLUMN a int;\nSELECT pg_sleep(60) AS sleeping;"})
    before = state()
    sleeping = "SELECT datname::text FROM pg_stat_activity WHERE query LIKE '%%sleeping;' AND state = 'active'"
    with started(folder, "--rehearse", *flags) as process:
        wait_until(lambda: rows(sleeping))
        ((database,),) = rows(sleeping)
        process.kill()
    put(folder, {"001.sql": "SELECT 1;"})
    wait_until(lambda: not rows(sleeping))
    rehearse(RehearseOptions())
    assert value("SELECT count(*) FROM pg_database WHERE datname = %s AND datname <> current_database()", database) == 0
    assert state() == before
