"""The history: its tables, its records, and the chain that shows every alteration."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from psycopg import sql

from sqlmigrations.database import Connection, fetch_row, raw
from sqlmigrations.exceptions import ConfigurationError, HistoryIsReadOnly
from sqlmigrations.files.kinds import Kind
from sqlmigrations.history import (
    GENESIS,
    Chain,
    Clock,
    Event,
    Identity,
    Record,
    Tables,
    digest,
    ensure_tables,
    holds_event,
    identify,
    locate,
    read_head,
    read_record,
    read_records,
    read_texts,
    revision,
    verify_chain,
    write_record,
)
from sqlmigrations.models import EventType, MigrationEvent, MigrationRecord, State
from tests.databases import session
from tests.helpers import Settings, role, rows, run_sql, value

WHEN = datetime(2026, 3, 29, 1, 59, 59, 123456, tzinfo=UTC)
RUN = uuid.UUID("12345678-1234-5678-1234-567812345678")
IDENTITY = Identity("alice", "al", "host (10.0.0.1)", "tests", 42, WHEN, "18.6", "abc123")


def make_chain(head: str = GENESIS) -> Chain:
    return Chain(Tables("public"), head, RUN, IDENTITY, Clock(WHEN, 0.0))


@pytest.fixture
def connection(ready_database: str) -> Connection:
    """The connection of a database that has the history's tables."""
    return raw(connections["default"])


@pytest.fixture
def chain(connection: Connection) -> Chain:
    return make_chain()


# Where the history is


def test_a_database_without_our_tables_has_an_empty_history(fresh_database: str) -> None:
    connection = raw(connections["default"])
    location = locate(connection)

    assert (location.tables, location.schema, location.has_django_migrations) == (None, "public", False)
    assert read_records(connection, None) == {}
    assert read_head(connection, None) == GENESIS
    assert verify_chain(connection, None).is_intact


def test_the_tables_are_made_once_and_without_any_signal(fresh_database: str) -> None:
    sent: list[str] = []

    def receive_pre(**kwargs: Any) -> None:
        sent.append("pre_migrate")

    def receive_post(**kwargs: Any) -> None:
        sent.append("post_migrate")

    pre_migrate.connect(receive_pre)
    post_migrate.connect(receive_post)
    try:
        made = [ensure_tables(connections["default"]) for _ in range(2)]
    finally:
        pre_migrate.disconnect(receive_pre)
        post_migrate.disconnect(receive_post)

    assert made == [Tables("public")] * 2
    assert sent == []
    assert rows("SELECT app, name FROM django_migrations ORDER BY name") == [
        ("sqlmigrations", "0001_initial"),
        ("sqlmigrations", "0002_schemachange"),
        ("sqlmigrations", "0003_schemasnapshot"),
        ("sqlmigrations", "0004_export_permission"),
        ("sqlmigrations", "0005_healthrun"),
        ("sqlmigrations", "0006_schemaexpectation"),
        ("sqlmigrations", "0007_admin"),
        ("sqlmigrations", "0008_kept_rehearsal"),
    ]
    assert [name for (name,) in rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")] == [
        "django_migrations",
        "sqlmigrations_healthrun",
        "sqlmigrations_migrationevent",
        "sqlmigrations_migrationrecord",
        "sqlmigrations_report",
        "sqlmigrations_schemachange",
        "sqlmigrations_schemaexpectation",
        "sqlmigrations_schemasnapshot",
        "sqlmigrations_schematext",
    ]


def test_the_tables_go_to_the_schema_that_the_search_path_names(fresh_database: str) -> None:
    run_sql("CREATE SCHEMA app; CREATE SCHEMA later")
    connection = raw(connections["default"])
    connection.execute("SET search_path = app, public")
    assert ensure_tables(connections["default"]) == Tables("app")

    connection.execute("SET search_path = later, app")
    assert locate(connection).schema == "app"


