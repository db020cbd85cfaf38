"""One file, one transaction: its effects, its record and its event commit together or not at all."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections, transaction
from psycopg import sql

from sqlmigrations.database import raw
from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.files import reading
from sqlmigrations.files.checksum import checksum
from sqlmigrations.history import (
    Chain,
    Event,
    Tables,
    ensure_tables,
    identify,
    read_head,
    verify_chain,
    write_record,
)
from sqlmigrations.models import EventType
from sqlmigrations.runner import executor
from sqlmigrations.runner.journal import Journal
from sqlmigrations.runner.lock import file_class, key_of
from sqlmigrations.runner.outcome import Outcome
from sqlmigrations.runner.session import Session
from sqlmigrations.runner.task import forwards
from sqlmigrations.service.apply import ApplyOptions, apply
from sqlmigrations.service.gather import read_disk
from sqlmigrations.signals import migration_started
from tests.databases import session
from tests.helpers import Settings, applysql, events, put, rows, run_sql, states, tables, value, wait_until


@pytest.fixture
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Try again at once; return the list of the pauses that were asked for."""
    asked: list[int] = []

    def pause(number: int) -> float:
        asked.append(number)
        return 0.0

    monkeypatch.setattr(executor, "pause", pause)
    return asked


#: How many sessions of this database wait for a lock.
WAITING = (
    "SELECT count(*) FROM pg_locks WHERE NOT granted "
    "AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
)

#: How many runs there are, waiting or at work.
RUNS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sqlmigrations' AND datname = current_database()"


# One transaction


def test_effects_record_and_event_have_one_transaction(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int);\nINSERT INTO t VALUES (1);"})
    assert applysql().code == 0
    effect = value("SELECT xmin::text FROM t")
    assert rows("SELECT xmin::text FROM sqlmigrations_migrationrecord") == [(effect,)]
    assert rows("SELECT xmin::text FROM sqlmigrations_migrationevent WHERE type = 'applied'") == [(effect,)]
    assert rows("SELECT xmin::text <> %s FROM sqlmigrations_migrationevent WHERE type = 'started'", effect) == [(True,)]


def test_each_file_has_its_own(ready_database: str, folder: Path) -> None:
    put(folder, {f"00{n}.sql": f"CREATE TABLE t{n} AS SELECT pg_current_xact_id()::text AS xid" for n in (1, 2, 3)})
    assert applysql().code == 0
    assert len({value(f"SELECT xid FROM t{n}") for n in (1, 2, 3)}) == 3


def test_a_failure_in_the_last_statement_leaves_nothing(ready_database: str, folder: Path) -> None:
    inserts = "INSERT INTO t VALUES (1);\n" * 199
    put(folder, {"001.sql": f"CREATE TABLE t (id int);\n{inserts}SELECT 1/0;"})
    assert applysql().code == 1
    assert (tables(), states()) == ([], {"001.sql": "failed"})


def test_a_failure_while_recording_leaves_nothing(
    ready_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event is the last statement before COMMIT: when it fails, the file's effects go too."""

    def fail(self: Chain, *args: Any) -> None:
        raise psycopg.errors.DiskFull("no space left")

    put(folder, {"001.sql": "CREATE TABLE t (id int)", "002.sql": "CREATE TABLE u (id int)"})
    assert applysql("002").code == 0
    done = Journal.done

    def done_and_fail(self: Journal, connection: Any, *args: Any, commit: bool) -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(Chain, "statement", fail)
            return done(self, connection, *args, commit=commit)

    monkeypatch.setattr(Journal, "done", done_and_fail)
    assert applysql().code == 1
    assert (tables(), states()) == (["u"], {"001.sql": "failed", "002.sql": "applied"})


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN;\nCREATE TABLE t (id int);\nCOMMIT;",
        "-- a dump\nBEGIN TRANSACTION;\nCREATE TABLE t (id int);\nEND;\n-- done\n",
        "START TRANSACTION; CREATE TABLE t (id int); COMMIT WORK",
    ],
)
def test_one_pair_around_the_whole_file_is_its_body(ready_database: str, folder: Path, text: str) -> None:
    put(folder, {"001.sql": text})
    ran = applysql("-v", "2")
    assert (ran.code, tables()) == (0, ["t"])
    assert "  Applying 001.sql... OK (<time>, 1 statement)\n    Note: BEGIN on line " in ran.out


