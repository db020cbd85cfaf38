"""What was measured on PostgreSQL and breaks other tools, each as a test that is named after it.

E1 to E15 are experiments on a plain server: what advisory locks, concurrent builds, session settings, transaction
commands in files, checksums and statement splitters really do. Here each of them ends well.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connections

from sqlmigrations.files.splitter import split
from tests.databases import session
from tests.faults.databases import address, server_under_test
from tests.faults.proxy import Moment, Proxy, Step
from tests.helpers import Settings, applysql, put, role, rows, run_sql, started, states, tables, value, wait_until

OFF = "-- sqlmigrations: transaction off\n"
CONCURRENTLY = {"001.sql": f"{OFF}CREATE INDEX CONCURRENTLY i ON t (id);"}
INDEX_IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass"


@contextmanager
def old_snapshot(statement: str = "SELECT 1") -> Iterator[psycopg.Connection[object]]:
    """Hold a snapshot, for which a concurrent build has to wait."""
    with session(application_name="a long report") as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        connection.execute(statement.encode())
        yield connection


def meanwhile(action: Callable[[], object]) -> threading.Thread:
    """Do something while the test goes on."""
    thread = threading.Thread(target=action)
    thread.start()
    return thread


def builds() -> list[tuple[object, ...]]:
    return rows(
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'CREATE INDEX CONC%'"
        " AND datname = current_database()"
    )


@pytest.mark.processes
def test_e1_e2_a_run_that_waits_for_the_lock_holds_no_snapshot_and_deadlocks_nobody(
    ready_database: str, folder: Path
) -> None:
    """A session that waits inside ``pg_advisory_lock()`` deadlocks the concurrent build of the one that holds it."""
    run_sql("CREATE TABLE t (id int)")
    put(folder, CONCURRENTLY)
    with old_snapshot() as old, started(folder) as first:
        wait_until(builds)
        with started(folder) as second:
            wait_until(
                lambda: (
                    rows(
                        "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%%hold an advisory lock%%' AND state = 'idle'"
                        " AND application_name = 'sqlmigrations' AND datname = current_database()"
                    )
                    and value(
                        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sqlmigrations'"
                        " AND datname = current_database()"
                    )
                    == 2
                )
            )
            old.execute("COMMIT")
            assert (first.end().code, second.end().code) == (0, 0)
    assert value(INDEX_IS_VALID) is True
    assert rows("SELECT 1 FROM sqlmigrations_migrationevent WHERE sqlstate <> ''") == []


def test_e3_our_own_second_connection_is_in_nobodys_way(ready_database: str, folder: Path) -> None:
    """It writes events and is then idle, outside any transaction: a build that waited for it would wait for ever."""
    run_sql("CREATE TABLE t (id int)")
    put(folder, {"001.sql": "INSERT INTO t VALUES (1);", "002.sql": CONCURRENTLY["001.sql"]})
    assert applysql().code == 0
    assert value(INDEX_IS_VALID) is True


@pytest.mark.parametrize(
    "setting", ["default_transaction_isolation = 'repeatable read'", "default_transaction_isolation = 'serializable'"]
)
def test_e3b_a_stricter_isolation_by_default_does_not_hang_a_build(
    ready_database: str, folder: Path, setting: str
) -> None:
    """A second connection in an open REPEATABLE READ transaction would keep its snapshot, and the build waiting."""
    run_sql(f'CREATE TABLE t (id int); ALTER DATABASE "{ready_database}" SET {setting}')
    connections["default"].close()
    put(folder, CONCURRENTLY)
    assert applysql().code == 0
    assert value(INDEX_IS_VALID) is True


def test_e3f_no_cursor_stays_open_while_a_file_runs(ready_database: str, folder: Path) -> None:
    """An open server-side cursor keeps a snapshot: neither of a run's connections has one."""
    looks = (
        "CREATE TABLE seen AS SELECT application_name, backend_xmin IS NOT NULL AS holds, state FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    put(folder, {"001.sql": f"SELECT pg_sleep(0.5);\n{looks}"})  # the event of its beginning is written meanwhile
    assert applysql().code == 0
    assert rows("SELECT * FROM seen") == [("sqlmigrations", False, "idle")]


def test_e4_an_invalid_index_is_never_taken_for_success(ready_database: str, folder: Path) -> None:
    """Cut short by a lock timeout, the build leaves an INVALID index, over which IF NOT EXISTS reports success."""
    run_sql("CREATE TABLE t (id int); CREATE TABLE elsewhere (id int)")
    statement = "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (id);"
    put(folder, {"001.sql": f"{OFF}-- sqlmigrations: lock_timeout 100ms\n{statement}"})
    with old_snapshot("SELECT * FROM elsewhere"):
        ran = applysql()
        assert ran.code == 5
        assert "[55P03]" in ran.out
        assert value(INDEX_IS_VALID) is False
    assert applysql().code == 0
    assert value(INDEX_IS_VALID) is True


def test_e4_a_build_is_not_cut_short_by_our_own_lock_timeout(
    ready_database: str, folder: Path, settings: Settings
) -> None:
    settings.SQLMIGRATIONS_LOCK_TIMEOUT = "50ms"
    run_sql("CREATE TABLE t (id int); CREATE TABLE elsewhere (id int)")
    put(folder, CONCURRENTLY)
    with old_snapshot("SELECT * FROM elsewhere") as old:

        def let_go() -> None:
            wait_until(builds)
            threading.Event().wait(0.3)
            old.execute("COMMIT")

        thread = meanwhile(let_go)
        assert applysql().code == 0
        thread.join()
    assert value(INDEX_IS_VALID) is True


def test_e5_statements_are_sent_one_by_one(ready_database: str, folder: Path) -> None:
    """Two in one message are a transaction block of the server's own, in which none of these can run."""
    run_sql("CREATE TABLE t (id int); CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$")
    put(folder, {"001.sql": f"{OFF}CREATE INDEX CONCURRENTLY i ON t (id);\nVACUUM t;\nCALL p();\nSELECT 1;"})
    assert applysql().code == 0
    assert value(INDEX_IS_VALID) is True


@pytest.mark.parametrize("word", ["COMMIT", "ROLLBACK", "COMMIT; BEGIN", "END", "ABORT", "PREPARE TRANSACTION 'x'"])
def test_e6_a_file_cannot_end_its_transaction(ready_database: str, folder: Path, word: str) -> None:
    """Its first half would stay though the second fails, or be recorded though nothing of it is there."""
    put(folder, {"001.sql": f"CREATE TABLE r1 (id int);\n{word};\nSELECT 1/0;"})
    ran = applysql()
    assert (ran.out, ran.code) == ("", 2)
    assert "001.sql:2: " in ran.err
    assert value("SELECT to_regclass('r1')") is None


def test_e6b_a_file_that_undoes_itself_is_not_recorded(ready_database: str, folder: Path) -> None:
    """A procedure that commits or rolls back ends no transaction of ours: it fails, and so does the file."""
    run_sql("CREATE PROCEDURE undo() LANGUAGE plpgsql AS $$ BEGIN ROLLBACK; END $$")
    put(folder, {"001.sql": "CREATE TABLE r1 (id int);\nCALL undo();"})
    ran = applysql()
    assert ("001.sql:2: " in ran.out, "[2D000]" in ran.out, ran.code) == (True, True, 1)
    assert (value("SELECT to_regclass('r1')"), states()) == (None, {"001.sql": "failed"})


def test_e7_the_preamble_of_a_dump_does_not_hide_the_history(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "SELECT pg_catalog.set_config('search_path', '', false);\nCREATE TABLE public.t (id int);"})
    assert applysql().code == 0
    assert (states(), tables()) == ({"001.sql": "applied"}, ["t"])


