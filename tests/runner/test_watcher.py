"""Who is in the way of a file, seen while it lasts."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sqlmigrations.runner import watcher
from sqlmigrations.runner.watcher import Blocker, Watcher
from sqlmigrations.service.apply import ApplyOptions, apply
from sqlmigrations.service.told import Blocked
from tests.databases import session
from tests.helpers import applysql, put, rows, run_sql, value, wait_until


@pytest.mark.parametrize("transaction", ["on", "off"])
def test_a_long_wait_is_told_once_while_it_lasts(
    ready_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch, transaction: str
) -> None:
    monkeypatch.setattr(watcher, "TOLD_AFTER", 0.2)
    monkeypatch.setattr(watcher, "LONGEST", 0.05)
    run_sql("CREATE TABLE users (id int)")
    directives = f"-- sqlmigrations: transaction {transaction}\n-- sqlmigrations: lock_timeout 5min\n"
    put(folder, {"001.sql": f"{directives}ALTER TABLE users ADD name text;"})
    told: list[Blocked] = []
    with session(application_name="a long report") as blocker:
        blocker.execute("BEGIN; LOCK TABLE users")

        def progress(report: object) -> None:
            if isinstance(report, Blocked):
                told.append(report)

        def let_go() -> None:
            wait_until(lambda: told)
            threading.Event().wait(0.5)
            blocker.execute("COMMIT")

        thread = threading.Thread(target=let_go)
        thread.start()
        apply(ApplyOptions(), progress)
        thread.join()
        pid = blocker.info.backend_pid
    ((blocked,),) = (report.blockers for report in told)
    assert (blocked.pid, blocked.application, blocked.state, blocked.query) == (
        pid,
        "a long report",
        "idle in transaction",
        "BEGIN; LOCK TABLE users",
    )
    assert blocked.transaction_s is not None
    assert rows("SELECT state FROM sqlmigrations_migrationrecord") == [("applied",)]


def test_a_prepared_transaction_is_a_blocker_too(ready_database: str) -> None:
    """It has no session: only its pid 0 is known."""
    assert str(Blocker(0, "", "local", "", "prepared transaction", None, "")) == (
        "pid 0 (role ?, host local, prepared transaction)"
    )


def test_a_blocker_in_words() -> None:
    blocker = Blocker(7, "alice", "10.0.0.1", "web", "idle in transaction", 61.4, "SELECT *\n   FROM users")
    assert str(blocker) == (
        "pid 7 (role alice, host 10.0.0.1, application web, idle in transaction, in its transaction for 61 s): "
        "SELECT * FROM users"
    )
    assert blocker.as_json() == {
        "pid": 7,
        "role": "alice",
        "host": "10.0.0.1",
        "application": "web",
        "state": "idle in transaction",
        "transaction_s": 61.4,
        "query": "SELECT *\n   FROM users",
    }


def test_between_files_nobody_looks(ready_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watcher shares the run lock's connection: it must keep off it when the run itself uses it."""
    monkeypatch.setattr(watcher, "LONGEST", 0.01)
    looks = 0
    with session() as connection:

        def connect() -> object:
            nonlocal looks
            looks += 1
            return connection

        with Watcher(connect) as watching:  # type: ignore[arg-type]  # counts the looks
            threading.Event().wait(0.1)
            assert looks == 0
            watching.begin(connection.info.backend_pid, lock_timeout_s=0.0)
            wait_until(lambda: looks > 2)
            assert watching.end() == []
            before = looks
            threading.Event().wait(0.1)
            assert looks == before


def test_a_lost_connection_ends_the_watch_and_not_the_file(ready_database: str, folder: Path) -> None:
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sqlmigrations'"
    wait = f"{end} AND datname = current_database()"
    put(folder, {"001.sql": f"SELECT pg_sleep(0.6);\n{wait};\nCREATE TABLE t (id int);\nSELECT pg_sleep(0.6);"})
    assert applysql().code == 0
    assert value("SELECT state FROM sqlmigrations_migrationrecord") == "applied"
