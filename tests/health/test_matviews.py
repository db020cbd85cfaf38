"""Materialized views that show what was."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlmigrations.health.cumulative.matviews import MaterializedViewStale, age_of
from sqlmigrations.health.measures import Past
from sqlmigrations.service.health_runs import look_closely
from tests.health.asking import Answered, Patient, fixes, said
from tests.helpers import rows, wait_until

CHECK = MaterializedViewStale()

MADE = """
CREATE TABLE sale (id int PRIMARY KEY, day int) PARTITION BY RANGE (id);
CREATE TABLE sale_1 PARTITION OF sale FOR VALUES FROM (0) TO (1000);
INSERT INTO sale SELECT n, n FROM generate_series(1, 100) AS n;
CREATE VIEW recent AS SELECT * FROM sale WHERE day > 7;
CREATE MATERIALIZED VIEW report AS SELECT count(*) FROM recent;
CREATE MATERIALIZED VIEW other AS SELECT 1 AS x;
"""


def _counted(patient: Patient, changes: int) -> None:
    """Let the session hand in its counters, which it does by itself after ten idle seconds."""
    patient.run("SELECT pg_stat_force_next_flush()")
    wait_until(lambda: rows("SELECT sum(n_tup_ins) FROM pg_stat_user_tables WHERE relname = 'sale_1'") == [(changes,)])


def test_a_view_whose_tables_have_changed_since(own_patient: Patient) -> None:
    """Read through another view, of a partitioned table; each REFRESH is seen, CONCURRENTLY or not."""
    for statement in MADE.split(";\n"):
        own_patient.run(statement)
    _counted(own_patient, 100)
    assert said(own_patient.ask(CHECK)) == Answered(
        "skipped",
        reason="it can't be told when 2 materialized views were refreshed",
        remedy="Keep numbers to compare with: manage.py dbhealth --keep",
    )
    now = look_closely(own_patient.connection, "default")
    then = replace(now, at=now.at - timedelta(days=10))
    past = Past(now.at, then, then)
    assert said(own_patient.ask(CHECK, past=past)) == Answered("ok", 2)

    own_patient.run("INSERT INTO sale SELECT n, n FROM generate_series(101, 150) AS n")
    _counted(own_patient, 150)
    result = own_patient.ask(CHECK, past=past)
    assert said(result) == Answered(
        "warning",
        2,
        (
            (
                "public.report",
                "warning",
                "not refreshed for at least 10 days; 50 changes since in the tables it reads (33.3 % of their rows)",
            ),
        ),
    )
    assert fixes(result) == [("sql", 'REFRESH MATERIALIZED VIEW CONCURRENTLY "public"."report";')]
    own_patient.run("CREATE UNIQUE INDEX ON report (count)")
    assert own_patient.ask(CHECK, past=past).status == "warning"
    for refresh in ("REFRESH MATERIALIZED VIEW report", "REFRESH MATERIALIZED VIEW CONCURRENTLY report"):
        before = look_closely(own_patient.connection, "default").matviews
        own_patient.run("ANALYZE report")
        assert look_closely(own_patient.connection, "default").matviews == before
        own_patient.run(refresh)
        assert (
            look_closely(own_patient.connection, "default").matviews["public"]["report"] != before["public"]["report"]
        )
        assert said(own_patient.ask(CHECK, past=past)) == Answered("ok", 2)


def test_a_view_that_was_not_there_yet_is_left_out(own_patient: Patient) -> None:
    own_patient.run("CREATE MATERIALIZED VIEW a AS SELECT 1 AS x")
    now = look_closely(own_patient.connection, "default")
    then = replace(now, at=now.at - timedelta(days=10))
    own_patient.run("CREATE MATERIALIZED VIEW b AS SELECT 1 AS x")
    result = own_patient.ask(CHECK, past=Past(now.at, then, then))
    assert (said(result), result.left_out) == (Answered("ok", 1), "1 materialized view of unknown age")


def test_the_time_of_a_commit_tells_it_too() -> None:
    """With ``track_commit_timestamp``: where the counters began after the REFRESH, all that they count is newer."""
    now = datetime(2026, 6, 11, tzinfo=UTC)
    refreshed_at = now - timedelta(minutes=15)
    row = {"schema": "public", "table": "v", "refreshed_by": 5, "refreshed_at": refreshed_at, "now": now, "changes": 7}
    known = age_of(row, Past(), refreshed_at + timedelta(seconds=1))
    assert known is not None
    assert (known.changes, known.seconds) == (7, 900.0)
    assert age_of(row, Past(), refreshed_at - timedelta(seconds=1)) is None
    assert age_of(row, Past(), None) is None
    assert age_of(row | {"refreshed_at": None}, Past(), now) is None
