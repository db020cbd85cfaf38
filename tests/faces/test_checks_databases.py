"""Tests of the checks of databases: the whole list of messages for each state that a database can be in."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import Settings

from sqlmigrations.checks import check_databases
from sqlmigrations.runner.lock import RUN_CLASS, key_of
from sqlmigrations.service.databases import django_migrations
from tests.databases import session
from tests.faces.checklists import check
from tests.helpers import applysql, catalog, events, manage, put, role, run_sql, states

pytestmark = pytest.mark.usefixtures("fresh_database")

A = {"001_a.sql": "CREATE TABLE a ();"}
BROKEN = {"002_b.sql": "SELECT nothing;"}
FAILED = "002_b.sql in database 'default': Failed: column \"nothing\" does not exist"
AGAIN = "manage.py applysql 002_b.sql"


@pytest.fixture
def migrated(fresh_database: str) -> None:
    """Say of every Django migration but ours that it is applied."""
    recorder = MigrationRecorder(connections["default"])
    for label, name in sorted(django_migrations()):
        if label != "sqlmigrations":
            recorder.record_applied(label, name)


@pytest.mark.usefixtures("migrated")
class TestNothingIsPending:
    """All of Django's migrations and all SQL files were taken."""

    def test_all_is_well(self, folder: Path) -> None:
        put(folder, A)
        applysql()
        assert check("default", "other") == []

    def test_a_failed_file(self, folder: Path) -> None:
        put(folder, A | BROKEN)
        applysql()
        assert check() == []
        assert check_databases(databases=None) == []
        assert check("default", "other") == [f"E043 {FAILED}. | {AGAIN}"]

    @pytest.mark.parametrize("command", ["migrate", "test"])
    def test_commands_that_change_the_database_are_not_kept_from_it(self, folder: Path, command: str) -> None:
        put(folder, A | BROKEN)
        applysql()
        assert check("default", command=command) == [
            f"W043 {FAILED} (not judged before a command that may mend it). | {AGAIN}"
        ]

    def test_a_file_that_stopped_half_way(self, folder: Path) -> None:
        put(folder, {"001_a.sql": "-- sqlmigrations: transaction off\nCREATE TABLE a ();\nSELECT nothing;"})
        applysql()
        assert check("default") == [
            "E043 001_a.sql in database 'default': Partial: column \"nothing\" does not exist. | "
            "manage.py applysql 001_a.sql"
        ]

    def test_changed_and_missing_files(self, folder: Path) -> None:
        put(folder, {f"00{number}.sql": f"CREATE TABLE t{number} ();" for number in range(1, 4)})
        applysql()
        put(folder, {"001.sql": "CREATE TABLE t1 (id int);", "002.sql": "-- what it makes\nCREATE TABLE t2 ();"})
        (folder / "003.sql").unlink()
        assert check("default") == [
            "E044 001.sql in database 'default': Its text changed after it was applied. | "
            "put the text back and write a new file, or: manage.py applysql --repair",
            "E045 003.sql in database 'default': Its file is gone, though the database holds what it made. | "
            "restore the file, or: manage.py applysql --repair",
        ]

    def test_a_folder_without_any_of_its_files(self, folder: Path) -> None:
        put(folder, A)
        applysql()
        for file in folder.iterdir():
            file.unlink()
        assert check("default") == [
            "E045 001_a.sql in database 'default': Its file is gone, though the database holds what it made. | "
            "no file is there at all: see whether SQLMIGRATIONS_DIRS names the right folders"
        ]

    def test_a_repeatable_whose_text_changed_is_pending(self, folder: Path) -> None:
        put(folder, {"repeatable/v.sql": "CREATE OR REPLACE VIEW v AS SELECT 1 AS one;"} | BROKEN)
        applysql()
        put(folder, {"repeatable/v.sql": "CREATE OR REPLACE VIEW v AS SELECT 2 AS one;"})
        assert check("default") == [f"W043 {FAILED} (not judged while 1 SQL file is pending). | {AGAIN}"]

    def test_a_broken_chain(self, folder: Path) -> None:
        put(folder, A)
        applysql()
        run_sql(
            "ALTER TABLE sqlmigrations_migrationevent DISABLE TRIGGER ALL;"
            "UPDATE sqlmigrations_migrationevent SET role = 'nobody' WHERE id = 1;"
        )
        assert check("default") == [
            "E046 event 1 in database 'default': The chain of the history is broken here: "
            "its values are not those that its hash was made of. | "
            "compare it with a backup: events are never changed by this tool"
        ]

    def test_drift(self, folder: Path, settings: Settings) -> None:
        put(folder, A)
        applysql()
        settings.SQLMIGRATIONS_REQUIRED_TABLES = {"a": ["id"], "users": ["id", "email"]}
        expected = [
            "047 column a.id in database 'default': Expected present, found absent. | manage.py validateschema",
            "047 table users in database 'default': Expected present, found absent. | manage.py validateschema",
        ]
        assert check("default") == [f"E{text}" for text in expected]
        settings.SQLMIGRATIONS_DRIFT_LEVEL = "warning"
        assert check("default") == [f"W{text}" for text in expected]

    def test_the_level_of_drift_is_not_that_of_the_history(self, folder: Path, settings: Settings) -> None:
        put(folder, A | BROKEN)
        applysql()
        settings.SQLMIGRATIONS_DRIFT_LEVEL = "warning"
        assert check("default") == [f"E043 {FAILED}. | {AGAIN}"]

    def test_two_names_of_one_database(
        self, folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, fresh_database: str
    ) -> None:
        put(folder, A | BROKEN)
        applysql()
        monkeypatch.setitem(connections["other"].settings_dict, "NAME", fresh_database)
        assert check("other", "default") == [f"E043 {FAILED}. | {AGAIN}"]
        settings.SQLMIGRATIONS_DIRS = {"default": [folder], "other": [folder]}
        assert check("other", "default") == [f"E043 {FAILED}. | {AGAIN}"]
        settings.SQLMIGRATIONS_DIRS = {"other": [folder]}
        assert check("default") == []
        assert [text[:4] for text in check("other", "default")] == ["E043"]
        connections["other"].close()

    def test_the_command_fails_by_it(self, folder: Path) -> None:
        put(folder, A | BROKEN)
        applysql()
        assert manage("check").code == 0
        ran = manage("check", "--database", "default")
        assert (ran.code, ran.out) == (1, "")
        assert "(sqlmigrations.E043) Failed: column" in ran.err
        assert manage("migrate", "auth", "--plan").code == 0


