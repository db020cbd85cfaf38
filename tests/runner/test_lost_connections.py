"""Connections that are lost, at COMMIT too, and what a killed run's backend still does."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections
from psycopg import sql

from sqlmigrations.database import raw
from sqlmigrations.files.checksum import checksum
from sqlmigrations.history import (
    Chain,
    Event,
    Tables,
    identify,
    read_head,
    verify_chain,
    write_record,
)
from sqlmigrations.models import EventType
from sqlmigrations.runner.journal import Journal
from sqlmigrations.runner.lock import file_class, key_of
from sqlmigrations.signals import migration_started
from tests.databases import session
from tests.helpers import applysql, events, put, rows, states, tables, value, wait_until
from tests.runner.files import TWO

#: How many runs there are, waiting or at work.
RUNS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sqlmigrations' AND datname = current_database()"


# A COMMIT whose answer nobody heard


@pytest.fixture
def at_commit(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any], None]], None]:
    """Let a test act in the place of the COMMIT of the next file."""

    def arrange(act: Callable[[Any], None]) -> None:
        done = Journal.done

        def done_then_act(self: Journal, connection: Any, *args: Any, commit: bool) -> Any:
            assert commit
            link = done(self, connection, *args)
            monkeypatch.setattr(Journal, "done", done)
            act(lambda: connection.execute("COMMIT"))
            return link

        monkeypatch.setattr(Journal, "done", done_then_act)

    return arrange


def end_working_backend() -> None:
    """End the session that works on a file: the run's connection is lost."""
    with session() as other:
        other.execute("SELECT pg_terminate_backend(%s)", [raw(connections["default"]).info.backend_pid])


def test_a_commit_that_happened_though_its_answer_was_lost(
    ready_database: str, folder: Path, at_commit: Callable[[Callable[[Any], None]], None]
) -> None:
    def commit_and_lose(commit: Callable[[], None]) -> None:
        commit()
        end_working_backend()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    put(folder, TWO)
    at_commit(commit_and_lose)
    ran = applysql("-v", "2")
    assert ran.code == 0
    assert "    Note: the connection was lost at COMMIT; the history shows that it was committed\n" in ran.out
    assert states() == dict.fromkeys(TWO, "applied")
    assert events() == [(type, name) for name in TWO for type in ("started", "applied")]
    assert verify_chain(raw(connections["default"]), Tables("public")).is_intact


def test_a_commit_that_never_arrived(
    ready_database: str, folder: Path, at_commit: Callable[[Callable[[Any], None]], None]
) -> None:
    def lose(commit: Callable[[], None]) -> None:
        end_working_backend()
        commit()

    put(folder, TWO)
    at_commit(lose)
    ran = applysql()
    assert ran.code == 1
    assert (states(), tables()) == ({"001.sql": "failed", "002.sql": "applied"}, ["two"])
    assert applysql().code == 0
    assert (states(), tables()) == (dict.fromkeys(TWO, "applied"), ["one", "two"])
    assert verify_chain(raw(connections["default"]), Tables("public")).is_intact


def test_an_interrupt_right_after_the_commit_does_not_call_it_failed(
    ready_database: str, folder: Path, at_commit: Callable[[Callable[[Any], None]], None]
) -> None:
    def commit_and_interrupt(commit: Callable[[], None]) -> None:
        commit()
        raise KeyboardInterrupt

    put(folder, TWO)
    at_commit(commit_and_interrupt)
    assert applysql().code == 130
    assert (states(), tables()) == ({"001.sql": "applied"}, ["one"])
    assert events() == [("started", "001.sql"), ("applied", "001.sql")]


def test_an_interrupt_before_the_commit_rolls_back(
    ready_database: str, folder: Path, at_commit: Callable[[Callable[[Any], None]], None]
) -> None:
    def interrupt(commit: Callable[[], None]) -> None:
        raise KeyboardInterrupt

    put(folder, TWO)
    at_commit(interrupt)
    assert applysql().code == 130
    assert (states(), tables()) == ({"001.sql": "failed"}, [])
    assert events() == [("started", "001.sql"), ("failed", "001.sql")]
    assert applysql().code == 0


# What a killed run's backend still does


@pytest.mark.parametrize("ends", ["COMMIT", "ROLLBACK"])
def test_the_backend_of_a_killed_run_is_waited_for(ready_database: str, folder: Path, ends: str) -> None:
    """It may still commit what it was told to: then the file has been dealt with, and the chain has moved."""
    put(folder, {"000.sql": "SELECT 1", **TWO})
    assert applysql("000").code == 0
    tables_ = Tables("public")
    with session() as old:
        old.execute("BEGIN")
        old.execute("CREATE TABLE one (id int)")
        old.execute("SELECT pg_advisory_xact_lock(%s, %s)", [file_class("public"), key_of("001.sql")])
        identity, clock = identify(old)
        chain = Chain(tables_, read_head(old, tables_), uuid.uuid4(), identity, clock)
        write_record(
            old,
            tables_,
            "001.sql",
            {
                "kind": "versioned",
                "state": "applied",
                "success": True,
                "executed_at": clock.now(),
                "attempted_at": clock.now(),
                "checksum": checksum([TWO["001.sql"].encode()]),
                "applied_by": identity.role,
            },
        )
        chain.write(old, chain.link(Event(EventType.APPLIED, "001.sql")))

        def end_it() -> None:
            wait_until(lambda: value(RUNS) == 1)
            old.execute(ends.encode())

        thread = threading.Thread(target=end_it)
        thread.start()
        ran = applysql()
        thread.join()

    assert ran.code == 0
    lines = [line for line in ran.out.splitlines() if not line.startswith("Waiting for pid <pid> (role ")]
    mine = ["Running SQL files:", *([] if ends == "COMMIT" else ["  Applying 001.sql... OK (<time>, 1 statement)"])]
    assert lines[:-2] == [*mine, "  Applying 002.sql... OK (<time>, 1 statement)"]
    assert states() == dict.fromkeys(["000.sql", *TWO], "applied")
    assert tables() == ["one", "two"]
    report = verify_chain(raw(connections["default"]), tables_)
    assert (report.is_intact, [pair for pair in events() if pair[0] == "applied"]) == (
        True,
        [("applied", name) for name in ("000.sql", *TWO)],
    )


