"""What is tried again, how often, and after which pause."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sqlmigrations.runner import executor, retries
from tests.databases import session
from tests.helpers import Settings, applysql, events, put, rows, run_sql, states, tables, value, wait_until
from tests.runner.files import STUBBORN

#: How many sessions of this database wait for a lock.
WAITING = (
    "SELECT count(*) FROM pg_locks WHERE NOT granted "
    "AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
)


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


def test_pauses_grow_to_a_limit_and_vary() -> None:
    first, longest = retries.BACKOFF
    for number, limit in ((1, first), (2, first * 2), (4, first * 8), (12, longest), (900, longest)):
        drawn = [retries.pause(number) for _ in range(50)]
        assert all(0 <= seconds <= limit for seconds in drawn)
        assert len(set(drawn)) > 1