def test_savepoints_are_allowed(ready_database: str, folder: Path) -> None:
    put(
        folder,
        {
            "001.sql": "CREATE TABLE t (id int); SAVEPOINT a; INSERT INTO t VALUES (1); ROLLBACK TO a; "
            "INSERT INTO t VALUES (2); RELEASE a; SAVEPOINT b; INSERT INTO t VALUES (3); ROLLBACK TO SAVEPOINT b;"
        },
    )
    assert applysql().code == 0
    assert rows("SELECT id FROM t") == [(2,)]


@pytest.mark.parametrize("end", ["ROLLBACK", "COMMIT", "COMMIT; BEGIN", "ROLLBACK; BEGIN"])
def test_a_file_that_ended_its_own_transaction_is_never_recorded_as_applied(
    ready_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """Even if a COMMIT slipped through the judgement of its text: the transaction's id tells."""
    monkeypatch.setattr(reading, "transaction_control", lambda statement: None)
    put(folder, {"001.sql": f"CREATE TABLE t (id int); {end}; SELECT 1;", "002.sql": "CREATE TABLE u (id int)"})
    assert applysql().code == 1
    assert states() == {"001.sql": "failed", "002.sql": "applied"}
    assert "The file ended its own transaction" in value(
        "SELECT error_message FROM sqlmigrations_migrationrecord WHERE filename = '001.sql'"
    )


# What a file may ask for


@pytest.mark.parametrize(
    ("directive", "level"),
    [
        ("", "read committed"),
        ("-- sqlmigrations: isolation repeatable read\n", "repeatable read"),
        ("-- sqlmigrations: isolation SERIALIZABLE\n", "serializable"),
        ("-- sqlmigrations: isolation read committed\n", "read committed"),
    ],
)
def test_isolation(ready_database: str, folder: Path, directive: str, level: str) -> None:
    look = "CREATE TABLE seen AS SELECT current_setting('transaction_isolation') AS level;"
    put(folder, {"001.sql": directive + look})
    assert applysql().code == 0
    assert value("SELECT level FROM seen") == level


@pytest.mark.parametrize(
    ("directives", "project", "expected"),
    [
        ("", {}, ("3s", "0")),
        ("", {"LOCK_TIMEOUT": "250ms", "STATEMENT_TIMEOUT": "10min"}, ("250ms", "10min")),
        ("-- sqlmigrations: lock_timeout 7s\n", {"LOCK_TIMEOUT": "250ms"}, ("7s", "0")),
        ("-- sqlmigrations: lock_timeout 0\n-- sqlmigrations: statement_timeout 1h\n", {}, ("0", "1h")),
        ("-- sqlmigrations: statement_timeout 0\n", {"STATEMENT_TIMEOUT": "10min"}, ("3s", "0")),
    ],
)
@pytest.mark.parametrize("transaction_directive", ["", "-- sqlmigrations: transaction off\n"])
def test_timeouts(
    ready_database: str,
    folder: Path,
    settings: Settings,
    directives: str,
    project: dict[str, str],
    expected: tuple[str, str],
    transaction_directive: str,
) -> None:
    for name, text in project.items():
        setattr(settings, f"SQLMIGRATIONS_{name}", text)
    look = "CREATE TABLE seen AS SELECT current_setting('lock_timeout'), current_setting('statement_timeout') AS s;"
    put(folder, {"001.sql": transaction_directive + directives + look})
    assert applysql().code == 0
    assert rows("SELECT * FROM seen") == [expected]


def test_a_statement_timeout_ends_the_file(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "-- sqlmigrations: statement_timeout 20ms\nCREATE TABLE t ();\nSELECT pg_sleep(60);\n"})
    ran = applysql()
    assert ran.code == 1
    assert "    001.sql:3: canceling statement due to statement timeout [57014]\n" in ran.out
    assert tables() == []


