"""Tests of the SQL files that follow Django's ``migrate``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pytest_django import Settings

from sqlmigrations.service.databases import pending_django_migrations
from tests.databases import session
from tests.helpers import manage, put, rows, run_sql, states, tables, value

pytestmark = pytest.mark.usefixtures("fresh_database")

UP_TO_DATE = """\
  No SQL files to apply: everything is up to date.
Head of the history: <hash>
"""


@pytest.fixture(autouse=True)
def apply_on_migrate(settings: Settings) -> None:
    """Switch it on, without the system checks: they are tested elsewhere."""
    settings.SQLMIGRATIONS_APPLY_ON_MIGRATE = True


def test_files_follow_migrate_with_its_screen(folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int);", "002_b.sql": "CREATE TABLE b (id int);\nSELECT 1;\n"})
    ran = manage("migrate")
    assert (ran.err, ran.code) == ("", 0)
    assert ran.out[ran.out.index("Running SQL files:") :] == (
        "Running SQL files:\n"
        "  Applying 001_a.sql... OK (<time>, 1 statement)\n"
        "  Applying 002_b.sql... OK (<time>, 2 statements)\n"
        "  2 applied.\n"
        "Head of the history: <hash>\n"
    )
    assert manage("migrate").out.endswith("  No migrations to apply.\n" + UP_TO_DATE)
    assert states() == {"001_a.sql": "applied", "002_b.sql": "applied"}


def test_the_files_see_all_that_django_made(folder: Path) -> None:
    """Although our app stands before others in INSTALLED_APPS."""
    put(folder, {"001_names.sql": "CREATE VIEW names AS SELECT username FROM auth_user, django_admin_log;"})
    assert manage("migrate", "-v0").code == 0
    assert value("SELECT count(*) FROM names") == 0


def test_off_by_default(folder: Path, settings: Settings) -> None:
    del settings.SQLMIGRATIONS_APPLY_ON_MIGRATE
    put(folder, {"001_a.sql": "CREATE TABLE a ();"})
    assert "SQL" not in manage("migrate").out
    assert states() == {}


def test_silent_without_files_and_at_verbosity_zero(folder: Path, settings: Settings) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a ();"})
    assert manage("migrate", "-v0") == manage("migrate", "-v0")
    assert manage("migrate", "-v0").out == ""
    assert states() == {"001_a.sql": "applied"}
    settings.SQLMIGRATIONS_DIRS = []
    assert manage("migrate").out.endswith("  No migrations to apply.\n")


def test_a_failed_file_makes_migrate_fail_and_the_rest_stays(folder: Path) -> None:
    files = {
        "001_a.sql": "CREATE TABLE a ();",
        "002_b.sql": "CREATE TABLE b (id int REFERENCES nowhere);",
        "003_c.sql": "ALTER TABLE b ADD c int;",
        "004_d.sql": "CREATE TABLE d ();",
    }
    put(folder, files)
    ran = manage("migrate", "-v0")
    assert (ran.code, ran.err) == (
        1,
        "CommandError: These SQL files of database 'default' were not applied: 002_b.sql, 003_c.sql\n"
        "Django's migrations and the SQL files that succeeded stay. "
        "Mend what is reported above and run: manage.py applysql\n",
    )
    assert ran.out.startswith('002_b.sql: FAILED\n    002_b.sql:1: relation "nowhere" does not exist [42P01]\n')
    assert "a" in tables()
    assert "d" in tables()
    assert "auth_user" in tables()
    put(folder, {"002_b.sql": "CREATE TABLE b ();"})
    assert manage("migrate", "-v0").code == 0
    assert {"b", "c"} & {*tables(), *(name for (name,) in rows("SELECT attname FROM pg_attribute"))} == {"b", "c"}


def test_invalid_files_make_migrate_fail_after_django_is_done(folder: Path) -> None:
    put(folder, {"001_a.sql": "SELECT 'open;"})
    ran = manage("migrate", "--skip-checks", "-v0")
    assert ran.code == 1
    assert ran.err.startswith("CommandError: The SQL files of database 'default' were not applied.\n001_a.sql:1: ")
    assert "auth_user" in tables()


def test_a_held_lock_is_told_with_its_holder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlmigrations.runner.lock import RUN_CLASS, key_of

    put(folder, {"001_a.sql": "CREATE TABLE a ();"})
    monkeypatch.setattr("sqlmigrations.receivers.LOCK_WAIT", 0.0)
    with session(application_name="the other one") as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [RUN_CLASS, key_of("public")])
        ran = manage("migrate", "-v0")
    assert ran.code == 1
    assert re.search(r"Another run holds the lock: pid <pid> \(role \S+, host \S+, application the other one", ran.err)
    assert "auth_user" in tables()


@pytest.mark.parametrize(
    "arguments",
    [["--plan"], ["--check"]],
    ids=" ".join,
)
def test_looking_applies_nothing(folder: Path, arguments: list[str]) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a ();"})
    assert "SQL files" not in manage("migrate", *arguments).out
    assert tables() == []


def test_one_app_of_several_lets_the_files_wait(folder: Path) -> None:
    put(folder, {"001_names.sql": "CREATE VIEW names AS SELECT username FROM auth_user;"})
    ran = manage("migrate", "contenttypes")
    assert ran.code == 0
    left = len(pending_django_migrations("default"))
    assert ran.out.endswith(f"  SQL files wait until all of Django's migrations are applied: {left} left.\n")
    assert rows("SELECT to_regclass('sqlmigrations_migrationrecord')") == [(None,)]
    manage("migrate", "-v0")
    put(folder, {"002_more.sql": "CREATE VIEW more AS SELECT username FROM auth_user;"})
    assert manage("migrate", "contenttypes").out.endswith("  1 applied.\nHead of the history: <hash>\n")


@pytest.mark.parametrize("target", [["auth", "zero"], ["auth", "0011"], ["sqlmigrations", "zero"]], ids=" ".join)
def test_backwards_applies_nothing(folder: Path, target: list[str]) -> None:
    manage("migrate", "-v0")
    put(folder, {"001_a.sql": "CREATE TABLE a ();"})
    ran = manage("migrate", *target)
    assert ran.code == 0
    assert "left.\n" in ran.out
    assert "a" not in tables()


def test_our_own_tables_can_be_removed(folder: Path) -> None:
    """Nothing makes them again behind the person's back, or stands in the way."""
    put(folder, {"001_a.sql": "CREATE TABLE a ();"})
    manage("migrate", "-v0")
    assert manage("migrate", "sqlmigrations", "zero").code == 0
    assert rows("SELECT to_regclass('sqlmigrations_migrationrecord')") == [(None,)]


def test_flush_applies_nothing_and_keeps_the_history(folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int); INSERT INTO a VALUES (1);"})
    manage("migrate", "-v0")
    put(folder, {"002_b.sql": "CREATE TABLE b ();"})
    run_sql("INSERT INTO auth_group (name) VALUES ('gone')")
    assert manage("flush", "--noinput").code == 0
    assert value("SELECT count(*) FROM auth_group") == 0
    assert states() == {"001_a.sql": "applied"}
    assert value("SELECT count(*) FROM sqlmigrations_migrationevent") == 2
    assert value("SELECT count(*) FROM a") == 1
