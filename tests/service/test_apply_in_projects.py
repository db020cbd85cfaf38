"""Runs in projects of all kinds: several databases, other schemas, a test's transaction, settings, no autocommit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections

from sqlmigrations.database import raw
from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.history import Tables, verify_chain
from sqlmigrations.models import MigrationEvent, MigrationRecord
from sqlmigrations.plan import Status
from sqlmigrations.service.apply import ApplyOptions, apply, plan_run
from tests.databases import leading_to, new_database, with_options
from tests.helpers import Settings, applysql, put, rows, run_sql, states, tables, value
from tests.service.files import FILES

# Which database, which schema


@pytest.fixture
def two_databases(fresh_database: str) -> Iterator[str]:
    """Point the alias ``other`` at a second empty database; yield its name."""
    with new_database(f"{fresh_database}_other") as name, leading_to(name, "other"):
        yield name


def test_each_alias_has_its_folders_and_its_history(two_databases: str, tmp_path: Path, settings: Settings) -> None:
    put(tmp_path / "default", {"001.sql": "CREATE TABLE here (id int)"})
    put(tmp_path / "other", {"001.sql": "CREATE TABLE there (id int)", "002.sql": "SELECT 1/0"})
    settings.SQLMIGRATIONS_DIRS = {"default": [tmp_path / "default"], "other": [tmp_path / "other"]}

    ran = applysql("--database", "other")
    assert ran.code == 1
    assert rows("SELECT filename, state FROM sqlmigrations_migrationrecord ORDER BY 1", alias="other") == [
        ("001.sql", "applied"),
        ("002.sql", "failed"),
    ]
    assert rows("SELECT tablename FROM pg_tables WHERE tablename IN ('here', 'there')", alias="other") == [("there",)]
    assert value("SELECT count(*) FROM pg_class WHERE oid >= 16384") == 0

    assert applysql().code == 0
    assert (tables(), states()) == (["here"], {"001.sql": "applied"})
    assert applysql("--check", "--database", "other").code == 1
    assert applysql("--check").code == 0


def test_a_list_of_folders_is_the_default_databases(two_databases: str, folder: Path) -> None:
    put(folder, FILES)
    assert applysql("--database", "other").out == (
        "  No SQL files to apply: everything is up to date.\nHead of the history: <hash>\n"
    )


def test_a_history_in_a_schema_of_its_own(fresh_database: str, folder: Path) -> None:
    run_sql("CREATE SCHEMA app")
    with with_options(options="-c search_path=app"):
        put(
            folder,
            {
                "001.sql": "CREATE TABLE one (id int); SET search_path = public;",
                "002.sql": "CREATE TABLE two (id int); SELECT set_config('search_path', '', false);",
                "003.sql": "CREATE TABLE three (id int);",
            },
        )
        assert applysql().code == 0
        assert applysql("--check").code == 0
        assert tables("app") == ["one", "three", "two"]
        assert tables("public") == []
        assert MigrationRecord.objects.count() == 3
    assert rows("SELECT count(*) FROM app.sqlmigrations_migrationevent") == [(6,)]
    assert value("SELECT to_regclass('public.sqlmigrations_migrationevent')") is None


def test_files_of_apps_follow_the_projects(
    ready_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    from django.apps import apps

    put(folder, {"001.sql": "CREATE TABLE one (id int)"})
    put(folder.parent / "blog", {"migrations_sql/001.sql": "CREATE TABLE two AS TABLE one"})
    monkeypatch.setattr(apps.get_app_config("sessions"), "path", str(folder.parent / "blog"))
    ran = applysql()
    assert ran.out.splitlines()[1:3] == [
        "  Applying 001.sql... OK (<time>, 1 statement)",
        "  Applying sessions/001.sql... OK (<time>, 1 statement)",
    ]
    assert applysql("--list").out == (
        "project\n [X] 001.sql (<when>, <time>)\nsessions\n [X] sessions/001.sql (<when>, <time>)\n"
    )
    settings.SQLMIGRATIONS_APP_DIRS = False
    assert "Missing sessions/001.sql" in applysql("--list").out


# Inside a test's transaction


@pytest.mark.django_db
def test_in_a_testcase_all_of_it_rides_in_the_tests_transaction(folder: Path) -> None:
    put(
        folder,
        {
            "001.sql": "CREATE TABLE sqlm_in_testcase (id int); SET search_path = pg_catalog;",
            "002.sql": "CREATE TABLE sqlm_gone (id int); SELECT 1/0;",
            "003.sql": "INSERT INTO sqlm_in_testcase VALUES (7);",
        },
    )
    call_command("migrate", "sqlmigrations", verbosity=0)
    result = apply(ApplyOptions())
    assert [(file.name, str(file.status)) for file in result.files] == [
        ("001.sql", "applied"),
        ("002.sql", "failed"),
        ("003.sql", "applied"),
    ]
    assert connections["default"].in_atomic_block
    assert MigrationRecord.objects.count() == 3
    happened = ["started", "applied", "started", "failed", "started", "applied"]
    assert list(MigrationEvent.objects.values_list("type", flat=True)) == happened
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT id FROM sqlm_in_testcase")
        assert cursor.fetchall() == [(7,)]
        cursor.execute("SELECT to_regclass('sqlm_gone')")
        assert cursor.fetchall() == [(None,)]
    assert verify_chain(raw(connections["default"]), Tables("public")).is_intact
    assert value("SELECT to_regclass('sqlm_in_testcase')") is None


@pytest.mark.django_db
def test_nothing_of_the_test_above_remains() -> None:
    assert MigrationRecord.objects.count() == 0
    assert value("SELECT to_regclass('sqlm_in_testcase')") is None


@pytest.mark.django_db
def test_a_file_outside_a_transaction_cannot_run_in_a_testcase(folder: Path) -> None:
    put(folder, {"001.sql": "-- sqlmigrations: transaction off\nCREATE TABLE sqlm_off (id int);"})
    (file,) = apply(ApplyOptions()).files
    assert file.error is not None
    assert (file.status, file.error.message) == (
        Status.FAILED,
        "A file with `transaction off` can't run inside a transaction.",
    )


# Settings of the project


def test_debug_keeps_no_query_texts(ready_database: str, folder: Path, settings: Settings) -> None:
    """Django keeps each statement while DEBUG is on: a dump of a gigabyte would stay in memory."""
    settings.DEBUG = True
    put(folder, {"001.sql": "CREATE TABLE t (id int);\nINSERT INTO t VALUES (424242);\nCOPY t FROM stdin;\n1\n\\.\n"})
    apply(ApplyOptions())
    kept = [query["sql"] for query in connections["default"].queries]
    assert not [text for text in kept if "424242" in text or "TABLE t " in text]
    connections["default"].queries_log.clear()
    put(folder, {"002.sql": "INSERT INTO t VALUES (434343);\n" * 50})
    apply(ApplyOptions())
    assert len(connections["default"].queries) < 20


def test_without_time_zones(ready_database: str, folder: Path, settings: Settings) -> None:
    settings.USE_TZ = False
    connections["default"].close()
    put(folder, FILES)
    assert applysql().code == 1
    assert applysql().code == 1
    assert applysql("--list").code == 0
    connection = raw(connections["default"])
    assert verify_chain(connection, Tables("public")).is_intact
    age = value("SELECT max(abs(extract(epoch FROM clock_timestamp() - at))) FROM sqlmigrations_migrationevent")
    assert age < 600


def test_an_unknown_policy_for_late_files(ready_database: str, folder: Path, settings: Settings) -> None:
    settings.SQLMIGRATIONS_LATE_FILES = "whatever"
    with pytest.raises(ConfigurationError) as caught:
        plan_run(ApplyOptions())
    assert str(caught.value) == (
        'SQLMIGRATIONS_LATE_FILES can\'t be \'whatever\'.\n  Set it to one of: "independent", "allow", "error".'
    )


# AUTOCOMMIT switched off, as Django lets a project do


@pytest.fixture
def without_autocommit(ready_database: str) -> Iterator[None]:
    """Let Django leave committing to whoever uses the alias ``default``."""
    wrapper = connections["default"]
    wrapper.close()
    given = wrapper.settings_dict
    wrapper.settings_dict = {**given, "AUTOCOMMIT": False}
    try:
        yield
    finally:
        wrapper.close()
        wrapper.settings_dict = given


def test_files_run_where_autocommit_is_switched_off(without_autocommit: None, folder: Path) -> None:
    """It stays so for the project; what was done is committed, also by what runs outside a transaction."""
    connections["default"].ensure_connection()
    put(folder, {"001.sql": "CREATE TABLE one (id int)"})
    concurrently = "CREATE INDEX CONCURRENTLY one_id ON one (id); CREATE TABLE two ()"
    put(folder, {"002.sql": f"-- sqlmigrations: transaction off\n{concurrently}"})
    result = apply(ApplyOptions())
    assert [(file.status, file.error) for file in result.files] == [(Status.APPLIED, None), (Status.APPLIED, None)]
    assert (tables(), states()) == (["one", "two"], {"001.sql": "applied", "002.sql": "applied"})
    wrapper = connections["default"]
    assert (wrapper.get_autocommit(), wrapper.settings_dict["AUTOCOMMIT"]) == (False, False)


def test_an_open_transaction_without_autocommit_is_left_to_whoever_opened_it(
    without_autocommit: None, folder: Path
) -> None:
    put(folder, {"001.sql": "CREATE TABLE one (id int)"})
    with connections["default"].cursor() as cursor:
        cursor.execute("CREATE TABLE mine (id int)")
        assert [step.name for step in plan_run(ApplyOptions()).plan.runnable] == ["001.sql"]
        with pytest.raises(ConfigurationError, match="can't be applied inside a transaction"):
            apply(ApplyOptions())
        cursor.execute("INSERT INTO mine VALUES (1)")
    connections["default"].rollback()
    assert tables() == []