# Trying again

#: Fails until the sequence says the given number; a sequence keeps its value through a rollback.
STUBBORN = """
CREATE TABLE t (id int);
INSERT INTO t VALUES (1);
DO $$
BEGIN
    IF nextval('tries') < {number} THEN
        RAISE EXCEPTION 'not yet' USING ERRCODE = '{sqlstate}';
    END IF;
END
$$;
"""


@pytest.mark.parametrize("sqlstate", ["55P03", "40P01"])
def test_a_lock_timeout_and_a_deadlock_are_tried_again_with_the_whole_file(
    ready_database: str, folder: Path, without_pauses: list[int], sqlstate: str
) -> None:
    run_sql("CREATE SEQUENCE tries")
    put(folder, {"001.sql": STUBBORN.format(number=4, sqlstate=sqlstate)})
    assert applysql().code == 0
    assert without_pauses == [1, 2, 3]
    assert value("SELECT count(*) FROM t") == 1
    assert value("SELECT details->'attempts' FROM sqlmigrations_migrationevent WHERE type = 'applied'") == 4
    assert [type for type, _ in events()] == ["started", "applied"]


@pytest.mark.parametrize("sqlstate", ["40001", "57014", "23505", "53300"])
def test_nothing_else_is_tried_again(
    ready_database: str, folder: Path, without_pauses: list[int], sqlstate: str
) -> None:
    run_sql("CREATE SEQUENCE tries")
    put(folder, {"001.sql": STUBBORN.format(number=2, sqlstate=sqlstate)})
    assert applysql().code == 1
    assert (without_pauses, value("SELECT last_value FROM tries")) == ([], 1)


@pytest.mark.parametrize(
    ("directive", "setting", "attempts"),
    [("", None, 6), ("", 2, 3), ("-- sqlmigrations: retries 1\n", None, 2), ("-- sqlmigrations: retries 0\n", 7, 1)],
)
def test_how_often_a_file_is_tried(
    ready_database: str,
    folder: Path,
    settings: Settings,
    without_pauses: list[int],
    directive: str,
    setting: int | None,
    attempts: int,
) -> None:
    if setting is not None:
        settings.SQLMIGRATIONS_RETRIES = setting
    run_sql("CREATE SEQUENCE tries")
    put(folder, {"001.sql": directive + STUBBORN.format(number=99, sqlstate="55P03")})
    assert applysql().code == 1
    assert value("SELECT last_value FROM tries") == attempts
    assert value("SELECT details->'attempts' FROM sqlmigrations_migrationevent WHERE type = 'failed'") == attempts
    assert tables() == []


