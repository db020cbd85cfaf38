"""What stands on disk and what the database remembers of it, brought together."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections

from sqlmigrations.exceptions import InvalidFiles
from sqlmigrations.files.checksum import Change
from sqlmigrations.files.scripts import SMALL, Script
from sqlmigrations.files.window import BLOCK
from sqlmigrations.service.apply import ApplyOptions, apply
from sqlmigrations.service.gather import Footprints, read_disk, recall
from tests.helpers import put, run_sql


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("CREATE TABLE t (id int);", "CREATE TABLE t (id int);", None),
        ("CREATE TABLE t (id int);", "-- why\nCREATE  TABLE t (\n id int\n);", Change.COSMETIC),
        ("CREATE TABLE t (id int);", "CREATE TABLE t (id bigint);", Change.CHANGED),
        ("SELECT 'a  b';", "SELECT 'a b';", Change.CHANGED),
        ("SELECT 1;", "-- SELECT 1;", Change.CHANGED),
        # The text that is kept has no password: it can't tell whether only a comment changed.
        ("ALTER ROLE CURRENT_USER PASSWORD NULL;", "ALTER ROLE CURRENT_USER PASSWORD NULL; -- why", Change.COSMETIC),
        ("-- sqlmigrations: sensitive\nSELECT 1;", "-- sqlmigrations: sensitive\nSELECT 1; -- why", Change.CHANGED),
    ],
)
def test_how_a_file_changed_since_it_was_applied(
    fresh_database: str, folder: Path, before: str, after: str, expected: Change | None
) -> None:
    put(folder, {"001.sql": before})
    apply(ApplyOptions())
    put(folder, {"001.sql": after})
    remembered = recall(connections["default"], read_disk("default"))
    assert remembered.changes == ({} if expected is None else {"001.sql": expected})


def test_all_problems_of_a_file_are_told_at_once(folder: Path) -> None:
    """A wrong directive doesn't hide what is wrong below it, in the file and in its companions."""
    wrong = "-- sqlmigrations: transaction maybe\n-- sqlmigrations: retries -1\nVACUUM;\nCOMMIT;\n"
    put(folder, {"001.sql": wrong, "001.down.sql": wrong, "002.sql": "VACUUM;"})
    with pytest.raises(InvalidFiles) as raised:
        read_disk("default")
    lines = sorted((problem.file, problem.line) for problem in raised.value.problems)
    assert lines == [(name, line) for name in ("001.down.sql", "001.sql") for line in (1, 2, 3, 4)]


def test_a_database_without_our_tables_remembers_nothing(fresh_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "-- sqlmigrations: requires django:auth.0001_initial\nSELECT 1"})
    remembered = recall(connections["default"], read_disk("default"))
    assert (remembered.location.tables, remembered.records, remembered.changes, remembered.django_applied) == (
        None,
        {},
        {},
        frozenset(),
    )


def test_django_migrations_are_asked_for_only_when_a_file_requires_one(fresh_database: str, folder: Path) -> None:
    run_sql(
        "CREATE TABLE django_migrations (id int, app text, name text, applied timestamptz); "
        "INSERT INTO django_migrations VALUES (1, 'auth', '0001_initial', now())"
    )
    put(folder, {"001.sql": "SELECT 1"})
    assert recall(connections["default"], read_disk("default")).django_applied == frozenset()
    put(folder, {"001.sql": "-- sqlmigrations: requires django:auth.0001_initial\nSELECT 1"})
    assert recall(connections["default"], read_disk("default")).django_applied == {("auth", "0001_initial")}


@pytest.mark.parametrize("is_missing", [False, True], ids=["none is missing", "one is missing"])
def test_how_often_a_long_new_file_is_read(
    fresh_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch, is_missing: bool
) -> None:
    """A gigabyte is read to run it; only to know whether it is a renamed one, it is read before as well."""
    put(folder, {"001.sql": "SELECT 1", "002.sql": "SELECT 2"})
    apply(ApplyOptions())
    if is_missing:
        (folder / "001.sql").unlink()
    long = "SELECT 3;" + " " * (SMALL + BLOCK)
    put(folder, {"003.sql": long})
    read: list[int] = []
    blocks = Script.blocks

    def counted(script: Script) -> Iterator[bytes]:
        for block in blocks(script):
            if script.name == "003.sql":
                read.append(len(block))
            yield block

    monkeypatch.setattr(Script, "blocks", counted)
    recall(connections["default"], read_disk("default"), of_disk=True)
    assert sum(read) // len(long) == (1 if is_missing else 0)
    read.clear()
    ran = apply(ApplyOptions())
    assert [(each.name, str(each.status)) for each in ran.files if each.name == "003.sql"] == [("003.sql", "applied")]
    assert sum(read) // len(long) == (2 if is_missing else 1)


def test_a_long_file_that_was_renamed_is_not_run_again(fresh_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "SELECT 1;" + " " * 2 * BLOCK})
    apply(ApplyOptions())
    (folder / "001.sql").rename(folder / "002.sql")
    disk = read_disk("default")
    assert recall(connections["default"], disk, of_disk=True).renames == {"002.sql": "001.sql"}
    assert [(each.name, str(each.status)) for each in apply(ApplyOptions()).files] == [
        ("002.sql", "pending"),
        ("001.sql", "missing"),
    ]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("CREATE TABLE users (id int)", "CREATE TABLE posts (id int)", ""),
        ("CREATE TABLE users (id int)", "ALTER TABLE users ADD a int", "users"),
        ("CREATE TABLE users (id int)", "ALTER TABLE public.users ADD a int", "users"),
        ("SELECT * FROM users", "SELECT * FROM users", ""),
        ("INSERT INTO users VALUES (1)", "SELECT * FROM users", "users"),
        ("CREATE TABEL users (id int)", "CREATE TABLE posts (id int)", "what can't be known beforehand (00"),
        ("CREATE TABEL users (id int)", "-- nothing", ""),
        ("CREATE TABEL users (id int)", "/* nothing */ ;", ""),
        ("CREATE TABEL users (id int)", "SELECT 1", "what can't be known beforehand (001.sql: "),
    ],
)
def test_what_two_files_share(folder: Path, one: str, other: str, expected: str) -> None:
    put(folder, {"001.sql": one, "002.sql": other})
    first, second = read_disk("default").files
    footprints = Footprints()
    for shared in (footprints.overlap(first, second), footprints.overlap(second, first)):
        assert expected in shared
        assert bool(shared) == bool(expected)


def test_a_file_that_cannot_be_read_overlaps_with_all(folder: Path) -> None:
    put(folder, {"001.sql": "SELECT 'open", "002.sql": "SELECT 1"})
    first, second = read_disk("default").files
    assert Footprints().overlap(first, second).startswith("what can't be known beforehand (001.sql:1: unterminated")


@pytest.mark.parametrize("was_on", [True, False])
def test_python_looks_for_cycles_again_after_reading(was_on: bool, folder: Path) -> None:
    """Whatever the reading came to, and only where it did so before."""
    put(folder, {"001.sql": "-- sqlmigrations: nothing"})
    (gc.enable if was_on else gc.disable)()
    try:
        with pytest.raises(InvalidFiles):
            read_disk("default")
        assert gc.isenabled() is was_on
    finally:
        gc.enable()
