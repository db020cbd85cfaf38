"""``--all-databases --jobs N``: databases side by side, each with connections and a block of words of its own."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections
from psycopg import sql
from pytest_django.plugin import DjangoDbBlocker

from sqlmigrations.management.commands.applysql import Command as ApplySQL
from sqlmigrations.runner.lock import RUN_CLASS, key_of
from tests.databases import session
from tests.helpers import Ran, Settings, applysql, manage, put, rows, run_sql, value, wait_until

#: Waits, in its transaction, until a row of ``slow`` is gone: there is none in most databases.
WAITING = "CREATE TABLE IF NOT EXISTS slow (id int); SELECT pg_sleep(60) FROM slow; CREATE TABLE t (id int);"

#: Waits until as many databases as jobs are at work, and notes how many they are.
TOGETHER = """
CREATE TABLE seen AS SELECT 0 AS databases WHERE false;
DO $body$
BEGIN
    FOR tries IN 1 .. 1000 LOOP
        INSERT INTO seen
        SELECT count(DISTINCT datname) FROM pg_stat_activity
         WHERE datname LIKE '{prefix}%' AND query LIKE '%tries%' AND state = 'active';
        EXIT WHEN {jobs} <= (SELECT max(databases) FROM seen) OR current_database() NOT IN ({first});
        PERFORM pg_sleep(0.02), pg_stat_clear_snapshot();
    END LOOP;