def test_a_backend_that_does_not_end_is_named(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "-- sqlmigrations: retries 0\nCREATE TABLE one (id int)"})
    with session(application_name="the old run") as old:
        old.execute("SELECT pg_advisory_lock(%s, %s)", [file_class("public"), key_of("001.sql")])
        ran = applysql("--lock-wait", "300ms")
    assert ran.code == 3
    assert ran.err.startswith(
        "CommandError: The backend of an earlier run is still at work on a file: pid <pid> (role "
    )
    assert "application the old run" in ran.err
    assert tables() == []


# Connections that are lost


def test_a_lost_working_connection_fails_its_file_alone(ready_database: str, folder: Path) -> None:
    """The next file has a backend of its own, and its events name that one."""
    lose = "SELECT pg_terminate_backend(pg_backend_pid());"
    put(folder, {"001.sql": f"CREATE TABLE one (id int);\n{lose}", "002.sql": "CREATE TABLE two (id int)"})
    ran = applysql()
    assert ran.code == 1
    assert "    001.sql:2: terminating connection due to administrator command [57P01]\n" in ran.out
    assert (states(), tables()) == ({"001.sql": "failed", "002.sql": "applied"}, ["two"])
    ranked = "SELECT type, dense_rank() OVER (ORDER BY backend_start) FROM sqlmigrations_migrationevent ORDER BY id"
    backends = rows(ranked)
    assert backends == [("started", 1), ("failed", 2), ("started", 2), ("applied", 2)]


LOSE_ITSELF = "SELECT pg_terminate_backend(pg_backend_pid());"
LOSE_THE_LOCK = (
    "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database d ON d.oid = database "
    "WHERE locktype = 'advisory' AND datname = current_database() AND pid <> pg_backend_pid();"
)


def test_a_lost_run_lock_ends_the_run(ready_database: str, folder: Path) -> None:
    later = (
        f"CREATE TABLE one (id int);\nSELECT pg_sleep(0.5);\n{LOSE_THE_LOCK}"  # when the file's beginning is on record
    )
    put(folder, {"001.sql": later, "002.sql": "CREATE TABLE two (id int)"})
    ran = applysql()
    assert ran.code == 1
    assert "    002.sql: The connection that held the run lock was lost: " in ran.out
    assert (states(), tables()) == ({"001.sql": "applied"}, ["one"])
    assert applysql().code == 0
    assert tables() == ["one", "two"]


def test_a_lost_run_lock_leaves_a_file_outside_a_transaction_half_way(ready_database: str, folder: Path) -> None:
    """How far it came can't be asked any more, so nobody is told that nothing of it is there."""
    outside = f"-- sqlmigrations: transaction off\nCREATE TABLE one (id int);\n{LOSE_THE_LOCK}\n{LOSE_ITSELF}"
    put(folder, {"001.sql": outside, "002.sql": "CREATE TABLE two (id int)"})
    ran = applysql()
    assert ran.code == 5
    assert "  Applying 001.sql... STOPPED HALF-WAY (" in ran.out
    assert "  Left 002.sql: the connection was lost\n" in ran.out
    assert (states(), tables()) == ({"001.sql": "partial"}, ["one"])


def test_a_run_that_loses_its_server_still_tells_what_it_did(ready_database: str, folder: Path) -> None:
    """Neither connection can be opened again, as after a crash; without the summary, nothing would seem to have run."""
    put(
        folder,
        {"001.sql": "CREATE TABLE one (id int);", "002.sql": "CREATE TABLE two (id int);", "003.sql": "SELECT 1"},
    )
    database = sql.Identifier(ready_database)
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    terminate = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"

    with session(dbname="postgres") as server:

        def crash(name: str, **kwargs: object) -> None:
            if name == "002.sql":
                server.execute(allow.format(database, sql.SQL("false")))
                server.execute(terminate, [ready_database])

        migration_started.connect(crash)
        try:
            ran = applysql()
        finally:
            migration_started.disconnect(crash)
            server.execute(allow.format(database, sql.SQL("true")))
    assert (ran.err, ran.code) == ("", 1)
    assert ran.out.endswith(
        "  Left 003.sql: the connection was lost\n  1 applied, 1 failed, 1 pending.\nHead of the history: <hash>\n"
    )
    assert (states(), tables()) == ({"001.sql": "applied"}, ["one"])
    assert applysql().code == 0
