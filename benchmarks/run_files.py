"""Measure what it costs to run many small files: ``python -m benchmarks.run_files [--files N] [--rounds N]``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import texts
from benchmarks.contestants import (
    Alembic,
    ApplySQL,
    Careful,
    Contestant,
    Django,
    Psql,
    Psycopg,
    WithFootprints,
    Yoyo,
    check_tables,
    laid_out,
    legend,
    missing,
    named,
    template,
)
from benchmarks.measurement import OnServer, main, parameter
from benchmarks.results import Claim, Section, Table
from benchmarks.rounds import Rounds, Sample, play, take
from benchmarks.servers import Database, Server


@dataclass(frozen=True, kw_only=True)
class RunFiles(OnServer):
    """Run small files with every tool in turn, each on a fresh database made from the same template."""

    title = "Many small files"
    about = (
        "Each file makes a table, an index and a comment, in a transaction of its own together with what the tool "
        "remembers of it. Every turn is a process of its own, start included, on a fresh database that has the tools' "
        "own tables already. Ratios are taken within a round; the median counts."
    )

    files: int = parameter(1_000, "how many files", quick=100)
    rounds: int = parameter(5, "how many rounds", quick=2)
    contestants: tuple[str, ...] = parameter((), "only these contestants", quick=())

    def measure(self, server: Server) -> Section:
        """Let all that are installed run the files, round by round."""
        asked = named(self.contestants)
        taking_part = [contestant for contestant in asked if contestant.is_installed]
        files = texts.small(self.files)
        with TemporaryDirectory() as folder, template(server, taking_part) as made:
            turns = {
                contestant.name: partial(self._turn, server, made, contestant, laid_out(contestant, folder, files))
                for contestant in taking_part
            }
            rounds = play(turns, self.rounds)
        return self.section(
            tables=(self._table(rounds), legend(taking_part)),
            claims=tuple(self._claims(rounds)),
            notes=tuple(filter(None, [NOTE, missing(asked)])),
            raw=rounds.as_json(),
        )

    def _turn(self, server: Server, made: Database, contestant: Contestant, folder: Path) -> Sample:
        """Let one run the files, and see that it did."""
        with server.database(template=made.name, stays=True) as database:
            sample = take(server, database, contestant.command(folder, database))
            check_tables(server, database, contestant, self.files)
        return sample

    def _table(self, rounds: Rounds) -> Table:
        rows = []
        for name in rounds.samples:
            rows.append(
                (
                    name,
                    rounds.median(name, lambda sample: sample.wall),
                    rounds.ratio(name, Psql.name, lambda sample: sample.wall),
                    rounds.median(name, lambda sample: sample.client_cpu),
                    rounds.median(name, lambda sample: sample.server_cpu),
                    rounds.ratio(name, Psycopg.name, lambda sample: sample.cpu),
                    rounds.median(name, lambda sample: sample.memory),
                    rounds.median(name, lambda sample: sample.connections),
                    rounds.median(name, lambda sample: _each(sample.commits, self.files)),
                    rounds.median(name, lambda sample: _each(sample.flushes, self.files)),
                )
            )
        return Table(COLUMNS, tuple(rows))

    def _claims(self, rounds: Rounds) -> Iterator[Claim]:
        """Yield what we want of a run, and of one with everything on."""
        ours = ApplySQL.name
        if ours not in rounds.samples:
            return
        yield Claim("wall, of psql's", 1.10, rounds.ratio(ours, Psql.name, lambda sample: sample.wall))
        yield Claim(
            "CPU of client and server, of psycopg's", 1.10, rounds.ratio(ours, Psycopg.name, lambda sample: sample.cpu)
        )
        yield Claim(
            "CPU of client and server, of a loop with the same promises",
            1.10,
            rounds.ratio(ours, Careful.name, lambda sample: sample.cpu),
        )
        yield Claim("connections", 2, rounds.median(ours, lambda sample: sample.connections))
        yield Claim("WAL flushes, of psql's", 1.05, rounds.ratio(ours, Psql.name, lambda sample: sample.flushes))
        for peer in (Django.name, Alembic.name, Yoyo.name):
            if peer in rounds.samples:
                yield Claim(f"client CPU, of {peer}'s", 1.0, rounds.ratio(ours, peer, lambda sample: sample.client_cpu))
        for figure, name in ((lambda sample: sample.wall, "wall"), (lambda sample: sample.cpu, "CPU")):
            yield Claim(
                f"{name} with footprints too, of that without", 1.25, rounds.ratio(WithFootprints.name, ours, figure)
            )


COLUMNS = (
    "way",
    "wall, s",
    "of psql's",
    "client CPU, s",
    "server CPU, s",
    "CPU, of psycopg's",
    "client, MB",
    "connections",
    "commits a file",
    "WAL flushes a file",
)

NOTE = (
    "Commits are those that the server counts, transactions that only read included. `applysql` has two a file: that "
    "of the file, and that of the event that it begins, for which nobody waits until it is on disk; a file that may "
    "lock what it doesn't make, as none of these does, takes a look at its locks besides. What the promises cost "
    "whoever keeps them shows `careful`, which neither reads the files' statements nor knows what they make, keeps no "
    "version of the schema and is in no Django project; what `applysql` takes beyond it is that. WAL is also flushed "
    "by the server's own processes, so flushes are compared with psql's."
)


def _each(counted: int | None, files: int) -> float | None:
    return None if counted is None else counted / files


if __name__ == "__main__":
    main(RunFiles)