END $body$;
"""


@contextmanager
def databases(prefix: str, stem: str, count: int) -> Iterator[list[str]]:
    """Make so many databases, and an alias for each; yield the aliases."""
    aliases = [f"{stem}{number:02}" for number in range(1, count + 1)]
    with session(dbname="postgres") as connection:
        for alias in aliases:
            make = sql.SQL("CREATE DATABASE {} TEMPLATE template0")
            connection.execute(make.format(sql.Identifier(f"{prefix}_{alias}")))
            connections.settings[alias] = {**connections["default"].settings_dict, "NAME": f"{prefix}_{alias}"}
    try:
        yield aliases
    finally:
        with session(dbname="postgres") as connection:
            for alias in aliases:
                connections[alias].close()
                del connections[alias]
                del connections.settings[alias]
                drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
                connection.execute(drop.format(sql.Identifier(f"{prefix}_{alias}")))


def folders_of(aliases: list[str], settings: Settings, tmp_path: Path) -> dict[str, Path]:
    """Make a folder of files for each alias."""
    folders = {alias: tmp_path / alias for alias in aliases}
    for folder in folders.values():
        folder.mkdir()
    settings.SQLMIGRATIONS_DIRS = {alias: [folder] for alias, folder in folders.items()}
    return folders


@pytest.fixture(scope="module")
def three(django_db_blocker: DjangoDbBlocker) -> Iterator[list[str]]:
    """Make three databases."""
    with django_db_blocker.unblock(), databases(f"sqlm_{os.getpid()}", "shard", 3) as aliases:
        yield aliases


@pytest.fixture
def shards(three: list[str], settings: Settings, tmp_path: Path) -> dict[str, Path]:
    """Empty three databases; return the folder of files of each."""
    for alias in three:
        run_sql("SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public", alias=alias)
    return folders_of(three, settings, tmp_path)


def block(alias: str, made: str = "OK (<time>, 1 statement)", count: str = "1 applied") -> str:
    return (
        f"Database {alias}\nRunning SQL files:\n  Applying 001.sql... {made}\n  {count}.\nHead of the history: <hash>\n"
    )


def records(alias: str) -> list[tuple[str, str, str]]:
    return rows("SELECT filename, state, error_message FROM sqlmigrations_migrationrecord ORDER BY 1", alias=alias)


def test_each_has_a_block_of_its_own_in_a_stable_order(shards: dict[str, Path]) -> None:
    for folder in shards.values():
        put(folder, {"001.sql": "CREATE TABLE t (id int);"})
    blocks = "".join(map(block, shards))
    roll_up = "".join(f"{alias}: all is well (1 applied)\n" for alias in shards)
    assert applysql("--all-databases", "--jobs", "2") == Ran(blocks + roll_up, "", 0)
    nothing = "Database {}\n  No SQL files to apply: everything is up to date.\nHead of the history: <hash>\n"
    blocks = "".join(map(nothing.format, shards))
    roll_up = "".join(f"{alias}: all is well\n" for alias in shards)
    assert applysql("--all-databases", "--jobs", "9") == Ran(blocks + roll_up, "", 0)


def test_one_that_fails_leaves_the_others_alone(shards: dict[str, Path]) -> None:
    put(shards["shard01"], {"001.sql": "SELECT 1/0;"})
    put(shards["shard02"], {"001.sql": "COMMIT;"})
    put(shards["shard03"], {"001.sql": "CREATE TABLE t (id int);"})
    ran = applysql("--all-databases", "--jobs", "3")
    assert ran.code == 2
    assert ran.out == (
        "Database shard01\nRunning SQL files:\n  Applying 001.sql... FAILED (<time>, 0 statements)\n"
        "    001.sql:1: division by zero [22012]\n    1 | SELECT 1/0;\n  1 failed.\nHead of the history: <hash>\n"
        f"Database shard02\n{block('shard03')}"
        "shard01: something was found, failed or is left to do (1 failed)\nshard02: could not be asked\n"
        "shard03: all is well (1 applied)\n"
    )
    assert ran.err == (
        "shard02: 001.sql:1: COMMIT inside a file\n  Each file runs in a transaction of its own, together with its "
        "record: remove it. SAVEPOINT is allowed.\n"
    )
    assert [records(alias)[0][1] for alias in ("shard01", "shard03")] == ["failed", "applied"]


def test_the_worst_of_all_answers_is_the_exit_code(shards: dict[str, Path]) -> None:
    for folder in shards.values():
        put(folder, {"001.sql": "SELECT 1;"})
    put(shards["shard01"], {"001.sql": "-- sqlmigrations: transaction off\nSELECT 1;\nSELECT 1/0;"})
    with session("shard02") as other_run:
        other_run.execute("SELECT pg_advisory_lock(%s, %s)", [RUN_CLASS, key_of("public")])
        ran = applysql("--all-databases", "--jobs", "3", "--lock-wait", "0s")
    assert ran.code == 3
    assert ran.out.endswith(
        "shard01: a file stopped half-way (1 partial)\nshard02: another run holds the lock\n"
        "shard03: all is well (1 applied)\n"
    )


def test_documents_of_all_in_the_order_of_the_aliases(shards: dict[str, Path]) -> None:
    put(shards["shard01"], {"001.sql": "SELECT 1;"})
    put(shards["shard02"], {"001.sql": "COMMIT;"})
    put(shards["shard03"], {"001.sql": "SELECT 1;"})
    ran = applysql("--all-databases", "--jobs", "2", "--format", "json")
    document = json.loads(ran.out.replace("<ms>", "0"))
    assert (ran.code, set(document)) == (2, {"schema_version", "command", "databases"})
    assert [each["database"] for each in document["databases"]] == list(shards)
    assert ["error" in each for each in document["databases"]] == [False, True, False]
    assert [line for line in ran.err.splitlines() if line.startswith("Database ")] == [
        f"Database {alias}" for alias in shards
    ]


@pytest.mark.parametrize("look", ["--plan", "--check", "--list"])
def test_a_look_at_all_of_them_is_the_same_as_one_by_one(shards: dict[str, Path], look: str) -> None:
    for folder in shards.values():
        put(folder, {"001.sql": "SELECT 1;", "002.sql": "SELECT 2;"})
    applysql("--database", "shard02", "001")
    assert applysql("--all-databases", "--jobs", "3", look) == applysql("--all-databases", look)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--jobs", "2"], "--jobs goes with --all-databases."),
        (["--all-databases", "--jobs", "2", "--repair"], "--repair settles one database after the other; "),
        (["--all-databases", "--jobs", "2", "--adopt", "migrations"], "--adopt settles one database after the other; "),
        (["--all-databases", "--jobs", "2", "--restart", "001"], "--restart settles one database after the other; "),
        (["--all-databases", "--jobs", "2", "--resume-at", "2", "001"], "--resume-at settles one database after "),
    ],
)
def test_what_does_not_go_with_jobs_is_refused(three: list[str], arguments: list[str], words: str) -> None:
    ran = applysql(*arguments)
    assert (ran.out, ran.code) == ("", 2)
    assert f"CommandError: {words}" in ran.err


@pytest.mark.parametrize("number", ["0", "-1", "two", "1.5"])
def test_jobs_is_a_number_of_at_least_one(fresh_database: str, capsys: pytest.CaptureFixture[str], number: str) -> None:
    assert applysql("--all-databases", "--jobs", number).code == 2
    assert f"argument --jobs: '{number}' is no number of at least 1" in capsys.readouterr().err


# Other commands


def test_each_is_validated_with_a_block_of_its_own(shards: dict[str, Path]) -> None:
    for folder in shards.values():
        put(folder, {"001.sql": "CREATE TABLE t (id int);"})
    assert applysql("--all-databases", "--jobs", "3").code == 0
    run_sql("ALTER TABLE t ADD COLUMN by_hand int", alias="shard02")
    together = manage("validateschema", "--all-databases", "--jobs", "3")
    assert (together.code, "public.t.by_hand" in together.out) == (1, True)
    assert together == manage("validateschema", "--all-databases")
    document = json.loads(manage("validateschema", "--all-databases", "--jobs", "3", "--format", "json").out)
    assert [each["database"] for each in document["databases"]] == list(shards)
    assert [bool(each["drift"]) for each in document["databases"]] == [False, True, False]


@pytest.mark.parametrize("flag", ["--accept", "--coverage", "--versions", "--expect-head=0", "--export=-"])
def test_what_is_about_one_database_is_refused_for_all(three: list[str], flag: str) -> None:
    answer = manage("validateschema", "--all-databases", flag)
    name = flag.partition("=")[0]
    assert (answer.out, answer.code) == ("", 2)
    assert answer.err == f"CommandError: {name} is about one database.\n  Name it with --database.\n"


def test_health_of_all_side_by_side(shards: dict[str, Path]) -> None:
    run_sql("CREATE TABLE keyless (id int)", alias="shard02")
    arguments = ("--all-databases", "--only", "no_primary_key")
    assert manage("dbhealth", *arguments, "--jobs", "4") == manage("dbhealth", *arguments)


# How many at a time


@pytest.fixture
def open_connections(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect how many connections this process has whenever it opens one; the server ends them a moment later."""
    opened: list[psycopg.Connection[Any]] = []
    counts: list[int] = []
    connect = psycopg.connect

    def connect_and_count(*args: Any, **options: Any) -> psycopg.Connection[Any]:
        opened.append(connect(*args, **options))
        counts.append(sum(not connection.closed for connection in opened))
        return opened[-1]

    monkeypatch.setattr(psycopg, "connect", connect_and_count)
    return counts


