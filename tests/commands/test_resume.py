"""``--resume-at`` and ``--restart``: a person says where a file that stopped half-way goes on."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.helpers import Ran, applysql, events, manage, put, rows, run_sql, states, tables

STOPPING = """-- sqlmigrations: transaction off
INSERT INTO counted VALUES (1);
INSERT INTO counted VALUES (2);
SELECT 1 / (SELECT count(*) FROM allowed);
INSERT INTO counted VALUES (4);
"""


@pytest.fixture
def stopped(ready_database: str, folder: Path) -> Path:
    """Leave a file behind that has done two of its four statements."""
    run_sql("CREATE TABLE counted (statement int); CREATE TABLE allowed (id int)")
    put(folder, {"001.sql": STOPPING, "002.sql": "SELECT 1;"})
    assert applysql().code == 5
    return folder


def counted() -> list[int]:
    return [number for (number,) in rows("SELECT statement FROM counted ORDER BY ctid")]


@pytest.mark.parametrize(
    ("arguments", "done"),
    [(["--resume-at", "4"], [1, 2, 4]), (["--resume-at", "2"], [1, 2, 2, 4]), (["--restart"], [1, 2, 1, 2, 4])],
    ids=lambda part: " ".join(map(str, part)),
)
def test_where_it_goes_on(stopped: Path, arguments: list[str], done: list[int]) -> None:
    run_sql("INSERT INTO allowed VALUES (1)")
    assert applysql("001", *arguments, "--reason", "looked at it", "--noinput").code == 0
    assert (counted(), states()["001.sql"]) == (done, "applied")
    details = {"resume_at": int(arguments[1])} if len(arguments) == 2 else {"restart": True}
    assert rows("SELECT details FROM sqlmigrations_migrationevent WHERE details ? 'reason'") == [
        ({"reason": "looked at it", "stopped_after": 2, "direction": "forwards", **details},)
    ]


def test_an_edited_done_part_names_both(stopped: Path) -> None:
    put(stopped, {"001.sql": STOPPING.replace("VALUES (1)", "VALUES (10)")})
    ran = applysql("001")
    assert ran.code == 5
    assert (
        "    001.sql: The file stopped after statement 2 and was changed since: "
        "a statement of the part that has run was edited.\n"
        "    What to do: Restore that part, or say where to go on: "
        'applysql 001.sql --resume-at N (or --restart) --reason "..."\n'
    ) in ran.out
    assert counted() == [1, 2]
    run_sql("INSERT INTO allowed VALUES (1)")
    assert applysql("001", "--resume-at", "3", "--reason", "the edit is harmless", "--noinput").code == 0
    assert counted() == [1, 2, 4]


def test_a_shortened_done_part_names_both(stopped: Path) -> None:
    put(stopped, {"001.sql": "-- sqlmigrations: transaction off\nINSERT INTO counted VALUES (1);\n"})
    ran = applysql("001")
    assert ran.code == 5
    assert "it had 2 statements done and has only 1 now" in ran.out
    assert "--resume-at N (or --restart)" in ran.out
    assert applysql("001", "--restart", "--reason", "shorter now", "--noinput").code == 0
    assert (counted(), states()["001.sql"]) == ([1, 2, 1], "applied")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["001", "--restart"], '--resume-at and --restart want a reason.\n  Add: --reason "..."'),
        (["--restart", "--reason", "why"], "--resume-at and --restart go with the NAME of one file."),
        (["001", "002", "--restart", "--reason", "why"], "--resume-at and --restart go with the NAME of one file."),
        (["002", "--restart", "--reason", "why"], "002.sql did not stop half-way: it is applied."),
        (["003", "--restart", "--reason", "why"], "003.sql did not stop half-way: it is pending."),
        (["001", "--resume-at", "9", "--reason", "why"], "001.sql has no statement 9 to go on with."),
        (["001", "--resume-at", "0", "--reason", "why"], "001.sql has no statement 0 to go on with."),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_what_is_refused(stopped: Path, arguments: list[str], message: str) -> None:
    put(stopped, {"003.sql": "SELECT 3;"})
    before = events()
    assert applysql(*arguments, "--noinput") == Ran("", f"CommandError: {message}\n", 2)
    assert events() == before


def test_it_asks(stopped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = events()
    person = io.StringIO("no\n")
    monkeypatch.setattr(person, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", person)
    assert applysql("001", "--resume-at", "4", "--reason", "why") == Ran(
        "",
        "Go on with statement 4 of 001? What was done before is not undone. [yes/no] CommandError: Nothing was done.\n",
        2,
    )
    assert events() == before


def test_a_file_that_is_half_reverted_goes_on_where_it_is_told_to(fresh_database: str, folder: Path) -> None:
    down = "-- sqlmigrations: transaction off\nCREATE TABLE a (id int);\nSELECT 1/0;\nDROP TABLE t;\nDROP TABLE a;\n"
    put(folder, {"001.sql": "CREATE TABLE t (id int);", "001.down.sql": down})
    applysql()
    assert manage("revertsql", "001", "--noinput").code == 5
    assert applysql("001", "--resume-at", "3", "--reason", "of no use", "--noinput") == Ran(
        "  Left 001.sql: half reverted: revertsql 001.sql goes on\n  1 partial.\nHead of the history: <hash>\n", "", 5
    )
    assert manage("revertsql", "001", "--noinput") == Ran(
        "  Reverting 001.sql... REVERTED (<time>, 4 statements)\n  1 reverted.\nHead of the history: <hash>\n", "", 0
    )
    assert (states(), tables()) == ({"001.sql": "reverted"}, [])


@pytest.mark.parametrize("arguments", [["--resume-at", "4"], ["--restart"]], ids=["resume", "restart"])
def test_a_seed_that_stopped_half_way(ready_database: str, folder: Path, arguments: list[str]) -> None:
    """It is told by every run until somebody takes it up, and by --list; NAME is its name here, as the advice says."""
    run_sql("CREATE TABLE counted (statement int); CREATE TABLE allowed (id int)")
    put(folder, {"001.sql": "SELECT 1", "seed/data.sql": STOPPING})
    assert applysql("--seed", "data").code == 5
    waits = "a seed that stopped half-way; --seed goes on with it"
    assert applysql("--list").out.splitlines()[-1] == f" [/] seed/data.sql partial: {waits}"
    ran = applysql()
    assert (f"  Left seed/data.sql: {waits}\n" in ran.out, ran.code) == (True, 5)
    run_sql("INSERT INTO allowed VALUES (1)")
    assert applysql("seed/data.sql", *arguments, "--reason", "looked at it", "--noinput").code == 0
    assert counted() == ([1, 2, 4] if arguments[0] == "--resume-at" else [1, 2, 1, 2, 4])
    assert (states()["seed/data.sql"], applysql("--check").code) == ("applied", 0)
