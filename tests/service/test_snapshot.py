"""The snapshot: what runs left, and that nothing else ever moves it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django import DjangoDbBlocker

from sqlmigrations import signals
from sqlmigrations.database import Connection, raw
from sqlmigrations.history import locate
from sqlmigrations.schema import reader
from sqlmigrations.schema.catalog import Catalog, read_catalog
from sqlmigrations.schema.reader import Part, Reader
from sqlmigrations.schema.snapshot import load, read_buckets, read_versions
from sqlmigrations.service import snapshot
from sqlmigrations.service.apply import ApplyOptions, apply
from sqlmigrations.service.revert import RevertOptions, plan_revert, revert
from sqlmigrations.service.validate import ValidateOptions, validate
from sqlmigrations.service.versions import accept_schema, compare_versions, list_versions
from tests.databases import session, wait_for_others
from tests.helpers import put, rows, run_sql, value

pytestmark = pytest.mark.usefixtures("fresh_database", "unblocked")


@pytest.fixture
def unblocked(django_db_blocker: DjangoDbBlocker, fresh_database: str) -> object:
    with django_db_blocker.unblock():
        yield


def drift() -> list[tuple[str, str, str]]:
    """Return what differs from what the last run left."""
    report = validate(ValidateOptions())
    return [(each.kind, each.object, each.attribute) for each in report.differences if each.source == "snapshot"]


def versions() -> list[tuple[str, tuple[str, ...]]]:
    return [(version.reason, version.files) for version in list_versions().versions]


BY_HAND = ("index", "public.by_hand", "presence")


def test_an_index_made_by_hand_is_reported_through_three_deploys(folder: Path) -> None:
    put(folder, {"001_users.sql": "CREATE TABLE users (id bigint PRIMARY KEY, email text);"})
    apply(ApplyOptions())
    assert drift() == []
    run_sql("CREATE INDEX by_hand ON users (email)")
    assert drift() == [BY_HAND]
    for number in (2, 3, 4):
        put(folder, {f"00{number}_more.sql": f"CREATE TABLE more_{number} (id bigint);"})
        apply(ApplyOptions())
        assert drift() == [BY_HAND]
    run_sql("DROP INDEX by_hand")
    assert drift() == []
    assert versions() == [
        ("run", ("004_more.sql",)),
        ("run", ("003_more.sql",)),
        ("run", ("002_more.sql",)),
        ("run", ("001_users.sql",)),
    ]


def test_a_run_that_changes_a_drifted_object_takes_over_what_it_changed_alone(folder: Path) -> None:
    put(folder, {"001_users.sql": "CREATE TABLE users (id bigint PRIMARY KEY, email text, name text);"})
    apply(ApplyOptions())
    run_sql("ALTER TABLE users ALTER email SET DEFAULT 'x', ALTER name TYPE varchar(10)")
    put(folder, {"002_email.sql": "ALTER TABLE users ALTER email SET NOT NULL, ALTER name TYPE varchar(20);"})
    apply(ApplyOptions())
    assert drift() == [("column", "public.users.email", "default")]


def test_what_a_run_drops_is_gone_and_what_it_makes_again_is_its_own(folder: Path) -> None:
    put(folder, {"001_users.sql": "CREATE TABLE users (id bigint PRIMARY KEY); CREATE VIEW all_users AS TABLE users;"})
    apply(ApplyOptions())
    run_sql("DROP VIEW all_users; CREATE TABLE extra (id int)")
    assert drift() == [("table", "public.extra", "presence"), ("view", "public.all_users", "presence")]
    put(folder, {"002_again.sql": "CREATE VIEW all_users AS TABLE users; DROP TABLE extra;"})
    apply(ApplyOptions())
    assert drift() == []


def test_a_failed_file_leaves_the_snapshot_as_it_was(folder: Path) -> None:
    put(folder, {"001_users.sql": "CREATE TABLE users (id bigint PRIMARY KEY);"})
    apply(ApplyOptions())
    put(folder, {"002_bad.sql": "CREATE TABLE bad (id bigint); SELECT 1/0;"})
    apply(ApplyOptions())
    assert drift() == []
    assert versions() == [("run", ("001_users.sql",))]


def test_whoever_hears_of_the_end_of_a_run_finds_the_snapshot_moved(folder: Path) -> None:
    found: list[object] = []

    def look(**signal: object) -> None:
        found.append((drift(), versions()))

    signals.run_finished.connect(look)
    try:
        put(folder, {"001_users.sql": "CREATE TABLE users (id bigint);"})
        apply(ApplyOptions())
    finally:
        signals.run_finished.disconnect(look)
    assert found == [([], [("run", ("001_users.sql",))])]


def test_a_revert_moves_the_snapshot(folder: Path) -> None:
    put(folder, {"001_users.sql": "CREATE TABLE users (id bigint);", "001_users.down.sql": "DROP TABLE users;"})
    apply(ApplyOptions())
    revert(plan_revert(RevertOptions(last=1)))
    assert drift() == []
    assert versions() == [("run", ("001_users.sql",)), ("run", ("001_users.sql",))]


def test_django_moves_the_snapshot_by_what_it_migrates(folder: Path) -> None:
    put(folder, {"001_users.sql": "CREATE TABLE users (id bigint);"})
    apply(ApplyOptions())
    run_sql("CREATE INDEX by_hand ON users (id)")
    call_command("migrate", "contenttypes", verbosity=0, skip_checks=True)
    assert drift() == [BY_HAND]
    ((reason, files), *_) = versions()
    assert reason == "migrate"
    assert files == ("contenttypes.0001_initial", "contenttypes.0002_remove_content_type_name")


def kill_before_the_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apply what is pending, and stop as a killed process does: before the snapshot is moved."""
    with monkeypatch.context() as patch:
        patch.setattr("sqlmigrations.service.snapshot.look_after", lambda *args, **options: None)
        apply(ApplyOptions())


