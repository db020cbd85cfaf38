"""What concurrent commands leave behind when their process is killed, and that the next run clears it away."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.databases import ask, connect
from tests.faults.processes import Place, command, run
from tests.helpers import put, wait_until

OFF = "-- sqlmigrations: transaction off\n"

#: An old snapshot is waited for before the indexes change places, a mere reader of the table only after that.
OLD_SNAPSHOT, READER = "BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN"

WAITING = """
    SELECT pid FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%CONCURRENTLY%'
    """
INVALID = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1"


def kill_at_work(place: Place, begin: str) -> None:
    """Kill a run while its concurrent command waits for a session that began so and has read ``t``."""
    with connect(place) as reader:
        reader.execute(begin.encode())
        reader.execute("SELECT * FROM t")
        with command(place, "applysql") as job:
            wait_until(lambda: ask(place, WAITING))
            ((backend,),) = ask(place, WAITING)
            job.kill()
            wait_until(lambda: not ask(place, "SELECT 1 FROM pg_stat_activity WHERE pid = %s", backend))


@pytest.mark.processes
@pytest.mark.parametrize(("begin", "left"), [(OLD_SNAPSHOT, "t_pkey_ccnew"), (READER, "t_pkey_ccold")])
def test_what_reindex_leaves(place: Place, folder: Path, begin: str, left: str) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int PRIMARY KEY);"})
    assert run(place, "applysql").code == 0
    put(folder, {"002.sql": f"{OFF}SELECT 1;\nREINDEX TABLE CONCURRENTLY t;"})
    kill_at_work(place, begin)
    assert ask(place, INVALID) == [(left,)]
    ran = run(place, "applysql", "-v", "2")
    assert (ran.err, ran.code) == ("", 0)
    assert f"    Note: dropped the INVALID index public.{left}, which an earlier try had left\n" in ran.out
    assert ask(place, "SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 't'::regclass") == [
        ("t_pkey", True)
    ]


@pytest.mark.processes
def test_what_create_index_leaves(place: Place, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int);"})
    assert run(place, "applysql").code == 0
    put(folder, {"002.sql": f"{OFF}SELECT 1;\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (id);"})
    kill_at_work(place, OLD_SNAPSHOT)
    assert ask(place, INVALID) == [("i",)]
    assert run(place, "applysql").code == 0
    assert ask(place, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") == [(True,)]


@pytest.mark.processes
def test_what_detach_leaves(place: Place, folder: Path) -> None:
    """A partition that is neither attached nor detached: only FINALIZE helps."""
    made = "CREATE TABLE t (id int) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (1) TO (9);"
    put(folder, {"001.sql": made})
    assert run(place, "applysql").code == 0
    put(folder, {"002.sql": f"{OFF}SELECT 1;\nALTER TABLE t DETACH PARTITION t1 CONCURRENTLY;"})
    kill_at_work(place, READER)
    assert ask(place, "SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = 't1'::regclass") == [(True,)]
    ran = run(place, "applysql", "-v", "2")
    assert (ran.err, ran.code) == ("", 0)
    assert "    Note: finished a DETACH PARTITION that had stopped half-way\n" in ran.out
    assert ask(place, "SELECT 1 FROM pg_inherits WHERE inhrelid = 't1'::regclass") == []
    assert ask(place, "SELECT to_regclass('t1') IS NOT NULL") == [(True,)]
