"""Over a network a run takes as long as the answers that it waits for: each file costs a handful, at any length."""

from __future__ import annotations

from collections.abc import Iterator
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

#: What a run waits for besides: two connections with the run lock, the history before the lock and under it, who works
#: here, the schema before and after, and its new version. The catalog's two dozen queries are one of these answers.
BEFORE_AND_AFTER = 32

#: What the history's tables take where there are none, however many migrations make them.
MAKING_TABLES = 8


def waits_of_a_run(server: Place, place: Place) -> int:
    """Apply what is pending; return how many answers the run waited for, those of its watcher aside."""
    watched: list[Step] = []

    def hook(moment: Moment, step: Step) -> None:
        if moment is Moment.ANSWERED and WATCHING in step.text:
            watched.append(step)

    with Proxy(address(server), hook) as proxy:
        ran = run(through(proxy, place), "applysql")
        assert (ran.code, ran.err) == (0, "")
        return sum(link.waits for link in proxy.links) - len(watched)


@pytest.mark.processes
@pytest.mark.parametrize(("statements", "trips"), [(STATEMENTS, TRIPS), (f"{STATEMENTS}SELECT 1;", TRIPS_WITH_LOCKS)])
def test_each_file_costs_the_same_few_round_trips(
    own_server: ThrowAway, folder: Path, statements: str, trips: int
) -> None:
    """On a server of its own, where nobody else is at work."""
    with database(own_server.place.with_settings(SQLMIGRATIONS_DIRS=[str(folder)])) as place:
        waits = list(_waits_of_runs(own_server.place, place, folder, statements))
    assert [waits[2] - waits[1], waits[3] - waits[2]] == [4 * trips, 5 * trips]
    assert waits[1] - 2 * trips <= BEFORE_AND_AFTER
    assert waits[0] - trips <= BEFORE_AND_AFTER + MAKING_TABLES


def _waits_of_runs(server: Place, place: Place, folder: Path, statements: str) -> Iterator[int]:
    for count in (1, 2, 6, 11):  # the first run makes the history's tables, and keeps the first version of the schema
        names = [f"{count:03}_{number:03}" for number in range(count)]
        put(folder, {f"{name}.sql": statements.format(name) for name in names})
        yield waits_of_a_run(server, place)


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
