"""The command as a person sees it: every word it writes, every exit code, and what is on record afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.helpers import Ran, Settings, applysql, events, put, rows, run_sql, states, tables, value

HEAD = "Head of the history: <hash>\n"


def out(ran: Ran, code: int = 0) -> str:
    """Return what a call wrote to stdout; it must have written nothing else."""
    assert (ran.err, ran.code) == ("", code)
    return ran.out


# What a run looks like

ORDINARY = {
    "001_users.sql": "CREATE TABLE users (id int);\nINSERT INTO users VALUES (1), (2);\n",
    "002_posts.sql": "CREATE TABLE posts (id int)",
    "repeatable/active.sql": "CREATE OR REPLACE VIEW active AS SELECT * FROM users;\n",
    "seed/test_data.sql": "INSERT INTO posts VALUES (1);",
}


def test_a_run_and_the_run_after_it(fresh_database: str, folder: Path) -> None:
    put(folder, ORDINARY)
    assert out(applysql()) == (
        "Running SQL files:\n"
        "  Applying 001_users.sql... OK (<time>, 2 statements)\n"
        "  Applying 002_posts.sql... OK (<time>, 1 statement)\n"
        "  Applying repeatable/active.sql... OK (<time>, 1 statement)\n"
        "  3 applied.\n" + HEAD
    )
    assert states() == dict.fromkeys(["001_users.sql", "002_posts.sql", "repeatable/active.sql"], "applied")
    before = events()
    assert before == [
        ("started", "001_users.sql"),
        ("applied", "001_users.sql"),
        ("started", "002_posts.sql"),
        ("applied", "002_posts.sql"),
        ("started", "repeatable/active.sql"),
        ("applied", "repeatable/active.sql"),
    ]

    assert out(applysql()) == "  No SQL files to apply: everything is up to date.\n" + HEAD
    assert events() == before
    assert value("SELECT count(*) FROM users") == 2


def test_no_folder_no_files(fresh_database: str, folder: Path) -> None:
    assert out(applysql()) == "  No SQL files to apply: everything is up to date.\n" + HEAD


def test_the_head_that_is_printed_is_that_of_the_chain(ready_database: str, folder: Path) -> None:
    put(folder, ORDINARY)
    applysql()
    from io import StringIO

    written = StringIO()
    call_command("applysql", stdout=written)
    head = value("SELECT hash FROM sqlmigrations_migrationevent ORDER BY id DESC LIMIT 1")
    assert written.getvalue().splitlines()[-1] == f"Head of the history: {head}"


@pytest.mark.parametrize(
    ("verbosity", "expected"),
    [
        (
            "0",
            "002_broken.sql: FAILED\n"
            '    002_broken.sql:2: relation "nowhere" does not exist [42P01]\n'
            "    2 | INSERT INTO nowhere VALUES (1);\n"
            "      |             ^\n"
            "    What to do: If another file makes it, name that file: -- sqlmigrations: requires NAME\n",
        ),
        (
            "1",
            "Running SQL files:\n"
            "  Applying 001_ok.sql... OK (<time>, 1 statement)\n"
            "  Applying 002_broken.sql... FAILED (<time>, 1 statement)\n"
            '    002_broken.sql:2: relation "nowhere" does not exist [42P01]\n'
            "    2 | INSERT INTO nowhere VALUES (1);\n"
            "      |             ^\n"
            "    What to do: If another file makes it, name that file: -- sqlmigrations: requires NAME\n"
            "  Applying 003_empty.sql... OK (<time>, 0 statements)\n"
            "    Note: the file is empty\n"
            "  2 applied, 1 failed.\n" + HEAD,
        ),
        (
            "2",
            "Running SQL files:\n"
            "  Applying 001_ok.sql... OK (<time>, 1 statement)\n"
            "    Note: BEGIN on line 1 and COMMIT on line 1 are left out: the file runs in a transaction of its own\n"
            "  Applying 002_broken.sql... FAILED (<time>, 1 statement)\n"
            '    002_broken.sql:2: relation "nowhere" does not exist [42P01]\n'
            "    2 | INSERT INTO nowhere VALUES (1);\n"
            "      |             ^\n"
            "    What to do: If another file makes it, name that file: -- sqlmigrations: requires NAME\n"
            "  Applying 003_empty.sql... OK (<time>, 0 statements)\n"
            "    Note: the file is empty\n"
            "  2 applied, 1 failed.\n" + HEAD,
        ),
        (
            "3",
            "Running SQL files:\n"
            "BEGIN; CREATE TABLE ok (id int); COMMIT;\n"
            "  Applying 001_ok.sql... OK (<time>, 1 statement)\n"
            "    Note: BEGIN on line 1 and COMMIT on line 1 are left out: the file runs in a transaction of its own\n"
            "SELECT 1;\nINSERT INTO nowhere VALUES (1);\n"
            "  Applying 002_broken.sql... FAILED (<time>, 1 statement)\n"
            '    002_broken.sql:2: relation "nowhere" does not exist [42P01]\n'
            "    2 | INSERT INTO nowhere VALUES (1);\n"
            "      |             ^\n"
            "    What to do: If another file makes it, name that file: -- sqlmigrations: requires NAME\n"
            "-- nothing here\n"
            "  Applying 003_empty.sql... OK (<time>, 0 statements)\n"
            "    Note: the file is empty\n"
            "  2 applied, 1 failed.\n" + HEAD,
        ),
    ],
)
def test_how_much_is_said(ready_database: str, folder: Path, verbosity: str, expected: str) -> None:
    put(
        folder,
        {
            "001_ok.sql": "BEGIN; CREATE TABLE ok (id int); COMMIT;\n",
            "002_broken.sql": "SELECT 1;\nINSERT INTO nowhere VALUES (1);\n",
            "003_empty.sql": "-- nothing here\n",
        },
    )
    assert out(applysql("-v", verbosity), code=1) == expected


@pytest.mark.parametrize(
    "name",
    ["001_[brackets](and){more}.sql", '002_it\'s "quoted".sql', "003_größe_名前_😀.sql", "004_%s_%(x)s_\\n.sql"],
)
def test_names_print_as_they_are(ready_database: str, folder: Path, name: str) -> None:
    put(folder, {name: "SELECT 1"})
    assert f"  Applying {name}... OK (<time>, 1 statement)\n" in out(applysql())
    assert states() == {name: "applied"}
    assert f" [X] {name} (<when>, <time>)\n" in out(applysql("--list"))
    (folder / name).write_text("SELECT 2")
    assert f"  Changed {name}: its text changed after it was applied\n" in out(applysql(), code=4)


# A failure stays where it is

SIX = {
    "001_users.sql": "CREATE TABLE users (id int);",
    "002_posts.sql": "CREATE TABLE posts (id int);\nINSERT INTO posts (idd) VALUES (1);\n",
    "003_comments.sql": "CREATE TABLE comments (id int);\nALTER TABLE posts ADD comments int;",
    "004_tags.sql": "CREATE TABLE tags (id int);",
    "005_users_email.sql": "ALTER TABLE users ADD email text;",
    "006_comments_index.sql": "CREATE INDEX comments_id ON comments (id);",
}


def test_a_long_reason_is_told_once(ready_database: str, folder: Path) -> None:
    """Behind a file of which nothing can be known everything is held; an empty file has nothing to be held for."""
    put(folder, {"001.sql": "CALL nothing();", "002.sql": "SELECT 1", "003.sql": "-- empty", "004.sql": "SELECT 2"})
    put(folder, {"005.sql": "SELECT 3"})
    reason = (
        "touches what can't be known beforehand (001.sql: CALL of nothing, which this file does not make (line 1)), "
        "as does 001.sql, which is not applied"
    )
    lines = applysql().out.splitlines()
    assert [line for line in lines if line.startswith(("  Held", "  Applying"))] == [
        "  Applying 001.sql... FAILED (<time>, 0 statements)",
        f"  Held 002.sql: {reason}",
        "  Applying 003.sql... OK (<time>, 0 statements)",
        f"  Held 004.sql: {reason}",
        "  Held 005.sql: for the same reason",
    ]


def test_one_broken_file_of_six_and_its_mending(ready_database: str, folder: Path) -> None:
    put(folder, SIX)
    assert out(applysql(), code=1) == (
        "Running SQL files:\n"
        "  Applying 001_users.sql... OK (<time>, 1 statement)\n"
        "  Applying 002_posts.sql... FAILED (<time>, 1 statement)\n"
        '    002_posts.sql:2: column "idd" of relation "posts" does not exist [42703]\n'
        "    2 | INSERT INTO posts (idd) VALUES (1);\n"
        "      |                    ^\n"
        "  Held 003_comments.sql: touches posts, as does 002_posts.sql, which is not applied\n"
        "  Applying 004_tags.sql... OK (<time>, 1 statement)\n"
        "  Applying 005_users_email.sql... OK (<time>, 1 statement)\n"
        "  Held 006_comments_index.sql: touches comments, as does 003_comments.sql, which is not applied\n"
        "  3 applied, 1 failed, 2 held.\n" + HEAD
    )
    assert tables() == ["tags", "users"]
    assert rows(
        "SELECT filename, state, success, error_line, error_sqlstate, error_message, executed_at IS NOT NULL, "
        "applied_sql IS NOT NULL, statements_done FROM sqlmigrations_migrationrecord ORDER BY filename"
    ) == [
        ("001_users.sql", "applied", True, None, "", "", True, True, 1),
        (
            "002_posts.sql",
            "failed",
            False,
            2,
            "42703",
            'column "idd" of relation "posts" does not exist',
            False,
            False,
            0,
        ),
        ("004_tags.sql", "applied", True, None, "", "", True, True, 1),
        ("005_users_email.sql", "applied", True, None, "", "", True, True, 1),
    ]
    ((type, sqlstate, line, details),) = rows(
        "SELECT type, sqlstate, line, details FROM sqlmigrations_migrationevent WHERE filename = '002_posts.sql' "
        "AND type <> 'started'"
    )
    assert (type, sqlstate, line) == ("failed", "42703", 2)
    assert details["statement"] == "INSERT INTO posts (idd) VALUES (1);"
    assert (details["column"], details["attempts"]) == (20, 1)
    assert out(applysql("--check"), code=1) == (
        "Not applied: 002_posts.sql, 003_comments.sql, 006_comments_index.sql\n"
    )
    seen = events()

    put(folder, {"002_posts.sql": "CREATE TABLE posts (id int);\nINSERT INTO posts (id) VALUES (1);\n"})
    assert out(applysql()) == (
        "Running SQL files:\n"
        "  Applying 002_posts.sql... OK (<time>, 2 statements)\n"
        "  Applying 003_comments.sql... OK (<time>, 2 statements)\n"
        "  Applying 006_comments_index.sql... OK (<time>, 1 statement)\n"
        "  3 applied.\n" + HEAD
    )
    assert states() == dict.fromkeys(SIX, "applied")
    assert events()[len(seen) :] == [
        ("started", "002_posts.sql"),
        ("applied", "002_posts.sql"),
        ("started", "003_comments.sql"),
        ("applied", "003_comments.sql"),
        ("started", "006_comments_index.sql"),
        ("applied", "006_comments_index.sql"),
    ]
    assert rows(
        "SELECT success, error_line, error_sqlstate, error_message FROM sqlmigrations_migrationrecord "
        "WHERE filename = '002_posts.sql'"
    ) == [(True, None, "", "")]


def test_fail_fast_leaves_all_that_follows(ready_database: str, folder: Path) -> None:
    put(folder, SIX)
    assert out(applysql("--fail-fast"), code=1) == (
        "Running SQL files:\n"
        "  Applying 001_users.sql... OK (<time>, 1 statement)\n"
        "  Applying 002_posts.sql... FAILED (<time>, 1 statement)\n"
        '    002_posts.sql:2: column "idd" of relation "posts" does not exist [42703]\n'
        "    2 | INSERT INTO posts (idd) VALUES (1);\n"
        "      |                    ^\n"
        "  Left 003_comments.sql: --fail-fast stopped the run\n"
        "  Left 004_tags.sql: --fail-fast stopped the run\n"
        "  Left 005_users_email.sql: --fail-fast stopped the run\n"
        "  Left 006_comments_index.sql: --fail-fast stopped the run\n"
        "  1 applied, 1 failed, 4 pending.\n" + HEAD
    )
    assert states() == {"001_users.sql": "applied", "002_posts.sql": "failed"}


def test_a_file_that_fails_again_and_again_has_one_record_and_all_events(ready_database: str, folder: Path) -> None:
    put(folder, {"001_x.sql": "SELECT 1/0;"})
    for _ in range(3):
        assert applysql().code == 1
    assert states() == {"001_x.sql": "failed"}
    assert events() == [("started", "001_x.sql"), ("failed", "001_x.sql")] * 3


def test_a_repeatable_that_fails_after_it_had_succeeded(ready_database: str, folder: Path) -> None:
    put(
        folder,
        {"001.sql": "CREATE TABLE t (id int)", "repeatable/v.sql": "CREATE OR REPLACE VIEW v AS SELECT id FROM t"},
    )
    assert applysql().code == 0
    good = rows(
        "SELECT checksum, applied_sql, executed_at FROM sqlmigrations_migrationrecord WHERE kind = 'repeatable'"
    )

    put(folder, {"repeatable/v.sql": "CREATE OR REPLACE VIEW v AS SELECT nothing FROM t"})
    assert applysql().code == 1
    assert states()["repeatable/v.sql"] == "failed"
    assert good == rows(
        "SELECT checksum, applied_sql, executed_at FROM sqlmigrations_migrationrecord WHERE kind = 'repeatable'"
    )
    put(folder, {"repeatable/v.sql": "CREATE OR REPLACE VIEW v AS SELECT id, 1 AS one FROM t"})
    assert "  Applying repeatable/v.sql... OK" in out(applysql())
    assert rows(
        "SELECT state, success, error_message FROM sqlmigrations_migrationrecord WHERE kind = 'repeatable'"
    ) == [("applied", True, "")]


# --plan, --check, --list: nothing is made, nothing is changed


@pytest.fixture
def half_way(ready_database: str, folder: Path) -> Path:
    """A folder of which some files are applied, one failed, one changed, one missing, one late."""
    put(
        folder,
        {
            "000_gone.sql": "CREATE TABLE gone (id int)",
            "001_users.sql": "CREATE TABLE users (id int)",
            "003_tags.sql": "CREATE TABLE tags (id int)",
            "004_broken.sql": "CREATE TABLE broken (id intt)",
            "repeatable/v.sql": "CREATE OR REPLACE VIEW v AS SELECT 1 AS one",
            "seed/data.sql": "INSERT INTO tags VALUES (1)",
        },
    )
    assert applysql().code == 1
    (folder / "000_gone.sql").unlink()
    put(
        folder,
        {
            "001_users.sql": "CREATE TABLE users (id bigint)",
            "002_late.sql": "ALTER TABLE tags ADD name text",
            "003_tags.sql": "CREATE TABLE tags (id int) -- now with a comment",
            "005_new.sql": "CREATE TABLE new (id int)",
            "repeatable/v.sql": "CREATE OR REPLACE VIEW v AS SELECT 1 AS one, 2 AS two",
        },
    )
    return folder


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
        "  2 applied, 1 failed, 1 changed, 1 late, 1 missing.\n" + HEAD
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


# What a run takes


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
        "  Left 001_users.sql: not asked for\n"
        "  Applying 002_posts.sql... OK (<time>, 1 statement)\n"
        "  Left repeatable/active.sql: not asked for\n"
        "  1 applied, 2 pending.\n" + HEAD
    )


def test_fake_records_without_running(ready_database: str, folder: Path) -> None:
    put(folder, {**ORDINARY, "002_posts.down.sql": "DROP TABLE posts", "002_posts.verify.sql": "SELECT true"})
    assert out(applysql("--fake", "002")) == (
        "Running SQL files:\n"
        "  Left 001_users.sql: not asked for\n"
        "  Recording 002_posts.sql... RECORDED\n"
        "  Left repeatable/active.sql: not asked for\n"
        "  2 pending, 1 baselined.\n" + HEAD
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
        "  Left 003_tags.sql: not asked for\n"
        "  Left repeatable/active.sql: not asked for\n"
        "  2 pending, 2 baselined.\n" + HEAD
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "No SQL file is called 'nothing'.\n  See the names with: applysql --list"),
        (["--to", "nothing"], "No SQL file is called 'nothing'.\n  See the names with: applysql --list"),
        (["--baseline", "nothing"], "No SQL file is called 'nothing'.\n  See the names with: applysql --list"),
        (["--seed", "001_users"], "No seed file is called '001_users'.\n  See the names with: applysql --list"),
        (["00"], "Several files begin with '00': 001_users.sql, 002_posts.sql."),
        (["test_data"], "seed/test_data.sql is a seed.\n  Run it with: applysql --seed seed/test_data.sql"),
        (["--to", "test_data"], "seed/test_data.sql is a seed.\n  Run it with: applysql --seed seed/test_data.sql"),
        (["001", "--to", "002"], "NAME and --to say two different things.\n  Give one of them."),
        (["--baseline", "001", "--to", "002"], "--to and --baseline say two different things.\n  Give one of them."),
        (["001", "--seed", "x"], "NAME and --seed say two different things.\n  Give one of them."),
        (["--force"], "--force goes with --seed."),
        (["--to", ""], "No SQL file is called ''.\n  See the names with: applysql --list"),
        (["--baseline", ""], "No SQL file is called ''.\n  See the names with: applysql --list"),
        ([""], "No SQL file is called ''.\n  See the names with: applysql --list"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_what_cannot_be_asked(fresh_database: str, folder: Path, arguments: list[str], message: str) -> None:
    put(folder, ORDINARY)
    assert applysql(*arguments) == Ran("", f"CommandError: {message}\n", 2)
    assert value("SELECT count(*) FROM pg_class WHERE oid >= 16384") == 0


@pytest.mark.parametrize(
    "arguments",
    [["--plan", "--list"], ["--database", "nowhere"], ["--lock-wait", "soon"], ["--format", "yaml"], ["--unheard-of"]],
)
def test_usage(ready_database: str, folder: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert applysql(*arguments) == Ran("", "", 2)
    assert "usage: manage.py applysql" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("60s", 60.0), ("5min", 300.0), ("1h", 3600.0), ("7", 7.0), ("1.5 s", 1.5)]
)
def test_durations(text: str, seconds: float) -> None:
    from sqlmigrations.management.base import duration

    assert duration(text) == seconds


def test_a_database_that_does_not_answer(ready_database: str, folder: Path, settings: Settings) -> None:
    from django.db import connections

    put(folder, ORDINARY)
    wrapper = connections["default"]
    wrapper.close()
    kept = wrapper.settings_dict["NAME"]
    wrapper.settings_dict["NAME"] = "sqlm_nowhere"
    try:
        answer = applysql()
    finally:
        wrapper.settings_dict["NAME"] = kept
    assert (answer.out, answer.code) == ("", 2)
    assert answer.err.startswith("CommandError: Database 'default' can't be reached: ")
    assert 'database "sqlm_nowhere" does not exist' in answer.err
    assert answer.err.endswith("\n  Look at DATABASES['default'] and whether its server runs.\n")


def test_called_from_python_it_raises_as_commands_do(ready_database: str, folder: Path) -> None:
    with pytest.raises(CommandError, match="No SQL file is called 'nothing'") as caught:
        call_command("applysql", "nothing")
    assert caught.value.returncode == 2


# JSON


def document(ran: Ran, code: int = 0) -> dict[str, Any]:
    """Return the one document on stdout, durations as ``<ms>``."""
    assert ran.code == code
    text = ran.out.replace(": <ms>", ': "<ms>"')
    found: dict[str, Any] = json.loads(text)
    return found


def file(name: str, state: str, **changed: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "versioned",
        "state": state,
        "reason": "",
        "duration_ms": "<ms>",
        "statements": 1,
        "lock_wait_ms": "<ms>",
        "batches": None,
        "notes": [],
        "error": None,
        **changed,
    }


def test_the_document_of_a_run(ready_database: str, folder: Path) -> None:
    put(folder, {**SIX, "007_empty.sql": ""})
    ran = applysql("--format", "json")
    assert document(ran, code=1) == {
        "schema_version": 1,
        "command": "applysql",
        "database": "default",
        "files": [
            file("001_users.sql", "applied"),
            file(
                "002_posts.sql",
                "failed",
                error={
                    "message": 'column "idd" of relation "posts" does not exist',
                    "sqlstate": "42703",
                    "detail": "",
                    "hint": "",
                    "advice": "",
                    "file": "002_posts.sql",
                    "line": 2,
                    "column": 20,
                    "statement": "INSERT INTO posts (idd) VALUES (1);",
                    "blockers": [],
                },
            ),
            file(
                "003_comments.sql",
                "held",
                statements=0,
                reason="touches posts, as does 002_posts.sql, which is not applied",
            ),
            file("004_tags.sql", "applied"),
            file("005_users_email.sql", "applied"),
            file(
                "006_comments_index.sql",
                "held",
                statements=0,
                reason="touches comments, as does 003_comments.sql, which is not applied",
            ),
            file("007_empty.sql", "applied", statements=0, notes=["the file is empty"]),
        ],
        "summary": {"applied": 4, "failed": 1, "held": 2, "pending": 0},
        "head": "<hash>",
    }
    assert ran.err.startswith("Running SQL files:\n  Applying 001_users.sql... OK (<time>, 1 statement)\n")
    assert ran.err.endswith("  4 applied, 1 failed, 2 held.\n" + HEAD)


def planned(name: str, state: str, runs: bool = True, **changed: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "versioned",
        "state": state,
        "reason": "",
        "runs": runs,
        "duration_ms": None,
        "statements": None,
        "error": None,
        "findings": [],
        **changed,
    }


def test_the_documents_of_plan_check_and_list(half_way: Path) -> None:
    late = "003_tags.sql is applied already and touches tags too; --allow-late applies it all the same"
    gone = {
        "name": "000_gone.sql",
        "kind": "versioned",
        "state": "missing",
        "reason": "the database holds it, but its file is gone",
        "runs": False,
        "error": None,
    }
    unfinished = [
        planned("002_late.sql", "late", runs=False, reason=late),
        planned("004_broken.sql", "failed", reason="failed before", duration_ms="<ms>"),
        planned("005_new.sql", "pending"),
        planned(
            "repeatable/v.sql",
            "pending",
            kind="repeatable",
            reason="its text changed",
            duration_ms="<ms>",
            statements=1,
        ),
    ]
    expected = {
        "schema_version": 1,
        "command": "applysql",
        "database": "default",
        "files": [*unfinished, gone],
        "summary": {"applied": 0, "failed": 1, "held": 0, "pending": 2, "late": 1, "missing": 1},
        "head": "<hash>",
    }
    assert document(applysql("--plan", "--format", "json")) == expected
    assert document(applysql("--check", "--format", "json"), code=4) == expected

    listed = document(applysql("--list", "--format", "json"))
    assert listed["files"] == [
        planned(
            "001_users.sql",
            "changed",
            runs=False,
            reason="its text changed after it was applied",
            duration_ms="<ms>",
            statements=1,
        ),
        unfinished[0],
        planned(
            "003_tags.sql",
            "applied",
            runs=False,
            reason="comments or layout changed since",
            duration_ms="<ms>",
            statements=1,
        ),
        *unfinished[1:],
        planned("seed/data.sql", "skipped", runs=False, kind="seed", reason="a seed runs only when asked for: --seed"),
        gone,
    ]


def test_the_document_of_a_call_that_could_not_be_answered(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "SELECT 'open", "002.sql": "COMMIT;\nROLLBACK;"})
    ran = applysql("--format", "json")
    hint = "Each file runs in a transaction of its own, together with its record: remove it. SAVEPOINT is allowed."
    assert document(ran, code=2) == {
        "schema_version": 1,
        "command": "applysql",
        "database": "default",
        "error": {
            "message": ran.err.removeprefix("CommandError: ").rstrip("\n"),
            "hint": "",
            "problems": [
                {"file": "001.sql", "line": 1, "message": "unterminated string", "hint": "Close it with '."},
                {"file": "002.sql", "line": 1, "message": "COMMIT inside a file", "hint": hint},
                {"file": "002.sql", "line": 2, "message": "ROLLBACK inside a file", "hint": hint},
            ],
        },
    }
