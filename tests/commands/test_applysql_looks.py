"""``--plan``, ``--check`` and ``--list``: nothing is made, nothing is changed; and what counts as a change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.runs import HEAD, ORDINARY, out
from tests.helpers import applysql, events, put, value


def test_plan(half_way: Path) -> None:
    before = events()
    assert out(applysql("--plan")) == (
        "Planned SQL files:\n"
        "  Changed 001_users.sql  (its text changed after it was applied)\n"
        "  Late 002_late.sql  (003_tags.sql is applied already and touches tags too; --allow-late applies it all the "
        "same)\n"
        "  Apply 004_broken.sql  (failed before)\n"
        "  Apply 005_new.sql\n"
        "  Apply repeatable/v.sql  (its text changed)\n"
        "  Missing 000_gone.sql  (the database holds it, but its file is gone)\n"
    )
    assert events() == before


def test_list(half_way: Path) -> None:
    before = events()
    assert out(applysql("--list")) == (
        "project\n"
        " [ ] 001_users.sql (<when>, <time>) changed: its text changed after it was applied\n"
        " [ ] 002_late.sql late: 003_tags.sql is applied already and touches tags too; --allow-late applies it all the "
        "same\n"
        " [X] 003_tags.sql (<when>, <time>) applied: comments or layout changed since\n"
        " [!] 004_broken.sql failed: failed before\n"
        " [ ] 005_new.sql pending\n"
        " [ ] repeatable/v.sql (<when>, <time>) pending: its text changed\n"
        " [ ] seed/data.sql skipped: a seed runs only when asked for: --seed\n"
        "  Missing 000_gone.sql  (the database holds it, but its file is gone)\n"
    )
    assert events() == before


def test_check(half_way: Path) -> None:
    before = events()
    assert out(applysql("--check"), code=4) == (
        "Not applied: 002_late.sql, 004_broken.sql, 005_new.sql, repeatable/v.sql\n"
        "Changed: 001_users.sql: its text changed after it was applied\n"
        "  Missing 000_gone.sql  (the database holds it, but its file is gone)\n"
    )
    assert events() == before


def test_a_run_says_what_it_leaves(half_way: Path) -> None:
    assert out(applysql(), code=4) == (
        "Running SQL files:\n"
        "  Changed 001_users.sql: its text changed after it was applied\n"
        "  Late 002_late.sql: 003_tags.sql is applied already and touches tags too; --allow-late applies it all the "
        "same\n"
        "  Applying 004_broken.sql... FAILED (<time>, 0 statements)\n"
        '    004_broken.sql:1: type "intt" does not exist [42704]\n'
        "    1 | CREATE TABLE broken (id intt)\n"
        "      |                         ^\n"
        "  Applying 005_new.sql... OK (<time>, 1 statement)\n"
        "  Applying repeatable/v.sql... OK (<time>, 1 statement)\n"
        "  Missing 000_gone.sql: the database holds it, but its file is gone\n"
        "  2 applied, 1 failed, 1 changed, 1 late, 1 missing.\n"
        "  What to do: Put the files back as they were, or see what could be accepted: applysql --repair --plan\n"
        + HEAD
    )


def test_a_run_that_finds_none_of_its_files_asks_for_the_folder(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE a (id int);", "002.sql": "CREATE TABLE b (id int);"})
    assert applysql().code == 0
    for file in folder.iterdir():
        file.unlink()
    assert out(applysql(), code=4) == (
        "  Missing 001.sql: the database holds it, but its file is gone\n"
        "  Missing 002.sql: the database holds it, but its file is gone\n"
        "  2 missing.\n"
        "  What to do: None of them is in a folder of 'default': does SQLMIGRATIONS_DIRS name the right folders?\n"
        + HEAD
    )


def test_when_all_is_applied(ready_database: str, folder: Path) -> None:
    put(folder, ORDINARY)
    applysql()
    assert out(applysql("--check")) == "Every SQL file is applied.\n"
    assert out(applysql("--plan")) == "Planned SQL files:\n  None: everything is up to date.\n"
    assert out(applysql("--list")) == (
        "project\n"
        " [X] 001_users.sql (<when>, <time>)\n"
        " [X] 002_posts.sql (<when>, <time>)\n"
        " [X] repeatable/active.sql (<when>, <time>)\n"
        " [ ] seed/test_data.sql skipped: a seed runs only when asked for: --seed\n"
    )


@pytest.mark.parametrize(("flag", "code"), [("--plan", 0), ("--check", 1), ("--list", 0)])
def test_looking_makes_nothing(fresh_database: str, folder: Path, flag: str, code: int) -> None:
    put(folder, ORDINARY)
    assert applysql(flag).code == code
    assert applysql(flag, "--format", "json").code == code
    assert value("SELECT count(*) FROM pg_class WHERE oid >= 16384") == 0


def test_a_cosmetic_change_is_no_disagreement(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int);"})
    applysql()
    put(folder, {"001.sql": "-- why\nCREATE TABLE  t\n (id int) ;"})
    assert out(applysql("--check")) == "Every SQL file is applied.\n"
    assert out(applysql()) == "  No SQL files to apply: everything is up to date.\n" + HEAD


def test_line_ends_and_a_byte_order_mark_change_nothing(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int);\nSELECT 1;\n"})
    applysql()
    put(folder, {"001.sql": b"\xef\xbb\xbfCREATE TABLE t (id int);\r\nSELECT 1;\r\n"})
    assert out(applysql("--list")) == "project\n [X] 001.sql (<when>, <time>)\n"
