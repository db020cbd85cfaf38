"""Texts that were split when they were judged, and are told again when they run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sqlmigrations.exceptions import InvalidFile
from sqlmigrations.files import held
from sqlmigrations.files.checksum import checksum
from sqlmigrations.files.held import LONGEST, Room
from sqlmigrations.files.reading import examine
from sqlmigrations.files.recorded import RecordedFile
from sqlmigrations.files.scripts import Script
from tests.files.conftest import Write
from tests.files.test_splitter import STATEMENTS

#: Texts with nothing to refuse.
TEXTS = {
    **{what: "".join(pieces) for what, pieces in STATEMENTS.items() if "COMMIT;" not in pieces},
    "byte order mark, directives, password": "\ufeff-- sqlmigrations: tags a\r\nALTER ROLE a PASSWORD 'b';\r\nSELECT 1",
    "a transaction of its own": "BEGIN;\nCREATE TABLE t (a int);\nCREATE INDEX i ON t (a);\nCOMMIT;",
    "a line of psql": "\\restrict x\nSELECT 1;",
    "data": "COPY t FROM stdin;\n1\n\\.\nSELECT 1;",
    "comments only": "-- nothing",
}


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the name of each file that is opened from here on."""
    names: list[str] = []
    real = os.open

    def counted(path: str | Path, *arguments: Any, **options: Any) -> int:
        names.append(Path(path).name)
        return real(path, *arguments, **options)

    monkeypatch.setattr("os.open", counted)
    return names


def all_of(script: Script) -> tuple[Any, ...]:
    """Return all that reading a script tells."""
    reading = script.read(objects=True)
    statements = [(s.number, s.sql, s.offset, s.line, s.keywords, b"".join(s.data or ())) for s in reading]
    told = reading.directives, reading.notes, reading.checksum, reading.stored, reading.masked, reading.made
    return statements, reading.count, told


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_what_is_held_tells_the_same_as_the_file(text: str, write: Write) -> None:
    file = write(text)
    anew = all_of(file)
    assert examine(file, room=Room()) == []
    assert all_of(file) == anew


def test_a_file_that_is_held_is_not_read_again_once(write: Write, opened: list[str]) -> None:
    file = write("SELECT 1;")
    examine(file, room=Room())
    assert opened == ["001_test.sql"]
    all_of(file)
    assert opened == ["001_test.sql"]
    all_of(file)
    assert opened == ["001_test.sql"] * 2


def in_place(path: Path) -> None:
    path.write_text("SELECT 2;")


def in_its_place(path: Path) -> None:
    """Put another file with the same times there, as a deployment may."""
    other = path.with_suffix(".new")
    other.write_text("SELECT 2;")
    times = path.stat()
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(path)


def longer(path: Path) -> None:
    path.write_text("SELECT 2 AS more;")


@pytest.mark.parametrize("edit", [in_place, in_its_place, longer])
def test_what_was_edited_meanwhile_is_read_anew(edit: Callable[[Path], None], write: Write) -> None:
    file = write("SELECT 1;")
    os.utime(file.path, ns=(0, 0))  # what is edited at once may have the same time, in ticks of some ms
    examine(file, room=Room())
    edit(file.path)
    text = file.path.read_bytes()
    reading = file.read()
    assert [statement.sql for statement in reading] == [text]
    assert reading.checksum == checksum([text])


def test_what_went_meanwhile_can_not_be_read(write: Write) -> None:
    file = write("SELECT 1;")
    examine(file, room=Room())
    file.path.unlink()
    with pytest.raises(InvalidFile, match=r"001_test\.sql: can't be read: No such file or directory"):
        file.read()


def test_what_is_edited_to_something_wrong_is_refused(write: Write) -> None:
    file = write("SELECT 1;")
    examine(file, room=Room())
    file.path.write_text("SELECT 1;\nCOMMIT;")
    with pytest.raises(InvalidFile, match="COMMIT inside a file"):
        list(file.read())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("SELECT 1;\nVACUUM;", "something is wrong with it"),
        ("COPY t FROM stdin;\n1\n\\.\n", "data comes but once"),
        ("SELECT 1;" + " " * LONGEST, "it is long"),
        ("SELECT;" * 36_000, "it has too many statements"),
    ],
)
def test_what_is_not_held(text: str, why: str, write: Write) -> None:
    file = write(text)
    examine(file, room=Room())
    assert file.take() is None, why


def test_no_more_is_held_than_there_is_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer ones that don't fit leave the room to shorter ones."""
    monkeypatch.setattr(held, "_STATEMENT", 10)
    monkeypatch.setattr(held, "_TEXT", 5)
    room = Room(size=100)
    texts = ["SELECT 1;", "SELECT 1234567890123456789;", "SELECT 2;", "SELECT 3;"]  # 33, 69, 33 and 33 bytes
    files = [RecordedFile(str(number), "", text=text) for number, text in enumerate(texts)]
    for file in files:
        examine(file, room=room)
    assert [file.take() is not None for file in files] == [True, False, True, True]


def test_nothing_is_held_of_what_is_only_judged(write: Write) -> None:
    file = write("SELECT 1;")
    examine(file)
    assert file.take() is None
