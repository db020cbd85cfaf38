"""Measure the splitter, and reading many small files: ``python -m benchmarks.split_speed [--megabytes N]``."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import django
from django.conf import settings

from benchmarks.measurement import Alone, main, parameter
from benchmarks.results import Section, Table
from sqlmigrations.files.splitter import BLOCK, split

MB = 1024 * 1024

Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class SplitSpeed(Alone):
    """Split texts in memory, and do with small files all that is done before anything runs."""

    title = "Splitting and reading"
    about = (
        "Texts are split in memory, as they arrive in blocks; then small files (a table, an index, a comment) go "
        "through all that is done with pending ones before anything runs. Processor time of one process, for texts the "
        "best of three."
    )

    megabytes: int = parameter(64, "size of a text", quick=8)
    files: int = parameter(2_000, "how many small files", quick=500)

    def measure(self) -> Section:
        """Measure both."""
        speeds = []
        for name, text in texts(self.megabytes * MB).items():
            megabytes = len(text) / 1e6
            speeds.append((name, megabytes, megabytes / best(text)))
        settings.configure()
        django.setup()
        with tempfile.TemporaryDirectory() as folder:
            write_files(Path(folder), self.files)
            steps = tuple(read_files(Path(folder)))
        return self.section(
            tables=(
                Table(("text", "MB", "MB/s"), tuple(speeds)),
                Table((f"{self.files:,} files", "CPU, s"), (*steps, ("all", sum(seconds for _, seconds in steps)))),
            )
        )


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


def best(text: bytes) -> float:
    """Return the least processor time, in seconds, of three times that a text is split."""
    times = []
    for _ in range(3):
        start = time.process_time()
        for _statement in split(text[at : at + BLOCK] for at in range(0, len(text), BLOCK)):
            pass
        times.append(time.process_time() - start)
    return min(times)


def write_files(folder: Path, count: int) -> None:
    """Write small files as a project has them: a table, its index, a foreign key, a comment."""
    for number in range(count):
        earlier = f"REFERENCES t{number - 1} (id)" if number else ""
        (folder / f"{number:05}_t{number}.sql").write_text(
            f"-- Table {number}\nCREATE TABLE t{number} (\n    id bigint PRIMARY KEY,\n    parent bigint {earlier},\n"
            f"    name text NOT NULL\n);\nCREATE INDEX t{number}_parent ON t{number} (parent);\n"
            f"COMMENT ON TABLE t{number} IS 'Number {number}';\n"
        )


def read_files(folder: Path) -> Iterator[tuple[str, float]]:
    """Do with the files what is done before anything runs; yield each step with its processor time in seconds."""
    # Needs Django to be set up.
    from sqlmigrations.files.discovery import Folder, discover
    from sqlmigrations.files.footprint import footprint
    from sqlmigrations.files.graph import arrange
    from sqlmigrations.files.reading import examine

    found, discovering = timed(lambda: discover([Folder(folder)]))
    yield "discovered", discovering
    files, arranging = timed(lambda: arrange(found.files))
    yield "arranged", arranging
    yield "checksums", timed(lambda: [file.checksum for file in files])[1]
    yield "judged", timed(lambda: [examine(file) for file in files])[1]
    yield "parsed for footprints", timed(lambda: [footprint(file.read()) for file in files])[1]


def timed(work: Callable[[], Answer]) -> tuple[Answer, float]:
    """Return what ``work`` returns, and the processor time in seconds that it took."""
    began = time.process_time()
    answer = work()
    return answer, time.process_time() - began


if __name__ == "__main__":
    main(SplitSpeed)
