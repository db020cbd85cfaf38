"""Each file forth, back and forth again: the schema is what it was, to the letter."""

from __future__ import annotations

import psycopg
import pytest
from django.db import connection

from sqlmigrations.files.discovery import Folder, discover

from .scripts import FOLDER, REPEATABLE, SEEDS, VERSIONED, Client, down, exists, query, verify

BOOLEAN = psycopg.adapters.types["bool"].oid


def untrue(name: str) -> list[str]:
    """Run a file's verify script, if there is one, in a read-only transaction; name its booleans that aren't true."""
    if not exists(verify(name)):
        return []
    found = []
    with connection.cursor() as cursor:
        cursor.execute("BEGIN READ ONLY")
        cursor.execute((FOLDER / verify(name)).read_text())
        more: bool | None = True
        while more:
            for row in cursor.fetchall():
                for column, value in zip(cursor.description, row, strict=True):
                    if column.type_code == BOOLEAN and value is not True:
                        found.append(f"{column.name} of {row}")
            more = cursor.nextset()
        cursor.execute("ROLLBACK")
    return found


def test_the_folder_reads_without_problems() -> None:
    found = discover([Folder(FOLDER)])
    assert (found.errors, found.warnings, found.mixed_width) == ((), (), None)
    assert [file.name for file in found.files] == VERSIONED + REPEATABLE + SEEDS


def test_every_file_has_a_way_back() -> None:
    assert [name for name in VERSIONED + REPEATABLE + SEEDS if not exists(down(name))] == []


def test_each_file_forth_and_back_and_forth(empty: Client) -> None:
    """Whatever a down script leaves or takes too much shows as a difference."""
    before = empty.schema()
    for name in VERSIONED + REPEATABLE:
        empty.run(name)
        assert untrue(name) == []
        after = empty.schema()
        assert after != before, f"{name} changes nothing"
        empty.run(down(name))
        assert empty.schema() == before, f"{down(name)} does not restore the schema"
        empty.run(name)
        assert untrue(name) == []
        assert empty.schema() == after, f"{name} makes something else the second time"
        before = after


def test_the_whole_chain_back_with_data_in_it(example: Client) -> None:
    """A down script must cope with rows, and the files with what a down script left."""
    whole = example.schema()
    example.run_all(SEEDS)
    for name in reversed(VERSIONED + REPEATABLE):  # the seeds' rows are still there
        example.run(down(name))
    assert query("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]
    example.run_all(VERSIONED + REPEATABLE)
    assert example.schema() == whole


@pytest.mark.parametrize("name", REPEATABLE)
def test_a_repeatable_can_be_repeated(example: Client, name: str) -> None:
    before = example.schema()
    example.run(name)
    assert example.schema() == before
