"""Tests of ``prepare()``, in this process and in servers' processes."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker, Settings

from project.env import BASE_DIR
from project.postgres import database_url
from sqlmigrations import startup
from sqlmigrations.runner.lock import RUN_CLASS, key_of
from sqlmigrations.startup import prepare
from tests.databases import session
from tests.helpers import (
    PATIENCE,
    applysql,
    catalog,
    database_name,
    events,
    plain,
    put,
    rows,
    started,
    states,
    tables,
    value,
    wait_until,
    wait_until_sessions,
)

pytestmark = pytest.mark.usefixtures("fresh_database")

A = {"001_a.sql": "CREATE TABLE a (id int);"}
BROKEN = {"002_b.sql": "SELECT nothing;"}
PENDING = "WARNING Database 'default': SQL files are pending: {}. Run: manage.py applysql"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Collect what is logged from INFO on, one text for each record: the level and the words."""

    class Texts(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            texts.append(plain(f"{record.levelname} {record.getMessage()}"))

    texts: list[str] = []
    handler = Texts()
    startup.logger.addHandler(handler)
    with caplog.at_level(logging.INFO, "sqlmigrations"):
        yield texts
    startup.logger.removeHandler(handler)


# In this process


def test_validates_and_changes_nothing_unless_asked_to(folder: Path, log: list[str]) -> None:
    put(folder, A)
    before = catalog()
    prepare()
    assert catalog() == before
    assert log == [PENDING.format(1)]


def test_applies_when_asked_to(folder: Path, log: list[str]) -> None:
    put(folder, A)
    prepare(apply=True)
    assert tables() == ["a"]
    assert states() == {"001_a.sql": "applied"}
    assert len(log) == 1
    assert log[0].startswith("INFO 001_a.sql: applied in ")
    prepare(apply=True)
    assert len(log) == 1
    assert len(events()) == 2


def test_what_is_wrong_is_logged(folder: Path, log: list[str], settings: Settings) -> None:
    put(folder, A | BROKEN)
    settings.SQLMIGRATIONS_REQUIRED_TABLES = {"users": []}
    prepare(apply=True)
    assert log[1:] == [
        'ERROR 002_b.sql:1 failed: column "nothing" does not exist',
        PENDING.format(1),
        "ERROR Database 'default': file 002_b.sql: failed: column \"nothing\" does not exist",
        "ERROR Database 'default': table users: absent",
    ]
    del log[:]
    prepare(apply=True, validate=False)
    assert log == ['ERROR 002_b.sql:1 failed: column "nothing" does not exist']


def test_invalid_files_are_logged(folder: Path, log: list[str]) -> None:
    put(folder, {"001_a.sql": "-- sqlmigrations: nonsense\nSELECT 1;"})
    prepare(apply=True)
    assert log == [
        "ERROR Database 'default': 001_a.sql:1: unknown directive 'nonsense'\n"
        "  Known are: requires, transaction, isolation, lock_timeout, statement_timeout, retries, batch, pause, "
        "max_lag, allow, tags, sensitive."
    ]
    assert tables() == []


def test_whatever_fails_is_logged(
    folder: Path, log: list[str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, A)
    monkeypatch.setattr(startup, "_apply", None)
    prepare(apply=True)
    assert log == ["ERROR Database 'default': the SQL files were not looked at; the server starts all the same."]
    settings.SQLMIGRATIONS_DIRS = 3
    prepare(apply=True)
    assert log[1:] == ["ERROR The SQL files were not looked at; the server starts all the same."]


def test_a_server_that_is_away(folder: Path, log: list[str]) -> None:
    put(folder, A)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connections["default"].settings_dict, "HOST", "127.0.0.1")
        patch.setitem(connections["default"].settings_dict, "PORT", "1")
        prepare(apply=True)
    (only,) = log
    assert only.startswith("ERROR Database 'default': Database 'default' can't be reached: ")


def test_a_server_that_does_not_answer(folder: Path, log: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up by our own limit, which is taken back."""
    put(folder, A)
    monkeypatch.setattr(startup, "CONNECT_TIMEOUT", 2)
    given = connections["default"].settings_dict
    before = dict(given["OPTIONS"])
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.MonkeyPatch.context() as patch:
        patch.setitem(given, "HOST", "127.0.0.1")
        patch.setitem(given, "PORT", str(mute.getsockname()[1]))
        prepare()
    assert log == [
        "ERROR Database 'default': Database 'default' can't be reached: connection timeout expired\n"
        "  Look at DATABASES['default'] and whether its server runs."
    ]
    assert given["OPTIONS"] == before


def test_a_pool_is_left_alone(folder: Path, log: list[str]) -> None:
    """It would try for 30 seconds, gunicorn's own limit, and tell no reason; forked workers must not inherit it."""
    put(folder, A)
    wrapper = connections["default"]
    wrapper.close()
    given = wrapper.settings_dict
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(given, "OPTIONS", {**given["OPTIONS"], "pool": {"timeout": 1}})
        with pytest.MonkeyPatch.context() as away:
            away.setitem(given, "HOST", "127.0.0.1")
            away.setitem(given, "PORT", "1")
            prepare(apply=True)
        (only,) = log
        assert only.startswith("ERROR Database 'default': Database 'default' can't be reached: connection failed: ")
        prepare(apply=True)
        assert (wrapper.settings_dict, wrapper.connection) == (given, None)
    assert states() == {"001_a.sql": "applied"}
    wait_until_sessions(0)


def test_a_lock_that_is_held(folder: Path, log: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, A)
    monkeypatch.setattr(startup, "LOCK_WAIT", 0.0)
    with session(application_name="another") as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [RUN_CLASS, key_of("public")])
        prepare(apply=True)
    assert [text.partition(" (role")[0] for text in log] == [
        "INFO Waiting for another process that applies SQL files: pid <pid>",
        "WARNING Database 'default': Another run holds the lock: pid <pid>",
    ]
    assert log[1].endswith(" The server starts without waiting longer.")
    assert ", application another, " in log[1]
    assert tables() == []


def test_the_lock_is_not_waited_for_when_nothing_is_pending(folder: Path, log: list[str]) -> None:
    put(folder, A)
    applysql()
    with session() as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [RUN_CLASS, key_of("public")])
        prepare(apply=True, validate=False)
    assert log[1:] == []  # the first is that of the command


