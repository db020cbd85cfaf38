"""One runner at a time: who waits, for whom, and how the lock is let go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections

from sqlmigrations.database import raw
from sqlmigrations.exceptions import RunLockHeld
from sqlmigrations.runner.lock import (
    RUN_CLASS,
    Holder,
    RunLock,
    file_class,
    key_of,
    poll,
    run_in_progress,
)
from tests.commands.shop import revertsql
from tests.databases import session
from tests.helpers import Ran, applysql, database_name, events, put, rows, run_sql, states, value, wait_until


def advisory_locks() -> int:
    return int(
        value(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
            "AND database = (SELECT oid FROM pg_database WHERE datname = %s)",
            database_name(),
        )
    )


@pytest.fixture
def other_run(fresh_database: str) -> Iterator[psycopg.Connection[Any]]:
    """A session that holds the run lock, as another run does."""
    with session(application_name="deploy 7") as connection:
        connection.execute("SELECT pg_advisory_lock(%s, %s)", [RUN_CLASS, key_of("public")])
        yield connection


def test_the_keys_of_a_lock() -> None:
    """They must mean the same to every version of this package that may run at the same time."""
    assert (RUN_CLASS, file_class("public")) == (1397836877, 1227684971)
    assert key_of("public") == 1001664029
    assert key_of("001_ä.sql") == 1326702253
    assert all(-(2**31) <= key_of(str(number)) < 2**31 for number in range(500))


def test_a_run_that_goes_on_is_named_and_given_up_on(
    fresh_database: str, folder: Path, other_run: psycopg.Connection[Any]
) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int)"})
    role, before = other_run.info.user, value("SELECT count(*) FROM pg_class")
    host = "local" if other_run.info.host.startswith("/") else "127.0.0.1"
    named = f"pid <pid> (role {role}, host {host}, application deploy 7, connected since <when>)"
    for wait in ("0", "200ms"):
        assert applysql("--lock-wait", wait) == Ran(
            f"Waiting for {named}\n",
            f"CommandError: Another run holds the lock: {named}.\n"
            "  Wait for it, give --lock-wait more time, or end its backend with "
            "SELECT pg_terminate_backend(<pid>);\n",
            3,
        )
    assert value("SELECT count(*) FROM pg_class") == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["--fake"],
        ["--baseline", "002"],
        ["--adopt", "migrations"],
        ["--repair"],
        ["003", "--restart", "--reason", "why"],
        ["revertsql", "001"],
    ],
    ids=" ".join,
)
def test_whatever_adds_to_the_history_takes_the_lock(fresh_database: str, folder: Path, arguments: list[str]) -> None:
    run_sql(
        "CREATE TABLE migrations (filename text, executed_at date, execution_time_ms int, success bool, "
        "error_message text); INSERT INTO migrations VALUES ('002.sql', now(), 1, true, '')"
    )
    half = "-- sqlmigrations: transaction off\nSELECT 1;\nSELECT 1/0;"
    put(folder, {"001.sql": "SELECT 1;", "001.down.sql": "SELECT 1;", "003.sql": half})
    assert applysql().code == 5
    put(folder, {"001.sql": "SELECT 11;", "002.sql": "SELECT 2;"})
    before = events()
    ask = revertsql if arguments[0] == "revertsql" else applysql
    arguments = [argument for argument in arguments if argument != "revertsql"]
    with session() as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [RUN_CLASS, key_of("public")])
        ran = ask(*arguments, "--noinput", "--lock-wait", "0")
    assert ("CommandError: Another run holds the lock: " in ran.err, ran.code) == (True, 3)
    assert events() == before
    assert ask(*arguments, "--noinput").code != 3
    assert len(events()) > len(before)


def test_plan_says_that_a_run_goes_on(fresh_database: str, folder: Path, other_run: psycopg.Connection[Any]) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int)"})
    out = applysql("--plan").out
    assert out.startswith("Planned SQL files:\n  Apply 001.sql\nA run is in progress: pid <pid> (role ")


def test_the_lock_is_the_databases_and_the_schemas_own(
    fresh_database: str, folder: Path, other_run: psycopg.Connection[Any]
) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int)"})
    run_sql(f'CREATE SCHEMA app; ALTER DATABASE "{fresh_database}" SET search_path = app')
    connections["default"].close()
    assert applysql("--lock-wait", "0").code == 0


def test_a_run_leaves_no_lock_behind(fresh_database: str, folder: Path) -> None:
    put(
        folder,
        {"001.sql": "SELECT 1", "002.sql": "-- sqlmigrations: transaction off\nSELECT 1", "003.sql": "SELECT 1/0"},
    )
    assert applysql().code == 1
    assert advisory_locks() == 0


def test_a_run_holds_the_lock_and_that_of_its_file(fresh_database: str, folder: Path) -> None:
    look = (
        "CREATE TABLE {name} AS SELECT classid::bigint, objid::bigint, pid = pg_backend_pid() AS own FROM pg_locks "
        "WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database());"
    )
    put(
        folder,
        {
            "001.sql": look.format(name="one"),
            "002.sql": "-- sqlmigrations: transaction off\n" + look.format(name="two"),
        },
    )
    assert applysql().code == 0
    run = (RUN_CLASS, key_of("public") & 0xFFFFFFFF, False)
    for table, name in (("one", "001.sql"), ("two", "002.sql")):
        with session() as connection:
            found = connection.execute(f"SELECT * FROM {table} ORDER BY own".encode()).fetchall()
        assert found == [run, (file_class("public") & 0xFFFFFFFF, key_of(name) & 0xFFFFFFFF, True)]


def test_the_locks_connection_is_idle_and_outside_any_transaction(fresh_database: str, folder: Path) -> None:
    """A snapshot there would keep CREATE INDEX CONCURRENTLY of the run itself waiting for ever."""
    look = (
        "CREATE TABLE seen AS SELECT state, backend_xmin IS NULL, application_name FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory');"
    )
    put(folder, {"001.sql": f"SELECT pg_sleep(0.5);\n{look}"})  # the event of its beginning is written meanwhile
    assert applysql().code == 0
    with session() as connection:
        assert connection.execute("SELECT * FROM seen").fetchall() == [("idle", True, "sqlmigrations")]


def test_an_idle_session_timeout_does_not_end_the_lock(fresh_database: str, folder: Path) -> None:
    run_sql(f"ALTER DATABASE \"{fresh_database}\" SET idle_session_timeout = '300ms'")
    connections["default"].close()
    put(folder, {"001.sql": "SELECT pg_sleep(0.8);", "002.sql": "SELECT 1;"})
    assert applysql().code == 0
    assert states() == {"001.sql": "applied", "002.sql": "applied"}


def test_an_idle_session_timeout_does_not_end_a_run_that_waits(
    fresh_database: str, folder: Path, other_run: psycopg.Connection[Any]
) -> None:
    """The working connection is idle while another run holds the lock; the server ends it meanwhile."""
    put(folder, {"001.sql": "CREATE TABLE t (id int);"})
    run_sql(f"ALTER DATABASE \"{fresh_database}\" SET idle_session_timeout = '200ms'")
    connections["default"].close()

    def has_working_connection() -> bool:
        return bool(
            rows(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = '' "
                "AND pid <> pg_backend_pid()"
            )
        )

    def let_go() -> None:
        wait_until(has_working_connection)
        wait_until(lambda: not has_working_connection())
        other_run.execute("SELECT pg_advisory_unlock_all()")

    thread = threading.Thread(target=let_go)
    thread.start()
    ran = applysql()
    thread.join()
    assert (ran.code, states()) == (0, {"001.sql": "applied"})


def test_run_lock_by_itself(fresh_database: str) -> None:
    wrapper = connections["default"]
    wrapper.ensure_connection()
    waited: list[int | None] = []

    def on_wait(holder: Holder | None) -> None:
        waited.append(holder.pid if holder else None)

    with RunLock(wrapper, "public", has_pooler=False, wait=0, on_wait=on_wait) as first:
        pid = first.connection.info.backend_pid
        present = run_in_progress(raw(wrapper), "public")
        assert present is not None
        assert (present.pid, present.application, present.state) == (pid, "sqlmigrations", "idle")
        assert run_in_progress(raw(wrapper), "app") is None
        with pytest.raises(RunLockHeld), RunLock(wrapper, "public", has_pooler=False, wait=0, on_wait=on_wait):
            pass
        with RunLock(wrapper, "app", has_pooler=False, wait=0, on_wait=on_wait):
            pass
    assert waited == [pid]
    assert run_in_progress(raw(wrapper), "public") is None
    with RunLock(wrapper, "public", has_pooler=False, wait=0, on_wait=on_wait):
        pass


def test_the_lock_is_let_go_before_its_session_ends(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed session's backend needs a moment to end: the next run must not meet it."""
    wrapper = connections["default"]
    wrapper.ensure_connection()
    with RunLock(wrapper, "public", has_pooler=False, wait=0, on_wait=lambda holder: None) as held:
        close = held.connection.close
        monkeypatch.setattr(held.connection, "close", lambda: None)
        assert run_in_progress(raw(wrapper), "public") is not None
    assert run_in_progress(raw(wrapper), "public") is None
    close()


def test_polling_tells_each_holder_once() -> None:
    holders_seen = iter(["a", "a", "b", "b", "b"])
    told: list[int] = []

    def present() -> Holder | None:
        name = next(holders_seen, None)
        return Holder(ord(name), name, "", "", None, "", "") if name else None

    answers = iter([False, False, False, False, False, True])
    assert poll(lambda: next(answers), present, 60.0, lambda holder: told.append(holder.pid if holder else 0))
    assert told == [ord("a"), ord("b")]
    assert not poll(lambda: False, lambda: None, 0.0, lambda holder: None)


def test_a_holder_in_words() -> None:
    since = datetime(2026, 3, 29, 1, 2, 3, tzinfo=UTC)
    assert str(Holder(7, "alice", "10.0.0.1", "deploy", since, "idle", "")) == (
        "pid 7 (role alice, host 10.0.0.1, application deploy, connected since 2026-03-29 01:02:03 UTC)"
    )
    assert str(Holder(7, "", "local", "", None, "", "")) == "pid 7 (role ?, host local)"
