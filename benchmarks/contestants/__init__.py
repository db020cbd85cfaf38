"""The tools that are measured, ours among them: how each is given its files, and how it is called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contestants.applysql import ApplySQL, WithFootprints
from benchmarks.contestants.base import Contestant
from benchmarks.contestants.floors import Careful, Psql, PsqlEach, Psycopg
from benchmarks.contestants.peers import Alembic, Dbmate, Django, Yoyo
from benchmarks.results import Table
from benchmarks.servers import Database, Server
from benchmarks.texts import Text

#: All of them: ours, what sets the floor, its peers.
ALL: tuple[Contestant, ...] = (
    ApplySQL(),
    WithFootprints(),
    Psql(),
    Psycopg(),
    Careful(),
    Dbmate(),
    Django(),
    Alembic(),
    Yoyo(),
)

__all__ = [
    "ALL",
    "Alembic",
    "ApplySQL",
    "Careful",
    "Contestant",
    "Dbmate",
    "Django",
    "Psql",
    "PsqlEach",
    "Psycopg",
    "WithFootprints",
    "Yoyo",
]


def named(names: Sequence[str], among: Sequence[Contestant] = ALL) -> list[Contestant]:
    """Return those of these names, all where none is given.

    Raises:
        SystemExit: there is none of a name.
    """
    known = [contestant.name for contestant in among]
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"No contestant is called {', '.join(unknown)}; there are {', '.join(known)}.")
    return [contestant for contestant in among if not names or contestant.name in names]


def missing(contestants: Sequence[Contestant]) -> str:
    """Say which of them aren't installed, and what brings them; empty where all are."""
    absent = {contestant.name: contestant.package for contestant in contestants if not contestant.is_installed}
    if not absent:
        return ""
    return f"Not installed here, so not measured: {', '.join(absent)} (`pip install {' '.join(absent.values())}`)."


def legend(contestants: Sequence[Contestant]) -> Table:
    """Return a table that says how each is called."""
    rows = tuple((each.name, each.about, each.version()) for each in contestants)
    return Table(("way", "what it is", "version"), rows)


@contextmanager
def template(server: Server, contestants: Sequence[Contestant]) -> Iterator[Database]:
    """Make a database in which every contestant has its own tables, to be the template of all others."""
    with server.database() as made:
        for contestant in contestants:
            with TemporaryDirectory() as folder:
                contestant.make_tables(Path(folder), server, made)
        server.wait_until_left(made)
        yield made


def laid_out(contestant: Contestant, parent: str, files: Sequence[Text]) -> Path:
    """Give a contestant its files, in a folder of its own below ``parent``; return the folder."""
    folder = Path(parent, contestant.name)
    folder.mkdir()
    contestant.lay_out(folder, files)
    return folder


def check_tables(server: Server, database: Database, contestant: Contestant, wanted: int) -> None:
    """Check that a contestant has made the tables that it should have.

    Raises:
        SystemExit: there are fewer or more of them.
    """
    made = server.ask(database, r"SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'bench\_%'")
    if made != wanted:
        raise SystemExit(f"{contestant.name} made {made} tables of {wanted}.")
