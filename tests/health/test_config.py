"""Tests of the setting: what it says, and everything that can be wrong with it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import pytest

from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.health.base import Answer, Check, Evidence, Finding, Probe, Severity, Subject
from sqlmigrations.health.config import Ignore, problems_of, read_config
from sqlmigrations.health.external.backups import BackupAge
from sqlmigrations.health.structural.keys import IntegerPrimaryKey
from sqlmigrations.health.units import parse, percent, size, span


@dataclass(frozen=True, kw_only=True)
class OwnCheck(Check):
    """A project's own."""

    id = "own_check"
    title = "Well"
    evidence = Evidence.SNAPSHOT
    examines = "things"

    warning_bytes: int = 1024
    warning_seconds: float = 1

    def run(self, probe: Probe) -> Answer:
        return Answer(1)


@dataclass(frozen=True, kw_only=True)
class Impostor(OwnCheck):
    """Another one of a name that is taken."""

    id = "int4_pk"


OWN = "tests.health.test_config.OwnCheck"

SETTING: dict[str, Any] = {
    "thresholds": {
        "int4_pk": {"warning_percent": "40%"},
        "own_check": {"warning_bytes": "10MB", "warning_seconds": "5min"},
    },
    "objects": {"public.big*": {"int4_pk": {"warning_percent": 90, "critical_percent": 95}}},
    "enabled": ["fk_violations"],
    "disabled": ["name_truncation"],
    "ignore": [{"check": "int4_*", "object": "public.log*", "reason": "small", "until": "2026-06-30"}],
    "checks": [OWN],
    "databases": {
        "reports": {
            "thresholds": {"int4_pk": {"critical_percent": 99}},
            "enabled": ["name_truncation"],
            "disabled": ["fk_violations"],
        }
    },
}


def test_thresholds() -> None:
    config = read_config(SETTING, "default")
    assert config.make("own_check") == OwnCheck(warning_bytes=10 * 1024 * 1024, warning_seconds=300)
    check = config.make("int4_pk")
    assert isinstance(check, IntegerPrimaryKey)
    assert (check.warning_percent, check.critical_percent) == (40, 85)
    of_table = check.on(Subject("column", "public", "big_one", columns=("id",)))
    assert (of_table.warning_percent, of_table.critical_percent) == (90, 95)
    assert check.on(Subject("column", "public", "other", columns=("id",))) == check


def test_options_are_texts() -> None:
    config = read_config(
        {"thresholds": {"backup_age": {"hook": "shop.backups.last", "warning_seconds": "1d"}}}, "default"
    )
    check = config.make("backup_age")
    assert isinstance(check, BackupAge)
    assert (check.hook, check.warning_seconds) == ("shop.backups.last", 86_400)


def test_a_database_adds_to_what_holds_for_all() -> None:
    config = read_config(SETTING, "reports")
    check = config.make("int4_pk")
    assert isinstance(check, IntegerPrimaryKey)
    assert (check.warning_percent, check.critical_percent) == (40, 99)
    other = read_config(SETTING, "default")
    assert (set(config.enabled), set(config.disabled)) == ({"name_truncation"}, {"fk_violations"})
    assert (set(other.enabled), set(other.disabled)) == ({"fk_violations"}, {"name_truncation"})


