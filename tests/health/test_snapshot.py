"""Checks of this moment that can't be made ill cheaply: their verdicts on rows, and their SQL on the real server."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from sqlmigrations.health.snapshot.ages import AntiWraparoundVacuum, MultixactWraparound, TransactionIdWraparound
from sqlmigrations.health.snapshot.configuration import EndOfLife, ServerSettings, SessionTimeouts
from sqlmigrations.health.snapshot.replication import Archiver, ReplicaLag, Slots, SubscriptionErrors
from tests.health.asking import told

GB = 1024**3


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
