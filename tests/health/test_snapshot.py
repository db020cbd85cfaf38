"""Checks of this moment that can't be made ill cheaply: their verdicts on rows, and their SQL on the real server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pytest
from psycopg import sql

from sqlmigrations.health.base import Check, Finding
from sqlmigrations.health.snapshot import CHECKS
from sqlmigrations.health.snapshot.ages import AntiWraparoundVacuum, MultixactWraparound, TransactionIdWraparound
from sqlmigrations.health.snapshot.configuration import EndOfLife, ServerSettings, SessionTimeouts, StatisticsLost
from sqlmigrations.health.snapshot.replication import Archiver, ReplicaLag, Slots, SubscriptionErrors
from tests.health.asking import Answered, Patient, fixes, said
from tests.health.others import Roles, roles

GB = 1024**3


@pytest.fixture(scope="module")
def asking() -> Iterator[Roles]:
    """Make roles to ask as."""
    with roles() as made:
        yield made


def told(found: Finding | None) -> tuple[str, str, str] | None:
    """Return a finding as object, severity and what was observed."""
    return None if found is None else (str(found.subject), str(found.severity), found.observed)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_every_role_gets_an_answer(patient: Patient, asking: Roles, check: type[Check]) -> None:
    """No check fails for a lack of rights, of columns or of rows: it is skipped with a reason of its own."""
    for role in ("", asking.bare, asking.monitor, asking.owner):
        result = patient.ask(check(), role=role)
        assert not result.reason.startswith("it failed"), result.reason
        assert result.examined or result.reason


# Ages


def _age(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "table", "schema": "public", "table": "orders", "name": "", "bytes": 2 * GB, "vacuum_pid": None,
        "xid_age": 100, "multixact_age": 100, "freeze_max_age": 200_000_000, "multixact_freeze_max_age": 400_000_000,
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("row", "xid", "multixact"),
    [
        (_age(), None, None),
        (_age(xid_age=499_999_999, multixact_age=499_999_999), None, None),
        (
            _age(xid_age=500_000_000),
            ("public.orders", "warning", "500 million transactions old, 23.3 % of the way to a standstill"),
            None,
        ),
        (
            _age(kind="database", schema="", table="", name="shop", multixact_age=2_000_000_000),
            None,
            ("shop", "critical", "2,000 million multixacts old, 93.1 % of the way to a standstill"),
        ),
    ],
)
def test_wraparound(row: dict[str, Any], xid: tuple[str, str, str] | None, multixact: object) -> None:
    assert told(TransactionIdWraparound().judge(row)) == xid
    assert told(MultixactWraparound().judge(row)) == multixact


def test_how_old_ids_are_frozen() -> None:
    found = [
        TransactionIdWraparound(warning_age=1).judge(_age(**names))
        for names in ({}, {"kind": "database", "schema": "", "table": "", "name": "shop"})
    ]
    assert [fix.text for each in found if each for fix in each.fixes] == [
        'VACUUM (FREEZE, VERBOSE) "public"."orders";',
        "vacuumdb --freeze --jobs=2 shop",
    ]


def test_ages_are_read_from_the_server(patient: Patient) -> None:
    patient.run("CREATE TABLE orders (id int, note text) WITH (autovacuum_freeze_max_age = 100000)")
    (found,) = [
        finding
        for finding in patient.ask(TransactionIdWraparound(warning_age=0)).findings
        if str(finding.subject) == "public.orders"
    ]
    assert found.value is not None
    assert found.value <= 10
    assert patient.ask(TransactionIdWraparound()).status == "ok"
    assert patient.ask(MultixactWraparound()).status == "ok"
    assert patient.ask(AntiWraparoundVacuum()).status == "ok"


@pytest.mark.parametrize(
    ("row", "expected", "fix"),
    [
        (_age(xid_age=179_000_000), None, None),
        (_age(xid_age=180_000_000, bytes=GB - 1), None, None),
        (
            _age(xid_age=180_000_000),
            ("public.orders", "warning", "90.0 % of autovacuum_freeze_max_age, 2.0 GB to read"),
            'VACUUM (FREEZE, VERBOSE) "public"."orders";',
        ),
        (
            _age(multixact_age=420_000_000, vacuum_pid=7),
            (
                "public.orders",
                "critical",
                "105.0 % of autovacuum_freeze_max_age, 2.0 GB to read; a vacuum is at work on it (pid 7)",
            ),
            "SELECT * FROM pg_stat_progress_vacuum WHERE pid = 7;",
        ),
    ],
)
def test_a_vacuum_that_does_not_step_aside(row: dict[str, Any], expected: object, fix: str | None) -> None:
    found = AntiWraparoundVacuum().judge(row)
    assert told(found) == expected
    assert (found.fixes[0].text if found else None) == fix


# Replication


def _standby(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "standby", "name": "replica", "state": "streaming", "is_hidden": False, "bytes": 0.0, "seconds": None,
        "sync_state": "async",
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (_standby(), None),
        (_standby(seconds=90_000.0), None),
        (_standby(bytes=16 * 1024**2, seconds=29.0), None),
        (_standby(bytes=16 * 1024**2, seconds=30.0), ("replica", "warning", "16 MB behind, 30 s (streaming)")),
        (_standby(bytes=17 * 1024**2, seconds=600.0), ("replica", "critical", "17 MB behind, 10 min (streaming)")),
        (_standby(bytes=3 * GB, state="catchup"), ("replica", "critical", "3.0 GB behind (catchup)")),
        (
            _standby(kind="server", name="this standby", state="paused", seconds=0.0),
            ("this standby", "warning", "0 bytes behind, 0 s (paused)"),
        ),
    ],
)
def test_replica_lag(row: dict[str, Any], expected: object) -> None:
    assert told(ReplicaLag().judge(row)) == expected


def _slot(**changes: Any) -> dict[str, Any]:
    return {
        "name": "replica_1", "type": "physical", "is_active": True, "wal_status": "reserved", "safe_bytes": None,
        "kept_bytes": 0.0, "inactive_seconds": None, "invalidated": None, "limit_bytes": None,
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("row", "expected", "can_drop"),
    [
        (_slot(), None, False),
        (_slot(is_active=False, kept_bytes=None), None, False),
        (_slot(kept_bytes=1.5 * GB), ("replica_1", "warning", "keeps 1.5 GB of WAL, is read"), False),
        (
            _slot(kept_bytes=6 * GB, is_active=False, inactive_seconds=7200.0),
            ("replica_1", "critical", "keeps 6.0 GB of WAL, nobody reads it for 2.0 h"),
            True,
        ),
        (_slot(kept_bytes=6 * GB, limit_bytes=20 * GB), None, False),
        (
            _slot(kept_bytes=10 * GB, limit_bytes=20 * GB),
            ("replica_1", "warning", "keeps 10 GB of WAL (50.0 % of what it may), is read"),
            False,
        ),
        (
            _slot(is_active=False, wal_status="lost", kept_bytes=None, invalidated="wal_removed"),
            ("replica_1", "critical", "its WAL is gone: wal_removed; its reader must begin anew"),
            True,
        ),
    ],
)
def test_slots(row: dict[str, Any], expected: object, can_drop: bool) -> None:
    found = Slots().judge(row)
    assert told(found) == expected
    assert bool(found and found.fixes) == can_drop


def test_a_slot_of_the_real_server(own_patient: Patient, asking: Roles) -> None:
    name = f"sqlm_{asking.bare[-12:]}"
    make = sql.SQL("SELECT pg_create_physical_replication_slot({}, true)").format(sql.Literal(name))
    own_patient.connection.execute(make)
    try:
        result = own_patient.ask(Slots(warning_bytes=0, critical_bytes=1 << 50), role=asking.bare)
        (found,) = [finding for finding in result.findings if str(finding.subject) == name]
        assert found.observed.startswith("keeps ")
        assert "of WAL, nobody reads it" in found.observed
        own_patient.run(found.fixes[0].text)
        assert name not in {str(finding.subject) for finding in own_patient.ask(Slots(warning_bytes=0)).findings}
    finally:
        drop = sql.SQL(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = {}"
        ).format(sql.Literal(name))
        own_patient.connection.execute(drop)


def _subscription(**changes: Any) -> dict[str, Any]:
    return {
        "name": "from_main", "is_enabled": True, "is_at_work": True, "apply_errors": 0, "sync_errors": 0,
        "conflicts": 0, "unready": [],
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (_subscription(), None),
        (_subscription(is_enabled=False, is_at_work=False), ("from_main", "critical", "disabled")),
        (_subscription(is_at_work=False), ("from_main", "critical", "no worker is at work")),
        (
            _subscription(apply_errors=1, sync_errors=2, conflicts=3, unready=["public.t"]),
            (
                "from_main",
                "warning",
                "1 error, 2 errors of the first copy, 3 conflicts, not in step yet: public.t",
            ),
        ),
    ],
)
def test_subscriptions(row: dict[str, Any], expected: object) -> None:
    assert told(SubscriptionErrors().judge(row)) == expected


def test_a_subscription_of_the_real_server(patient: Patient, asking: Roles) -> None:
    patient.run("CREATE SUBSCRIPTION from_main CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false)")
    for role in ("", asking.bare, asking.monitor):
        result = patient.ask(SubscriptionErrors(), role=role)
        assert said(result) == Answered("critical", 1, (("from_main", "critical", "disabled"),))
        assert fixes(result) == [("sql", 'ALTER SUBSCRIPTION "from_main" ENABLE;')]


def _archiver(**changes: Any) -> dict[str, Any]:
    return {
        "mode": "on", "is_on": True, "archived_count": 5, "failed_count": 0, "last_archived_wal": "A",
        "last_failed_wal": None, "archived_seconds": 60.0, "failed_seconds": None, "is_failing": False,
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (_archiver(), None),
        (_archiver(archived_seconds=900_000.0), None),
        (
            _archiver(is_failing=True, last_failed_wal="B", failed_count=3),
            ("archive_command", "warning", "fails on B, last worked 60 s ago"),
        ),
        (
            _archiver(is_failing=True, last_failed_wal="B", archived_seconds=7200.0),
            ("archive_command", "critical", "fails on B, last worked 2.0 h ago"),
        ),
        (
            _archiver(is_failing=True, last_failed_wal="B", archived_seconds=None),
            ("archive_command", "critical", "fails on B, never worked"),
        ),
    ],
)
def test_archiver(row: dict[str, Any], expected: object) -> None:
    assert told(Archiver().judge(row)) == expected


# How the server is set up


def _settings(**values: str) -> Mapping[str, dict[str, Any]]:
    return {
        name.replace("__", "."): {
            "name": name.replace("__", "."), "value": value, "needs_restart": name == "x", "pending_restart": False,
        }
        for name, value in values.items()
    }  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (_settings(fsync="on", log_min_duration_statement="-1", auto_explain__log_min_duration="500"), []),
        (_settings(log_min_duration_statement="1000"), []),
        (_settings(log_min_duration_statement="-1", log_min_duration_sample="100"), []),
        (
            _settings(fsync="off", full_page_writes="off", synchronous_commit="off", track_io_timing="off"),
            [
                ("fsync", "critical", "off: a crash may destroy the whole database"),
                ("full_page_writes", "critical", "off: a crash may leave pages that are half old, half new"),
                ("synchronous_commit", "warning", "off: a crash forgets what was committed a moment before"),
                ("track_io_timing", "info", "off: nothing tells how long a query waited for the disk"),
            ],
        ),
        (
            _settings(log_min_duration_statement="-1", log_min_duration_sample="-1"),
            [
                (
                    "log_min_duration_statement",
                    "warning",
                    "-1: no slow query is logged, and auto_explain isn't loaded",
                )
            ],
        ),
    ],
)
def test_settings(settings: Mapping[str, dict[str, Any]], expected: list[tuple[str, str, str]]) -> None:
    assert [told(found) for found in ServerSettings().judge(settings).findings] == expected


def test_a_setting_that_waits_for_a_restart() -> None:
    row = {"name": "max_connections", "value": "100", "needs_restart": True, "pending_restart": True}
    (found,) = ServerSettings().judge({"max_connections": row}).findings
    assert told(found) == ("max_connections", "info", "was changed in the configuration, and waits for a restart")


def test_our_own_settings_are_not_the_servers(patient: Patient, asking: Roles) -> None:
    """The examining session sets timeouts of its own; judged is what another one begins with."""
    name = asking.bare
    every = {str(found.subject): told(found) for found in patient.ask(SessionTimeouts(), role=name).findings}
    assert every["statement_timeout"] == (
        "statement_timeout",
        "warning",
        f"not set for {name}: a statement may run for ever",
    )
    assert every["lock_timeout"] == (
        "lock_timeout",
        "info",
        f"not set for {name}: a statement may wait for a lock for ever",
    )


@pytest.mark.parametrize(("milliseconds", "expected"), [(0, "warning"), (1, None)])
def test_timeouts(milliseconds: int, expected: str | None) -> None:
    row = {"name": "statement_timeout", "milliseconds": milliseconds, "role": "app", "database": "shop"}
    found = SessionTimeouts().judge(row)
    assert (found and str(found.severity)) == expected
    if found:
        (fix,) = found.fixes
        assert fix.text == """ALTER ROLE "app" IN DATABASE "shop" SET "statement_timeout" = '30s';"""


@pytest.mark.parametrize(
    ("major", "today", "expected"),
    [
        (18, date(2026, 11, 22), None),
        (99, date(2066, 1, 1), None),
        (15, date(2027, 5, 14), None),
        (
            15,
            date(2027, 5, 15),
            ("PostgreSQL 15", "warning", "15.1: its last release comes on 2027-11-11, in 180 days"),
        ),
        (14, date(2026, 11, 22), ("PostgreSQL 14", "critical", "14.1: its last release was on 2026-11-12")),
        (9, date(2026, 11, 22), ("PostgreSQL 9", "critical", "9.1: its last release was on 2025-11-13")),
    ],
)
def test_end_of_life(major: int, today: date, expected: object) -> None:
    assert told(EndOfLife().judge({"version": f"{major}.1", "major": major, "today": today})) == expected


# Statistics of the planner


def test_statistics_of_the_planner(patient: Patient, asking: Roles) -> None:
    patient.run(
        "CREATE TABLE t (a int, b int); INSERT INTO t SELECT n, n FROM generate_series(1, 2000) AS n;"
        "CREATE STATISTICS a_b ON a, b FROM t; ANALYZE t"
    )
    assert said(patient.ask(StatisticsLost())) == Answered("ok", 2)
    patient.run("DELETE FROM pg_statistic WHERE starelid = 't'::regclass; DELETE FROM pg_statistic_ext_data")
    result = patient.ask(StatisticsLost())
    assert said(result) == Answered(
        "warning",
        2,
        (("public.a_b", "warning", "none, of 2,000 rows"), ("public.t", "warning", "none, of 2,000 rows")),
    )
    assert fixes(result) == [("sql", 'ANALYZE "public"."t";')] * 2
    assert said(patient.ask(StatisticsLost(min_rows=2001))) == Answered("ok", 2)
    for role in (asking.bare, asking.monitor):
        assert said(patient.ask(StatisticsLost(), role=role)) == Answered(
            "skipped",
            reason="the statistics of 2 of 2 tables and extended statistics are hidden",
            remedy=f'GRANT "pg_read_all_data" TO "{role}";',
        )
    patient.run(f'ALTER TABLE t OWNER TO "{asking.owner}"')
    patient.run(fixes(result)[0][1])
    assert said(patient.ask(StatisticsLost(), role=asking.owner)) == Answered("ok", 2)