class TestSomethingIsPending:
    """A run is still to come: what it finds is no error yet."""

    @pytest.mark.usefixtures("migrated")
    def test_sql_files(self, folder: Path, settings: Settings) -> None:
        put(folder, A | BROKEN)
        applysql()
        put(folder, {"003_c.sql": "CREATE TABLE c ();", "004_d.sql": "CREATE TABLE d ();"})
        settings.SQLMIGRATIONS_REQUIRED_TABLES = {"c": []}
        assert check("default") == [
            f"W043 {FAILED} (not judged while 2 SQL files are pending). | {AGAIN}",
            "W047 table c in database 'default': Expected present, found absent "
            "(not judged while 2 SQL files are pending). | manage.py validateschema",
        ]

    @pytest.mark.usefixtures("migrated")
    def test_django_migrations(self, folder: Path) -> None:
        put(folder, A | BROKEN)
        applysql()
        MigrationRecorder(connections["default"]).record_unapplied("sessions", "0001_initial")
        assert check("default") == [f"W043 {FAILED} (not judged while 1 Django migration is pending). | {AGAIN}"]

    def test_both(self, folder: Path) -> None:
        put(folder, A | BROKEN)
        applysql()
        put(folder, {"003_c.sql": "CREATE TABLE c ();"})
        migrations = len([label for label, _ in django_migrations() if label != "sqlmigrations"])
        assert check("default") == [
            f"W043 {FAILED} (not judged while {migrations} Django migrations and 1 SQL file are pending). | {AGAIN}"
        ]

    def test_pending_alone_is_no_message(self, folder: Path) -> None:
        put(folder, A)
        applysql()
        put(folder, {"003_c.sql": "CREATE TABLE c ();"})
        assert check("default") == []