@pytest.mark.parametrize(
    ("check", "table", "day", "expected"),
    [
        ("int4_pk", "log_1", "2026-06-30", True),
        ("int4_pk", "log_1", "2026-07-01", False),
        ("int4_pk", "orders", "2026-06-30", False),
        ("no_primary_key", "log_1", "2026-06-30", False),
    ],
)
def test_what_is_ignored_until_when(check: str, table: str, day: str, expected: bool) -> None:
    config = read_config(SETTING, "default")
    assert config.ignores == (Ignore("int4_*", "public.log*", "small", datetime.date(2026, 6, 30)),)
    finding = Finding(subject=Subject("table", "public", table), severity=Severity.WARNING, observed="")
    assert config.is_ignored(check, finding, datetime.date.fromisoformat(day)) is expected


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"threshold": {}}, "'threshold' is unknown: did you mean 'thresholds'?"),
    ({"thresholds": {"int4": {}}}, "'thresholds.int4' is unknown: did you mean 'int4_pk'?"),
    (
        {"thresholds": {"connections": {"warn": 3}}},
        "'thresholds.connections.warn' is unknown: known are warning_percent, critical_percent.",
    ),
    (
        {"thresholds": {"int4_pk": {"warning_percent": "5MB"}}},
        "'thresholds.int4_pk.warning_percent': '5MB' has an unknown unit; known are: percent.",
    ),
    (
        {"thresholds": {"int4_pk": {"warning_percent": "much"}}},
        "'thresholds.int4_pk.warning_percent': 'much' is no number.",
    ),
    ({"thresholds": {"int4_pk": 3}}, "'thresholds.int4_pk' has to be a mapping."),
    ({"thresholds": []}, "'thresholds' has to be a mapping."),
    ({"objects": []}, "'objects' has to be a mapping."),
    (
        {"objects": {"public.*": {"int4_pk": {"warning": 3}}}},
        "'objects.public.*.int4_pk.warning' is unknown: did you mean 'warning_percent'?",
    ),
    ({"enabled": "fk_violations"}, "'enabled' has to be a list."),
    ({"disabled": ["fk_violation"]}, "'disabled.fk_violation' is unknown: did you mean 'fk_violations'?"),
    ({"ignore": {}}, "'ignore' has to be a list."),
    ({"ignore": ["x"]}, "'ignore[0]' has to be a mapping."),
    ({"ignore": [{"check": "int4_pk", "object": "*"}]}, "'ignore[0]' needs 'reason' and 'until'."),
    (
        {"ignore": [{"check": "int4", "object": "*", "reason": "x", "until": "2027-01-01"}]},
        "'ignore[0].check' is unknown: did you mean 'int4_pk'?",
    ),
    (
        {"ignore": [{"check": "int4_pk", "object": "*", "reason": "x", "until": "soon"}]},
        "'ignore[0].until' is no day; write it as 2027-01-31.",
    ),
    ({"checks": OWN}, "'checks' has to be a list."),
    (
        {"checks": ["nowhere.Check"]},
        "checks: The health check 'nowhere.Check' can't be imported: No module named 'nowhere'.",
    ),
    ({"checks": ["tests.health.test_config.OWN"]}, "checks: 'tests.health.test_config.OWN' is no health check."),
    (
        {"checks": ["tests.health.test_config.Impostor"]},
        "checks: Two health checks are called 'int4_pk': sqlmigrations.health.structural.keys.IntegerPrimaryKey and "
        "tests.health.test_config.Impostor.",
    ),
    ({"databases": []}, "'databases' has to be a mapping from aliases to mappings."),
    ({"databases": {"reports": []}}, "'databases.reports' has to be a mapping."),
    (
        {"databases": {"reports": {"checks": []}}},
        "'databases.reports.checks' is unknown: known are thresholds, objects, enabled, disabled, ignore.",
    ),
]


@pytest.mark.parametrize(("setting", "problem"), WRONG)
def test_what_is_wrong(setting: dict[str, Any], problem: str) -> None:
    found = problems_of(setting)
    assert found == [problem]
    with pytest.raises(ConfigurationError) as error:
        read_config(setting, "reports")
    assert str(error.value) == (
        f"SQLMIGRATIONS_HEALTH can't be understood:\n    {problem}\n"
        "  manage.py dbhealth --list shows the checks, --explain ID the thresholds of one."
    )


def test_units() -> None:
    assert [parse("bytes", text) for text in (7, "7", "1kB", "1.5 GB")] == [7, 7, 1024, 1.5 * 1024**3]
    assert [parse("seconds", text) for text in ("500ms", "2d")] == [0.5, 172800]
    assert parse("percent", "70 %") == 70
    assert [size(count) for count in (0, 1023, 8192, 117 * 1024**2, 5 * 1024**4)] == [
        "0 bytes",
        "1023 bytes",
        "8.0 kB",
        "117 MB",
        "5.0 TB",
    ]
    assert [span(seconds) for seconds in (45, 720, 12600, 777600)] == ["45 s", "12 min", "3.5 h", "9 days"]
    assert percent(97.84) == "97.8 %"
