"""Events: append-only, and chained so that an alteration shows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta, timezone
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from sqlmigrations.database import Connection
from sqlmigrations.history import (
    GENESIS,
    Chain,
    Event,
    Identity,
    Tables,
    digest,
    holds_event,
    read_head,
    verify_chain,
)
from sqlmigrations.models import EventType, MigrationEvent
from tests.databases import session
from tests.helpers import value
from tests.history.chains import IDENTITY, RUN, WHEN, make_chain

# Events are append-only


@pytest.mark.parametrize("role_setting", ["origin", "replica", "local"])
@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE sqlmigrations_migrationevent SET filename = 'x'", "UPDATE"),
        ("DELETE FROM sqlmigrations_migrationevent", "DELETE"),
        ("TRUNCATE sqlmigrations_migrationevent", "TRUNCATE"),
    ],
)
def test_events_are_append_only_whatever_the_session_is_set_to(
    chain: Chain, connection: Connection, role_setting: str, statement: str, what: str
) -> None:
    chain.append(connection, Event(EventType.APPLIED, "001.sql"))
    with session() as other:
        other.execute("SELECT set_config('session_replication_role', %s, false)", [role_setting])
        with pytest.raises(psycopg.errors.RestrictViolation) as caught:
            other.execute(statement.encode())

    message = f"{what} of sqlmigrations_migrationevent is refused: events are append-only"
    assert caught.value.diag.message_primary == message
    assert value("SELECT count(*) FROM sqlmigrations_migrationevent") == 1


def test_two_events_cannot_follow_the_same_one(chain: Chain, connection: Connection) -> None:
    first, second = (chain.link(Event(EventType.STARTED, name)) for name in ("a.sql", "b.sql"))
    chain.write(connection, first)
    with pytest.raises(psycopg.errors.UniqueViolation, match="sqlmigrations_event_previous_hash_key"):
        chain.write(connection, second)


# The chain


def test_an_event_keeps_who_when_and_what(chain: Chain, connection: Connection) -> None:
    event = Event(
        EventType.FAILED,
        "ünï/001 'x'.sql",
        duration_ms=12.5,
        checksum="v1:abc",
        timings=[{"number": 1, "line": 2, "duration_ms": 0.25}],
        notices=["NOTICE: é€😀"],
        sqlstate="42601",
        line=3,
        blockers=[{"pid": 1}],
        details={"message": "no", "nested": {"deep": [1, 2.5, None, True, "é€😀"]}},
    )
    chain.append(connection, event)

    row = MigrationEvent.objects.get()
    assert {field.name: getattr(row, field.name) for field in fields(Event)} == {
        field.name: getattr(event, field.name) for field in fields(Event)
    }
    assert {field.name: getattr(row, field.name) for field in fields(Identity)} == {
        field.name: getattr(IDENTITY, field.name) for field in fields(Identity)
    }
    assert (row.run, row.previous_hash, row.hash) == (RUN, GENESIS, chain.head)
    assert holds_event(connection, chain.tables, chain.head)
    assert not holds_event(connection, chain.tables, "0" * 64)
    assert read_head(connection, chain.tables) == chain.head


def test_the_hash_is_made_of_explicit_values_in_one_form() -> None:
    """Hashes that are on record must mean the same in every later version."""
    event = Event(EventType.APPLIED, "001.sql", duration_ms=2.0, line=3, details={"b": 1e23, "a": ["é", 0.5, None]})
    values = {**make_chain().link(event).values, "at": WHEN.astimezone(timezone(timedelta(hours=5))), "tool": "1.0"}
    text = (
        '{"application_name":"tests","at":"2026-03-29T01:59:59.123456+00:00","backend_pid":42,'
        '"backend_start":"2026-03-29T01:59:59.123456+00:00","blockers":[],"checksum":"",'
        '"details":{"a":["é",0.5,null],"b":100000000000000000000000},"duration_ms":2,"filename":"001.sql",'
        '"host":"host (10.0.0.1)","line":3,"notices":[],"os_user":"al","previous_hash":"' + GENESIS + '",'
        '"revision":"abc123","role":"alice","run":"12345678-1234-5678-1234-567812345678","server":"18.6",'
        '"sqlstate":"","timings":[],"tool":"1.0","type":"applied"}'
    )
    assert digest(values) == hashlib.sha256(text.encode()).hexdigest()


names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**80), 2**80)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
random_events = st.builds(
    Event,
    type=st.sampled_from(EventType),
    filename=names,
    duration_ms=st.none() | st.floats(0, 1e12),
    checksum=names,
    timings=st.lists(
        st.fixed_dictionaries({"number": st.integers(1, 9), "duration_ms": st.floats(0, 1e9)}), max_size=3
    ),
    notices=st.lists(names, max_size=3),
    sqlstate=names,
    line=st.none() | st.integers(0, 2**31 - 1),
    blockers=st.lists(st.dictionaries(names, json_values, max_size=2), max_size=2),
    details=st.dictionaries(names, json_values, max_size=4),
)


@pytest.fixture
def scratch(connection: Connection) -> Callable[[], Any]:
    """Open a transaction that is rolled back, in which events can be altered as a superuser could."""

    def block() -> Any:
        return connection.transaction(force_rollback=True)

    return block


def unlock_events(connection: Connection) -> None:
    connection.execute("ALTER TABLE sqlmigrations_migrationevent DISABLE TRIGGER ALL")


#: The fixtures hold for all examples of a test: none leaves anything behind.
any_chain = examples(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@any_chain
@given(st.lists(random_events, min_size=1, max_size=6))
def test_any_chain_that_was_written_verifies(
    connection: Connection, scratch: Callable[[], Any], written: list[Event]
) -> None:
    with scratch():
        chain = make_chain()
        for event in written:
            chain.append(connection, event)
        report = verify_chain(connection, chain.tables)
        assert (report.is_intact, report.events, report.head) == (True, len(written), chain.head)


#: For each column another value than the present one, in SQL.
ALTERATIONS = {
    "run": "gen_random_uuid()",
    "type": "type || 'x'",
    "filename": "filename || ' '",
    "at": "at + interval '1 microsecond'",
    "duration_ms": "coalesce(duration_ms, 0) + 1",
    "role": "role || 'x'",
    "os_user": "os_user || 'x'",
    "host": "host || 'x'",
    "application_name": "application_name || 'x'",
    "backend_pid": "backend_pid + 1",
    "backend_start": "backend_start - interval '1 microsecond'",
    "tool": "tool || 'x'",
    "server": "server || 'x'",
    "revision": "revision || 'x'",
    "checksum": "checksum || 'x'",
    "timings": "timings || '[1]'",
    "notices": "notices || '[\"x\"]'",
    "sqlstate": "sqlstate || 'x'",
    "line": "coalesce(line, 0) - 1",
    "blockers": "blockers || '[{}]'",
    "details": "details || '{\"x\": 1.5}'",
    "previous_hash": "'x' || previous_hash",
    "hash": "overlay(hash placing (CASE WHEN left(hash, 1) = 'a' THEN 'b' ELSE 'a' END) from 1)",
}


def test_every_column_of_an_event_can_be_altered_in_the_tests_below() -> None:
    assert set(ALTERATIONS) == {field.column for field in MigrationEvent._meta.concrete_fields} - {"id"}


@any_chain
@given(st.lists(random_events, min_size=1, max_size=5), st.sampled_from(sorted(ALTERATIONS)), st.data())
def test_any_single_altered_value_is_found_at_its_event(
    connection: Connection, scratch: Callable[[], Any], written: list[Event], column: str, data: st.DataObject
) -> None:
    with scratch():
        chain = make_chain()
        for event in written:
            chain.append(connection, event)
        unlock_events(connection)
        ids = [id for (id,) in connection.execute("SELECT id FROM sqlmigrations_migrationevent ORDER BY id").fetchall()]
        victim = data.draw(st.sampled_from(ids))
        statement = f"UPDATE sqlmigrations_migrationevent SET {column} = {ALTERATIONS[column]} WHERE id = %s"
        connection.execute(statement.encode(), [victim])

        report = verify_chain(connection, chain.tables)
        assert (report.break_id, report.events) == (victim, ids.index(victim))


def written_chain(connection: Connection, count: int) -> list[int]:
    chain = make_chain()
    for number in range(count):
        chain.append(connection, Event(EventType.APPLIED, f"{number:03}.sql", details={"text": "abcdef"}))
    return [id for (id,) in connection.execute("SELECT id FROM sqlmigrations_migrationevent ORDER BY id").fetchall()]


def test_one_flipped_byte_is_located(connection: Connection) -> None:
    ids = written_chain(connection, 5)
    unlock_events(connection)
    connection.execute(
        "UPDATE sqlmigrations_migrationevent SET details = jsonb_set(details, '{text}', '\"abcdeg\"') WHERE id = %s",
        [ids[3]],
    )
    report = verify_chain(connection, Tables("public"))
    assert (report.events, report.break_id) == (3, ids[3])
    assert report.break_reason == "its values are not those that its hash was made of"


@pytest.mark.parametrize("gone", [0, 2, 3])
def test_a_removed_event_is_located_at_the_one_behind_it(connection: Connection, gone: int) -> None:
    ids = written_chain(connection, 5)
    unlock_events(connection)
    connection.execute("DELETE FROM sqlmigrations_migrationevent WHERE id = %s", [ids[gone]])
    report = verify_chain(connection, Tables("public"))
    assert (report.events, report.break_id) == (gone, ids[gone + 1])
    assert report.break_reason == "it does not follow the event before it: one was removed, added or put elsewhere"


def test_two_events_that_changed_places_are_located(connection: Connection) -> None:
    ids = written_chain(connection, 4)
    unlock_events(connection)
    swap = "UPDATE sqlmigrations_migrationevent SET id = %s WHERE id = %s"
    for new, old in ((-1, ids[1]), (ids[1], ids[2]), (ids[2], -1)):
        connection.execute(swap, [new, old])
    assert verify_chain(connection, Tables("public")).break_id == ids[1]


def test_an_event_that_was_put_in_is_located(connection: Connection) -> None:
    ids = written_chain(connection, 2)
    connection.execute(
        "INSERT INTO sqlmigrations_migrationevent (run, type, filename, at, role, backend_pid, backend_start, tool, "
        "server, previous_hash, hash) SELECT run, 'applied', 'forged.sql', at, role, backend_pid, backend_start, tool, "
        "server, 'nothing', 'nothing' FROM sqlmigrations_migrationevent LIMIT 1"
    )
    assert verify_chain(connection, Tables("public")).break_id == ids[1] + 1


def test_the_tail_alone_can_be_verified(connection: Connection) -> None:
    ids = written_chain(connection, 6)
    unlock_events(connection)
    connection.execute("UPDATE sqlmigrations_migrationevent SET host = 'elsewhere' WHERE id = %s", [ids[1]])
    tail = verify_chain(connection, Tables("public"), last=3)
    assert (tail.is_intact, tail.events) == (True, 3)
    assert verify_chain(connection, Tables("public"), last=5).break_id == ids[1]
    assert verify_chain(connection, Tables("public"), last=100).break_id == ids[1]


def test_a_session_that_rounds_numbers_finds_no_alteration(chain: Chain, connection: Connection) -> None:
    chain.append(connection, Event(EventType.APPLIED, "001.sql", duration_ms=1234.567))
    connection.execute("SET extra_float_digits = -10")
    assert verify_chain(connection, Tables("public")).is_intact
    with connection.transaction():
        assert verify_chain(connection, Tables("public")).is_intact
    assert connection.execute("SHOW extra_float_digits").fetchall() == [("-10",)]


def test_a_chain_of_more_than_one_page_is_walked_to_its_end(connection: Connection) -> None:
    with connection.transaction():
        ids = written_chain(connection, 1_203)
    assert verify_chain(connection, Tables("public")).events == 1_203
    unlock_events(connection)
    connection.execute("UPDATE sqlmigrations_migrationevent SET host = '' WHERE id = %s", [ids[1_100]])
    assert verify_chain(connection, Tables("public")).break_id == ids[1_100]
