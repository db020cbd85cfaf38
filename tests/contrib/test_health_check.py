"""Tests of the checks for django-health-check, as its own runner runs them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from health_check.base import HealthCheck
from pytest_django import Settings

from sqlmigrations.contrib.health_check import DatabaseHealth, Drift, SQLFiles
from tests.helpers import applysql, put, run_sql

pytestmark = pytest.mark.usefixtures("fresh_database")


def answer(check: HealthCheck) -> str:
    """Return what a page of the package says of a check: nothing where all is well."""
    return str(asyncio.run(check.get_result()).error or "")


def test_files(folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int PRIMARY KEY)"})
    assert answer(SQLFiles()) == "Warning: SQL files that are not applied: 1"
    applysql()
    assert answer(SQLFiles()) == ""
    put(folder, {"002.sql": "SELECT nothing"})
    applysql()
    assert answer(SQLFiles()) == "Unavailable: SQL files that failed: 002.sql"


def test_files_that_cant_be_read(folder: Path) -> None:
    put(folder, {"001.sql": "-- sqlmigrations: nonsense\nSELECT 1"})
    assert answer(SQLFiles()) == "Unavailable: The SQL files can't be judged"


def test_drift(folder: Path, settings: Settings) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int PRIMARY KEY)"})
    applysql()
    settings.SQLMIGRATIONS_REQUIRED_TABLES = {"t": ["id"], "missing": []}
    assert answer(Drift()).startswith("Warning: Differences from what the database should be: ")


def test_health() -> None:
    run_sql("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p_id int REFERENCES p)")
    run_sql("ALTER TABLE c DISABLE TRIGGER ALL")
    assert answer(DatabaseHealth()) == "Warning: Critical: fk_enforcement_off"
    run_sql("ALTER TABLE c ENABLE TRIGGER ALL")
    assert answer(DatabaseHealth()) == ""


def test_a_schema_and_a_health_that_cant_be_asked_for(folder: Path, settings: Settings) -> None:
    settings.SQLMIGRATIONS_DRIFT_IGNORE = [{"nonsense": 1}]
    settings.SQLMIGRATIONS_HEALTH = {"thresholds": "none"}
    assert answer(Drift()) == "Unavailable: The database can't be validated"
    assert answer(DatabaseHealth()) == "Unavailable: The database's health can't be asked"
