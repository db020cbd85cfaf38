"""Tables and indexes that are larger than they need be."""

from __future__ import annotations

import pytest

from sqlmigrations.health.cumulative.bloat import Bloat, IndexBloat, TableBloat
from tests.health.asking import Answered, Patient, said
from tests.health.others import Roles, wait_for

#: PostgreSQL 14 counts in a process of its own, which hears of an ANALYZE later.
ANALYZED = "SELECT FROM pg_stat_user_tables WHERE last_analyze IS NOT NULL AND n_mod_since_analyze = 0"
LARGE = [TableBloat(warning_bytes=100_000), IndexBloat(warning_bytes=100_000)]


@pytest.mark.parametrize("check", LARGE, ids=lambda check: check.id)
def test_pg_extras_and_pg_index_health_say_nothing_of_bloat_as_pg_monitor(
    own_patient: Patient, asking: Roles, check: Bloat
) -> None:
    """Which reads as if all were well: of a table that is empty by nine tenths."""
    own_patient.run(
        "CREATE TABLE t (id int CONSTRAINT t_key PRIMARY KEY, pad text) WITH (autovacuum_enabled = off);"
        "INSERT INTO t SELECT n, repeat('x', 100) FROM generate_series(1, 30000) AS n;"
        "DELETE FROM t WHERE id % 10 <> 0"
    )
    wait_for(own_patient, "SELECT FROM pg_stat_user_tables WHERE n_dead_tup = 27000")
    own_patient.run("VACUUM ANALYZE t")
    wait_for(own_patient, ANALYZED)
    for role in (asking.bare, asking.monitor):
        assert said(own_patient.ask(check, role=role)) == Answered(
            "skipped",
            reason=f"of 1 large {check.kind} the statistics are hidden",
            remedy=f'GRANT "pg_read_all_data" TO "{role}";',
        )
    own_patient.run(f'ALTER TABLE t OWNER TO "{asking.owner}"')
    assert own_patient.ask(check, role=asking.owner).status == "critical"


@pytest.mark.parametrize("check", LARGE, ids=lambda check: check.id)
def test_pg_extras_sees_25_times_the_needed_size_in_a_table_that_was_just_loaded(
    own_patient: Patient, check: Bloat
) -> None:
    own_patient.run(
        "CREATE TABLE t (id int CONSTRAINT t_key PRIMARY KEY, pad text) WITH (autovacuum_enabled = off);"
        "INSERT INTO t SELECT n, '' FROM generate_series(1, 100) AS n; ANALYZE t;"
        "INSERT INTO t SELECT n, repeat('x', 100) FROM generate_series(101, 30000) AS n"
    )
    wait_for(own_patient, "SELECT FROM pg_stat_user_tables WHERE n_mod_since_analyze > 1000")
    old = Answered("skipped", reason=f"of 1 large {check.kind} the statistics are old", remedy='ANALYZE "public"."t";')
    assert said(own_patient.ask(check)) == old
    own_patient.run("SELECT pg_stat_reset()")
    assert said(own_patient.ask(check)) == old
    own_patient.run("ANALYZE t")
    wait_for(own_patient, ANALYZED)
    assert said(own_patient.ask(check)) == Answered("ok", 1)


@pytest.mark.parametrize("check", LARGE, ids=lambda check: check.id)
def test_a_table_that_nobody_counted_is_not_taken_for_small(own_patient: Patient, check: Bloat) -> None:
    """Loaded, never analysed, and then the counters were lost, as after a crash."""
    own_patient.run(
        "CREATE TABLE t (id int CONSTRAINT t_key PRIMARY KEY) WITH (autovacuum_enabled = off);"
        "INSERT INTO t SELECT generate_series(1, 30000)"
    )
    own_patient.run("SELECT pg_stat_force_next_flush()" if own_patient.connection.info.server_version >= 150000 else "")
    own_patient.run("SELECT pg_stat_reset()")
    assert said(own_patient.ask(check)) == Answered(
        "skipped", reason=f"of 1 large {check.kind} the statistics are old", remedy='ANALYZE "public"."t";'
    )
