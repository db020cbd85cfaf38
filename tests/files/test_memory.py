"""Files of any size are read in the memory of their largest statement, or of one block of data."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sqlmigrations.files.reading import examine
from sqlmigrations.files.scripts import Script
from sqlmigrations.files.splitter import split

MB = 1024 * 1024
ROWS = b",\n".join(b"(%d, 'name %d', E'a\\'b', 3.5)" % (number, number) for number in range(2_000))
INSERT = b"INSERT INTO t (a, b, c, d) VALUES " + ROWS + b";\n"
SINGLE = b"INSERT INTO t (a, b, c) VALUES (1, 'one', (2));\n"
DATA = b"1\tone\t\\N\n" * 10_000
SIZE = 6 * MB

#: Each content as what begins it, what is repeated, what ends it, and the bytes that may be held.
CONTENTS = {
    "statements of 70 kB": (b"", INSERT, b"", 2 * MB),
    "small statements": (b"", SINGLE * 10 + b" " * 20_000, b"", 2 * MB),
    "data of COPY": (b"COPY t FROM stdin;\n", DATA, b"\\.\n", 2 * MB),
    "data of COPY on one line": (b"COPY t FROM stdin;\n", b"x" * 100_000, b"\n\\.\n", 2 * MB),
    "comments": (b"", b"-- nothing\n" * 5_000, b"SELECT 1", 2 * MB),
    "letters beyond ASCII": (
        "-- é\n".encode(),
        "INSERT INTO t VALUES ('é€😀');\n".encode() * 10 + b" " * 20_000,
        b"",
        2 * MB,
    ),
}


def stream(start: bytes, repeated: bytes, end: bytes, size: int) -> Iterator[bytes]:
    """Yield blocks of about this size altogether."""
    yield start
    for _ in range(size // len(repeated)):
        yield repeated
    yield end


def peak(action: Callable[[], object]) -> int:
    """Return the most memory, in bytes, that the action holds at any time."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("start", "repeated", "end", "limit"), CONTENTS.values(), ids=CONTENTS.keys())
def test_splitting(start: bytes, repeated: bytes, end: bytes, limit: int) -> None:
    """6 MB are split while less than 2 MB are held."""
    count = 0

    def run() -> None:
        nonlocal count
        for statement in split(stream(start, repeated, end, SIZE)):
            for _ in statement.data or ():
                count += 1
            count += 1

    assert peak(run) < limit
    assert count > 0


@pytest.mark.parametrize("part", [b"ab\\n", b"a''"])
def test_a_string_of_very_many_escapes(part: bytes) -> None:
    """What a statement holds takes no memory of its own: less than four times the statement is held."""
    text = b"INSERT INTO t VALUES (E'" + part * 500_000 + b"');"
    assert peak(lambda: list(split([text]))) < 4 * len(text)


def test_reading(tmp_path: Path) -> None:
    """With the checksum, the judging and the text that is kept it is less than 6 MB."""
    path = tmp_path / "large.sql"
    with path.open("wb") as file:
        for block in stream(
            b"-- large\n", SINGLE * 10 + INSERT, b"COPY t FROM stdin;\n" + DATA * 20 + b"\\.\n", 10 * MB
        ):
            file.write(block)
    script = Script("large.sql", path)
    stored = ""

    def run() -> None:
        nonlocal stored
        reading = script.read()
        for _ in reading:
            pass
        stored = reading.stored

    assert peak(run) < 6 * MB
    assert 0 < len(stored) < 1.1 * MB
    assert peak(lambda: examine(script)) < 2 * MB