def test_after_a_killed_run_its_own_changes_are_known_and_others_are_drift(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, {"001_users.sql": "CREATE TABLE users (id bigint, email text);"})
    apply(ApplyOptions())
    put(folder, {"002_orders.sql": "CREATE TABLE orders (id bigint PRIMARY KEY, total int);"})
    kill_before_the_snapshot(monkeypatch)
    run_sql("CREATE INDEX by_hand ON users (email)")
    assert drift() == [BY_HAND]
    put(folder, {"003_more.sql": "CREATE TABLE more (id bigint);"})
    kill_before_the_snapshot(monkeypatch)
    assert drift() == [BY_HAND]
    put(folder, {"004_last.sql": "CREATE TABLE last (id bigint);"})
    apply(ApplyOptions())
    assert drift() == [BY_HAND]


class Killed(BaseException):
    """The end of the process, in the middle of a file."""


def test_what_a_run_did_that_was_killed_within_a_file_is_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file outside a transaction, what it had done stays, and the next run finishes the file."""
    put(folder, {"001_users.sql": "CREATE TABLE users (id bigint, email text);"})
    apply(ApplyOptions())
    text = (
        "-- sqlmigrations: transaction off\nCREATE TABLE orders (id bigint);\nINSERT INTO orders SELECT 1 FROM ready;"
    )
    put(folder, {"002_orders.sql": text})

    def die(*_arguments: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("sqlmigrations.runner.stepwise.Stepwise._stop", die)
        patch.setattr("sqlmigrations.service.snapshot.look_after", lambda *args, **options: None)
        with pytest.raises(Killed):
            apply(ApplyOptions())
    run_sql("CREATE INDEX by_hand ON users (email)")
    assert drift() == [BY_HAND]
    put(folder, {"002_orders.sql": text.replace("FROM ready", "")})
    apply(ApplyOptions())
    assert drift() == [BY_HAND]


def test_what_a_killed_run_did_in_ways_nobody_can_know_is_asked_about(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, {"001_users.sql": "CREATE TABLE users (id bigint);"})
    apply(ApplyOptions())
    put(folder, {"002_made.sql": "DO $$ BEGIN EXECUTE 'CREATE TABLE ma' || 'de (id bigint)'; END $$;"})
    kill_before_the_snapshot(monkeypatch)
    assert drift() == [("table", "public.made", "presence")]
    accept_schema("the run of 002 was killed", tell=lambda told: None)
    assert drift() == []


def test_accepting_is_remembered_with_its_reason(folder: Path) -> None:
    put(folder, {"001_users.sql": "CREATE TABLE users (id bigint);"})
    apply(ApplyOptions())
    run_sql("CREATE INDEX by_hand ON users (id)")
    accepted = accept_schema("asked for by support", tell=lambda told: None)
    assert [each.object for each in accepted.differences] == ["public.by_hand"]
    assert drift() == []
    assert value("SELECT details FROM sqlmigrations_migrationevent WHERE type = 'schema_accepted'") == {
        "reason": "asked for by support",
        "differences": ["index public.by_hand: presence"],
    }
    assert versions()[0] == ("accepted", ())


def test_two_versions_are_compared(folder: Path) -> None:
    put(folder, {"001_users.sql": "CREATE TABLE users (id bigint, email text);"})
    apply(ApplyOptions())
    put(folder, {"002_email.sql": "ALTER TABLE users ALTER email SET NOT NULL;"})
    apply(ApplyOptions())
    (newer, older) = (version.id for version in list_versions().versions)
    assert [(each.object, each.attribute, each.expected, each.found) for each in compare_versions(older, newer)] == [
        ("public.users.email", "not_null", "no", "yes")
    ]


def test_old_versions_are_pruned_with_their_texts(folder: Path, settings: object) -> None:
    settings.SQLMIGRATIONS_SCHEMA_VERSIONS = 2  # type: ignore[attr-defined] # pytest-django's fixture takes any name
    for number in range(1, 6):
        put(folder, {f"00{number}_t.sql": f"DROP TABLE IF EXISTS t{number - 1}; CREATE TABLE t{number} (id bigint);"})
        apply(ApplyOptions())
    assert [files for _, files in versions()] == [("005_t.sql",), ("004_t.sql",)]
    (newer, older) = (version.id for version in list_versions().versions)
    compare_versions(older, newer)
    assert rows("SELECT count(*) FROM sqlmigrations_schematext WHERE until < %s", older) == [(0,)]


def test_a_locked_table_is_not_waited_for(folder: Path) -> None:
    put(folder, {"001_users.sql": "CREATE TABLE users (id bigint); CREATE VIEW everybody AS TABLE users;"})
    apply(ApplyOptions())
    run_sql("CREATE TABLE more (id bigint)")
    with session() as other, other.transaction():
        other.execute("LOCK TABLE users")
        report = validate(ValidateOptions())
    assert [skipped.reason for skipped in report.skipped if skipped.what == "the snapshot"] == [
        "The schema can't be read: somebody has locked a table for longer than 2s"
    ]


def test_a_role_that_may_not_write_gets_the_same_answer(folder: Path) -> None:
    put(folder, {"001_users.sql": "CREATE TABLE users (id bigint);"})
    apply(ApplyOptions())
    run_sql("COMMENT ON TABLE users IS 'a'; COMMENT ON TABLE users IS NULL")
    from django.db import connection

    connection.ensure_connection()
    raw(connection).execute("SET default_transaction_read_only = on")
    assert drift() == []


def newer_reader(*parts: Part) -> Reader:
    """Return a reader that reads parts which today's doesn't."""
    version = reader.CURRENT.version + 1
    return Reader(version, {**reader.CURRENT.since, **dict.fromkeys(parts, version)})


def test_what_an_earlier_reader_did_not_read_is_no_drift_and_is_kept_by_the_next_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, {"001_users.sql": "CREATE TABLE users (id bigint, email text); CREATE INDEX i ON users (email);"})
    apply(ApplyOptions())
    run_sql("ALTER TABLE users ALTER email SET STORAGE main; ALTER TABLE users ALTER email SET DEFAULT 'x'")
    monkeypatch.setattr(reader, "CURRENT", newer_reader(("column", "storage"), ("index", "")))
    default = ("column", "public.users.email", "default")
    assert drift() == [default]
    assert [
        (each.what, each.remedy) for each in validate(ValidateOptions()).skipped if each.what.startswith("the snapshot")
    ] == [
        (
            "the snapshot, as to column storage, index",
            "They are compared from the next applysql or migrate on.",
        )
    ]
    put(folder, {"002_more.sql": "CREATE TABLE more (id bigint);"})
    apply(ApplyOptions())
    assert drift() == [default]
    run_sql("ALTER TABLE users ALTER email SET STORAGE plain; DROP INDEX i")
    assert drift() == [default, ("column", "public.users.email", "storage"), ("index", "public.i", "presence")]
    assert [skipped.what for skipped in validate(ValidateOptions()).skipped] == []


def test_two_versions_of_different_readers_are_compared_by_what_both_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, {"001_users.sql": "CREATE TABLE users (id bigint, email text);"})
    apply(ApplyOptions())
    put(folder, {"002_more.sql": "CREATE TABLE more (id bigint);"})
    apply(ApplyOptions())
    monkeypatch.setattr(reader, "CURRENT", newer_reader(("column", "storage")))
    put(folder, {"003_email.sql": "ALTER TABLE users ALTER email SET STORAGE main, ALTER email SET DEFAULT 'x';"})
    apply(ApplyOptions())
    one, two, three = reversed([version.id for version in list_versions().versions])

    def between(before: int, after: int) -> list[tuple[str, str]]:
        return [(each.object, each.attribute) for each in compare_versions(before, after)]

    assert between(two, three) == [("public.users.email", "default"), ("public.users.email", "storage")]
    assert between(one, three) == [("public.users.email", "default"), ("public.more", "presence")]


def test_a_history_that_was_taken_over_gets_its_first_version_from_the_next_run(folder: Path) -> None:
    put(folder, {"001_users.sql": "CREATE TABLE users (id bigint);"})
    apply(ApplyOptions())
    run_sql("TRUNCATE sqlmigrations_schemasnapshot, sqlmigrations_schematext")
    apply(ApplyOptions())
    assert versions() == [("run", ())]
    apply(ApplyOptions())
    assert versions() == [("run", ())]
    run_sql("DROP TABLE users")
    assert drift() == [("table", "public.users", "presence")]


def test_of_many_tables_only_those_that_a_run_moved_are_read_after_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, settings: object
) -> None:
    """What follows is the same as where all are read: drift stays drift, and later runs begin from what is kept."""
    # Texts that no other version has are thrown away at once.
    settings.SQLMIGRATIONS_SCHEMA_VERSIONS = 1  # type: ignore[attr-defined] # pytest-django's fixture takes any name
    asked: list[int | None] = []

    def read(connection: Connection, *, relations: Collection[int] | None = None) -> Catalog:
        asked.append(None if relations is None else len(relations))
        return read_catalog(connection, relations=relations)

    monkeypatch.setattr(snapshot, "read_catalog", read)
    files = {
        "001_many.sql": "".join(f"CREATE TABLE many_{n} (id integer PRIMARY KEY);" for n in range(snapshot.MANY)),
        "002_view.sql": "CREATE VIEW seven AS SELECT id FROM many_7; COMMENT ON VIEW seven IS 'luck';",
        "003_names.sql": "ALTER TABLE many_7 RENAME id TO number; DROP TABLE many_8;",
        "004_type.sql": "CREATE TYPE mood AS ENUM ('ok'); ALTER TABLE many_9 ADD mood mood;",
        "005_type.sql": "ALTER TYPE mood RENAME TO state;",
    }
    for name, text in files.items():
        put(folder, {name: text})
        apply(ApplyOptions())
        own = raw(connection)
        wait_for_others(own)
        tables = locate(own).tables
        assert tables is not None
        (version,) = read_versions(own, tables)
        found = read_catalog(own)
        assert load(own, tables, version.id) == found
        assert version.counts == found.counts
    assert asked == [None, 1, 3, 1, None]
    assert drift() == []
    run_sql("CREATE INDEX by_hand ON many_1 (id)")
    put(folder, {"006_more.sql": "CREATE TABLE more (id integer);"})
    apply(ApplyOptions())
    assert drift() == [BY_HAND]


def test_a_version_from_before_there_were_buckets_is_followed_by_one_of_all(
    folder: Path,
) -> None:
    """It doesn't tell which table an index belongs to, so nothing of it can be kept; what is the same is no version."""
    put(folder, {"001_many.sql": "".join(f"CREATE TABLE many_{n} (id integer);" for n in range(snapshot.MANY))})
    apply(ApplyOptions())
    own = raw(connection)
    tables = locate(own).tables
    assert tables is not None
    (version,) = read_versions(own, tables)
    objects: dict[str, dict[str, str]] = {}
    for below in read_buckets(own, tables, version.id).read().values():
        for kind, of_kind in below.items():
            objects.setdefault(kind, {}).update(of_kind)
    since = [[*part, number] for part, number in reader.CURRENT.since.items()]
    head = {"reader": reader.CURRENT.version, "since": since}
    old = zlib.compress(json.dumps({**head, "objects": objects}).encode())
    own.execute("UPDATE sqlmigrations_schemasnapshot SET objects = %s", [old])
    assert load(own, tables, version.id) == read_catalog(own)
    assert drift() == []
    put(folder, {"002_nothing.sql": "CREATE TABLE gone (id integer); DROP TABLE gone;"})
    apply(ApplyOptions())
    assert len(read_versions(own, tables)) == 1
    for name in ("003_more.sql", "004_more.sql"):
        put(folder, {name: f"CREATE TABLE more_{name[:3]} (id integer);"})
        apply(ApplyOptions())
        assert load(own, tables, read_versions(own, tables)[0].id) == read_catalog(own)
        assert read_buckets(own, tables, read_versions(own, tables)[0].id).is_by_relation
    assert drift() == []
