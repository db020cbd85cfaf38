"""Over a network a run takes as long as the answers that it waits for: each file costs a handful, at any length."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.databases import ThrowAway, address, database
from tests.faults.points import WATCHING, Steps, through
from tests.faults.processes import Place, run
from tests.faults.proxy import Moment, Proxy, Step
from tests.helpers import put

STATEMENTS = "".join(f"CREATE TABLE t{{0}}_{number} (id int);\n" for number in range(40))

#: The file's transaction with its lock, all of its statements and the session's reset; meanwhile over the other
#: connection the event of its beginning with the look at its record; and its record with its event and COMMIT. The
#: first two are waited for together.
TRIPS = 3

#: What may lock more than the file makes is looked at once more: the locks that it took.
TRIPS_WITH_LOCKS = TRIPS + 1

#: What else a run waits for: to be let in on two connections; where the history is, its records, whether the server can
#: be written to; the run lock with who else is at work; under the lock the history once more, the session's settings,
#: the chain's head with who works here, the records; the newest version of the schema, the schema's fingerprint, the
#: note that a run begins; behind the files the fingerprint, and that the run has ended; the session's settings again,
#: and that the lock is let go.
AROUND = 17

#: What it takes to keep another version: the hashes of the one before, the catalog, and the new one. The catalog's two
#: dozen queries are one answer, and all that is written is another.
NEW_VERSION = 2

#: What a run with nothing to do waits for: to be let in, where the history is, its records, the head of the chain.
NOTHING_TO_DO = 4

#: The history's tables take eleven more where there are none, however many migrations make them. There are no records
#: to read yet, and no version of the schema: it has neither a note nor hashes to be read.
FIRST_RUN = AROUND + NEW_VERSION + 11 - 3


def is_counted(step: Step) -> bool:
    """Tell whether a step is always there.

    The watcher looks when it gets to it, and Django sets the time zone of each connection where the server has another.
    """
    return WATCHING not in step.text and not step.text.startswith("SELECT set_config('TimeZone'")


def waits_of_a_run(server: Place, place: Place) -> int:
    """Apply what is pending; return how many answers the run waited for."""
    aside: list[Step] = []

    def hook(moment: Moment, step: Step) -> None:
        if moment is Moment.ANSWERED and not is_counted(step):
            aside.append(step)

    with Proxy(address(server), hook) as proxy:
        ran = run(through(proxy, place), "applysql")
        assert (ran.code, ran.err) == (0, "")
        return sum(link.waits for link in proxy.links) - len(aside)


def tables(name: str) -> str:
    """Return a file that makes forty tables."""
    return STATEMENTS.format(name)


#: Runs one after the other on one database: what it is, how many files with which statements, and the waits.
RUNS = [
    ("the first one", 1, tables, FIRST_RUN + TRIPS),
    ("nothing to do", 0, tables, NOTHING_TO_DO),
    ("one file", 1, tables, AROUND + NEW_VERSION + TRIPS),
    ("five files", 5, tables, AROUND + NEW_VERSION + 5 * TRIPS),
    ("five with locks", 5, lambda name: tables(name) + "SELECT 1;", AROUND + NEW_VERSION + 5 * TRIPS_WITH_LOCKS),
    ("the schema stays as it is", 1, lambda name: "SELECT 1;", AROUND + TRIPS_WITH_LOCKS),
    ("a table less", 1, lambda name: "DROP TABLE t000_000_0;", AROUND + NEW_VERSION + TRIPS_WITH_LOCKS),
]


@pytest.mark.processes
def test_a_run_waits_for_so_many_answers(own_server: ThrowAway, folder: Path) -> None:
    """On a server of its own, where nobody else is at work."""
    found = {}
    with database(own_server.place.with_settings(SQLMIGRATIONS_DIRS=[str(folder)])) as place:
        for number, (what, count, written, _waits) in enumerate(RUNS):
            names = [f"{number:03}_{file:03}" for file in range(count)]
            put(folder, {f"{name}.sql": written(name) for name in names})
            found[what] = waits_of_a_run(own_server.place, place)
    assert found == {what: waits for what, _count, _written, waits in RUNS}


@pytest.mark.processes
def test_nothing_to_do_costs_a_handful_of_statements_on_one_connection(
    server: Place, place: Place, folder: Path
) -> None:
    """However many files there are: no lock is taken, and the history is read in one go."""
    put(folder, {f"{number:03}.sql": "SELECT 1;" for number in range(20)})
    assert run(place, "applysql").code == 0
    steps = Steps()
    with Proxy(address(server), steps) as proxy:
        ran = run(through(proxy, place), "applysql")
        assert ran.out.splitlines()[0] == "  No SQL files to apply: everything is up to date."
        assert len(proxy.links) == 1
    assert len(steps.seen) <= 6, [step.text for step in steps.seen]


@pytest.mark.processes
@pytest.mark.parametrize(("text", "resets"), [("CREATE TABLE t (id int);", 0), ("CREATE VIEW v AS SELECT 1;", 1)])
def test_a_session_is_brought_back_where_a_file_may_have_changed_it(
    server: Place, place: Place, folder: Path, text: str, resets: int
) -> None:
    put(folder, {"001.sql": text})
    steps = Steps()
    with Proxy(address(server), steps) as proxy:
        assert run(through(proxy, place), "applysql").code == 0
    assert sum("CLOSE ALL" in step.text for step in steps.seen) == resets
