"""Verify scripts: every boolean must be true, nothing they do stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.databases import session
from tests.helpers import Ran, applysql, events, put, rows, states, tables

MAKE = "CREATE TABLE users (id int); INSERT INTO users VALUES (1), (2);"
ADVICE = "Every boolean that a verify script returns must be true. The file was rolled back."


@pytest.mark.parametrize(
    "script",
    [
        "SELECT true",
        "SELECT true AS a, 7 AS number, NULL::text AS text, 'false' AS word, true AS b",
        "SELECT id > 0 FROM users",
        "SELECT id FROM users",
        "SELECT false WHERE false",
        "-- nothing\n",
        "SELECT 1; SELECT true; SET LOCAL search_path = pg_catalog; SELECT count(*) = 2 FROM public.users",
        "DO $$ BEGIN ASSERT (SELECT count(*) FROM users) = 2; END $$",
        "VALUES (true), (true)",
        "WITH counted AS (SELECT count(*) AS n FROM users) SELECT n = 2 FROM counted",
    ],
)
def test_what_passes(ready_database: str, folder: Path, script: str) -> None:
    put(folder, {"001.sql": MAKE, "001.verify.sql": script})
    assert applysql().code == 0
    assert rows("SELECT state, verify_sql FROM sqlmigrations_migrationrecord") == [("applied", script)]


@pytest.mark.parametrize(
    ("script", "line", "problem", "source"),
    [
        ("SELECT 1 > 2", 1, 'column "?column?" of row 1 is false', "SELECT 1 > 2"),
        ("SELECT 1;\n\nSELECT 1 AS n,\n  NULL::bool AS known", 3, 'column "known" of row 1 is NULL', "SELECT 1 AS n,"),
        ("SELECT id < 2 AS small FROM users ORDER BY id", 1, 'column "small" of row 2 is false', None),
        ("SELECT true AS a, false AS b;", 1, 'column "b" of row 1 is false', None),
        ("SELECT true; SELECT false AS second;", 1, 'column "second" of row 1 is false', "SELECT false AS second;"),
    ],
)
def test_what_fails(
    ready_database: str, folder: Path, script: str, line: int, problem: str, source: str | None
) -> None:
    put(folder, {"001.sql": MAKE, "001.verify.sql": script})
    assert applysql() == Ran(
        "Running SQL files:\n"
        "  Applying 001.sql... FAILED (<time>, 2 statements)\n"
        f"    001.verify.sql:{line}: The file ran, but its verify script says no: {problem}.\n"
        f"    {line} | {source or script}\n"
        f"    What to do: {ADVICE}\n"
        "  1 failed.\n"
        "Head of the history: <hash>\n",
        "",
        1,
    )
    assert (states(), tables()) == ({"001.sql": "failed"}, [])


@pytest.mark.parametrize(
    "write",
    [
        "INSERT INTO users VALUES (3)",
        "CREATE TABLE made (id int)",
        "DROP TABLE users",
        "SELECT nextval('numbers')",
    ],
)
def test_a_verify_script_may_not_write(ready_database: str, folder: Path, write: str) -> None:
    put(folder, {"001.sql": MAKE + "CREATE SEQUENCE numbers;", "001.verify.sql": f"SELECT true;\n{write};"})
    ran = applysql()
    assert ran.code == 1
    assert "    001.verify.sql:2: cannot execute " in ran.out
    assert " in a read-only transaction [25006]\n" in ran.out
    assert (states(), tables()) == ({"001.sql": "failed"}, [])


def test_nothing_that_a_verify_script_does_stays(ready_database: str, folder: Path) -> None:
    """Some things are allowed where nothing can be written: they are rolled back."""
    with session() as listener:
        listener.execute("LISTEN done")
        put(folder, {"001.sql": MAKE, "001.verify.sql": "NOTIFY done, 'verified';\nSELECT true;"})
        put(folder, {"002.sql": "NOTIFY done, 'applied';"})
        assert applysql().code == 0
        assert [notify.payload for notify in listener.notifies(timeout=10, stop_after=1)] == ["applied"]


def test_an_error_in_a_verify_script_names_its_place(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": MAKE, "001.verify.sql": "SELECT true;\n  SELECT idd = 1 FROM users;"})
    assert applysql().out.splitlines()[2:7] == [
        '    001.verify.sql:2: column "idd" does not exist [42703]',
        "    2 |   SELECT idd = 1 FROM users;",
        "      |          ^",
        '    HINT: Perhaps you meant to reference the column "users.id".',
        "    What to do: The file was rolled back.",
    ]


def test_after_a_file_outside_a_transaction_only_the_verify_script_is_run_again(
    ready_database: str, folder: Path
) -> None:
    put(
        folder,
        {
            "001.sql": "-- sqlmigrations: transaction off\nCREATE TABLE counted (at timestamptz);\n"
            "INSERT INTO counted VALUES (now());\n",
            "001.verify.sql": "SELECT count(*) = 2 FROM counted",
            "002.sql": "ALTER TABLE counted ADD note text",
        },
    )
    ran = applysql()
    assert ran.code == 1
    assert "001.verify.sql:1: The file ran, but its verify script says no: column " in ran.out
    assert (
        "    What to do: Every boolean that a verify script returns must be true. What the file did stays; the next "
        "run only verifies it again.\n"
    ) in ran.out
    assert states() == {"001.sql": "failed"}
    assert rows("SELECT statements_done, statements_total FROM sqlmigrations_migrationrecord") == [(2, 2)]
    assert "  Apply 001.sql  (only its verify script is left to run)\n" in applysql("--plan").out

    put(folder, {"001.verify.sql": "SELECT count(*) = 1 FROM counted"})
    assert applysql().code == 0
    assert rows("SELECT count(*) FROM counted") == [(1,)]
    assert states() == {"001.sql": "applied", "002.sql": "applied"}
    assert [type for type, name in events() if name == "001.sql"] == ["started", "failed", "started", "applied"]
