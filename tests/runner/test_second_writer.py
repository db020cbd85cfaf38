"""Somebody appends to the history without holding the run lock: the chain does not fork, and no file runs twice."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sqlmigrations.history import Chain, Event, Tables, identify, read_head, verify_chain, write_record
from sqlmigrations.models import EventType
from sqlmigrations.runner.executor import Executor
from sqlmigrations.runner.outcome import Attempt
from tests.databases import session
from tests.helpers import applysql, events, put, rows, run_sql, states, value

TABLES = Tables("public")
FILE = "INSERT INTO counted VALUES (2);"


def append(type: EventType, name: str, *, with_record: bool) -> None:
    """Append an event as a second writer does, and the record that goes with it."""
    with session() as connection, connection.transaction():
        identity, clock = identify(connection)
        if with_record:
            connection.execute("INSERT INTO counted VALUES (2)")
            now = datetime.now(UTC)
            values = {"kind": "versioned", "state": "applied", "success": True, "executed_at": now}
            write_record(
                connection, TABLES, name, {**values, "attempted_at": now, "applied_by": "other", "checksum": "v1:0"}
            )
        chain = Chain(TABLES, read_head(connection, TABLES), uuid.uuid4(), identity, clock)
        chain.append(connection, Event(type, name))


@pytest.fixture
def before_the_end(
    fresh_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[], None]], None]:
    """Return a function that has something done once, after a file's statements and before its record."""
    run_sql("CREATE TABLE counted (number int)")
    put(folder, {"001.sql": "SELECT 1;"})
    assert applysql().code == 0
    put(folder, {"002.sql": FILE})
    note_locks = Executor.note_locks

    def arrange(action: Callable[[], None]) -> None:
        left = [action]

        def acting(self: Executor, attempt: Attempt) -> None:
            if left:
                left.pop()()
            note_locks(self, attempt)

        monkeypatch.setattr(Executor, "note_locks", acting)

    return arrange


def check_chain() -> None:
    with session() as connection:
        assert verify_chain(connection, TABLES).is_intact


def test_an_event_of_another_file_has_ours_begin_again(
    before_the_end: Callable[[Callable[[], None]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sqlmigrations.runner.retries.BACKOFF", (0.0, 0.0))
    before_the_end(lambda: append(EventType.ACCEPTED, "001.sql", with_record=False))
    assert applysql().code == 0
    assert events()[-3:] == [("started", "002.sql"), ("accepted", "001.sql"), ("applied", "002.sql")]
    assert rows("SELECT number FROM counted") == [(2,)]
    assert value("SELECT details -> 'attempts' FROM sqlmigrations_migrationevent ORDER BY id DESC LIMIT 1") == 2
    check_chain()


def test_an_event_of_this_very_file_means_that_it_is_settled(
    before_the_end: Callable[[Callable[[], None]], None],
) -> None:
    before_the_end(lambda: append(EventType.APPLIED, "002.sql", with_record=True))
    ran = applysql()
    assert (ran.err, ran.code) == ("", 0)
    assert "  Applying 002.sql... OK (another run dealt with it meanwhile)\n" in ran.out
    assert rows("SELECT number FROM counted") == [(2,)]
    assert (states(), events()[-1]) == ({"001.sql": "applied", "002.sql": "applied"}, ("applied", "002.sql"))
    check_chain()
