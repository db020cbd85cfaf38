"""The command as a person sees it: every word it writes, every exit code, and what is on record afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.commands.runs import HEAD, ORDINARY, SIX, out
from tests.databases import leading_to
from tests.helpers import Ran, applysql, events, put, rows, states, tables, value


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
            "    Note: the file has no statements, only comments\n"
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
            "    Note: the file has no statements, only comments\n"
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
            "    Note: the file has no statements, only comments\n"
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


def test_one_broken_file_of_six(ready_database: str, folder: Path) -> None:
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


def test_a_file_that_was_mended_takes_along_those_that_it_held(ready_database: str, folder: Path) -> None:
    put(folder, SIX)
    out(applysql(), code=1)
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


# What can't be asked


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


def test_a_database_that_does_not_answer(ready_database: str, folder: Path) -> None:
    put(folder, ORDINARY)
    with leading_to("sqlm_nowhere"):
        answer = applysql()
    assert (answer.out, answer.code) == ("", 2)
    assert answer.err.startswith("CommandError: Database 'default' can't be reached: ")
    assert 'database "sqlm_nowhere" does not exist' in answer.err
    assert answer.err.endswith("\n  Look at DATABASES['default'] and whether its server runs.\n")


def test_called_from_python_it_raises_as_commands_do(ready_database: str, folder: Path) -> None:
    with pytest.raises(CommandError, match="No SQL file is called 'nothing'") as caught:
        call_command("applysql", "nothing")
    assert caught.value.returncode == 2
