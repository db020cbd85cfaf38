"""The history keeps which locks each file really took on what was there before it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pytest_django import Settings

from sqlmigrations.database import Connection
from sqlmigrations.runner import journal, outcome
from sqlmigrations.runner.held_locks import HeldLock, held_locks, strongest
from sqlmigrations.runner.modes import Mode
from sqlmigrations.runner.pipeline import Prepared
from sqlmigrations.service.ddl_log import install_ddl_log
from tests.databases import session
from tests.helpers import applysql, put, rows, run_sql

SCHEMA = """
    CREATE TABLE users (id int PRIMARY KEY, name text);
    CREATE TABLE orders (id int PRIMARY KEY, user_id int);
    CREATE INDEX users_name_idx ON users (name);
    CREATE VIEW names AS SELECT name FROM users;
"""


def kept(name: str = "001.sql") -> Any:
    """Return the locks that the last event of a file keeps, as ``relation mode``."""
    found = rows(
        "SELECT details->'locks' FROM sqlmigrations_migrationevent WHERE filename = %s ORDER BY id DESC LIMIT 1", name
    )
    return [f"{lock['relation']} {lock['mode']}" for lock in found[0][0] or []]


@pytest.mark.parametrize(
    ("statements", "locks"),
    [
        ("CREATE TABLE t (id int);", []),
        ("SELECT * FROM users;", []),
        ("INSERT INTO users VALUES (1);", ["public.users RowExclusive"]),
        ("ALTER TABLE users ADD COLUMN a int;", ["public.users AccessExclusive"]),
        ("CREATE INDEX ON users (name);", ["public.users Share"]),
        ("CREATE TABLE t (u int REFERENCES users);", ["public.users ShareRowExclusive"]),
        ("ALTER TABLE users RENAME TO people; SELECT * FROM people;", ["public.users AccessExclusive"]),
        ("DROP VIEW names; DROP TABLE users;", ["public.names AccessExclusive", "public.users AccessExclusive"]),
        (
            "REINDEX INDEX users_name_idx;",
            ["public.users_name_idx AccessExclusive", "public.users Share"],
        ),
        (
            "INSERT INTO orders VALUES (1, 1); LOCK users IN EXCLUSIVE MODE; "
            "ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;",
            ["public.users Exclusive", "public.orders ShareRowExclusive"],
        ),
        ("LOCK pg_catalog.pg_class IN ACCESS EXCLUSIVE MODE;", []),
        ("CREATE TEMP TABLE t AS SELECT 1; DROP TABLE t;", []),
    ],
)
def test_locks_on_what_was_there_are_kept(ready_database: str, folder: Path, statements: str, locks: list[str]) -> None:
    run_sql(SCHEMA)
    put(folder, {"001.sql": statements})
    assert applysql().code == 0
    assert kept() == locks


def test_what_serializable_transactions_have_read_is_no_lock(ready_database: str, folder: Path) -> None:
    """The server remembers it for as long as another such transaction is open, and tells it among the locks."""
    run_sql(SCHEMA)
    serializable = "-- sqlmigrations: isolation serializable\n"
    put(folder, {"001.sql": f"{serializable}SELECT * FROM users;", "002.sql": "INSERT INTO orders VALUES (1, 1);"})
    with session() as other:
        other.execute("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT * FROM orders")
        assert applysql().code == 0
        assert rows("SELECT mode FROM pg_locks WHERE mode = 'SIReadLock' AND relation = 'users'::regclass") != []
    assert (kept(), kept("002.sql")) == ([], ["public.orders RowExclusive"])


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note the backend of each look at locks from here on."""
    pids: list[int] = []

    def counted(observer: Connection, pid: int, **options: Any) -> list[HeldLock]:
        pids.append(pid)
        return held_locks(observer, pid, **options)

    monkeypatch.setattr(journal, "held_locks", counted)
    return pids


ALONE = "CREATE TABLE t (id int);\nCREATE INDEX ON t (id);\nCOMMENT ON TABLE t IS 'a';\n"


@pytest.mark.parametrize(
    ("text", "count"), [(ALONE, 0), (f"{ALONE}ALTER TABLE users ADD a int;", 1), (f"{ALONE}SELECT 1;", 1)]
)
def test_nobody_looks_at_the_locks_of_a_file_that_touches_only_what_it_makes(
    ready_database: str, folder: Path, looks: list[int], text: str, count: int
) -> None:
    run_sql(SCHEMA)
    put(folder, {"001.sql": text})
    assert (applysql().code, len(looks)) == (0, count)


FOLLOWER = """
    CREATE FUNCTION meddle() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM users; END';
    CREATE EVENT TRIGGER meddler ON ddl_command_end EXECUTE FUNCTION meddle();
"""


@pytest.mark.parametrize(
    ("change", "count", "locks"),
    [
        ("ALTER EVENT TRIGGER meddler ENABLE", 1, ["public.users RowExclusive"]),
        ("ALTER EVENT TRIGGER meddler ENABLE ALWAYS", 1, ["public.users RowExclusive"]),
        ("ALTER EVENT TRIGGER meddler DISABLE", 0, []),
    ],
)
def test_an_event_trigger_of_others_is_looked_after(
    ready_database: str, folder: Path, looks: list[int], change: str, count: int, locks: list[str]
) -> None:
    run_sql(f"{SCHEMA}; {FOLLOWER}; {change}")
    put(folder, {"001.sql": ALONE})
    assert (applysql().code, len(looks), kept()) == (0, count, locks)


