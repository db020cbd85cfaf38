"""One file, one transaction: its effects, its record and its event commit together or not at all."""

from __future__ import annotations

import contextlib
import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections, transaction

from sqlmigrations.database import raw
from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.files import reading
from sqlmigrations.history import (
    Chain,
    Tables,
    ensure_tables,
    identify,
    read_head,
    verify_chain,
)
from sqlmigrations.runner import executor
from sqlmigrations.runner.journal import Journal
from sqlmigrations.runner.outcome import Outcome
from sqlmigrations.runner.session import Session
from sqlmigrations.runner.task import forwards
from sqlmigrations.service.apply import ApplyOptions, apply
from sqlmigrations.service.gather import read_disk
from tests.helpers import Settings, applysql, put, rows, run_sql, states, tables, value
from tests.runner.files import STUBBORN, TWO

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


def test_a_kept_plan_looks_for_a_record_by_its_name(ready_database: str, folder: Path) -> None:
    """It is made when the table is small, and used when the run has filled it."""
    put(folder, {"000.sql": "SELECT 1;"})
    assert applysql().code == 0
    run_sql("ANALYZE sqlmigrations_migrationrecord")

    def scans() -> int:
        return int(value("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'sqlmigrations_migrationrecord'"))

    before = scans()
    put(folder, {f"{number:03}.sql": "SELECT 1;" for number in range(1, 21)})
    assert applysql().code == 0
    assert scans() - before < 10
