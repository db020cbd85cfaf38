"""Checks of counters: on a real database where they can be brought about, else their verdicts on rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sqlmigrations.health.cumulative.access import CacheHit, HotUpdates, SequentialScans
from sqlmigrations.health.cumulative.bloat import Bloat, IndexBloat, TableBloat
from sqlmigrations.health.cumulative.indexes import UnusedIndex
from sqlmigrations.health.cumulative.server import Checkpoints, StandbyConflicts, TemporaryFiles
from sqlmigrations.health.cumulative.upkeep import AnalyzeAge, DeadTuples, VacuumAge
from tests.health.asking import Answered, Patient, fixes, said, told
from tests.health.others import Roles, steady, wait_for

MB = 1024**2
GB = 1024**3
DAY = 86_400


# Unused indexes


PURPOSES = """
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE t (
    id int PRIMARY KEY, p int REFERENCES parent, q int REFERENCES parent, code varchar(9) UNIQUE, a int NOT NULL,
    b int, c int, d int, period int4range,
    CONSTRAINT splinter_and_pih_tell_to_drop_it EXCLUDE USING gist (period WITH &&)
);
CREATE UNIQUE INDEX keeps_unique ON t (a);
CREATE UNIQUE INDEX replica_identity ON t (a, id);
ALTER TABLE t REPLICA IDENTITY USING INDEX replica_identity;
CREATE INDEX clustered ON t (b);
CLUSTER t USING clustered;
CREATE INDEX alone_for_its_key ON t (p);
CREATE INDEX one_of_two_for_its_key ON t (q);
CREATE INDEX two_of_two_for_its_key ON t (q, c);
CREATE INDEX t_code_0123_like ON t (code varchar_pattern_ops);
CREATE INDEX scanned ON t (d);
CREATE INDEX idle ON t (c);
CREATE TABLE whole (id int, x int) PARTITION BY RANGE (id);
CREATE TABLE whole_1 PARTITION OF whole FOR VALUES FROM (0) TO (9);
CREATE TABLE whole_2 PARTITION OF whole FOR VALUES FROM (9) TO (99);
CREATE INDEX whole_idle ON whole (x);
CREATE INDEX whole_scanned ON whole (id)
"""


def _index(**changes: Any) -> dict[str, Any]:
    return {
        "schema": "public", "table": "t", "name": "i", "scans": 0, "last_scan_seconds": None, "made_seconds": None,
        "bytes": 20 * MB, "writes": 1234, "purpose": None, "is_django_like": False,
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (_index(), ("public.i", "warning", "never scanned in 9 days, 20 MB, 1,234 writes to its table")),
        (_index(scans=1), None),
        (_index(scans=1, last_scan_seconds=89 * DAY), None),
        (
            _index(scans=1, last_scan_seconds=100 * DAY),
            ("public.i", "warning", "last scanned 100 days ago, 20 MB, 1,234 writes to its table"),
        ),
        (_index(bytes=9 * MB), None),
        (_index(purpose="backs a constraint"), None),
        (_index(is_django_like=True), None),
    ],
)
def test_unused_index(row: dict[str, Any], expected: object) -> None:
    assert told(UnusedIndex().judge(row, 9 * DAY)) == expected


# Bloat


def _bloated(patient: Patient) -> None:
    patient.run(
        "CREATE TABLE t (id int CONSTRAINT t_key PRIMARY KEY, pad text) WITH (autovacuum_enabled = off);"
        "INSERT INTO t SELECT n, repeat('x', 100) FROM generate_series(1, 30000) AS n;"
        "DELETE FROM t WHERE id % 10 <> 0"
    )
    wait_for(patient, "SELECT FROM pg_stat_user_tables WHERE n_dead_tup = 27000")
    patient.run("VACUUM ANALYZE t")
    wait_for(patient, "SELECT FROM pg_stat_user_tables WHERE last_analyze IS NOT NULL AND n_mod_since_analyze = 0")


def _size(patient: Patient, name: str) -> int:
    ((found,),) = patient.connection.execute("SELECT pg_relation_size(%s::regclass)", [name]).fetchall()
    return int(found)


@pytest.mark.parametrize(
    ("check", "name", "rebuild"),
    [
        (TableBloat(warning_bytes=100_000), "t", "VACUUM FULL t"),
        (IndexBloat(warning_bytes=100_000), "t_key", "REINDEX INDEX t_key"),
    ],
)
def test_the_estimate_is_near_what_a_rebuild_gains(
    own_patient: Patient, asking: Roles, check: Bloat, name: str, rebuild: str
) -> None:
    _bloated(own_patient)
    before = _size(own_patient, name)
    result = own_patient.ask(check)
    (found,) = result.findings
    assert (str(found.subject), str(found.severity), result.examined) == (f"public.{name}", "critical", 1)
    own_patient.run(rebuild)
    wait_for(own_patient, "SELECT")
    assert found.value is not None
    assert abs(found.value - (before - _size(own_patient, name))) / before < 0.02
    own_patient.run("ANALYZE t")
    assert said(own_patient.ask(check)) == Answered("ok", 1)


def _relation(**changes: Any) -> dict[str, Any]:
    return {
        "schema": "public", "table": "t", "name": "", "bytes": GB, "needed_bytes": 0.6 * GB,
        "is_readable": True, "is_fresh": True, "rows": 1,
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (_relation(), ("public.t", "warning", "about 410 MB of 1.0 GB unused (40.0 %, an estimate)")),
        (
            _relation(needed_bytes=0.2 * GB),
            ("public.t", "critical", "about 819 MB of 1.0 GB unused (80.0 %, an estimate)"),
        ),
        (_relation(needed_bytes=0.71 * GB), None),
        (_relation(bytes=150 * MB, needed_bytes=60 * MB), None),
        (_relation(needed_bytes=2 * GB), None),
    ],
    ids=["warning", "critical", "percent", "bytes", "larger than needed"],
)
def test_bloat_is_a_share_and_an_amount(row: dict[str, Any], expected: object) -> None:
    assert told(TableBloat().judge(row)) == expected


# Vacuum


def test_dead_tuples(own_patient: Patient, asking: Roles) -> None:
    own_patient.run(
        "CREATE TABLE t (id int) WITH (autovacuum_enabled = off);"
        "INSERT INTO t SELECT n FROM generate_series(1, 30000) AS n"
    )
    check = DeadTuples(min_window_seconds=0)
    wait_for(own_patient, "SELECT FROM pg_stat_user_tables WHERE n_live_tup = 30000")
    assert said(own_patient.ask(check)) == Answered("ok", 1)
    own_patient.run("DELETE FROM t WHERE id <= 15000")
    wait_for(own_patient, "SELECT FROM pg_stat_user_tables WHERE n_dead_tup = 15000")
    expected = ("public.t", "critical", "15,000 dead rows (50.0 %); autovacuum comes at 50")
    for role in ("", asking.bare, asking.monitor, asking.owner):
        assert said(own_patient.ask(check, role=role)) == Answered("critical", 1, (expected,))
    own_patient.run("ALTER TABLE t SET (autovacuum_vacuum_threshold = 20000)")
    assert said(own_patient.ask(check)) == Answered("ok", 1)
    own_patient.run("ALTER TABLE t RESET (autovacuum_vacuum_threshold)")
    own_patient.run(fixes(own_patient.ask(check))[0][1])
    wait_for(own_patient, "SELECT FROM pg_stat_user_tables WHERE n_dead_tup = 0")
    assert said(own_patient.ask(check)) == Answered("ok", 1)


def test_vacuum_and_analyze_age(own_patient: Patient) -> None:
    own_patient.run(
        "CREATE TABLE t (id int) WITH (autovacuum_enabled = off);"
        "CREATE TABLE quiet (id int);"
        "INSERT INTO t SELECT n FROM generate_series(1, 1000) AS n; DELETE FROM t WHERE id > 900"
    )
    wait_for(own_patient, "SELECT FROM pg_stat_user_tables WHERE n_dead_tup = 100")
    vacuum = VacuumAge(min_window_seconds=0, warning_seconds=0)
    analyze = AnalyzeAge(min_window_seconds=0, warning_seconds=0)
    never = "not vacuumed in the <time> counted, 100 dead rows and 1,000 new rows since"
    assert steady(said(own_patient.ask(vacuum))) == Answered("warning", 2, (("public.t", "warning", never),))
    never = "not analysed in the <time> counted, 1,100 changes since"
    assert steady(said(own_patient.ask(analyze))) == Answered("warning", 2, (("public.t", "warning", never),))
    assert fixes(own_patient.ask(analyze)) == [("sql", 'ANALYZE "public"."t";')]
    own_patient.run(fixes(own_patient.ask(vacuum))[0][1])
    wait_for(own_patient, "SELECT FROM pg_stat_user_tables WHERE n_mod_since_analyze = 0 AND last_vacuum IS NOT NULL")
    assert said(own_patient.ask(vacuum)) == said(own_patient.ask(analyze)) == Answered("ok", 2)


def _upkeep(**changes: Any) -> dict[str, Any]:
    return {
        "schema": "public", "table": "t", "live": 100, "dead": 0, "inserted": 0, "modified": 0, "vacuum_at": 50.0,
        "insert_vacuum_at": 1000.0, "analyze_at": 60.0, "vacuum_seconds": None, "analyze_seconds": None,
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("row", "vacuum", "analyze"),
    [
        (_upkeep(dead=50, inserted=1000, modified=60), None, None),
        (
            _upkeep(dead=51),
            ("public.t", "warning", "not vacuumed in the 3 days counted, 51 dead rows and 0 new rows since"),
            None,
        ),
        (
            _upkeep(inserted=1001, vacuum_seconds=8 * DAY),
            ("public.t", "critical", "last vacuumed 8 days ago, 0 dead rows and 1,001 new rows since"),
            None,
        ),
        (_upkeep(inserted=1001, insert_vacuum_at=None), None, None),
        (_upkeep(dead=51, vacuum_seconds=3600.0, modified=61, analyze_seconds=3600.0), None, None),
        (
            _upkeep(modified=61, analyze_seconds=2 * DAY),
            None,
            ("public.t", "warning", "last analysed 2 days ago, 61 changes since"),
        ),
    ],
)
def test_overdue(row: dict[str, Any], vacuum: object, analyze: object) -> None:
    assert told(VacuumAge().judge(row, 3 * DAY)) == vacuum
    assert told(AnalyzeAge().judge(row, 3 * DAY)) == analyze


# How tables are read and written


def _access(**changes: Any) -> dict[str, Any]:
    return {
        "schema": "public", "table": "t", "rows": 50_000, "scans": 0, "rows_read": 0, "index_scans": 0,
        "updates": 0, "hot_updates": 0, "new_page_updates": None, "fillfactor": 100,
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (_access(), None),
        (
            _access(scans=2000, rows_read=100_000_000),
            ("public.t", "info", "read whole 200 times a day, 50,000 rows each; by an index 0 times"),
        ),
        (_access(scans=2000, rows_read=100_000_000, rows=9_999), None),
        (_access(scans=900, rows_read=100_000_000), None),
        (_access(scans=2000, rows_read=20_000), None),
        (_access(scans=2000, rows_read=100_000_000, index_scans=1_000_000), None),
    ],
    ids=["never", "often", "small", "seldom", "with LIMIT", "mostly by an index"],
)
def test_sequential_scans(row: dict[str, Any], expected: object) -> None:
    assert told(SequentialScans().judge(row, 10)) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (_access(updates=99_999), None),
        (_access(updates=100_000, hot_updates=50_000), None),
        (
            _access(updates=100_000, hot_updates=10_000),
            ("public.t", "info", "10.0 % of 100,000 updates were HOT"),
        ),
        (
            _access(updates=100_000, hot_updates=10_000, new_page_updates=80_000, fillfactor=80),
            ("public.t", "info", "10.0 % of 100,000 updates were HOT; 80.0 % went to another page"),
        ),
    ],
)
def test_hot_updates(row: dict[str, Any], expected: object) -> None:
    found = HotUpdates().judge(row)
    assert told(found) == expected
    assert bool(found and found.fixes) == bool(found and row["fillfactor"] == 100)


@pytest.mark.parametrize(("hit", "expected"), [(95, None), (94, ("tables", "info", "94.0 % found in memory"))])
def test_cache_hit(hit: int, expected: object) -> None:
    assert told(CacheHit().judge({"name": "tables", "hit": hit, "read": 100 - hit})) == expected


def test_of_few_pages_nothing_is_said(own_patient: Patient) -> None:
    result = own_patient.ask(CacheHit(min_window_seconds=0))
    assert steady(said(result)).reason == "fewer than 100,000 pages were asked for in <time>"


# The server


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        (GB - 1, None),
        (10 * GB, ("shop", "warning", "1.0 GB an hour, 7 files in 10.0 h; work_mem is 4.0 MB")),
        (50 * GB, ("shop", "critical", "5.0 GB an hour, 7 files in 10.0 h; work_mem is 4.0 MB")),
    ],
)
def test_temporary_files(counted: int, expected: object) -> None:
    row = {"name": "shop", "files": 7, "bytes": counted, "work_mem": 4 * MB}
    assert told(TemporaryFiles().judge(row, 36_000)) == expected


@pytest.mark.parametrize(
    ("timed", "requested", "expected"),
    [
        (0, 0, None),
        (10, 9, None),
        (100, 239, None),
        (240, 240, ("max_wal_size", "warning", "50.0 % of the checkpoints came early, 24 a day")),
        (10, 960, ("max_wal_size", "critical", "99.0 % of the checkpoints came early, 96 a day")),
    ],
)
def test_checkpoints(timed: int, requested: int, expected: object) -> None:
    row = {"timed": timed, "requested": requested, "seconds": 10.0 * DAY, "max_wal_bytes": GB}
    found = Checkpoints().judge(row)
    assert told(found) == expected
    if found:
        assert [fix.text for fix in found.fixes] == ["""ALTER SYSTEM SET max_wal_size = '2048MB';"""]


def test_standby_conflicts() -> None:
    rows = [{"name": "snapshot", "count": 100}, {"name": "lock", "count": 99}, {"name": "deadlock", "count": 20_000}]
    answer = StandbyConflicts().judge_all(rows, timedelta(days=10))
    assert answer.examined == 3
    assert [told(found) for found in answer.findings] == [
        ("snapshot", "warning", "10 queries cancelled a day"),
        ("deadlock", "critical", "2,000 queries cancelled a day"),
    ]
