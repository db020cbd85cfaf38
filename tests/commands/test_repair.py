"""``applysql --repair``: what files and history disagree about, shown, asked for, settled and remembered."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from sqlmigrations.files import comparison
from sqlmigrations.service.repair import plan_repair
from tests.helpers import Ran, applysql, events, put, rows, states, value

HEAD = "Head of the history: <hash>\n"
FILES = {f"00{number}.sql": f"CREATE TABLE t{number} (id int);\n" for number in range(1, 5)}

SHOWN = """To repair:
  Accept 001.sql as it stands on disk: its text changed after it was applied
    --- 001.sql as applied
    +++ on disk
    @@ -1 +1 @@
    -CREATE TABLE t1 (id int);
    +CREATE TABLE t1 (id bigint);
  Accept 002.sql as it stands on disk: its comments and layout changed after it was applied
    --- 002.sql as applied
    +++ on disk
    @@ -1 +1,2 @@
    +-- the second
     CREATE TABLE t2 (id int);
  Rename 003.sql to 013.sql: the same text
  Retire 004.sql: its file is gone, the database keeps what it made
"""


@pytest.fixture
def disagreeing(fresh_database: str, folder: Path) -> Path:
    """Apply four files, then edit one, comment one, rename one and remove one."""
    put(folder, FILES)
    assert applysql().code == 0
    put(folder, {"001.sql": "CREATE TABLE t1 (id bigint);\n", "002.sql": "-- the second\n" + FILES["002.sql"]})
    (folder / "003.sql").rename(folder / "013.sql")
    (folder / "004.sql").unlink()
    return folder


def test_it_shows_first_and_asks(disagreeing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = events()
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert applysql("--repair") == Ran(
        SHOWN, "CommandError: Nobody is there to be asked.\n  If you mean it, add --noinput.\n", 2
    )
    person = io.StringIO("no\n")
    monkeypatch.setattr(person, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", person)
    assert applysql("--repair") == Ran(SHOWN, "Settle it so? [yes/no] Nothing was done.\n", 1)
    assert applysql("--repair", "--plan") == Ran(SHOWN, "", 0)
    assert events() == before


def test_all_of_it_is_settled_and_remembered(disagreeing: Path) -> None:
    assert applysql("--check").code == 4
    assert applysql("--repair", "--noinput", "--reason", "typed wrong") == Ran(SHOWN + HEAD, "", 0)
    assert states() == {"001.sql": "applied", "002.sql": "applied", "013.sql": "applied", "004.sql": "retired"}
    assert rows("SELECT type, filename, details FROM sqlmigrations_migrationevent ORDER BY id OFFSET 8") == [
        ("accepted", "001.sql", {"reason": "typed wrong"}),
        ("accepted", "002.sql", {"reason": "typed wrong"}),
        ("renamed", "013.sql", {"reason": "typed wrong", "from": "003.sql"}),
        ("retired", "004.sql", {"reason": "typed wrong"}),
    ]
    assert value("SELECT applied_sql FROM sqlmigrations_migrationrecord WHERE filename = '001.sql'") == (
        "CREATE TABLE t1 (id bigint);\n"
    )
    assert applysql("--check").code == 0
    assert applysql("--repair") == Ran("Files and history agree: there is nothing to repair.\n", "", 0)


def test_the_document(disagreeing: Path) -> None:
    document = json.loads(applysql("--repair", "--noinput", "--format", "json").out)
    assert document["head"] == "<hash>"
    assert [(repair["kind"], repair["name"], repair["new_name"]) for repair in document["repairs"]] == [
        ("accept", "001.sql", "001.sql"),
        ("accept", "002.sql", "002.sql"),
        ("rename", "003.sql", "013.sql"),
        ("retire", "004.sql", "004.sql"),
    ]


def test_a_renamed_file_is_not_run_under_its_new_name(disagreeing: Path) -> None:
    before = len(events())
    assert applysql().code == 4
    assert len(events()) == before
    assert "  Left 013.sql: has the text of 003.sql, whose file is gone; if it was renamed: applysql --repair\n" in (
        applysql().out
    )


def test_a_file_with_other_comments_is_not_run_under_its_new_name(ready_database: str, folder: Path) -> None:
    """Many a file begins with its own name: renamed and corrected, it would put its rows in a second time."""
    put(folder, {"001.sql": "-- 001.sql\nCREATE TABLE t AS SELECT 1 AS id;", "002.sql": "INSERT INTO t VALUES (2);"})
    assert applysql().code == 0
    put(folder, {"003.sql": "-- 003.sql\nINSERT INTO t\nVALUES (2);", "004.sql": "INSERT INTO t VALUES (3);"})
    (folder / "002.sql").unlink()
    ran = applysql()
    assert (ran.code, rows("SELECT id FROM t ORDER BY id")) == (4, [(1,), (2,), (3,)])
    assert (
        "  Left 003.sql: has the text of 002.sql, whose file is gone; if it was renamed: applysql --repair\n" in ran.out
    )
    assert applysql("--repair", "--noinput").out.startswith(
        "To repair:\n  Rename 002.sql to 003.sql: the same statements, with other comments or layout\n"
    )
    assert applysql().code == 0
    assert states() == {"001.sql": "applied", "003.sql": "applied", "004.sql": "applied"}


def test_each_text_is_compared_once_where_many_files_were_renamed(
    ready_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that was renamed and reformatted would take minutes otherwise: each text with each."""
    names = [f"{number:03}" for number in range(10)]
    put(folder, {f"{name}.sql": f"-- one\nCREATE TABLE t{name} ();" for name in names})
    assert applysql().code == 0
    for file in folder.iterdir():
        file.unlink()
    put(folder, {f"{name}_b.sql": f"-- two\nCREATE TABLE t{name} ();" for name in names})
    looks = []
    means = comparison.meaning

    def meaning(text: str) -> str | None:
        looks.append(text)
        return means(text)

    monkeypatch.setattr(comparison, "meaning", meaning)
    assert [(repair.name, repair.new_name) for repair in plan_repair().repairs] == [
        (f"{name}.sql", f"{name}_b.sql") for name in names
    ]
    assert len(looks) == 2 * len(names)


def test_what_a_retired_file_made_still_counts_when_it_comes_back(disagreeing: Path) -> None:
    assert applysql("--repair", "--noinput").code == 0
    put(disagreeing, {"004.sql": FILES["004.sql"]})
    before = events()
    assert applysql().code == 0
    assert events() == before
