"""A run is broken anywhere; the next one leads to where a run without fault leads, and nothing happened twice.

The points are found by watching a run through a proxy: each message to the server, on both connections, is one.
"""

from __future__ import annotations

import pytest

from tests.faults.points import Fault, Point, World, points_of, some_of, strike
from tests.faults.scenario import NAMES

#: Points in the default run, for each fault: together more than 40.
A_FEW = {Fault.KILL: 14, Fault.TERMINATE: 8, Fault.TERMINATE_LOCK: 6, Fault.CUT: 10}
A_FEW_STOPS = 6

#: Tests that the points of one fault are shared among, so that they run beside each other.
SHARES = 2
NIGHTLY_SHARES = 20

#: Points of all faults together that the nightly run must not fall short of.
MANY = 200


def check(world: World, points: list[Point], share: int, shares: int) -> None:
    """Break a run at each of the points of this share."""
    problems = {str(point): found for point in points[share::shares] if (found := strike(world, point))}
    assert not problems, "\n\n".join(f"{point}\n  " + "\n  ".join(found) for point, found in problems.items())


@pytest.mark.processes
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("fault", A_FEW, ids=lambda fault: fault.name.lower())
def test_the_next_run_mends_a_broken_one(world: World, fault: Fault, share: int) -> None:
    check(world, some_of(points_of(world.steps, fault), A_FEW[fault]), share, SHARES)


@pytest.mark.processes
@pytest.mark.parametrize("share", range(SHARES))
def test_the_next_run_mends_one_whose_server_stopped(stoppable_world: World, share: int) -> None:
    check(stoppable_world, some_of(points_of(stoppable_world.steps, Fault.STOP), A_FEW_STOPS), share, SHARES)


@pytest.mark.processes
def test_no_batch_is_lost_or_runs_twice(world: World) -> None:
    """Killed before each batch, while it is on its way and around its COMMIT."""
    points = points_of(world.steps, Fault.KILL)
    batches = [point.number for point in points if point.role == "working" and "|| '#'" in point.text]
    assert len(set(batches)) == 3
    among = [point for point in points if point.role == "working" and batches[0] <= point.number <= batches[-1] + 9]
    check(world, some_of(among, 8), 0, 1)


@pytest.mark.nightly
@pytest.mark.processes
@pytest.mark.parametrize("share", range(NIGHTLY_SHARES))
@pytest.mark.parametrize("fault", A_FEW, ids=lambda fault: fault.name.lower())
def test_a_fault_at_every_step(world: World, fault: Fault, share: int) -> None:
    check(world, points_of(world.steps, fault), share, NIGHTLY_SHARES)


@pytest.mark.nightly
@pytest.mark.processes
@pytest.mark.parametrize("share", range(NIGHTLY_SHARES))
@pytest.mark.parametrize("fault", A_FEW, ids=lambda fault: fault.name.lower())
def test_a_fault_at_every_step_when_nothing_goes_ahead(waiting_world: World, fault: Fault, share: int) -> None:
    check(waiting_world, points_of(waiting_world.steps, fault), share, NIGHTLY_SHARES)


@pytest.mark.nightly
@pytest.mark.processes
@pytest.mark.parametrize("share", range(NIGHTLY_SHARES))
def test_a_stop_of_the_server_at_every_step(stoppable_world: World, share: int) -> None:
    check(stoppable_world, points_of(stoppable_world.steps, Fault.STOP), share, NIGHTLY_SHARES)


def test_there_are_enough_points(world: World) -> None:
    """Both connections are seen, each statement of the files is a step, and no fault has too few points."""
    texts = [text for role in ("working", "lock") for _number, text in world.steps.of(role)]
    assert sum(map(len, (world.steps.of("working"), world.steps.of("lock")))) == len(texts)
    # The last file has several; each goes ahead by itself. Of a file outside a transaction, the first checkpoint alone
    # writes the text down.
    inserting = [text for text in texts if "INSERT INTO counted" in text or "INSERT INTO owners" in text]
    kept = [text for text in inserting if '"applied_sql"' in text]
    assert (len(inserting) - len(kept), len(kept)) == (8, 2)
    assert len([text for text in texts if text.endswith("COMMIT")]) > 20
    assert all(len(points_of(world.steps, fault)) >= MANY for fault in Fault)
    assert sum(A_FEW.values()) + A_FEW_STOPS >= 40


def test_a_files_beginning_costs_no_wait_for_the_disk(world: World) -> None:
    """Nothing depends on the event of a beginning: of all that is written it alone is committed asynchronously."""
    texts = {role: [text for _number, text in world.steps.of(role)] for role in ("working", "lock")}
    begun = [text for text in texts["lock"] if "synchronous_commit" in text]
    assert [("_migrationevent" in text, "; COMMIT" in text) for text in begun] == [(True, False)] * len(NAMES)
    assert not any("synchronous_commit" in text for text in texts["working"])