@pytest.mark.parametrize("pipeline", [True, False])
def test_what_an_event_trigger_of_others_changes_in_the_session_ends_with_the_file(
    ready_database: str, folder: Path, pipeline: bool, settings: Settings
) -> None:
    settings.SQLMIGRATIONS_PIPELINE = pipeline
    run_sql(
        "CREATE FUNCTION meddle() RETURNS event_trigger LANGUAGE plpgsql"
        " AS $$BEGIN PERFORM set_config('a.leak', 'left', false), pg_advisory_lock(77); END$$;"
        "CREATE EVENT TRIGGER meddler ON ddl_command_end EXECUTE FUNCTION meddle()"
    )
    look = (
        "DO $$BEGIN ASSERT coalesce(current_setting('a.leak', true), '') = ''"
        " AND NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 77); END$$"
    )
    put(folder, {"001.sql": ALONE, "002.sql": look})
    assert applysql().code == 0


def test_our_own_event_triggers_are_none_of_others(ready_database: str, folder: Path, looks: list[int]) -> None:
    install_ddl_log("default", tell=lambda told: None)
    put(folder, {"001.sql": ALONE})
    assert (applysql().code, looks, kept()) == (0, [], [])


def test_an_event_trigger_that_a_file_makes_follows_the_next(
    ready_database: str, folder: Path, looks: list[int]
) -> None:
    run_sql(SCHEMA)
    put(folder, {"001.sql": FOLLOWER, "002.sql": ALONE})
    assert (applysql().code, len(looks), kept("002.sql")) == (0, 2, ["public.users RowExclusive"])


def test_a_file_sees_nothing_of_the_one_before(ready_database: str, folder: Path) -> None:
    run_sql(SCHEMA)
    put(folder, {"001.sql": "ALTER TABLE users ADD COLUMN a int;", "002.sql": "INSERT INTO orders VALUES (1, 1);"})
    assert applysql().code == 0
    assert (kept(), kept("002.sql")) == (["public.users AccessExclusive"], ["public.orders RowExclusive"])


def test_steps_outside_a_transaction_add_up(ready_database: str, folder: Path) -> None:
    run_sql(SCHEMA)
    text = (
        "-- sqlmigrations: transaction off\nALTER TABLE users ADD COLUMN a int;\nINSERT INTO users VALUES (1);\n"
        "CREATE INDEX CONCURRENTLY ON orders (user_id);\nUPDATE orders SET id = 2;\nSELECT 1/0;"
    )
    put(folder, {"001.sql": text})
    assert applysql().code == 5
    assert kept() == ["public.users AccessExclusive", "public.orders RowExclusive"]


def test_a_failure_that_left_nothing_keeps_none(ready_database: str, folder: Path) -> None:
    run_sql(SCHEMA)
    put(folder, {"001.sql": "ALTER TABLE users ADD COLUMN a int;\nSELECT 1/0;"})
    assert applysql().code == 1
    assert kept() == []


def test_only_so_many_are_kept(ready_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcome, "LOCKS_KEPT", 1)
    run_sql(SCHEMA)
    put(folder, {"001.sql": "INSERT INTO orders VALUES (1, 1);\nALTER TABLE users ADD COLUMN a int;"})
    assert applysql().code == 0
    assert kept() == ["public.users AccessExclusive"]
    assert rows("SELECT details->'more_locks' FROM sqlmigrations_migrationevent WHERE type = 'applied'") == [(1,)]


def test_the_strongest_of_each_relation_counts() -> None:
    weak, strong = HeldLock("a", "r", Mode.RowShare), HeldLock("a", "r", Mode.Share)
    other = HeldLock("b", "r", Mode.AccessExclusive)
    assert strongest([weak, other, strong, weak]) == [other, strong]


@pytest.mark.parametrize("mode", list(Mode))
def test_whom_a_mode_stops_is_what_postgresql_says(ready_database: str, mode: Mode) -> None:
    """The server itself is asked: does a SELECT, does an INSERT get through?"""

    words = "".join(f" {letter}" if letter.isupper() else letter for letter in mode.name).strip().upper()
    run_sql(SCHEMA)

    def is_stopped(statement: str) -> bool:
        with session() as other:
            other.execute("SET lock_timeout = '30ms'")
            try:
                other.execute(statement.encode())
            except psycopg.errors.LockNotAvailable:
                return True
        return False

    with session() as holder, holder.transaction():
        holder.execute(f"LOCK TABLE orders IN {words} MODE".encode())
        stopped = is_stopped("SELECT * FROM orders"), is_stopped("INSERT INTO orders VALUES (1, 1)")
    assert stopped == (mode.blocks_readers, mode.blocks_writers)


def test_a_prepared_look_sees_what_any_other_sees(fresh_database: str) -> None:
    """The query is prepared once for each connection, and anew when another one comes."""
    run_sql(SCHEMA)
    look = partial(held_locks, ahead=True, prepared=Prepared())
    with session() as working, session() as first, session() as second:
        pid = working.info.backend_pid
        working.execute("BEGIN")
        for statement in ("LOCK users IN SHARE MODE", "ALTER TABLE orders ADD COLUMN a int"):
            working.execute(statement)
            for observer in (first, first, second, second):
                assert look(observer, pid) == held_locks(observer, pid) != []
        prepared = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%pg_locks%'"
        assert [observer.execute(prepared).fetchone() for observer in (first, second)] == [(2,), (2,)]


def test_a_look_that_failed_can_be_repeated(fresh_database: str) -> None:
    """Who has locked the catalogs isn't waited for; the next look is as any other."""
    look = partial(held_locks, ahead=True, prepared=Prepared())
    with session() as working, session() as observer:
        working.execute("BEGIN; LOCK pg_catalog.pg_class IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            look(observer, working.info.backend_pid)
        working.execute("ROLLBACK")
        assert look(observer, working.info.backend_pid) == []
