"""Measure what one large file costs: ``python -m benchmarks.large_files [--megabytes N] [--rounds N]``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contestants import ApplySQL, Contestant, PsqlEach, template
from benchmarks.measurement import OnServer, main, parameter
from benchmarks.results import Cell, Claim, Section, Table
from benchmarks.rounds import Rounds, Sample, play, take
from benchmarks.servers import Database, Server

MEGABYTE = 1024 * 1024
TABLE = "CREATE TABLE bench (id bigint, name text, made timestamptz, amount numeric);\n"
ROW = "({n}, 'row number {n} of a table that is made to be large', '2026-01-01 00:00:00+00', {n}.5)"
LINE = "{n}\trow number {n} of a table that is made to be large\t2026-01-01 00:00:00+00\t{n}.5\n"

#: Rows that COPY has in one piece of a file.
BLOCK = 10_000

TOOLS: tuple[Contestant, ...] = (ApplySQL(), PsqlEach())


@dataclass(frozen=True, kw_only=True)
class LargeFiles(OnServer):
    """Run one large file with psql and with applysql in turn, each on a fresh database."""

    title = "Large files"
    about = (
        "One file of data beside `psql -1 -f`: INSERTs of 500 rows each, rows for COPY, and, of a tenth of the size, "
        "INSERTs of one row each. Start-up is part of all times. After each turn the rows are counted and summed up."
    )

    megabytes: int = parameter(200, "size of each file", quick=10)
    rounds: int = parameter(3, "how many rounds", quick=1)

    def measure(self, server: Server) -> Section:
        """Let both run each file, round by round."""
        rows: list[tuple[Cell, ...]] = []
        claims: list[Claim] = []
        raw = {}
        with template(server, [ApplySQL()]) as made:
            for name, pieces, size in self._files():
                with TemporaryDirectory() as folder:
                    write(Path(folder, "001_large.sql"), pieces, size)
                    turn = partial(_turn, server, made, Path(folder))
                    rounds = play({f"{tool.name}, {name}": partial(turn, tool) for tool in TOOLS}, self.rounds)
                raw[name] = rounds.as_json()
                rows += _rows(name, size, rounds)
                claims += _claims(name, rounds)
        return self.section(tables=(Table(COLUMNS, tuple(rows)),), claims=tuple(claims), raw=raw)

    def _files(self) -> Iterator[tuple[str, Iterator[str], int]]:
        size = self.megabytes * MEGABYTE
        yield "INSERT of 500 rows", inserts(500), size
        yield "COPY", copies(), size
        yield "INSERT of one row", inserts(1), size // 10


COLUMNS = ("file", "wall, s", "of psql's", "client CPU, s", "server CPU, s", "client, MB", "backend, MB")


def _rows(name: str, size: int, rounds: Rounds) -> Iterator[tuple[Cell, ...]]:
    base = f"{PsqlEach.name}, {name}"
    for way in rounds.samples:
        yield (
            f"{way}, {size // MEGABYTE} MB",
            rounds.median(way, lambda sample: sample.wall),
            rounds.ratio(way, base, lambda sample: sample.wall),
            rounds.median(way, lambda sample: sample.client_cpu),
            rounds.median(way, lambda sample: sample.server_cpu),
            rounds.median(way, lambda sample: sample.memory),
            rounds.median(way, lambda sample: sample.server_memory),
        )


def _claims(name: str, rounds: Rounds) -> Iterator[Claim]:
    ours, psql = f"{ApplySQL.name}, {name}", f"{PsqlEach.name}, {name}"
    yield Claim(f"{name}: wall, of psql's", 1.11, rounds.ratio(ours, psql, lambda sample: sample.wall))
    yield Claim(f"{name}: client", 100, rounds.median(ours, lambda sample: sample.memory), " MB")
    yield Claim(f"{name}: backend", 20, rounds.median(ours, lambda sample: sample.server_memory), " MB")


def _turn(server: Server, made: Database, folder: Path, tool: Contestant) -> Sample:
    """Let one run the file, and see that all rows are there.

    Raises:
        SystemExit: the rows aren't those of the file.
    """
    with server.database(template=made.name) as database:
        sample = take(server, database, tool.command(folder, database))
        last, rows, total = server.ask(database, "SELECT ARRAY[max(id), count(*), sum(id)] FROM bench")
    if rows != last + 1 or total != last * (last + 1) // 2:
        raise SystemExit(f"{tool.name} loaded {rows} rows up to {last}, of the sum {total}.")
    return sample


def write(path: Path, pieces: Iterator[str], size: int) -> None:
    """Write a table and then pieces until the file has its size; one that can't be the last is followed by more."""
    with path.open("w", encoding="utf-8") as file:
        written = file.write(TABLE)
        for piece in pieces:
            written += file.write(piece)
            if written >= size:
                break
        if not piece.endswith(";\n"):
            file.write("\\.\n")


def inserts(each: int) -> Iterator[str]:
    """Yield INSERT statements of ``each`` rows."""
    for start in count(step=each):
        values = ",\n".join(ROW.format(n=n) for n in range(start, start + each))
        yield f"INSERT INTO bench VALUES\n{values};\n"


def copies() -> Iterator[str]:
    """Yield a COPY statement and then blocks of its data, without their end."""
    yield "COPY bench FROM stdin;\n"
    for start in count(step=BLOCK):
        yield "".join(LINE.format(n=n) for n in range(start, start + BLOCK))


if __name__ == "__main__":
    main(LargeFiles)
