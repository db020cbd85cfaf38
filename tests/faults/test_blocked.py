"""An idle transaction is in the way of a file: the site goes on, the other files go on, and its holder is named."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.faults.databases import Session, ask, connect
from tests.faults.processes import Place, command
from tests.helpers import put, wait_until

#: How long a file of ours waits, and how long somebody who reads the table may have to wait behind it at most: the
#: difference is for a busy machine.
OURS, THEIRS = "300ms", "20s"

FILES = {
    "001_users.sql": "CREATE TABLE users (id int); CREATE TABLE counted (number int);",
    "002_name.sql": "INSERT INTO counted VALUES (2);\nALTER TABLE users ADD COLUMN name text;",
    "003_posts.sql": "CREATE TABLE posts (id int);",
    "004_name_index.sql": "CREATE INDEX users_name ON users (name);",
}

QUEUED = """
    SELECT 1 FROM pg_stat_activity
     WHERE datname = current_database() AND query = 'SELECT count(*) FROM users' AND wait_event_type = 'Lock'
    """


@pytest.fixture
def blocked(place: Place, folder: Path) -> Place:
    """Make the table that the file waits for, with settings that don't take long."""
    put(folder, {"001_users.sql": FILES["001_users.sql"]})
    settled = place.with_settings(SQLMIGRATIONS_LOCK_TIMEOUT=OURS, SQLMIGRATIONS_RETRIES=2)
    with command(settled, "applysql") as job:
        assert job.end().code == 0
    put(folder, FILES)
    return settled


def idle_in_transaction(session: Session) -> None:
    """Read the table and fall asleep, as a web request or a console does that was forgotten."""
    session.execute("BEGIN")
    session.execute("SELECT * FROM users")


@pytest.mark.processes
def test_it_gives_up_names_the_holder_and_the_others_go_on(blocked: Place) -> None:
    with connect(blocked, application_name="console") as idle:
        idle_in_transaction(idle)
        pid, role = idle.info.backend_pid, idle.info.user
        with command(blocked, "applysql") as job:
            ran = job.end()
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert [line.split("...")[0] for line in lines if "..." in line] == [
        "  Applying 002_name.sql",
        "  Applying 003_posts.sql",
    ]
    assert "    002_name.sql:2: canceling statement due to lock timeout [55P03]" in lines
    (named,) = [line for line in lines if "Blocked by" in line]
    assert named.startswith(f"    Blocked by pid {pid} (role {role}, host ")
    assert named.endswith(" s): SELECT * FROM users")
    assert "  Held 004_name_index.sql: touches users, as does 002_name.sql, which is not applied" in lines
    ((attempts, ((blocker),)),) = ask(
        blocked, "SELECT details -> 'attempts', blockers FROM sqlmigrations_migrationevent WHERE type = 'failed'"
    )
    assert attempts == 3
    assert (blocker["pid"], blocker["application"], blocker["query"]) == (pid, "console", "SELECT * FROM users")
    assert ask(blocked, "SELECT filename, state FROM sqlmigrations_migrationrecord ORDER BY 1") == [
        ("001_users.sql", "applied"),
        ("002_name.sql", "failed"),
        ("003_posts.sql", "applied"),
    ]
    assert ask(blocked, "SELECT * FROM counted") == []


@pytest.mark.processes
def test_nobody_queues_behind_it_for_long_and_it_comes_through_in_the_end(blocked: Place) -> None:
    """Readers queue behind a waiting ALTER TABLE: without our lock_timeout they would until the holder is gone."""
    patient = blocked.with_settings(SQLMIGRATIONS_RETRIES=1000)
    over = threading.Event()
    reads, failures = [0], list[Exception]()

    def read() -> None:
        try:
            with connect(blocked) as reader:
                reader.execute(f"SET lock_timeout = '{THEIRS}'".encode())
                while not over.wait(0.01):
                    reader.execute("SELECT count(*) FROM users")
                    reads[0] += 1
        except Exception as error:  # told by the test itself
            failures.append(error)

    with connect(blocked) as idle, command(patient, "applysql") as job:
        idle_in_transaction(idle)
        reader = threading.Thread(target=read)
        reader.start()
        try:
            wait_until(lambda: ask(blocked, QUEUED) or failures)
            before = reads[0]
            wait_until(lambda: reads[0] > before + 10 or failures)
            idle.execute("COMMIT")
            ran = job.end()
        finally:
            over.set()
            reader.join()
    assert (failures, ran.code, ran.err) == ([], 0, "")
    assert ask(blocked, "SELECT * FROM counted") == [(2,)]
    assert ask(
        blocked,
        "SELECT (details ->> 'attempts')::int > 1 FROM sqlmigrations_migrationevent"
        " WHERE filename = '002_name.sql' AND type = 'applied'",
    ) == [(True,)]
