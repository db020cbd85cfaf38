"""Tests of the checks of a deployment: the whole list of messages."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connections
from pytest_django import Settings

from tests.faces.checklists import check_deployment
from tests.helpers import put

pytestmark = pytest.mark.usefixtures("fresh_database")

BACKUP = (
    "W051 settings.INSTALLED_APPS: No backup can be taken before a run: django-dbbackup is not among INSTALLED_APPS. | "
    "pip install 'sqlmigrations[backup]', add 'dbbackup' to INSTALLED_APPS, and run applysql --backup."
)
LOCK = (
    "W052 settings.SQLMIGRATIONS_LOCK_TIMEOUT: A statement that waits for a lock waits for ever, and everybody else "
    'behind it. | Set it to a few seconds: "3s".'
)
SHADOW = (
    "W053 settings.SQLMIGRATIONS_SHADOW_DATABASE: There is no database for scratch work: files can't be rehearsed nor "
    "replayed from nothing. | Name an alias on a server that is not the production one."
)
DOWN = (
    "W054 DATABASES['default']: No down script: 001.sql. | "
    "Write FILE.down.sql beside each file that you want to be able to revert."
)
POOL = (
    "W055 DATABASES['default']: Each request opens a connection of its own and closes it: "
    "neither a pool nor persistent connections. | "
    "Set CONN_MAX_AGE, or 'pool' in OPTIONS; behind PgBouncer silence this."
)
TIMEOUT = (
    "W056 DATABASES['default']: A statement of the role 'postgres' may run for ever. | "
    "ALTER ROLE \"postgres\" SET statement_timeout = '30s'; A file that takes longer says so in a directive."
)


def test_everything_is_missing(folder: Path, settings: Settings) -> None:
    put(folder, {"001.sql": "SELECT 1", "002.sql": "SELECT 1", "002.down.sql": "SELECT 1", "seed/a.sql": "SELECT 1"})
    settings.SQLMIGRATIONS_LOCK_TIMEOUT = "0"
    assert check_deployment("default") == [BACKUP, LOCK, SHADOW, DOWN, POOL, TIMEOUT]


def test_nothing_is_missing(folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, {"001.sql": "SELECT 1", "001.down.sql": "SELECT 1"})
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "dbbackup"]
    settings.SQLMIGRATIONS_SHADOW_DATABASE = "other"
    wrapper = connections["default"]
    monkeypatch.setitem(wrapper.settings_dict, "CONN_MAX_AGE", 60)
    monkeypatch.setitem(wrapper.settings_dict, "OPTIONS", {"options": "-c statement_timeout=30s"})
    wrapper.close()
    assert check_deployment("default") == []
    wrapper.close()


def test_many_files_are_counted(folder: Path) -> None:
    put(folder, {f"00{number}.sql": "SELECT 1" for number in range(1, 9)})
    (message,) = [message for message in check_deployment("default") if message.startswith("W054")]
    assert "No down script: 001.sql, 002.sql, 003.sql, 004.sql, 005.sql and 3 more. |" in message


def test_databases_without_files_are_left_alone(folder: Path) -> None:
    assert check_deployment() == []
    assert check_deployment("other") == []
