"""A file in batches waits for a replica that stands still."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.conftest import _binaries
from tests.faults.databases import ask, connect, database
from tests.faults.processes import Place, command
from tests.health.matrix.world import Primary, Standby
from tests.helpers import put, wait_until


@pytest.mark.nightly
@pytest.mark.processes
def test_batches_wait_for_a_replica_that_stands_still(server: Place, folder: Path, tmp_path: Path) -> None:
    """Between two batches it looks again and again; once the replica goes on, so do the batches."""
    binaries = _binaries(server)
    primary = Primary(tmp_path / "primary", binaries=binaries)
    standby = Standby(tmp_path / "standby", primary, binaries)
    directives = ("batch 5", "pause 200ms", "max_lag 100ms")
    text = "".join(f"-- sqlmigrations: {directive}\n" for directive in directives)
    put(folder, {"001.sql": text + "UPDATE items SET n = n + 1;\n"})
    try:
        primary.start()
        standby.start()
        with database(primary.place.with_settings(SQLMIGRATIONS_DIRS=[str(folder)])) as place:
            with connect(place) as session:
                session.execute("CREATE TABLE items AS SELECT i AS id, 0 AS n FROM generate_series(1, 30) AS i")
                session.execute("ALTER TABLE items ADD PRIMARY KEY (id)")
            put(folder, {"000.sql": "SELECT 1;"})
            with command(place, "applysql", "000.sql") as job:
                assert job.end().code == 0  # makes the history's tables
            wait_until(lambda: ask(standby.place, "SELECT 1 FROM pg_database WHERE datname = %s", place.dbname))
            ask(standby.place, "SELECT pg_wal_replay_pause()::text")
            with command(place, "applysql") as job:
                looks: set[tuple[int, str]] = set()
                wait_until(lambda: _looks_again(place, looks))
                ask(standby.place, "SELECT pg_wal_replay_resume()::text")
                ran = job.end()
            assert ran.code == 0, ran
            assert ask(place, "SELECT DISTINCT n FROM items") == [(1,)]
            ((waited,),) = ask(
                place,
                """SELECT (details->'batches'->'waited_for_replicas_ms')::float8 FROM sqlmigrations_migrationevent
                    WHERE type = 'applied' AND filename = '001.sql'""",
            )
            assert waited > 400
    finally:
        standby.destroy()
        primary.destroy()


def _looks_again(place: Place, looks: set[tuple[int, str]]) -> bool:
    """Say whether the run has asked for replicas three times between two batches."""
    found = ask(
        place,
        """SELECT (r.progress->'batches'->'batches')::int, a.query_start::text
             FROM pg_stat_activity a, sqlmigrations_migrationrecord r
            WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND r.progress IS NOT NULL
              AND a.query LIKE '%pg_stat_replication%'""",
    )
    looks.update(found)
    return any(len([each for each in looks if each[0] == batches]) >= 3 for batches, _when in looks)
