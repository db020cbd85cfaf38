"""Files read and judged while they stream."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from sqlmigrations.exceptions import InvalidFile, Problem
from sqlmigrations.files.checksum import checksum
from sqlmigrations.files.effects import MadeObject
from sqlmigrations.files.reading import examine
from sqlmigrations.files.scripts import SMALL, Script, SQLFile
from sqlmigrations.files.splitter import BLOCK
from sqlmigrations.files.stored import WHOLE
from tests.files.conftest import Write

BELOW = "Move what is below into NAME.down.sql, and remove the line."
OWN = "Each file runs in a transaction of its own, together with its record: remove it. SAVEPOINT is allowed."
EACH = "With 'transaction off' each statement has a transaction of its own: remove it."
OFF = 'Put "-- sqlmigrations: transaction off" at the top of the file.'


def test_reading(write: Write) -> None:
    """The directives are known at once, the rest after the last statement."""
    text = "-- sqlmigrations: tags a\n\\restrict x\nCREATE TABLE t (a int);\nSELECT 'é'"
    file = write(text)
    reading = file.read()
    assert reading.directives.tags == ("a",)
    assert [(s.number, s.line, s.text) for s in reading] == [(1, 3, "CREATE TABLE t (a int);"), (2, 4, "SELECT 'é'")]
    assert reading.checksum == checksum([text.encode()]) == file.checksum
    assert (reading.count, reading.masked) == (2, 0)
    assert reading.notes == ["skipped \\restrict on line 2"]
    assert reading.stored == text


@pytest.mark.parametrize("text", ["CREATE TABLE t (a int);\n", "-- sqlmigrations: tags a\nSELECT 1;", "-- é\n", ""])
def test_a_short_file_is_opened_once(text: str, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of them are looked at in every run: directives and checksum come from one reading."""
    file = write(text)
    opened: list[Path] = []
    real = os.open

    def counted(path: str | Path, *arguments: Any, **options: Any) -> Any:
        opened.append(Path(path))
        return real(path, *arguments, **options)

    monkeypatch.setattr("os.open", counted)
    assert file.directives.tags == (("a",) if "tags" in text else ())
    assert file.checksum == checksum([text.encode()])
    assert opened == [file.path]


def test_a_long_file_has_the_checksum_of_all_of_it(write: Write) -> None:
    text = "-- sqlmigrations: tags a\n" + "SELECT 1;\n" * BLOCK
    file = write(text)
    assert (file.directives.tags, file.checksum) == (("a",), checksum([text.encode()]))


@pytest.mark.parametrize(
    "beginning",
    ["\\connect x\n", "/* not closed", "-- sqlmigrations: nothing\n", "--SQLMigrations :tags a\n-- migrate:down", "\0"],
)
def test_what_is_wrong_is_told_again_and_the_checksum_still_known(beginning: str, write: Write) -> None:
    file = write(f"-- a comment\n{beginning}")
    for _once_more in range(2):
        with pytest.raises(InvalidFile):
            file.directives  # noqa: B018  read for what it raises
    assert file.checksum == checksum([f"-- a comment\n{beginning}".encode()])


def test_objects_in_the_same_pass(write: Write) -> None:
    """What a file makes is collected while it streams, for whoever asks."""
    text = "CREATE TABLE a (b int);\nINSERT INTO a VALUES (1);\nBEGIN_IS_NO_COMMAND();\nCREATE INDEX i ON a (b);"
    reading = write(text).read(objects=True)
    assert len(list(reading)) == 4
    assert reading.made == (MadeObject("table", "a", 1), MadeObject("index", "i", 4))
    unasked = write(text).read()
    list(unasked)
    assert unasked.made == ()


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        *((text, ["the file is empty"]) for text in ("", " \r\n\t", ";;", "\ufeff", "\ufeff\n")),
        *(
            (text, ["the file has no statements, only comments"])
            for text in (
                "-- nothing\n/* at all */",
                "\ufeff-- CREATE TABLE a ();",
                "-- sqlmigrations: transaction off\n;",
            )
        ),
        (
            "BEGIN;\nCOMMIT;",
            [
                "BEGIN on line 1 and COMMIT on line 2 are left out: the file runs in a transaction of its own",
                "the file has no statements",
            ],
        ),
    ],
)
def test_empty_files(text: str, notes: list[str], write: Write) -> None:
    """A file without a statement is fine, and says so; where it has comments only, it says that."""
    reading = write(text).read()
    assert list(reading) == []
    assert (reading.count, reading.notes) == (0, notes)
    assert examine(write(text)) == []