def test_every_connection_is_closed(folder: Path) -> None:
    put(folder, A)
    connections["default"].close()
    prepare(apply=True)
    assert connections["default"].connection is None
    wait_until_sessions(0)


def test_a_connection_that_was_open_stays(folder: Path) -> None:
    put(folder, A)
    connections["default"].ensure_connection()
    before = connections["default"].connection
    prepare(apply=True)
    assert connections["default"].connection is before
    wait_until_sessions(1)


def test_inside_an_event_loop(folder: Path, log: list[str], django_db_blocker: DjangoDbBlocker) -> None:
    """Django refuses to work in the loop's own thread; another one does it, and leaves no connection."""
    put(folder, A)
    connections["default"].close()

    async def serve() -> None:
        prepare(apply=True)

    asyncio.run(serve())
    assert len(log) == 1
    assert log[0].startswith("INFO 001_a.sql: applied in ")
    assert connections["default"].connection is None
    wait_until_sessions(0)
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("sqlmigrations")] == []


def test_every_database_with_files_once(
    folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, fresh_database: str, tmp_path: Path
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(startup, "_apply", asked.append)
    put(folder, A)
    prepare(apply=True, validate=False)
    assert asked == ["default"]
    settings.SQLMIGRATIONS_DIRS = {"default": [folder], "other": [folder]}
    prepare(apply=True, validate=False)
    assert asked[1:] == ["default", "other"]
    monkeypatch.setitem(connections["other"].settings_dict, "NAME", fresh_database)
    prepare(apply=True, validate=False)
    assert asked[3:] == ["default"]
    settings.SQLMIGRATIONS_DIRS = {"other": [folder]}
    prepare(apply=True, validate=False)
    assert asked[4:] == ["other"]
    settings.SQLMIGRATIONS_DIRS = []
    prepare(apply=True, validate=False)
    assert asked[5:] == []


# In servers' processes

#: What people write into ``wsgi.py``, sorted as isort sorts it: ours is imported before Django is set up.
WSGI = """
import logging, os, sys
from django.core.wsgi import get_wsgi_application
from sqlmigrations.startup import prepare

application = get_wsgi_application()
logging.basicConfig(format="%(message)s", level=os.environ.get("LEVEL", "WARNING"))
print("ready", flush=True)
sys.stdin.readline()
prepare(apply=True)

from django.db import connections
print([alias for alias in connections if connections[alias].connection is not None])
"""


def serving(folder: Path, program: str = WSGI, **environment: str) -> subprocess.Popen[str]:
    """Start a server's process that prepares the database of ``default``."""
    variables = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.process_settings",
        "DATABASE_URL": database_url(database_name()),
        "SQL_FOLDER": str(folder),
        **environment,
    }
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", program], env=variables, cwd=BASE_DIR, text=True, stdin=pipe, stdout=pipe, stderr=pipe
    )


