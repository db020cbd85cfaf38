"""Where a failure is: the file's line and column, and what of it is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sqlmigrations.runner.failure import Failure
from tests.helpers import applysql, put, rows, run_sql, value


def shown(folder: Path, text: str, name: str = "001.sql") -> list[str]:
    """Apply one file that fails and return what is said about it: the lines between FAILED and the summary."""
    put(folder, {name: text})
    ran = applysql()
    assert ran.code in (1, 5)
    lines = ran.out.splitlines()
    return [line.removeprefix("    ") for line in lines[2:-2]]


def place() -> tuple[Any, ...]:
    """Return the line and the column that are on record."""
    return rows(
        "SELECT e.line, (e.details->>'column')::int, r.error_line FROM sqlmigrations_migrationevent e "
        "JOIN sqlmigrations_migrationrecord r USING (filename) WHERE type IN ('failed', 'stopped')"
    )[0]


# Positions that PostgreSQL gives


@pytest.mark.parametrize(
    ("text", "line", "column", "source"),
    [
        ("SELECT nothing", 1, 8, "SELECT nothing"),
        ("SELECT 1; SELECT nothing;", 1, 18, "SELECT 1; SELECT nothing;"),
        ("SELECT 1;   SELECT\n  1, nothing;\nSELECT 2", 2, 6, "  1, nothing;"),
        ("\n\n\nSELECT\n\n nothing\n;", 6, 2, " nothing"),
        ("SELECT 'é€😀', nothing;", 1, 15, "SELECT 'é€😀', nothing;"),
        ("-- é€😀\n/* 😀 */ SELECT '😀' AS \"é\", nothing;", 2, 28, "/* 😀 */ SELECT '😀' AS \"é\", nothing;"),
        ("SELECT 'é\n€😀', nothing;", 2, 6, "€😀', nothing;"),
        ("SELECT '😀'; SELECT\n'😀' || nothing;", 2, 8, "'😀' || nothing;"),
        ("SELECT 1;\r\nSELECT 2,\r\n  nothing;\r\n", 3, 3, "  nothing;"),
        ("\ufeffSELECT nothing;", 1, 8, "SELECT nothing;"),
        ("\tSELECT\tnothing;", 1, 9, "\tSELECT\tnothing;"),
    ],
)
def test_line_and_column(ready_database: str, folder: Path, text: str, line: int, column: int, source: str) -> None:
    said = shown(folder, text)
    assert place() == (line, column, line)
    assert said[0] == f'001.sql:{line}: column "nothing" does not exist [42703]'
    assert said[1] == f"{line} | " + source.replace("\t", " ")
    assert said[2].index("^") == display_width(f"{line} | {source[: column - 1]}")


def display_width(text: str) -> int:
    """Return the columns of a terminal that the text takes: an emoji takes two."""
    return sum(2 if character == "😀" else 1 for character in text)


def test_a_long_line_is_cut_around_the_error(ready_database: str, folder: Path) -> None:
    said = shown(folder, f"SELECT '{'x' * 500}', nothing, '{'y' * 500}';")
    assert place() == (1, 512, 1)
    assert len(said[1]) == len("1 | ") + 100
    assert said[1][said[2].index("^") :].startswith("nothing, 'yyy")


def test_a_long_file_is_shown_at_its_line(ready_database: str, folder: Path) -> None:
    text = "".join(f"INSERT INTO t VALUES ({n});\n" for n in range(2, 3001))
    said = shown(folder, f"CREATE TABLE t (id int);\n{text}INSERT INTO t VALUES (1, 2);\n")
    assert said[:2] == [
        "001.sql:3001: INSERT has more expressions than target columns [42601]",
        "3001 | INSERT INTO t VALUES (1, 2);",
    ]


# Places that it gives in other ways, or not at all


def test_an_error_inside_a_do_block_is_shown_at_its_line(ready_database: str, folder: Path) -> None:
    assert shown(
        folder, "SELECT 1;\n\nDO LANGUAGE plpgsql\n$x$\nDECLARE n int;\nBEGIN\n  n := 1;\n  n := n / 0;\nEND $x$;\n"
    )[:2] == ["001.sql:8: division by zero [22012]", "8 |   n := n / 0;"]


def test_an_error_inside_a_do_block_on_the_line_of_its_quote(ready_database: str, folder: Path) -> None:
    assert shown(folder, "\nDO $$ BEGIN PERFORM 1/0; END $$;")[:2] == [
        "001.sql:2: division by zero [22012]",
        "2 | DO $$ BEGIN PERFORM 1/0; END $$;",
    ]


def test_a_do_block_that_calls_a_function_is_shown_at_the_call(ready_database: str, folder: Path) -> None:
    run_sql("CREATE FUNCTION fails() RETURNS int LANGUAGE plpgsql AS $$\n\n\n\nBEGIN RETURN 1/0; END $$")
    assert shown(folder, "DO $$\nBEGIN\n  PERFORM fails();\nEND $$;")[0] == "001.sql:3: division by zero [22012]"


def test_a_syntax_error_inside_a_body(ready_database: str, folder: Path) -> None:
    said = shown(
        folder, "SELECT 1;\nCREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURNN 1;\nEND $$;"
    )
    assert said[0] == '001.sql:4: syntax error at or near "RETURNN" [42601]'
    assert said[1:3] == ["4 |   RETURNN 1;", "  |   ^"]


def test_an_error_in_copy_data_is_shown_at_its_line(ready_database: str, folder: Path) -> None:
    said = shown(
        folder,
        "CREATE TABLE t (id int, name text);\n\nCOPY t (id, name)\n  FROM stdin;\n1\ta\n2\tb\nthree\tc\n4\td\n\\.\n",
    )
    assert said[0] == '001.sql:7: invalid input syntax for type integer: "three" [22P02]'
    assert place() == (7, None, 7)


def test_an_error_far_down_in_copy_data(ready_database: str, folder: Path) -> None:
    good = "".join(f"{n}\n" for n in range(30_000))
    said = shown(folder, f"CREATE TABLE t (id int);\nCOPY t FROM stdin;\n{good}x\n{good}\\.\n")
    assert said[0] == '001.sql:30003: invalid input syntax for type integer: "x" [22P02]'


def test_an_error_without_a_position_is_shown_at_its_statement(ready_database: str, folder: Path) -> None:
    assert shown(folder, "CREATE TABLE t (id int PRIMARY KEY);\nINSERT INTO t\n  VALUES (1), (1);\n") == [
        '001.sql:2: duplicate key value violates unique constraint "t_pkey" [23505]',
        "2 | INSERT INTO t",
        "DETAIL: Key (id)=(1) already exists.",
    ]


def test_a_deferred_constraint_is_named_at_the_end(ready_database: str, folder: Path) -> None:
    deferred = "REFERENCES users DEFERRABLE INITIALLY DEFERRED"
    assert shown(
        folder,
        f"CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE posts (author int {deferred});\n"
        "INSERT INTO posts VALUES (7);\n",
    ) == [
        '001.sql: insert or update on table "posts" violates foreign key constraint "posts_author_fkey" [23503]',
        'DETAIL: Key (author)=(7) is not present in table "users".',
        "What to do: A deferred constraint is violated at the end of the file: its rows must fit before the file ends.",
    ]
    assert rows("SELECT state, error_line, error_sqlstate FROM sqlmigrations_migrationrecord") == [
        ("failed", None, "23503")
    ]


def test_postgresqls_hint_is_shown_before_ours(ready_database: str, folder: Path) -> None:
    assert shown(folder, "CREATE TABLE users (email text);\nSELECT emial FROM users;") == [
        '001.sql:2: column "emial" does not exist [42703]',
        "2 | SELECT emial FROM users;",
        "  |        ^",
        'HINT: Perhaps you meant to reference the column "users.email".',
    ]


def test_what_is_on_record(ready_database: str, folder: Path) -> None:
    shown(
        folder,
        "DO $$ BEGIN RAISE EXCEPTION 'no' USING DETAIL = 'the detail', HINT = 'the hint', ERRCODE = 'AB123'; END $$",
    )
    assert rows("SELECT error_message, error_sqlstate FROM sqlmigrations_migrationrecord") == [
        ("no\nDETAIL: the detail\nHINT: the hint", "AB123")
    ]
    details = value("SELECT details FROM sqlmigrations_migrationevent WHERE type = 'failed'")
    assert {key: details[key] for key in ("message", "detail", "hint", "file")} == {
        "message": "no",
        "detail": "the detail",
        "hint": "the hint",
        "file": "001.sql",
    }


def test_a_long_statement_is_kept_in_part(ready_database: str, folder: Path) -> None:
    shown(folder, f"SELECT nothing, '{'x' * 100_000}'")
    assert len(value("SELECT details->>'statement' FROM sqlmigrations_migrationevent WHERE type = 'failed'")) == 2000


# Sensitive files and passwords

SECRETS = {
    "in DETAIL": "CREATE TABLE t (token text UNIQUE); INSERT INTO t VALUES ('hunter2'), ('hunter2');",
    "in the message": "SELECT 'hunter2'::int;",
    "at a syntax error": "SELECT 1 'hunter2' 'hunter2';",
    "raised": "DO $$ BEGIN RAISE NOTICE 'hunter2'; RAISE EXCEPTION 'hunter2' USING HINT = 'hunter2'; END $$;",
    "in COPY data": "CREATE TABLE t (id int);\nCOPY t FROM stdin;\nhunter2\n\\.\n",
    "in a refused row": "CREATE TABLE t (token text CHECK (token = '')); INSERT INTO t VALUES ('hunter2');",
}


@pytest.mark.parametrize("transaction", ["on", "off"])
@pytest.mark.parametrize("text", list(SECRETS.values()), ids=list(SECRETS))
def test_nothing_of_a_sensitive_file_is_kept_or_shown(
    ready_database: str, folder: Path, caplog: pytest.LogCaptureFixture, text: str, transaction: str
) -> None:
    put(folder, {"001.sql": f"-- sqlmigrations: sensitive\n-- sqlmigrations: transaction {transaction}\n{text}"})
    for arguments in ([], ["--format", "json"], ["-v", "2"]):
        ran = applysql(*arguments)
        assert ran.code in (1, 5)
        assert "hunter2" not in ran.out + ran.err
    kept = rows("SELECT row_to_json(r)::text FROM sqlmigrations_migrationrecord r") + rows(
        "SELECT row_to_json(e)::text FROM sqlmigrations_migrationevent e"
    )
    assert "hunter2" not in str(kept)
    assert "hunter2" not in caplog.text
    assert value("SELECT count(*) FROM sqlmigrations_migrationevent WHERE sqlstate <> '' AND line IS NOT NULL") == 3


def test_of_a_sensitive_file_only_the_checksum_is_kept(ready_database: str, folder: Path) -> None:
    text = (
        "-- sqlmigrations: sensitive\nCREATE TABLE t AS SELECT 'hunter2' AS token;\n"
        "DO $$ BEGIN RAISE NOTICE 'hunter2'; END $$;"
    )
    put(folder, {"001.sql": text})
    assert applysql().code == 0
    ((checksum, kept),) = rows("SELECT checksum, applied_sql FROM sqlmigrations_migrationrecord")
    assert kept == f"-- sensitive: only the checksum is kept: {checksum}\n"
    assert value("SELECT notices FROM sqlmigrations_migrationevent WHERE type = 'applied'") == []
    put(folder, {"001.sql": text.replace("hunter2", "hunter3")})
    assert applysql("--check").code == 4


def test_a_password_is_masked_wherever_the_statement_is_kept_or_shown(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE ROLE sqlm_nobody\n  PASSWORD 'hunter2'\n  IN ROLE sqlm_nowhere;"})
    ran = applysql()
    assert '001.sql:1: role "sqlm_nowhere" does not exist' in ran.out
    as_json = applysql("--format", "json")
    kept = rows("SELECT details::text FROM sqlmigrations_migrationevent")
    assert "hunter2" not in str((ran, as_json, kept))
    assert value("SELECT DISTINCT details->>'statement' FROM sqlmigrations_migrationevent WHERE type = 'failed'") == (
        "CREATE ROLE sqlm_nobody\n  PASSWORD '********'\n  IN ROLE sqlm_nowhere;"
    )


def test_a_syntax_error_beside_a_password_hides_it(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE ROLE sqlm_nobody PASSWORD 'hunter2' 'and more';"})
    ran = applysql("--format", "json")
    kept = rows("SELECT details::text FROM sqlmigrations_migrationevent")
    assert ran.code == 1
    assert "hunter2" not in str((ran, kept))


def test_words_of_a_failure() -> None:
    failure = Failure("message", "001.sql", 3, 4, "source", "statement", "42703", "detail", "hint", "context", "advice")
    assert (failure.where, failure.text) == ("001.sql:3", "message\nDETAIL: detail\nHINT: hint")
    assert (Failure("message", "001.sql").where, Failure("message", "001.sql").text) == ("001.sql", "message")