@pytest.mark.parametrize(
    ("count", "jobs"), [(6, 2), pytest.param(50, 8, marks=[pytest.mark.nightly, pytest.mark.slow])]
)
def test_never_more_at_a_time_than_asked_for(
    fresh_database: str, settings: Settings, tmp_path: Path, open_connections: list[int], count: int, jobs: int
) -> None:
    """Two connections for each that is at work; none stays open."""
    with databases(fresh_database, "many", count) as aliases:
        folders = folders_of(aliases, settings, tmp_path)
        first = ", ".join(f"'{fresh_database}_{alias}'" for alias in list(folders)[:jobs])
        for folder in folders.values():
            put(folder, {"001.sql": TOGETHER.format(prefix=fresh_database, jobs=jobs, first=first)})
        open_connections.clear()
        ran = applysql("--all-databases", "--jobs", str(jobs))
        assert max(open_connections) == 2 * jobs
        assert ran.code == 0, ran
        assert re.findall(r"^Database (\w+)$", ran.out, re.MULTILINE) == list(folders)
        assert max(value("SELECT max(databases) FROM seen", alias=alias) for alias in folders) == jobs
        left = "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE %s AND pid <> pg_backend_pid()"
        wait_until(lambda: value(left, f"{fresh_database}_many%") == 0)
        assert [connections[alias].connection for alias in folders] == [None] * count


