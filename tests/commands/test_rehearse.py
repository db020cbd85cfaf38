"""The words, the document and the exit codes of ``applysql --rehearse``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.helpers import applysql, put, run_sql, tables, wait_until_sessions

FILES = {
    "001.sql": "ALTER TABLE users ALTER age TYPE bigint;",
    "001.down.sql": "ALTER TABLE users ALTER age TYPE int;",
    "002.sql": "CREATE TABLE t (id int);",
}


@pytest.fixture
def shop(fresh_database: str, folder: Path) -> None:
    """Make a database and the files to rehearse."""
    run_sql("CREATE TABLE users (id int, age int); INSERT INTO users VALUES (1, 1); ANALYZE users")
    put(folder, FILES)


def words(*arguments: str) -> tuple[str, int]:
    """Return what a rehearsal says, without its times, and its exit code."""
    ran = applysql("--rehearse", *arguments)
    return re.sub(r"[\d,.]+ m?s\b", "<ms>", ran.out), ran.code


def test_what_it_says(shop: None) -> None:
    wait_until_sessions(0)
    said, code = words("--with-data")
    assert code == 0
    assert said == (
        "Rehearsal in a copy of the database:\n"
        "  001.sql... OK (<ms>)\n"
        "    public.users: readers and writers wait <ms> (AccessExclusive)\n"
        "    line 1: ALTER TABLE users ALTER age TYPE bigint; (<ms>)\n"
        '      rewriting table "users"\n'
        "    Lint and measure: line 1: predicted slow (change-column-type), measured slow, <ms>\n"
        "  002.sql... OK (<ms>)\n"
        "    Nobody has to wait for it.\n"
        "  2 rehearsed. Nothing of it is left.\n"
    )
    assert tables() == ["users"]


def test_what_goes_on_is_told_to_those_who_want_to_know(shop: None) -> None:
    assert applysql("--rehearse").err == ""
    assert applysql("--rehearse", "-v2").err == (
        "Copying the live database's schema ...\nRehearsing 001.sql ...\nRehearsing 002.sql ...\n"
    )


def test_without_rows_times_are_estimated(shop: None) -> None:
    said, code = words("001")
    assert code == 0
    assert "(AccessExclusive), and about <ms> more with its 1 row (0.0 MB)" in said
    assert "Note: The tables of the copy are empty: times are estimated from the size of the live ones." in said
    assert "Its down script ran." in said


def test_a_budget_that_is_exceeded_is_exit_1(shop: None) -> None:
    said, code = words("--max-lock", "ShareUpdateExclusive")
    assert code == 1
    assert "001.sql... OVER THE BUDGET" in said
    assert "Over the budget: public.users is locked AccessExclusive, stronger than ShareUpdateExclusive" in said
    assert "2 rehearsed, 1 over the budget." in said


def test_a_file_that_fails_is_exit_1(shop: None, folder: Path) -> None:
    """It holds what depends on it, as in a run, and nothing else."""
    put(
        folder,
        {
            "003.sql": "CREATE TABLE new (id int);\nSELECT 1/0;",
            "003.down.sql": "DROP TABLE new;",
            "004.sql": "ALTER TABLE new ADD name text;",
            "005.sql": "CREATE TABLE other (id int);",
            "006.sql": "-- sqlmigrations: requires 004.sql\nSELECT 1;",
        },
    )
    said, code = words("--in-place")
    assert code == 1
    assert "003.sql:2: division by zero [22012]" in said
    assert "  004.sql held: touches new, as does 003.sql, which is not applied\n" in said
    assert "  005.sql... OK" in said
    assert "  006.sql held: requires 004.sql, which is not applied\n" in said
    assert "  4 rehearsed, 1 failed, 2 held. Nothing of it is left." in said


def test_annotations(shop: None, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    put(
        folder,
        {
            "003.sql": "SELECT 1;\nSELECT 1/0;",
            "004.sql": "-- sqlmigrations: requires 003.sql\nSELECT 1;",
            "005.sql": "CREATE TABLE other (id int);",
            "005.down.sql": "\nDROP TABLE others;",
        },
    )
    said, code = words("--in-place", "--format", "github", "--max-lock", "ShareRowExclusive")
    assert code == 1
    assert [line for line in said.splitlines() if line.startswith("::")] == [
        "::error file=001.sql,line=1,title=rehearsal::Over the budget: public.users is locked AccessExclusive, "
        "stronger than ShareRowExclusive",
        "::error file=003.sql,line=2,title=rehearsal::division by zero",
        "::warning file=004.sql,line=1,title=rehearsal::Not rehearsed: requires 003.sql, which is not applied",
        '::error file=005.down.sql,line=2,title=rehearsal::Down script: table "others" does not exist',
    ]


def test_the_document(shop: None) -> None:
    ran = applysql("--rehearse", "--with-data", "--format", "json")
    document = json.loads(ran.out.replace("<ms>", "0"))
    assert (document["rehearsal"], document["summary"], ran.code) == ("data", {"ok": 2}, 0)
    assert document["files"][0]["statements"][0]["locks"] == [{"relation": "public.users", "mode": "AccessExclusive"}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--in-place"], "--in-place goes with --rehearse."),
        (["--max-lock", "Share"], "--max-lock goes with --rehearse."),
        (["--max-block-ms", "0"], "--max-block-ms goes with --rehearse."),
        (
            ["--rehearse", "--fake"],
            "--fake has no meaning with --rehearse, which runs the files elsewhere and keeps nothing of it.",
        ),
    ],
)
def test_flags_that_do_not_fit(shop: None, arguments: list[str], message: str) -> None:
    ran = applysql(*arguments)
    assert (ran.code, message in ran.err) == (2, True)


def test_nothing_pending(fresh_database: str, folder: Path) -> None:
    said, code = words("--in-place")
    assert (said, code) == ("Rehearsal in place, rolled back:\n  Nothing is pending.\n", 0)


def test_what_earlier_files_have_locked_is_not_told_again_in_place(shop: None, folder: Path) -> None:
    """It is still locked: the server would tell no difference."""
    put(folder, {"003.sql": "ALTER TABLE users ADD note text;"})
    told = [line for line in words("--in-place")[0].splitlines() if "wait" in line or "In place:" in line]
    assert told == [
        "    public.users: readers and writers wait <ms> (AccessExclusive)",
        "    Nobody has to wait for it, beyond what earlier files have locked: public.users.",
        "    Nobody has to wait for it, beyond what earlier files have locked: public.users.",
        "  Note: In place: sequences that were used keep their new values, and files keep their size.",
        "  Note: In place: what an earlier file has locked stays locked, and is not told of later ones.",
    ]


def test_all_that_it_may_say(fresh_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was left out, who waits longer than others, what nobody foresaw; each lock with ``-v2``."""
    run_sql(
        "CREATE TABLE users (id int, age int); CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN RETURN NEW; END'; CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION noop()"
    )
    put(
        folder,
        {
            "001.sql": "CREATE ROLE sqlm_never;\nCREATE INDEX i ON users (age);\nALTER TABLE users ADD note text;",
            "002.sql": "DROP FUNCTION noop() CASCADE;",
        },
    )
    said, code = words("-v2")
    assert code == 0
    assert re.sub(r"[\d,]+ bytes", "<n> bytes", said) == (
        "Rehearsal in a copy of the schema:\n"
        "  001.sql... OK (<ms>)\n"
        "    Left out, since it reaches beyond the database: line 1: CREATE ROLE\n"
        "    public.users: writers wait <ms>, readers <ms> (AccessExclusive)\n"
        "    line 2: CREATE INDEX i ON users (age); (<ms>)\n"
        '      building index "i" on table "users" serially\n'
        "      Share on public.users\n"
        "      <n> bytes of WAL\n"
        "    line 3: ALTER TABLE users ADD note text; (<ms>)\n"
        "      AccessExclusive on public.users\n"
        "      <n> bytes of WAL\n"
        "    Lint and measure: line 2: predicted slow (create-index-blocking), measured slow, <ms>\n"
        "  002.sql... OK (<ms>)\n"
        "    public.users: readers and writers wait <ms> (AccessExclusive)\n"
        "    line 1: DROP FUNCTION noop() CASCADE; (<ms>)\n"
        "      AccessExclusive on public.users\n"
        "      <n> bytes of WAL\n"
        "    Lint and measure: public.users: predicted no lock, measured AccessExclusive\n"
        "  Note: The tables of the copy are empty: times are estimated from the size of the live ones.\n"
        "  2 rehearsed. Nothing of it is left.\n"
    )
    monkeypatch.chdir(folder)
    said, code = words("--format", "github")
    assert [line for line in said.splitlines() if line.startswith("::")] == [
        "::notice file=002.sql,line=1,title=rehearsal::Lint and measure: public.users: predicted no lock, measured "
        "AccessExclusive"
    ]
