"""Twelve processes started at once: every file once, no deadlock, no wreck."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.faults.crowd import CONCURRENT, FILES, at_work, check_outcome, crowd, ends_of, put_files
from tests.faults.databases import ask, connect
from tests.faults.processes import Place
from tests.helpers import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.slow]


def test_twelve_at_once_with_concurrent_index_builds(place: Place, folder: Path) -> None:
    put_files(folder, concurrent=True)
    with crowd(place) as jobs:
        ends = ends_of(jobs)
    assert sum(f"{FILES} applied." in end.out for end in ends) == 1
    check_outcome(place)


def test_one_of_twelve_is_killed_while_it_builds_an_index(place: Place, folder: Path) -> None:
    """An old snapshot keeps the build waiting, so that it is under way when its process is killed."""
    put_files(folder, concurrent=True)
    building = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'CREATE INDEX CONC%'"
    with connect(place) as old, crowd(place) as jobs:
        old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        wait_until(lambda: ask(place, f"{building} AND wait_event_type = 'Lock'"))
        ((first,),) = ask(place, building)
        victim = at_work(jobs)
        assert victim is not None
        victim.kill()
        wait_until(lambda: not ask(place, "SELECT 1 FROM pg_stat_activity WHERE pid = %s", first))
        old.execute("COMMIT")
        ends_of([job for job in jobs if job is not victim])
        assert victim.end().code == -signal.SIGKILL
    assert ask(place, "SELECT count(*) FROM pg_index WHERE indexrelid::regclass::text ~ '^index_'") == [
        (len(CONCURRENT),)
    ]
    check_outcome(place)