@pytest.mark.parametrize(
    ("text", "kept", "note"),
    [
        ("BEGIN;\nSELECT 1;\nCOMMIT;", ["SELECT 1;"], "BEGIN on line 1 and COMMIT on line 3"),
        ("-- x\nSTART TRANSACTION;SELECT 1;SELECT 2;\nEND WORK; -- y\n", ["SELECT 1;", "SELECT 2;"],
         "BEGIN on line 2 and COMMIT on line 3"),
        ("begin transaction; commit", [], "BEGIN on line 1 and COMMIT on line 1"),
    ],
)  # fmt: skip
def test_a_transaction_around_the_whole_file(text: str, kept: list[str], note: str, write: Write) -> None:
    """It is taken for the file's own."""
    reading = write(text).read()
    assert [(s.number, s.text) for s in reading] == list(enumerate(kept, start=1))
    assert reading.notes[0] == f"{note} are left out: the file runs in a transaction of its own"
    assert reading.count == len(kept)
    assert reading.stored == text


PROBLEMS: dict[str, tuple[str, list[tuple[int, str, str]]]] = {
    "rows for nobody": (
        "SELECT 1;\nCOPY a TO stdout;",
        [
            (
                2,
                "COPY ... TO STDOUT sends rows to nobody: a run shows no results",
                "Remove it, or have the server write them: COPY ... TO '/a/path/on/the/server'.",
            )
        ],
    ),
    "commit inside": ("SELECT 1;\nCOMMIT;\nSELECT 2;", [(2, "COMMIT inside a file", OWN)]),
    "commit at the end": ("SELECT 1;\nCOMMIT;", [(2, "COMMIT inside a file", OWN)]),
    "begin inside": ("SELECT 1;\nBEGIN;", [(2, "BEGIN inside a file", OWN)]),
    "several": (
        "ROLLBACK;\nSET TRANSACTION READ ONLY;\nPREPARE TRANSACTION 'a';",
        [
            (1, "ROLLBACK inside a file", OWN),
            (2, "SET TRANSACTION inside a file", OWN),
            (3, "PREPARE TRANSACTION inside a file", OWN),
        ],
    ),
    "something after the commit": (
        "BEGIN;\nSELECT 1;\nCOMMIT;\nSELECT 2;\nSELECT 3;\nCOMMIT;",
        [(3, "COMMIT inside a file", OWN)],
    ),
    "two transactions": ("BEGIN;\nCOMMIT;\nBEGIN;\nCOMMIT;", [(2, "COMMIT inside a file", OWN)]),
    "no commit": (
        "\nBEGIN;\nSELECT 1;",
        [
            (
                2,
                "the transaction that begins here is never committed",
                "Remove BEGIN: each file runs in a transaction of its own.",
            )
        ],
    ),
    "a transaction with modes": (
        "BEGIN ISOLATION LEVEL SERIALIZABLE;\nCOMMIT;",
        [(1, "BEGIN inside a file", OWN), (2, "COMMIT inside a file", OWN)],
    ),
    "and chain": ("BEGIN;\nCOMMIT AND CHAIN;\nCOMMIT;", [(2, "COMMIT inside a file", OWN)]),
    "savepoints": ("SAVEPOINT a;\nROLLBACK TO a;\nRELEASE a;", []),
    "can't run in a transaction": (
        "CREATE INDEX CONCURRENTLY i ON t (a);\nVACUUM;",
        [
            (1, "CREATE INDEX CONCURRENTLY cannot run inside a transaction", OFF),
            (2, "VACUUM cannot run inside a transaction", OFF),
        ],
    ),
    "transaction off": ("-- sqlmigrations: transaction off\nCREATE INDEX CONCURRENTLY i ON t (a);\nVACUUM;", []),
    "transaction off and begin": (
        "-- sqlmigrations: transaction off\nBEGIN;\nVACUUM;\nCOMMIT;",
        [
            (
                2,
                "BEGIN in a file with 'transaction off'",
                "Remove the directive, or BEGIN and COMMIT: each statement has a transaction of its own here.",
            ),
            (4, "COMMIT inside a file", EACH),
        ],
    ),
    "other strings": (
        "SET standard_conforming_strings = off;",
        [
            (
                1,
                "standard_conforming_strings = off changes how every quote after it is read",
                "Remove it, and write strings with backslashes as E'...'.",
            )
        ],
    ),
    "other strings by a function": (
        "SELECT 1;\nSELECT pg_catalog.set_config('standard_conforming_strings', 'off', false);",
        [
            (
                2,
                "standard_conforming_strings = off changes how every quote after it is read",
                "Remove it, and write strings with backslashes as E'...'.",
            )
        ],
    ),
    "usual strings": ("SET standard_conforming_strings = on;\nSELECT 'standard_conforming_strings = off';", []),
    "usual strings in other words": (
        "SET LOCAL standard_conforming_strings TO DEFAULT;"
        "\nSELECT set_config('standard_conforming_strings', 'on', true);",
        [],
    ),
    "directives and statements": (
        "-- sqlmigrations: retries x\nCOMMIT;\n-- sqlmigrations: tags a\n",
        [
            (1, "directive 'retries' can't be 'x'", "Write a number from 0 to 1000."),
            (2, "COMMIT inside a file", OWN),
            (
                3,
                "a directive below the first statement has no effect",
                "Move it to the top of the file, or reword the comment.",
            ),
        ],
    ),
    "what undoes a file of dbmate": (
        "-- migrate:up\nCREATE TABLE a (b int);\n-- migrate:down transaction:false\nDROP TABLE a;",
        [(3, "dbmate keeps the way back below this line, and it would be run as well", BELOW)],
    ),
    "what undoes a file of goose": (
        "-- +goose Up\nCREATE TABLE a (b int);\n\n-- +goose Down\nDROP TABLE a;",
        [(4, "goose keeps the way back below this line, and it would be run as well", BELOW)],
    ),
    "what seems to undo it": ("SELECT '\n-- migrate:down\n', $$\n-- +goose Down\n$$;", []),
    "an open quote ends it": (
        "COMMIT;\nSELECT 'a\n;",
        [(1, "COMMIT inside a file", OWN), (2, "unterminated string", "Close it with '.")],
    ),
    "psql": (
        "SELECT 1;\n\\i x.sql\nCOMMIT;",
        [
            (
                2,
                "\\i is a command of psql, not SQL",
                "Remove it: a file goes to the server, which knows no backslash commands.",
            )
        ],
    ),
}