def test_e8_what_a_file_sets_does_not_leak_into_the_next(ready_database: str, folder: Path) -> None:
    look = "INSERT INTO seen SELECT current_setting('lock_timeout'), current_user = session_user;"
    with role() as other:
        run_sql("CREATE TABLE seen (lock_timeout text, is_itself boolean)")
        put(folder, {"001.sql": f"SET lock_timeout = '77s'; SET ROLE {other};", "002.sql": look})
        assert applysql().code == 0
        assert rows("SELECT * FROM seen") == [("3s", True)]


def test_e9_a_deferred_constraint_names_the_file(ready_database: str, folder: Path) -> None:
    """PostgreSQL reports it at COMMIT, which belongs to no statement; it is checked before the record is written."""
    put(
        folder,
        {
            "001.sql": "CREATE TABLE a (id int PRIMARY KEY); "
            "CREATE TABLE b (a int REFERENCES a DEFERRABLE INITIALLY DEFERRED);",
            "002.sql": "INSERT INTO b VALUES (7);\nSELECT 1;",
        },
    )
    ran = applysql()
    assert ran.code == 1
    assert '    002.sql: insert or update on table "b" violates foreign key constraint' in ran.out
    assert '    DETAIL: Key (a)=(7) is not present in table "a".' in ran.out
    assert (states(), rows("SELECT * FROM b")) == ({"001.sql": "applied", "002.sql": "failed"}, [])


def test_e10_a_line_break_more_or_less_is_a_change(ready_database: str, folder: Path) -> None:
    """A checksum over lines without their ends takes a statement that became part of a comment for the same."""
    run_sql("CREATE TABLE audit (id int)")
    put(folder, {"001.sql": "-- cleanup \nDROP TABLE audit;"})
    assert applysql().code == 0
    put(folder, {"001.sql": "-- cleanup DROP TABLE audit;"})
    ran = applysql("--check")
    assert (ran.out, ran.code) == ("Changed: 001.sql: its text changed after it was applied\n", 4)