def test_a_lock_that_is_released_in_time(ready_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_sql("CREATE TABLE users (id int)")
    put(folder, {"001.sql": "-- sqlmigrations: lock_timeout 30ms\nALTER TABLE users ADD name text;"})
    with session() as blocker:
        blocker.execute("BEGIN; LOCK TABLE users")

        def let_go(number: int) -> float:
            blocker.execute("COMMIT")
            return 0.0

        monkeypatch.setattr(executor, "pause", let_go)
        assert applysql().code == 0
    assert value("SELECT details->'attempts' FROM sqlmigrations_migrationevent WHERE type = 'applied'") == 2


def test_on_giving_up_it_says_who_held_the_lock(ready_database: str, folder: Path) -> None:
    run_sql("CREATE TABLE users (id int)")
    put(
        folder,
        {
            "001.sql": "-- sqlmigrations: lock_timeout 400ms\n-- sqlmigrations: retries 0\nALTER TABLE users ADD a int",
            "002.sql": "CREATE TABLE other (id int)",
        },
    )
    with session(application_name="a long report") as blocker:
        blocker.execute("BEGIN; LOCK TABLE users")
        ran = applysql()
        pid = blocker.info.backend_pid
        role = blocker.info.user
    assert ran.code == 1
    assert "    001.sql:3: canceling statement due to lock timeout [55P03]\n" in ran.out
    (line,) = (line for line in ran.out.splitlines() if "Blocked by" in line)
    assert line.startswith(f"    Blocked by pid <pid> (role {role}, host ")
    assert "application a long report, idle in transaction, in its transaction for " in line
    assert line.endswith("BEGIN; LOCK TABLE users")
    ((blockers,),) = rows("SELECT blockers FROM sqlmigrations_migrationevent WHERE type = 'failed'")
    assert [blocker["pid"] for blocker in blockers] == [pid]
    assert (tables(), states()) == (["other", "users"], {"001.sql": "failed", "002.sql": "applied"})


def test_a_real_deadlock_is_survived(ready_database: str, folder: Path, without_pauses: list[int]) -> None:
    run_sql("CREATE TABLE one (id int); CREATE TABLE two (id int)")
    put(folder, {"001.sql": "-- sqlmigrations: lock_timeout 30s\nLOCK TABLE one;\nALTER TABLE two ADD name text;"})
    with session() as other:
        other.execute("SET deadlock_timeout = '1min'; BEGIN; LOCK TABLE two")

        def close_the_circle() -> None:
            wait_until(lambda: value(WAITING) == 1)
            other.execute("LOCK TABLE one")
            other.execute("COMMIT")

        thread = threading.Thread(target=close_the_circle)
        thread.start()
        ran = applysql()
        thread.join()
    assert (ran.code, without_pauses) == (0, [1])


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


TWO = {"001.sql": "CREATE TABLE one (id int)", "002.sql": "CREATE TABLE two (id int)"}


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


# Inside another transaction


def test_inside_a_transaction_of_the_caller_it_refuses_in_plain_words(ready_database: str, folder: Path) -> None:
    put(folder, TWO)
    with transaction.atomic(), pytest.raises(ConfigurationError) as caught:
        apply(ApplyOptions())
    assert str(caught.value) == (
        "SQL files can't be applied inside a transaction: each is committed with its own record.\n"
        "  Call it outside atomic(), or without ATOMIC_REQUESTS."
    )
    assert tables() == []


def run_joined(folder: Path) -> list[Outcome]:
    """Run the folder's files inside the open transaction, as a Django migration would."""
    wrapper = connections["default"]
    own = Session(wrapper)
    identity, clock = identify(own.connection)
    tables_ = ensure_tables(wrapper)
    chain = Chain(tables_, read_head(own.connection, tables_), uuid.uuid4(), identity, clock)
    journal = Journal(chain, lambda: own.connection)
    joined = executor.Executor(own, journal, in_transaction=executor.Transaction.JOINED)
    return [joined.run(forwards(file), None) for file in read_disk("default").files]


def test_a_joined_file_rides_in_the_surrounding_transaction(ready_database: str, folder: Path) -> None:
    ensure_tables(connections["default"])
    put(folder, {"001.sql": "CREATE TABLE one (id int);", "002.sql": "SELECT 1/0;", "003.sql": "TABLE one;"})
    for keep in (False, True):
        with contextlib.suppress(ZeroDivisionError), transaction.atomic():
            assert [str(outcome.state) for outcome in run_joined(folder)] == ["applied", "failed", "applied"]
            assert (tables(), states()) == ([], {})  # as others see it
            if not keep:
                raise ZeroDivisionError
    assert (tables(), states()) == (["one"], {"001.sql": "applied", "002.sql": "failed", "003.sql": "applied"})
    assert verify_chain(raw(connections["default"]), Tables("public")).events == 6


def test_a_joined_file_is_not_tried_again(ready_database: str, folder: Path, without_pauses: list[int]) -> None:
    run_sql("CREATE SEQUENCE tries")
    put(folder, {"001.sql": STUBBORN.format(number=99, sqlstate="55P03")})
    with transaction.atomic():
        (outcome,) = run_joined(folder)
    assert (str(outcome.state), outcome.attempts, without_pauses) == ("failed", 1, [])


def test_a_file_outside_a_transaction_cannot_join_one(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "-- sqlmigrations: transaction off\nCREATE TABLE one (id int);"})
    with transaction.atomic():
        (outcome,) = run_joined(folder)
    assert outcome.error is not None
    assert outcome.error.message == "A file with `transaction off` can't run inside a transaction."
    assert tables() == []
