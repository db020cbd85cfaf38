"""Measure a small deployment of a large schema: ``python -m benchmarks.many_tables [--tables N] [--many N]``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import texts
from benchmarks.contestants import ApplySQL
from benchmarks.measurement import OnServer, main, parameter
from benchmarks.processes import Command, run
from benchmarks.results import Claim, Section, Table
from benchmarks.rounds import Rounds, Sample, play, take
from benchmarks.servers import Database, Server
from benchmarks.validate_speed import BATCH, TABLE

#: In one transaction; of all tables at once it would take more locks than a server has.
ANALYZE = "ANALYZE pg_class, pg_attribute, pg_attrdef, pg_constraint, pg_depend, pg_index, pg_sequence, pg_type"

#: What is called.
CHECK, FILE, UNCHANGED = "manage.py check", "applysql, one small file", "validateschema, nothing moved"


@dataclass(frozen=True, kw_only=True)
class ManyTables(OnServer):
    """Run one small file, and validate what nobody has touched, beside more and more tables."""

    title = "One small file beside many tables"
    about = (
        "The file makes a table, an index and a comment. It comes to a database without any other table, to one with "
        "many and to one with four times as many, each with ten columns and five indexes beside its primary key. A run "
        "before it has kept the schema. Every turn is a process of its own, start included."
    )

    tables: int = parameter(5_000, "how many tables", quick=500)
    many: int = parameter(20_000, "how many tables the largest schema has", quick=2_000)
    rounds: int = parameter(3, "how many rounds", quick=2)

    def measure(self, server: Server) -> Section:
        """Let each command have its turn on each database."""
        with TemporaryDirectory() as folder, _databases(server, (0, self.tables, self.many), Path(folder)) as places:
            turns = {
                _name(what, tables): partial(_turn, server, place, database, what)
                for tables, (place, database) in places.items()
                for what in (FILE, UNCHANGED, CHECK)
            }
            rounds = play(turns, self.rounds)
        return self.section(tables=(self._table(rounds),), claims=tuple(self._claims(rounds)), raw=rounds.as_json())

    def _table(self, rounds: Rounds) -> Table:
        rows = tuple(
            (
                name,
                rounds.median(name, lambda sample: sample.wall),
                rounds.median(name, lambda sample: sample.client_cpu),
                rounds.median(name, lambda sample: sample.server_cpu),
                rounds.median(name, lambda sample: sample.memory),
                rounds.median(name, lambda sample: sample.server_memory),
            )
            for name in rounds.samples
        )
        return Table(("way", "wall, s", "client CPU, s", "server CPU, s", "client, MB", "server, MB"), rows)

    def _claims(self, rounds: Rounds) -> Iterator[Claim]:
        """Yield what we want of a schema of many tables, in processor time of client and server."""
        for tables, most in ((self.tables, 0.5), (self.many, 1.5)):
            for what, base in ((FILE, _name(FILE, 0)), (UNCHANGED, _name(CHECK, tables))):
                more = rounds.difference(_name(what, tables), base, lambda sample: sample.cpu)
                yield Claim(f"{_name(what, tables)}: CPU more than of {base}", most, more, " s")


@contextmanager
def _databases(server: Server, sizes: tuple[int, ...], folder: Path) -> Iterator[dict[int, tuple[Path, Database]]]:
    """Make databases of so many tables, each with a folder of files of which the first one has been run."""
    if not sizes:
        yield {}
        return
    *fewer, tables = sizes
    with _databases(server, tuple(fewer), folder) as made, server.database() as database:
        for first in range(0, tables, BATCH):
            numbers = range(first, min(first + BATCH, tables))
            server.tell(database, "".join(TABLE.replace("{n}", str(n)) for n in numbers))
        server.tell(database, ANALYZE)
        place = folder / str(tables)
        place.mkdir()
        _add_file(place)
        run(_command(place, database, FILE))
        yield {**made, tables: (place, database)}


def _turn(server: Server, place: Path, database: Database, what: str) -> Sample:
    """Measure one command; where it is to run a file, there is a new one."""
    if what == FILE:
        _add_file(place)
    return take(server, database, _command(place, database, what))


def _add_file(place: Path) -> None:
    """Add one more file to a folder."""
    texts.write(place, texts.small(len(list(place.iterdir())) + 1)[-1:])


def _command(place: Path, database: Database, what: str) -> Command:
    """Return how a command is called."""
    ours = ApplySQL().command(place, database)
    if what == FILE:
        return ours
    python, *_rest = ours.arguments
    name = {CHECK: "check", UNCHANGED: "validateschema"}[what]
    return replace(ours, arguments=(python, "-m", "django", name, "--verbosity", "0"))


def _name(what: str, tables: int) -> str:
    return f"{what}, {tables:,} tables" if tables else f"{what}, no other table"


if __name__ == "__main__":
    main(ManyTables)