# Signals


def sleeping(alias: str) -> bool:
    asked = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(60)%%' AND wait_event = 'PgSleep'"
    return bool(value(f"{asked} AND datname = current_database()", alias=alias))


@contextmanager
def once(condition: Callable[[], object], number: signal.Signals) -> Iterator[None]:
    """Send this process a signal while the block runs, once ``condition()`` is true."""

    def send() -> None:
        wait_until(condition)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=send)
    # A process that a shell started in the background ignores SIGINT, and so do those that it starts.
    kept = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        signal.signal(signal.SIGINT, kept)


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "Interrupted"), (signal.SIGTERM, 143, "Terminated")]
)
def test_a_signal_stops_each_as_it_stops_a_single_run(
    shards: dict[str, Path], number: signal.Signals, code: int, word: str
) -> None:
    """One is in a transaction, one outside, and the third has not begun."""
    for alias, folder in shards.items():
        put(folder, {"001.sql": "CREATE TABLE slow AS SELECT 1;"})
        assert applysql("--database", alias).code == 0
        transaction = "off" if alias == "shard02" else "on"
        put(folder, {"002.sql": f"-- sqlmigrations: transaction {transaction}\n{WAITING}"})
    with once(lambda: sleeping("shard01") and sleeping("shard02"), number):
        ran = applysql("--all-databases", "--jobs", "2")
    begun = "Database {}\nRunning SQL files:\n  Applying 002.sql...\n"
    words = f"\n{word}: the statement in work was cancelled and rolled back.\n"
    assert ran == Ran(begun.format("shard01") + begun.format("shard02"), words, code)
    assert [records(alias)[1:] for alias in shards] == [
        [("002.sql", "failed", "Interrupted: rolled back, nothing of it is left.")],
        [("002.sql", "partial", "Interrupted: the statement in work was cancelled.")],
        [],
    ]
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = ANY (%s)"
    names = [f"{connections[alias].settings_dict['NAME']}" for alias in shards]
    oids = [value("SELECT oid FROM pg_database WHERE datname = %s", name) for name in names]
    wait_until(lambda: value(locks, oids) == 0)


def test_a_signal_while_each_waits_for_another_run(shards: dict[str, Path]) -> None:
    for folder in shards.values():
        put(folder, {"001.sql": "SELECT 1;"})
    with session("shard01") as one, session("shard02") as other:
        for connection in (one, other):
            connection.execute("SELECT pg_advisory_lock(%s, %s)", [RUN_CLASS, key_of("public")])
        with once(partial(_are_waiting, "shard01", "shard02"), signal.SIGINT):
            ran = applysql("--all-databases", "--jobs", "2", "--lock-wait", "30s")
    assert ran.code == 130
    assert not value("SELECT to_regclass('sqlmigrations_migrationrecord') IS NOT NULL", alias="shard03")


def _are_waiting(*aliases: str) -> bool:
    asked = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%hold an advisory lock%%'"
    return all(
        value(f"{asked} AND pid <> pg_backend_pid() AND datname = current_database()", alias=alias) for alias in aliases
    )


# A terminal


class Terminal(io.StringIO):
    """Text that says of itself to be a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_line_for_each_at_work_and_keeps_only_the_blocks(shards: dict[str, Path]) -> None:
    for folder in shards.values():
        put(folder, {"001.sql": "SELECT pg_sleep(0.3);"})
    out = Terminal()
    command = ApplySQL(stdout=out, stderr=io.StringIO(), no_color=True)
    command.run_from_argv(["manage.py", "applysql", "--all-databases", "--jobs", "3"])
    written = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue()).replace("\r", "\n")
    for alias in shards:
        assert re.search(rf"\b{alias} .*0/1 001\.sql", written)
    assert re.findall(r"^(Database \w+|\w+: all is well \(1 applied\))$", written, re.MULTILINE) == [
        *(f"Database {alias}" for alias in shards),
        *(f"{alias}: all is well (1 applied)" for alias in shards),
    ]
