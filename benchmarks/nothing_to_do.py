"""Measure what it costs to find nothing to do: ``python -m benchmarks.nothing_to_do [--files N] [--many N]``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import texts
from benchmarks.contestants import (
    Alembic,
    ApplySQL,
    Contestant,
    Dbmate,
    Django,
    Psycopg,
    Yoyo,
    legend,
    missing,
    template,
)
from benchmarks.contestants.peers import migrate
from benchmarks.measurement import OnServer, main, parameter
from benchmarks.processes import Command
from benchmarks.results import Claim, Section, Table
from benchmarks.rounds import Rounds, Sample, play, take
from benchmarks.servers import Database, Server

#: What has nothing to do and finds that out.
TOOLS: tuple[Contestant, ...] = (ApplySQL(), Psycopg(), Dbmate(), Django(), Alembic(), Yoyo())

EMPTY = "manage.py migrate without migrations"


@dataclass(frozen=True, kw_only=True)
class NothingToDo(OnServer):
    """Start every tool in turn on files that were all run before."""

    title = "Nothing to do"
    about = (
        "Most deployments bring no new file. Here all of them were run before: read, compared, left alone. The "
        "histories were filled for the measurement, ours by `applysql --fake`. What Django itself needs for a process "
        "with a database connection is the first line: `manage.py migrate` in a project without apps."
    )

    files: int = parameter(1_000, "how many files", quick=1_000)
    many: int = parameter(10_000, "how many files for a second look at ours", quick=3_000)
    rounds: int = parameter(5, "how many rounds", quick=3)

    def measure(self, server: Server) -> Section:
        """Let all that are installed find nothing to do, round by round."""
        tools = [tool for tool in TOOLS if tool.is_installed]
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            made = stack.enter_context(template(server, tools))
            turns: dict[str, Callable[[], Sample]] = {}

            def add(name: str, command: Callable[[Database], Command], prepare: Callable[[Database], None]) -> None:
                database = stack.enter_context(server.database(template=made.name, counts_statements=True))
                prepare(database)
                turns[name] = partial(take, server, database, command(database))

            add(EMPTY, migrate, lambda database: None)
            for tool, files in [(ApplySQL(), 1), (ApplySQL(), self.many), *((tool, self.files) for tool in tools)]:
                place = folder / f"{tool.name}-{files}"
                place.mkdir()
                written = texts.small(files)
                tool.lay_out(place, written)
                add(
                    _name(tool, files),
                    partial(tool.command, place),
                    partial(tool.remember, place, server, texts=written),
                )
            rounds = play(turns, self.rounds)
        return self.section(
            tables=(self._table(rounds), legend(tools)),
            claims=tuple(self._claims(rounds)),
            notes=tuple(filter(None, [missing(TOOLS)])),
            raw=rounds.as_json(),
        )

    def _table(self, rounds: Rounds) -> Table:
        rows = tuple(
            (
                name,
                rounds.median(name, lambda sample: sample.wall),
                rounds.median(name, lambda sample: sample.client_cpu),
                rounds.ratio(name, EMPTY, lambda sample: sample.client_cpu),
                rounds.median(name, lambda sample: sample.server_cpu),
                rounds.median(name, lambda sample: sample.memory),
                rounds.median(name, lambda sample: sample.connections),
                rounds.median(name, lambda sample: sample.statements),
            )
            for name in rounds.samples
        )
        return Table(COLUMNS, rows)

    def _claims(self, rounds: Rounds) -> Iterator[Claim]:
        """Yield what we want of a run without work."""
        ours, many, none = (_name(ApplySQL(), files) for files in (self.files, self.many, 1))
        yield Claim(
            f"{self.files:,} files: wall, of migrate's", 1.15, rounds.ratio(ours, EMPTY, lambda sample: sample.wall)
        )
        yield Claim(
            f"{self.files:,} files: CPU, of migrate's", 1.15, rounds.ratio(ours, EMPTY, lambda sample: sample.cpu)
        )
        more = rounds.difference(many, none, lambda sample: sample.cpu)
        yield Claim(f"{self.many:,} files: CPU more than for one", 0.5 * self.many / 10_000, more, " s")
        yield Claim("statements", 6, rounds.median(many, lambda sample: sample.statements))
        yield Claim("connections", 1, rounds.median(many, lambda sample: sample.connections))


COLUMNS = (
    "way",
    "wall, s",
    "client CPU, s",
    "of migrate's",
    "server CPU, s",
    "client, MB",
    "connections",
    "statements",
)


def _name(tool: Contestant, files: int) -> str:
    return f"{tool.name}, {files:,} files"


if __name__ == "__main__":
    main(NothingToDo)
