"""Many processes at once on the same files, and what must hold afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.faults.databases import ask
from tests.faults.processes import Job, Place, command
from tests.helpers import Ran, put

#: How many processes start at once, on how many files.
PROCESSES, FILES = 12, 30

#: The files that build an index concurrently; the others run in a transaction.
CONCURRENT = (10, 20, 30)

#: Longer than all of them together take, on a busy machine.
PATIENCE = 240.0


def name_of(number: int) -> str:
    """Return the name of a file."""
    return f"{number:03}.sql"


def put_files(folder: Path, *, concurrent: bool) -> None:
    """Write the files; each counts itself in a table without a key."""
    texts = {"001.sql": "CREATE TABLE counted (number int); INSERT INTO counted VALUES (1);"}
    for number in range(2, FILES + 1):
        texts[name_of(number)] = f"CREATE TABLE t{number} (id int); INSERT INTO counted VALUES ({number});"
    for number in CONCURRENT if concurrent else ():
        texts[name_of(number)] = (
            "-- sqlmigrations: transaction off\n"
            f"INSERT INTO counted VALUES ({number});\n"
            f"CREATE INDEX CONCURRENTLY index_{number} ON counted (number, ({number}));\n"
        )
    put(folder, texts)


@contextlib.contextmanager
def crowd(place: Place) -> Iterator[list[Job]]:
    """Start all of them at once."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(command(place, "applysql", "--lock-wait", "4min")) for _each in range(PROCESSES)]


def at_work(jobs: list[Job]) -> Job | None:
    """Return the process that holds the run lock and runs files."""
    return next((job for job in jobs if "Running SQL files:" in job.words()), None)


def ends_of(jobs: list[Job]) -> list[Ran]:
    """Wait until the processes have ended, and check that all of them are content."""
    ends = [job.end(PATIENCE) for job in jobs]
    assert [end.code for end in ends] == [0] * len(jobs), [end for end in ends if end.code]
    return ends


def check_outcome(place: Place) -> None:
    """Check that every file was applied once, that nothing is INVALID, and that nobody met a deadlock."""
    assert ask(place, "SELECT number FROM counted ORDER BY number") == [(number,) for number in range(1, FILES + 1)]
    assert ask(place, "SELECT DISTINCT state FROM sqlmigrations_migrationrecord") == [("applied",)]
    assert ask(
        place,
        "SELECT filename, count(*) FROM sqlmigrations_migrationevent WHERE type = 'applied' GROUP BY 1 ORDER BY 1",
    ) == [(name_of(number), 1) for number in range(1, FILES + 1)]
    assert ask(place, "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid") == []
    assert ask(place, "SELECT filename FROM sqlmigrations_migrationevent WHERE sqlstate <> ''") == []
    assert ask(
        place,
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    ) == [(0,)]