def test_tables_that_djangos_history_promises_and_that_are_gone_are_told(fresh_database: str) -> None:
    ensure_tables(connections["default"])
    run_sql("DROP TABLE sqlmigrations_migrationevent, sqlmigrations_migrationrecord")

    with pytest.raises(ConfigurationError) as caught:
        ensure_tables(connections["default"])
    assert str(caught.value) == (
        "The tables of the history are missing from schema public, though Django's history says that they were made.\n"
        "  Find them in another schema, or run `manage.py migrate sqlmigrations zero --fake` and this again."
    )


def test_the_migration_is_reversible(fresh_database: str) -> None:
    objects = "SELECT count(*) FROM pg_class WHERE relname LIKE 'sqlmigrations%'"
    functions = "SELECT count(*) FROM pg_proc WHERE proname LIKE 'sqlmigrations%'"
    call_command("migrate", "sqlmigrations", verbosity=0)
    made = value(objects)
    assert made > 0
    assert value(functions) == 1

    call_command("migrate", "sqlmigrations", "zero", verbosity=0)
    assert value(objects) == 0
    assert value(functions) == 0

    call_command("migrate", "sqlmigrations", verbosity=0)
    assert value(objects) == made


def test_the_models_name_exactly_the_tables_columns(connection: Connection) -> None:
    for model in (MigrationRecord, MigrationEvent):
        in_database = rows(
            "SELECT column_name, is_nullable = 'YES' FROM information_schema.columns WHERE table_name = %s",
            model._meta.db_table,
        )
        in_model = [(field.column, field.null) for field in model._meta.concrete_fields]
        assert sorted(in_model) == sorted(in_database)


def test_states_types_and_kinds_of_the_models_are_those_of_the_table(connection: Connection) -> None:
    for kind in Kind:
        write_record(connection, Tables("public"), f"{kind}.sql", record_values(kind=str(kind)))
    with pytest.raises(psycopg.errors.CheckViolation):
        write_record(connection, Tables("public"), "x.sql", record_values(kind="other"))


# Records


def record_values(**changed: Any) -> dict[Any, Any]:
    values: dict[str, Any] = {
        "kind": "versioned",
        "state": "applied",
        "success": True,
        "executed_at": WHEN,
        "attempted_at": WHEN,
        "checksum": "v1:0",
        "applied_by": "alice",
    }
    return {**values, **changed}


def test_a_record_is_inserted_then_changed_in_just_the_columns_named(connection: Connection) -> None:
    tables = Tables("public")
    write_record(connection, tables, "001_ä'\".sql", record_values(applied_sql="SELECT 1", tags=["a", "b"]))
    later = WHEN + timedelta(hours=1)
    write_record(
        connection,
        tables,
        "001_ä'\".sql",
        {
            "kind": "versioned",
            "state": "failed",
            "success": False,
            "attempted_at": later,
            "applied_by": "bob",
            "error_message": "no",
            "error_line": 7,
            "error_sqlstate": "42601",
            "progress": {"intent": None},
        },
    )

    expected = Record(
        filename="001_ä'\".sql",
        kind=Kind.VERSIONED,
        state=State.FAILED,
        checksum="v1:0",
        executed_at=WHEN,
        attempted_at=later,
        execution_time_ms=None,
        error_message="no",
        error_sqlstate="42601",
        error_line=7,
        statements_done=0,
        statements_total=None,
        applied_by="bob",
        progress={"intent": None},
    )
    assert read_record(connection, tables, "001_ä'\".sql") == expected
    assert read_records(connection, tables) == {"001_ä'\".sql": expected}
    assert read_texts(connection, tables, ["001_ä'\".sql", "none.sql"]) == {"001_ä'\".sql": "SELECT 1"}
    assert rows("SELECT tags FROM sqlmigrations_migrationrecord") == [(["a", "b"],)]
    assert read_record(connection, tables, "none.sql") is None