class TestNoHistory:
    """Nothing was ever applied here."""

    def test_an_empty_database(self, folder: Path, settings: Settings) -> None:
        put(folder, A)
        settings.SQLMIGRATIONS_REQUIRED_TABLES = {"users": []}
        before = catalog()
        assert check("default", "other") == []
        assert catalog() == before

    def test_a_database_that_only_django_migrated(self, folder: Path, settings: Settings) -> None:
        put(folder, A)
        assert manage("migrate", "sqlmigrations", "-v0").code == 0
        settings.SQLMIGRATIONS_REQUIRED_TABLES = {"users": []}
        assert check("default") == []

    def test_migrate_is_not_kept_from_an_empty_database(self, folder: Path, settings: Settings) -> None:
        """Not even by files that no run would take as they are."""
        put(folder, {"9_a.sql": "SELECT 1;", "10_b.sql": "SELECT 1;"})
        assert manage("migrate", "sqlmigrations", "-v0").code == 0

    def test_numbers_of_different_width(self, folder: Path, settings: Settings) -> None:
        put(folder, {"1_a.sql": "SELECT 1;", "10_b.sql": "SELECT 1;"})
        words = "umbers of different width sort wrongly by name: 10_b.sql, 1_a.sql. | "
        hint = 'Pad them with zeros, or set SQLMIGRATIONS_ORDER = "number".'
        warned = f"W034 1_a.sql: N{words}{hint}"
        assert check() == [warned]
        refused = f"E034 1_a.sql: Nothing is applied to database 'default', for n{words}{hint}"
        assert check("default") == [refused, warned]
        assert check("default", command="migrate") == [warned]
        settings.SQLMIGRATIONS_ORDER = "number"
        applysql()
        assert check("default") == []
        del settings.SQLMIGRATIONS_ORDER
        assert check("default") == [warned]


class TestNotToBeAsked:
    """A database that can't answer is a warning, and never a crash."""

    def test_a_server_that_is_away(self, folder: Path) -> None:
        put(folder, A)
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(connections["default"].settings_dict, "HOST", "127.0.0.1")
            patch.setitem(connections["default"].settings_dict, "PORT", "1")
            connections["default"].close()
            (only,) = check("default", "other")
        assert only.startswith(
            "W041 DATABASES['default']: It can't be asked about its SQL files: Database 'default' can't be reached: "
        )
        assert only.endswith(" | Look at DATABASES['default'] and whether its server runs.")

    def test_a_role_without_rights(self, folder: Path) -> None:
        put(folder, A)
        applysql()
        with role("LOGIN") as name, pytest.MonkeyPatch.context() as patch:
            connections["default"].close()
            patch.setitem(connections["default"].settings_dict, "USER", name)
            told = check("default")
            connections["default"].close()
        assert told == [
            "W041 DATABASES['default']: It can't be asked about its SQL files: "
            f"Role \"{name}\" lacks a right in database 'default': "
            "permission denied for table sqlmigrations_migrationevent. | "
            "To read the history it takes GRANT SELECT on the tables that begin with sqlmigrations_ and on "
            f'django_migrations TO "{name}"; to apply files, INSERT, UPDATE and DELETE there too, USAGE on their '
            "sequences, and the rights of a role that owns what the files change."
        ]

    @pytest.mark.usefixtures("migrated")
    def test_a_run_in_progress(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(folder, A | BROKEN)
        applysql()
        monkeypatch.setattr("sqlmigrations.service.validate.PATIENCE", 0.0)
        with session() as other:
            other.execute("SELECT pg_advisory_lock(%s, %s)", [RUN_CLASS, key_of("public")])
            assert check("default") == [
                "W042 DATABASES['default']: Not looked at: everything, because a run is in progress. | "
                "Validate again when it is done."
            ]

    def test_files_that_cannot_be_read_are_told_by_their_own_check(self, folder: Path) -> None:
        put(folder, {"001_a.sql": "-- sqlmigrations: nonsense\nSELECT 1;"})
        assert [text.partition(":")[0] for text in check("default")] == ["E024 001_a.sql"]

    def test_databases_of_others_are_left_alone(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(folder, A)
        monkeypatch.setattr(connections["other"], "ensure_connection", None)
        assert check("other", "no such alias") == []


@pytest.mark.usefixtures("migrated")
def test_looking_changes_nothing(folder: Path) -> None:
    put(folder, A | BROKEN)
    applysql()
    put(folder, {"003_c.sql": "CREATE TABLE c ();"})
    before = (catalog(), states(), events())
    assert [text[:4] for text in check("default")] == ["W043"]
    assert (catalog(), states(), events()) == before
