"""Tests of ``validateschema``: the modes that are asked for by flag, their words and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from project.env import BASE_DIR
from project.postgres import database_url
from tests.helpers import (
    PATIENCE,
    Ran,
    Settings,
    applysql,
    catalog,
    database_name,
    manage,
    put,
    rows,
    run_sql,
    wait_until,
)

FILES = {
    "001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);",
    "001_a.down.sql": "DROP TABLE a;",
    "002_b.sql": "CREATE TABLE b (id int);\nCREATE INDEX found ON b (id);",
    "002_b.down.sql": "DROP TABLE b;",
    "002_b.verify.sql": "SELECT count(*) = 0 AS empty FROM b;",
}


@pytest.fixture
def applied(fresh_database: str, folder: Path) -> Path:
    put(folder, FILES)
    call_command("migrate", verbosity=0)
    assert applysql().code == 0
    return folder


def validateschema(*arguments: str) -> Ran:
    """Run ``manage.py validateschema`` in this process; return its words with placeholders."""
    return manage("validateschema", *arguments)


def words(ran: Ran) -> list[str]:
    """Return the lines of an answer without the count of what was examined."""
    assert ran.err == ""
    return [line for line in ran.out.splitlines() if not line.startswith("Examined ")]


def test_nothing_is_wrong_by_any_mode(applied: Path) -> None:
    before = catalog()
    ran = validateschema("--replay", "--roundtrip", "--verify")
    assert (words(ran), ran.code) == (["The database is what it should be."], 0)
    assert "1 verify script, 2 round trips" in ran.out
    assert "9 model tables" in ran.out
    assert catalog() == before


def test_every_mode_words_what_it_finds(applied: Path) -> None:
    run_sql("DROP INDEX found; INSERT INTO b VALUES (1); ALTER TABLE auth_user DROP COLUMN email")
    put(applied, {"002_b.down.sql": "SELECT 1;"})
    ran = validateschema("--replay", "--roundtrip", "--verify")
    assert (words(ran), ran.code) == (
        [
            "Models:",
            "  error column public.auth_user.email: presence should be present, found absent",
            "What the last run left:",
            "  error column public.auth_user.email: presence should be present, found absent",
            "  error index public.found: presence should be present, found absent",
            f"    made in {applied / '002_b.sql'}:2",
            "All migrations and files from nothing:",
            "  error column public.auth_user.email: presence should be present, found absent",
            "  error index public.found: presence should be present, found absent",
            f"    made in {applied / '002_b.sql'}:2",
            "Up, down and up again:",
            "  error file 002_b.down.sql: down script should be complete, found table public.b is present",
            "    Fix: mend 002_b.down.sql",
            '  error file 002_b.sql: second run should be possible, found 002_b.sql:1: relation "b" already exists',
            "    Fix: mend 002_b.sql",
            "Verify scripts:",
            '  error file 002_b.sql: verify script should be true, found 002_b.verify.sql:1: column "empty" of row 1 '
            "is false.",
            "    Fix: look at what the script asks for: somebody has changed it since the file was applied",
            "Found 8 errors.",
        ],
        1,
    )


@pytest.mark.parametrize(("flag", "what"), [("--replay", "the replay"), ("--roundtrip", "the round trip")])
def test_what_was_asked_for_and_can_not_be_had_is_exit_code_2(
    applied: Path, settings: Settings, flag: str, what: str
) -> None:
    settings.SQLMIGRATIONS_PRODUCTION = True
    ran = validateschema(flag)
    assert (words(ran), ran.code) == (
        [
            f"Skipped {what}: SQLMIGRATIONS_PRODUCTION is set. "
            "Do it where it is not: on a developer's machine, in CI, in staging."
        ],
        2,
    )


def test_the_document_names_the_source(applied: Path) -> None:
    run_sql("DROP INDEX found")
    document = json.loads(validateschema("--replay", "--format", "json").out)
    assert [difference["source"] for difference in document["drift"]] == ["snapshot", "replay"]


@pytest.mark.processes
def test_a_killed_replay_leaves_nothing_behind_after_the_next_one(applied: Path) -> None:
    put(applied, {"003_slow.sql": "SELECT pg_sleep(60) /* sqlm_killed */;"})
    assert applysql("--fake", "003").code == 0
    before = catalog()
    variables = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.process_settings",
        "DATABASE_URL": database_url(database_name()),
        "SQL_FOLDER": str(applied),
    }
    sleeping = "SELECT datname::text FROM pg_stat_activity WHERE query LIKE '%%sqlm_killed%%' AND datname ~ %s"
    command = [sys.executable, "-m", "django", "validateschema", "--replay"]
    with subprocess.Popen(command, env=variables, cwd=BASE_DIR) as child:
        wait_until(lambda: rows(sleeping, "^sqlmigrations_scratch_"))
        ((name,),) = rows(sleeping, "^sqlmigrations_scratch_")
        child.kill()
        child.wait(timeout=PATIENCE)
    holders = "SELECT FROM pg_stat_activity WHERE application_name = 'sqlmigrations scratch' AND datname = %s"
    wait_until(lambda: not rows(holders, database_name()))
    (applied / "003_slow.sql").unlink()
    validateschema("--roundtrip")
    assert rows("SELECT FROM pg_database WHERE datname = %s", name) == []
    assert catalog() == before
