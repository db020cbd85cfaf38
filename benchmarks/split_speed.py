"""Measure how fast SQL is split, and how fast many small files are read.

Usage: ``python benchmarks/split_speed.py [--megabytes 64] [--files 2000]``. Processor time of one process, best of
three; one line for each kind of text, then the seconds for discovering, reading, judging and parsing a folder of small
files.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

MB = 1024 * 1024


def rows(count: int) -> Iterator[bytes]:
    """Yield rows as a dump or a generator of test data would write them."""
    chance = random.Random(1)  # noqa: S311  no secret
    for number in range(count):
        yield (
            b"(%d, 'name %d', 'it''s a text; (parentheses) and -- dashes', %.4f, NULL, '2026-01-%02d 10:00:00', true)"
            % (number, number, chance.random() * 1000, number % 28 + 1)
        )


def inserts(size: int, each: int) -> bytes:
    """Return INSERT statements of ``each`` rows."""
    head = b"INSERT INTO items (id, name, note, price, parent, made, active) VALUES\n"
    block = [*rows(each)]
    statement = head + b",\n".join(block) + b";\n"
    return statement * max(1, size // len(statement))


def texts(size: int) -> dict[str, bytes]:
    """Return the texts to split, by what they are."""
    table = (
        b"CREATE TABLE items (\n  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n"
        b"  name text NOT NULL DEFAULT 'x',\n"
        b"  price numeric(10, 2) CHECK (price > 0)\n);\nCREATE INDEX ON items (lower(name));\n"
    )
    body = b"CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1;\nEND;\n$$;\n"
    return {
        "INSERT, 1,000 rows each": inserts(size, 1_000),
        "INSERT, 100,000 rows each": inserts(size, 100_000),
        "INSERT, one row each": inserts(size // 8, 1),
        "COPY data": b"COPY t FROM stdin;\n" + b"1\tone\tsome more text\t\\N\n" * (size // 24) + b"\\.\n",
        "definitions": (table + body) * (size // 8 // len(table + body)),
    }


def best(action: Callable[[], object]) -> float:
    """Return the least processor time of three runs, in seconds."""
    times = []
    for _ in range(3):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return min(times)


def split_all(text: bytes) -> None:
    """Split a text that arrives in blocks of 256 kB."""
    from sqlmigrations.files.splitter import BLOCK, split

    for _ in split(text[start : start + BLOCK] for start in range(0, len(text), BLOCK)):
        pass


def write_files(folder: Path, count: int) -> None:
    """Write small files as a project has them: a table, its index, a foreign key, a comment."""
    for number in range(count):
        earlier = f"REFERENCES t{number - 1} (id)" if number else ""
        (folder / f"{number:05}_t{number}.sql").write_text(
            f"-- Table {number}\nCREATE TABLE t{number} (\n    id bigint PRIMARY KEY,\n    parent bigint {earlier},\n"
            f"    name text NOT NULL\n);\nCREATE INDEX t{number}_parent ON t{number} (parent);\n"
            f"COMMENT ON TABLE t{number} IS 'Number {number}';\n"
        )


def read_files(folder: Path) -> float:
    """Return the processor time, in seconds, of all that is done with files before anything runs."""
    from sqlmigrations.files.discovery import Folder, discover
    from sqlmigrations.files.footprint import footprint
    from sqlmigrations.files.graph import arrange
    from sqlmigrations.files.scripts import examine

    start = time.process_time()
    steps = []
    found = discover([Folder(folder)])
    steps.append(("discovered", time.process_time()))
    arranged = arrange(found.files)
    steps.append(("arranged", time.process_time()))
    for file in arranged:
        file.checksum  # noqa: B018  read for its time
    steps.append(("checksums", time.process_time()))
    for file in arranged:
        examine(file)
    steps.append(("judged", time.process_time()))
    for file in arranged:
        footprint(file.read())
    steps.append(("parsed for footprints", time.process_time()))
    before = start
    for name, at in steps:
        print(f"  {name:24} {at - before:6.2f} s")
        before = at
    return before - start


def main() -> int:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=64)
    parser.add_argument("--files", type=int, default=2_000)
    options = parser.parse_args()
    for name, text in texts(options.megabytes * MB).items():
        seconds = best(lambda text=text: split_all(text))  # type: ignore[misc]  # a default binds the loop's value
        print(f"{name:28} {len(text) / 1e6:7.1f} MB {len(text) / 1e6 / seconds:7.0f} MB/s")
    import django
    from django.conf import settings

    settings.configure()
    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), options.files)
        print(f"{options.files} small files")
        print(f"  {'all':24} {read_files(Path(folder)):6.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