@pytest.mark.processes
def test_eight_processes_at_once(folder: Path) -> None:
    """Each file runs once; every process starts, without an error, and keeps no connection."""
    text = "CREATE TABLE t{0} (id int); INSERT INTO t{0} VALUES (1); SELECT pg_sleep(0.1);"
    files = {f"{number:03}_t.sql": text.format(number) for number in range(1, 6)}
    put(folder, files)
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(folder, LEVEL="ERROR")) for _ in range(8)]
        for server in servers:
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n", server.communicate(timeout=PATIENCE)
        for server in servers:
            assert server.stdin is not None
            server.stdin.write("\n")
            server.stdin.flush()
        answers = [server.communicate(timeout=PATIENCE) for server in servers]
    assert answers == [("[]\n", "")] * 8
    assert [server.returncode for server in servers] == [0] * 8
    assert sorted(events()) == sorted((type, name) for name in files for type in ("applied", "started"))
    assert [value(f"SELECT count(*) FROM t{number}") for number in range(1, 6)] == [1] * 5
    wait_until_sessions(0)


@pytest.mark.processes
def test_a_run_that_is_at_work_is_waited_for(folder: Path) -> None:
    """The server that starts meanwhile finds everything applied."""
    put(folder, A | {"002_slow.sql": "SELECT pg_sleep(1);"})
    with started(folder) as run:
        wait_until(lambda: has_history() and ("started", "002_slow.sql") in events())
        with serving(folder) as server:
            out, err = server.communicate("\n", timeout=PATIENCE)
        assert run.end().code == 0
    assert (out, err, server.returncode) == ("ready\n[]\n", "", 0)
    assert states() == {"001_a.sql": "applied", "002_slow.sql": "applied"}
    assert len(events()) == 4


def has_history() -> bool:
    """Say whether the table of events is there yet."""
    return rows("SELECT to_regclass('sqlmigrations_migrationevent')") != [(None,)]


@pytest.mark.processes
def test_a_server_starts_without_its_database(folder: Path) -> None:
    put(folder, A)
    with serving(folder, DATABASE_URL="postgres://nobody@127.0.0.1:1/nowhere") as server:
        out, err = server.communicate("\n", timeout=PATIENCE)
    assert (out, server.returncode) == ("ready\n[]\n", 0)
    assert err.startswith("Database 'default': Database 'default' can't be reached: ")
    assert "Traceback" not in err