@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.ANSWERED])
def test_e11_an_unknown_commit_is_settled(ready_database: str, folder: Path, moment: Moment) -> None:
    """The connection is lost around COMMIT: whether it happened is found out, and the file is there just once."""
    put(folder, {"001.sql": "CREATE TABLE counted (id int);"})
    assert applysql().code == 0
    put(folder, {"002.sql": "INSERT INTO counted VALUES (2);"})
    given = connections["default"].settings_dict
    kept = {name: given[name] for name in ("HOST", "PORT")}
    inserted = threading.Event()

    def hook(now: Moment, step: Step) -> None:
        if step.link.role != "working":
            return
        if "INSERT INTO counted" in step.text:
            inserted.set()
        if inserted.is_set() and step.text.endswith("; COMMIT") and now is moment:
            inserted.clear()
            step.link.cut()

    with Proxy(address(server_under_test()), hook) as proxy:
        connections["default"].close()
        given.update(HOST="127.0.0.1", PORT=str(proxy.port))
        try:
            ran = applysql()
        finally:
            connections["default"].close()
            given.update(kept)
    assert not inserted.is_set()
    if moment is Moment.ANSWERED:
        assert (ran.code, states()["002.sql"], rows("SELECT id FROM counted")) == (0, "applied", [(2,)])
    else:
        assert (ran.code, states()["002.sql"], rows("SELECT id FROM counted")) == (1, "failed", [])
    assert applysql().code == 0
    assert rows("SELECT id FROM counted") == [(2,)]


def test_e12_copy_from_stdin_leaves_the_connection_free(ready_database: str, folder: Path) -> None:
    """Sent as an ordinary statement it would leave the connection busy."""
    put(folder, {"001.sql": "CREATE TABLE t (id int);\nCOPY t FROM stdin;\n1\n2\n\\.\nINSERT INTO t VALUES (3);"})
    assert applysql().code == 0
    assert rows("SELECT id FROM t ORDER BY 1") == [(1,), (2,), (3,)]
    put(folder, {"002.sql": "COPY t FROM stdin;\nx\n\\.\n", "003.sql": "CREATE TABLE u (id int);"})
    assert applysql().code == 1
    assert states() == {"001.sql": "applied", "002.sql": "failed", "003.sql": "applied"}


def test_e13_an_error_is_shown_at_its_character(ready_database: str, folder: Path) -> None:
    """PostgreSQL counts characters of what was sent, neither bytes nor UTF-16 units, and from the statement's start."""
    put(folder, {"001.sql": "SELECT 'é€😀';\nSELECT 'é€😀' AS ok,\n  'é€😀', nothing;"})
    ran = applysql()
    assert ran.code == 1
    assert (
        "    001.sql:3: column \"nothing\" does not exist [42703]\n    3 |   'é€😀', nothing;\n      |           ^\n"
    ) in ran.out
    assert value("SELECT details ->> 'column' FROM sqlmigrations_migrationevent WHERE type = 'failed'") == "10"


def test_e13_an_error_inside_do_is_shown_at_its_line(ready_database: str, folder: Path) -> None:
    """There is only a context there: ``PL/pgSQL function inline_code_block line 3``."""
    put(folder, {"001.sql": "SELECT 1;\nDO $$\nBEGIN\n  PERFORM nothing;\nEND $$;"})
    ran = applysql()
    assert (ran.code, '    001.sql:4: column "nothing" does not exist [42703]\n' in ran.out) == (1, True)


def test_e14_what_splitters_get_wrong() -> None:
    texts = [
        b"COPY t FROM stdin;\n1;2\n'\n\\.\n",
        b"/* /* nested; */ ; */ SELECT 1;",
        b"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;",
        b"SELECT $func$ ; $$ ; $func$;",
        b"SELECT E'\\';';",
    ]
    found = []
    for statement in split([b"\n".join(texts)]):
        for _block in statement.data or ():
            pass
        found.append(statement.sql)
    assert found == [
        b"COPY t FROM stdin;",
        b"SELECT 1;",
        b"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;",
        b"SELECT $func$ ; $$ ; $func$;",
        b"SELECT E'\\';';",
    ]


def test_e15_a_new_enum_value_needs_a_transaction_of_its_own(ready_database: str, folder: Path) -> None:
    run_sql("CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE t (mood mood)")
    add, use = "ALTER TYPE mood ADD VALUE 'happy';\n", "INSERT INTO t VALUES ('happy');\n"
    put(folder, {"001.sql": add + use})
    ran = applysql()
    assert ("001.sql:2: " in ran.out, "[55P04]" in ran.out, "What to do: " in ran.out, ran.code) == (
        True,
        True,
        True,
        1,
    )
    put(folder, {"001.sql": f"{OFF}{add}{use}"})
    assert applysql().code == 0
    assert rows("SELECT mood FROM t") == [("happy",)]
