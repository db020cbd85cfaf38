"""Checks of backups, of PgBouncer and of Django's settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sqlmigrations.health.external.backups import BackupAge
from sqlmigrations.health.external.connecting import DjangoConnections
from sqlmigrations.health.external.pooler import PgBouncerPools
from tests.health.asking import Answered, Patient, fixes, said
from tests.helpers import Settings

HOUR = 3600


# Backups


def an_hour_ago(alias: str) -> datetime | None:
    """Tell of a backup, as a project's own hook does."""
    assert alias == "default"
    return datetime.now(UTC) - timedelta(hours=1)


def never(alias: str) -> datetime | None:
    """Tell that there is no backup."""
    return None


def broken(alias: str) -> datetime | None:
    """Fail, as a storage that is far away."""
    raise ConnectionError("the bucket doesn't answer")


@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        ("an_hour_ago", Answered("ok", 1)),
        ("never", Answered("critical", 1, (("default", "critical", "no backup"),))),
        (
            "broken",
            Answered("skipped", reason="the last backup can't be told: ConnectionError: the bucket doesn't answer"),
        ),
    ],
)
def test_a_hook_tells_of_backups(patient: Patient, hook: str, expected: Answered) -> None:
    assert said(patient.ask(BackupAge(hook=f"tests.health.test_external.{hook}"))) == expected


def test_a_hook_that_is_not_there(patient: Patient) -> None:
    result = patient.ask(BackupAge(hook="shop.backups.last"))
    assert said(result) == Answered(
        "skipped", reason="the hook 'shop.backups.last' can't be imported: No module named 'shop'"
    )


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (26 * HOUR - 1, None),
        (26 * HOUR, ("warning", "the last backup was taken 26.0 h ago")),
        (50 * HOUR, ("critical", "the last backup was taken 2 days ago")),
    ],
)
def test_age_of_the_backup(seconds: float, expected: tuple[str, str] | None) -> None:
    found = BackupAge().judge("default", seconds)
    assert (found and (str(found.severity), found.observed)) == expected


@pytest.fixture
def backups(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install django-dbbackup, and return the folder of its backups."""
    pytest.importorskip("dbbackup", reason="django-dbbackup is not installed: pip install 'sqlmigrations[backup]'")
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "dbbackup"]
    monkeypatch.setattr("dbbackup.settings.STORAGE_OPTIONS", {"location": str(tmp_path)})
    return tmp_path


def test_the_newest_backup_of_django_dbbackup_counts(patient: Patient, backups: Path) -> None:
    assert said(patient.ask(BackupAge())) == Answered("critical", 1, (("default", "critical", "no backup"),))
    now = datetime.now()
    for name, hours in (("default-host", 30), ("default-host", 90), ("default_2-host", 1), ("my_default-host", 1)):
        taken = (now - timedelta(hours=hours)).strftime("%Y-%m-%d-%H%M%S")
        (backups / f"{name}-{taken}.psql.bin").touch()
    old = ("default", "warning", "the last backup was taken 30.0 h ago")
    result = patient.ask(BackupAge())
    assert said(result) == Answered("warning", 1, (old,))
    assert fixes(result) == [("shell", "manage.py dbbackup --database default")]
    (backups / f"default-host-{now:%Y-%m-%d-%H%M%S}.psql.bin").touch()
    assert said(patient.ask(BackupAge())) == Answered("ok", 1)


# PgBouncer


def _pool(**changes: Any) -> dict[str, Any]:
    return {
        "database": "shop", "user": "app", "cl_active": 20, "cl_waiting": 0, "sv_active": 20, "sv_idle": 0,
        "maxwait": 0, "maxwait_us": 0,
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (_pool(), None),
        (_pool(cl_waiting=3, maxwait_us=900_000), None),
        (
            _pool(cl_waiting=3, maxwait=1),
            ("shop/app", "warning", "3 clients waiting, the longest for 1 s; 20 server connections at work, 0 idle"),
        ),
        (
            _pool(cl_waiting=1, sv_active=1, maxwait=10, maxwait_us=5),
            ("shop/app", "critical", "1 client waiting, the longest for 10 s; 1 server connection at work, 0 idle"),
        ),
    ],
)
def test_pools(row: dict[str, Any], expected: tuple[str, str, str] | None) -> None:
    found = PgBouncerPools().judge(row)
    assert (found and (str(found.subject), str(found.severity), found.observed)) == expected


def test_a_console_that_does_not_answer(patient: Patient) -> None:
    result = patient.ask(PgBouncerPools(admin="host=127.0.0.1 port=1 dbname=pgbouncer"))
    assert result.reason.startswith("PgBouncer's console doesn't answer: ")
    assert result.is_blind


# Django's settings


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"CONN_MAX_AGE": 0, "OPTIONS": {}},
            ("info", "each request opens a connection of its own (CONN_MAX_AGE is 0, and there is no pool)"),
        ),
        (
            {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": False, "OPTIONS": {}},
            (
                "warning",
                "connections are kept, but nobody looks whether they still live: a request finds out by failing",
            ),
        ),
        (
            {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False, "OPTIONS": {"pool": {"max_size": 4}}},
            (
                "warning",
                "connections come from a pool, but nobody looks whether they still live: "
                "a request finds out by failing",
            ),
        ),
        ({"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True, "OPTIONS": {}}, None),
        ({"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True, "OPTIONS": {"pool": True}}, None),
    ],
)
def test_connections_of_django(settings: dict[str, Any], expected: tuple[str, str] | None) -> None:
    found = DjangoConnections().judge("default", settings)
    assert (found and (str(found.severity), found.observed)) == expected