@pytest.mark.parametrize(("text", "problems"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_examine(text: str, problems: list[tuple[int, str, str]], write: Write) -> None:
    """All that is wrong with a file is found, as far as it can be read; reading it stops at the first."""
    file = write(text)
    expected = [Problem(message, "001_test.sql", line, hint) for line, message, hint in problems]
    assert examine(file) == expected
    if not expected:
        list(file.read())
        return
    with pytest.raises(InvalidFile) as raised:
        list(file.read())
    assert raised.value.problem in expected


def test_a_missing_file(tmp_path: Path) -> None:
    """What can't be read is a problem, not a crash."""
    script = Script("001_a.sql", tmp_path / "001_a.sql")
    problem = Problem(
        "can't be read: No such file or directory", "001_a.sql", 0, "Look at the file's owner and its rights."
    )
    assert examine(script) == [problem]
    for read in (lambda: script.read(), lambda: script.checksum, lambda: script.size):
        with pytest.raises(InvalidFile) as raised:
            read()
        assert raised.value.problem == problem


def test_a_large_file_is_judged_while_it_runs(write: Write) -> None:
    """Above 16 MB only the directives are looked at before."""
    file = write(b"SELECT 1;\n" + b"-- " + b"x" * SMALL + b"\nCOMMIT;")
    assert examine(file) == []
    statements = iter(file.read())
    assert next(statements).text == "SELECT 1;"
    with pytest.raises(InvalidFile) as raised:
        next(statements)
    assert str(raised.value) == f"001_test.sql:3: COMMIT inside a file\n  {OWN}"


# What is kept


def test_stored_without_byte_order_mark(write: Write) -> None:
    reading = write(b"\xef\xbb\xbfSELECT 1;\r\n").read()
    list(reading)
    assert reading.stored == "SELECT 1;\r\n"
    assert checksum([reading.stored.encode()]) == reading.checksum


def test_stored_without_passwords(write: Write) -> None:
    reading = write("-- é\nCREATE ROLE a PASSWORD 'secret';\n-- x\nSELECT 'postgres://u:secret@h/';\n").read()
    list(reading)
    assert reading.stored == "-- é\nCREATE ROLE a PASSWORD '********';\n-- x\nSELECT 'postgres://u:********@h/';\n"
    assert reading.masked == 2


def test_stored_of_a_sensitive_file(write: Write) -> None:
    reading = write("-- sqlmigrations: sensitive\nSELECT 1;").read()
    list(reading)
    assert reading.stored == f"-- sensitive: only the checksum is kept: {reading.checksum}\n"


def test_stored_of_a_large_file(write: Write) -> None:
    """The statements without their data, and how much there was."""
    rows = ",\n".join(f"({n}, 'values')" for n in range(80_000))
    text = f"CREATE TABLE t (a int);\nINSERT INTO t (a) VALUES {rows};\nCOPY t FROM stdin;\n1\n\\.\nSELECT 1;\n"
    assert len(text) > WHOLE
    reading = write(text).read()
    list(reading)
    assert reading.stored == (
        f"-- {len(text)} bytes, {reading.checksum}: only the statements are kept, without their data\n"
        f"CREATE TABLE t (a int);\nINSERT INTO t (a) VALUES -- {len(rows) + 2} more bytes are left out\n"
        "COPY t FROM stdin;\n-- its data is left out\nSELECT 1;\n"
    )


def test_stored_of_a_file_of_very_many_statements(write: Write) -> None:
    """There is an end to what is kept."""
    reading = write("SELECT 'abcdefghijklmnopqrstuvwxyz';\n" * 60_000).read()
    assert len(list(reading)) == 60_000
    assert len(reading.stored) < WHOLE + 300
    assert reading.stored.endswith(" more statements are left out\n")


@pytest.mark.parametrize(
    ("name", "number"),
    [("001_a.sql", "001"), ("blog/0020_b.sql", "0020"), ("2/a.sql", None), ("20260101120000.sql", "20260101120000")],
)
def test_number(name: str, number: str | None) -> None:
    assert SQLFile(name, Path(name)).number == number
