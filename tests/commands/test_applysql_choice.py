"""Which files a run takes, and which it only records: names, targets, seeds, ``--fake``, ``--baseline``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.runs import HEAD, ORDINARY, out
from tests.helpers import Ran, Settings, applysql, put, rows, run_sql, states, tables, value


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["001"], ["001_users.sql"]),
        (["002_posts", "001_users.sql"], ["001_users.sql", "002_posts.sql"]),
        (["--to", "001"], ["001_users.sql"]),
        (["--to", "002_posts.sql"], ["001_users.sql", "002_posts.sql"]),
    ],
)
def test_names_and_targets(ready_database: str, folder: Path, arguments: list[str], expected: list[str]) -> None:
    put(folder, ORDINARY)
    out(applysql(*arguments))
    assert list(states()) == expected


def test_what_was_not_asked_for_is_left(ready_database: str, folder: Path) -> None:
    put(folder, ORDINARY)
    assert out(applysql("002")) == (
        "Running SQL files:\n"
        "  Applying 002_posts.sql... OK (<time>, 1 statement)\n"
        "  1 applied.\n"
        "  Not asked for: 2 pending.\n" + HEAD
    )
    assert out(applysql("002")) == (
        "  No SQL files to apply: what was asked for is up to date.\n  Not asked for: 2 pending.\n" + HEAD
    )
    assert out(applysql("002", "-v", "2")) == (
        "  Left 001_users.sql: not asked for\n"
        "  Left repeatable/active.sql: not asked for\n"
        "  No SQL files to apply: what was asked for is up to date.\n"
        "  Not asked for: 2 pending.\n" + HEAD
    )


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (["001"], "  1 changed.\n", 4),
        (["002"], "  1 late.\n", 1),
        (["003"], "  No SQL files to apply: what was asked for is up to date.\n", 0),
        (["004"], "  1 failed.\n", 1),
        (["005"], "  1 applied.\n", 0),
        (["--to", "003"], "  1 changed, 1 late.\n", 4),
        (["--seed", "data"], "  1 applied.\n", 0),
    ],
)
def test_the_exit_code_is_about_what_was_asked_for(half_way: Path, arguments: list[str], said: str, code: int) -> None:
    ran = applysql(*arguments)
    assert (said in ran.out, "\n  Not asked for: " in f"\n{ran.out}", ran.code) == (True, True, code)
    checked = applysql("--check", *arguments)
    assert checked.code == code
    assert ("Every SQL file that was asked for is applied" in checked.out) is (code == 0)


def test_a_file_that_waits_for_one_that_was_not_asked_for_is_held(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id intt)", "002.sql": "ALTER TABLE t ADD a int", "003.sql": "SELECT 1"})
    assert applysql().code == 1
    assert out(applysql("002"), 1) == (
        "Running SQL files:\n"
        "  Held 002.sql: touches t, as does 001.sql, which is not applied\n"
        "  1 held.\n"
        "  Not asked for: 1 failed.\n" + HEAD
    )


def test_a_look_at_some_files_is_about_them(half_way: Path) -> None:
    others = "Not asked for: 1 failed, 2 pending, 1 changed, 1 missing.\n"
    late = "003_tags.sql is applied already and touches tags too; --allow-late applies it all the same"
    assert out(applysql("--plan", "002")) == f"Planned SQL files:\n  Late 002_late.sql  ({late})\n  {others}"
    assert out(applysql("--check", "002"), 1) == f"Not applied: 002_late.sql\n{others}"
    assert out(applysql("--list", "002")) == f"project\n [ ] 002_late.sql late: {late}\n"


def test_fake_records_without_running(ready_database: str, folder: Path) -> None:
    put(folder, {**ORDINARY, "002_posts.down.sql": "DROP TABLE posts", "002_posts.verify.sql": "SELECT true"})
    assert out(applysql("--fake", "002")) == (
        "Running SQL files:\n"
        "  Recording 002_posts.sql... RECORDED\n"
        "  1 baselined.\n"
        "  Not asked for: 2 pending.\n" + HEAD
    )
    assert tables() == []
    assert rows(
        "SELECT filename, state, success, executed_at IS NOT NULL, checksum LIKE 'v1:%', applied_sql, down_sql, "
        "verify_sql, statements_total FROM sqlmigrations_migrationrecord"
    ) == [
        (
            "002_posts.sql",
            "baselined",
            None,
            True,
            True,
            "CREATE TABLE posts (id int)",
            "DROP TABLE posts",
            "SELECT true",
            1,
        )
    ]
    assert rows("SELECT type, details FROM sqlmigrations_migrationevent") == [("baselined", {"reason": "--fake"})]
    assert " [X] 002_posts.sql (<when>)" in out(applysql("--list"))
    out(applysql())
    assert tables() == ["users"]


def test_baseline_records_all_up_to_a_file(ready_database: str, folder: Path) -> None:
    put(folder, {**ORDINARY, "003_tags.sql": "CREATE TABLE tags (id int)"})
    run_sql("CREATE TABLE users (id int); CREATE TABLE posts (id int)")
    assert out(applysql("--baseline", "002")) == (
        "Running SQL files:\n"
        "  Recording 001_users.sql... RECORDED\n"
        "  Recording 002_posts.sql... RECORDED\n"
        "  2 baselined.\n"
        "  Not asked for: 2 pending.\n" + HEAD
    )
    assert rows("SELECT details FROM sqlmigrations_migrationevent") == [({"reason": "--baseline 002"},)] * 2
    assert out(applysql()) == (
        "Running SQL files:\n"
        "  Applying 003_tags.sql... OK (<time>, 1 statement)\n"
        "  Applying repeatable/active.sql... OK (<time>, 1 statement)\n"
        "  2 applied.\n" + HEAD
    )


def test_a_failed_file_can_be_recorded_as_applied(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int)"})
    run_sql("CREATE TABLE t (id int)")
    assert "What to do: If the database has it already from elsewhere, record the file without running it: " in out(
        applysql(), code=1
    )
    out(applysql("--fake", "001"))
    assert rows("SELECT state, success, error_message, error_sqlstate FROM sqlmigrations_migrationrecord") == [
        ("baselined", None, "", "")
    ]
    assert applysql("--check").code == 0


def test_seeds_run_only_when_asked_for(ready_database: str, folder: Path) -> None:
    put(folder, ORDINARY)
    out(applysql())
    count = "SELECT count(*) FROM posts"
    assert value(count) == 0
    assert out(applysql("--seed", "test_data")) == (
        "Running SQL files:\n  Applying seed/test_data.sql... OK (<time>, 1 statement)\n  1 applied.\n" + HEAD
    )
    out(applysql("--seed", "test_data"))
    assert value(count) == 1
    out(applysql("--seed", "test_data", "--force"))
    assert value(count) == 2
    put(folder, {"seed/test_data.sql": "INSERT INTO posts VALUES (2);"})
    assert out(applysql("--check")) == "Every SQL file is applied.\n"
    out(applysql("--seed", "test_data"))
    assert value(count) == 3


def test_in_production_only_seeds_that_say_so(ready_database: str, folder: Path, settings: Settings) -> None:
    put(folder, {**ORDINARY, "seed/roles.sql": "-- sqlmigrations: tags production\nINSERT INTO posts VALUES (7);"})
    settings.SQLMIGRATIONS_PRODUCTION = True
    out(applysql())
    assert applysql("--seed", "test_data") == Ran(
        "",
        "CommandError: seed/test_data.sql is a seed for development, and SQLMIGRATIONS_PRODUCTION is set.\n"
        "  If it belongs into production, write into it: -- sqlmigrations: tags production\n",
        2,
    )
    out(applysql("--seed", "roles"))
    assert rows("SELECT id FROM posts") == [(7,)]
