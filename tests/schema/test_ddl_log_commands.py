"""The DDL log installed, shown, mended, pruned and removed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from sqlmigrations.service.ddl_log import install_ddl_log
from tests.databases import session
from tests.helpers import Ran, applysql, manage, put, role, rows, run_sql, value
from tests.schema.logged_ddl import install, logged, remove, show


def test_installing_twice_changes_nothing(fresh_database: str) -> None:
    first, second = install(), install()
    assert (first, second) == (Ran(first.out, "", 0), Ran(first.out, "", 0))
    assert re.fullmatch(r"The DDL log is on since <when>:\d\d, installed by postgres\.\n", first.out)
    assert our_events() == [("ddl_log_installed", "")]


def our_events() -> list[tuple[Any, ...]]:
    return rows("SELECT type, filename FROM sqlmigrations_migrationevent ORDER BY id")


def test_removing_leaves_what_was_logged(log: None) -> None:
    run_sql("CREATE TABLE t ()")
    assert remove() == Ran("The DDL log was removed; what it has written stays.\n", "", 0)
    assert remove() == Ran("No DDL log is installed.\n", "", 0)
    run_sql("CREATE TABLE u ()")
    assert [name for (name,) in logged("object")] == ["public.t"]
    assert our_events() == [("ddl_log_installed", ""), ("ddl_log_removed", "")]
    assert rows("SELECT proname FROM pg_proc WHERE proname LIKE 'sqlmigrations_log%'") == []
    assert install().code == 0


def test_a_database_without_history_has_no_log(fresh_database: str) -> None:
    assert show() == Ran("No DDL log is installed.\n", "", 0)
    assert rows("SELECT relname FROM pg_class WHERE relname LIKE 'sqlmigrations%'") == []


ALTER = "ALTER EVENT TRIGGER sqlmigrations_log_drop"
ALTERED = (
    "the event trigger sqlmigrations_log_drop was altered, disabled for a time or restored from a dump since it was "
    "installed: what happened in between may be missing"
)


@pytest.mark.parametrize(
    ("what", "problems"),
    [
        (
            f"{ALTER} DISABLE",
            ["the event trigger sqlmigrations_log_drop is disabled"],
        ),
        (
            f"{ALTER} ENABLE REPLICA",
            ["the event trigger sqlmigrations_log_drop is enabled for replicas only"],
        ),
        (
            f"{ALTER} ENABLE",
            ["the event trigger sqlmigrations_log_drop is not enabled ALWAYS"],
        ),
        (
            f"{ALTER} DISABLE; {ALTER} ENABLE ALWAYS",
            [ALTERED],
        ),
        ("DROP EVENT TRIGGER sqlmigrations_log_drop", ["the event trigger sqlmigrations_log_drop is gone"]),
        (
            "ALTER FUNCTION sqlmigrations_log_ddl() RESET search_path",
            ["the function sqlmigrations_log_ddl() is not the one that this version installs"],
        ),
        (
            "DROP EVENT TRIGGER sqlmigrations_log_drop; DROP EVENT TRIGGER sqlmigrations_log_command",
            ["its event triggers are gone, though nobody removed them with --ddl-log remove"],
        ),
    ],
)
def test_a_log_that_was_tampered_with_says_so_and_is_mended(log: None, what: str, problems: list[str]) -> None:
    run_sql(what)
    shown = show("--format", "json")
    assert (json.loads(shown.out)["problems"], shown.code) == (problems, 1)
    mended = install()
    assert mended.out.splitlines()[:-1] == [f"Before: {problem}." for problem in problems]
    assert (mended.code, show().code) == (0, 0)
    found = value("SELECT details -> 'found' FROM sqlmigrations_migrationevent ORDER BY id DESC LIMIT 1")
    assert found == problems


def test_a_validation_says_that_the_log_was_off(log: None) -> None:
    assert "Skipped some authors" not in manage("validateschema").out
    run_sql(f"{ALTER} DISABLE; {ALTER} ENABLE ALWAYS")
    answer = manage("validateschema")
    assert f"Skipped some authors: {ALTERED}. Mend it with: manage.py validateschema --ddl-log install" in answer.out
    assert answer.code == 0


def test_what_is_shown(log: None) -> None:
    with session(application_name="bench") as connection:
        connection.execute("CREATE TABLE\n    one ()")
        connection.execute("GRANT SELECT ON one TO PUBLIC")
    origin = value("SELECT concat_ws(', ', 'bench', host(inet_client_addr()))")
    assert [line.partition(" ")[2] if line[0] != " " else line for line in show().out.splitlines()[:-1]] == [
        f"postgres ({origin}): CREATE TABLE public.one",
        "    CREATE TABLE one ()",
        f"postgres ({origin}): GRANT",
        "    GRANT SELECT ON one TO PUBLIC",
    ]


def test_a_role_that_may_not_is_told_who_may(fresh_database: str) -> None:
    run_sql("GRANT ALL ON SCHEMA public TO PUBLIC")
    given = connections["default"].settings_dict
    kept = given["USER"]
    with role("LOGIN") as person:
        connections["default"].close()
        given["USER"] = person
        try:
            refused = install()
        finally:
            connections["default"].close()
            given["USER"] = kept
        assert refused.code == 2
        assert refused.err == (
            f"CommandError: The role {person} may not make the DDL log: "
            'permission denied to create event trigger "sqlmigrations_log_command".\n'
            "  PostgreSQL leaves event triggers to superusers. Managed services let other roles make them: on Amazon "
            "RDS and Aurora the master user (rds_superuser), on Google Cloud SQL members of cloudsqlsuperuser, on "
            "Supabase the role postgres. Add an alias to DATABASES that connects as such a role, and name it with "
            "--database.\n"
        )
        assert rows("SELECT proname FROM pg_proc WHERE proname LIKE 'sqlmigrations_log%'") == []
        assert our_events() == []


def test_old_changes_are_pruned_by_the_next_run(log: None, folder: Path, settings: Any) -> None:
    run_sql("CREATE TABLE t ()")
    run_sql("UPDATE sqlmigrations_schemachange SET at = now() - interval '366 days'")
    run_sql("CREATE TABLE u ()")
    settings.SQLMIGRATIONS_DDL_LOG_DAYS = None
    put(folder, {"001.sql": "SELECT 1;"})
    assert applysql().code == 0
    assert [name for (name,) in logged("object")] == ["public.t", "public.u"]
    del settings.SQLMIGRATIONS_DDL_LOG_DAYS
    put(folder, {"002.sql": "SELECT 1;"})
    assert applysql().code == 0
    assert [name for (name,) in logged("object")] == ["public.u"]


def test_installing_is_part_of_the_chain(log: None) -> None:
    report = install_ddl_log("default", tell=lambda told: None)
    assert (report.changed, report.condition.is_complete) == (False, True)
    assert manage("validateschema", "--history").code == 0