@pytest.mark.parametrize(
    "values",
    [
        {"state": "applied", "success": False},
        {"state": "applied", "success": None},
        {"state": "applied", "executed_at": None},
        {"state": "applied", "checksum": ""},
        {"state": "applied", "error_message": "yet it failed"},
        {"state": "failed", "success": True},
        {"state": "failed", "success": None},
        {"state": "partial", "success": True},
        {"state": "in_doubt", "success": None},
        {"state": "baselined", "success": True},
        {"state": "reverted", "success": False},
        {"state": "retired", "success": True},
        {"state": "retired", "success": None, "error_message": "no"},
        {"state": "unheard of", "success": True},
    ],
    ids=str,
)
def test_a_record_that_contradicts_itself_is_refused(connection: Connection, values: dict[str, Any]) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        write_record(connection, Tables("public"), "x.sql", record_values(**values))


@pytest.mark.parametrize(
    ("state", "executed", "held"),
    [
        (State.APPLIED, True, True),
        (State.BASELINED, True, True),
        (State.RETIRED, True, True),
        (State.FAILED, False, False),
        (State.FAILED, True, True),  # a repeatable that failed after it had succeeded: the old text is still there
        (State.PARTIAL, False, False),
        (State.IN_DOUBT, False, False),
        (State.REVERTED, True, False),
    ],
)
def test_what_the_database_holds(state: State, executed: bool, held: bool) -> None:
    at = WHEN if executed else None
    record = Record("a.sql", Kind.VERSIONED, state, "v1:0", at, WHEN, None, "", "", None, 0, None, "alice", None)
    assert record.is_held is held


# The ORM


def test_the_orm_reads_and_never_writes(connection: Connection) -> None:
    write_record(connection, Tables("public"), "001.sql", record_values())
    make_chain().append(connection, Event(EventType.APPLIED, "001.sql"))

    for model in (MigrationRecord, MigrationEvent):
        row = model.objects.get()
        manager = model.objects
        writes: list[Callable[[], object]] = [
            row.save,
            row.delete,
            manager.create,
            partial(manager.bulk_create, []),
            partial(manager.update, filename="x"),
            partial(manager.bulk_update, [], []),
            manager.all().delete,
            partial(manager.get_or_create, filename="none"),
            partial(manager.update_or_create, filename="001.sql", defaults={"filename": "x"}),
        ]
        for write in writes:
            with pytest.raises(HistoryIsReadOnly, match=f"^{model.__name__} is written by the runner alone"):
                write()
        assert model.objects.get().filename == "001.sql"


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


def test_a_chain_of_more_than_one_page_is_walked_to_its_end(connection: Connection) -> None:
    with connection.transaction():
        ids = written_chain(connection, 1_203)
    assert verify_chain(connection, Tables("public")).events == 1_203
    unlock_events(connection)
    connection.execute("UPDATE sqlmigrations_migrationevent SET host = '' WHERE id = %s", [ids[1_100]])
    assert verify_chain(connection, Tables("public")).break_id == ids[1_100]


# Who, when, and which code


def test_the_identity_is_the_connections_and_the_machines(fresh_database: str) -> None:
    with session(application_name="tests of the history") as connection:
        pid, start = fetch_row(
            connection, "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        )
        identity, clock = identify(connection)
        server_time = fetch_row(connection, "SELECT clock_timestamp()")[0]
        assert (identity.backend_pid, identity.backend_start) == (pid, start)
        assert (identity.role, identity.application_name) == (connection.info.user, "tests of the history")
        assert identity.server == connection.info.parameter_status("server_version")
        assert abs(clock.now() - server_time) < timedelta(minutes=1)
        assert clock.now() <= clock.now()


def test_the_role_that_was_assumed_is_the_one_remembered(fresh_database: str) -> None:
    with role() as name, session() as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(name)))
        assert identify(connection)[0].role == name


def test_the_revision_is_the_settings_else_the_environments(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA", "SOURCE_VERSION", "HEROKU_SLUG_COMMIT"):
        monkeypatch.delenv(name, raising=False)
    assert revision() == ""
    monkeypatch.setenv("GITHUB_SHA", "fedcba")
    assert revision() == "fedcba"
    settings.SQLMIGRATIONS_REVISION = "1.2.3"
    assert revision() == "1.2.3"
