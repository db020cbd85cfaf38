"""Fixtures that more than one room's tests use."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import hypothesis
import pytest
from django.apps import apps
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from pytest_django import DjangoDbBlocker, Settings

from sqlmigrations.history.tables import ensure_tables
from tests.databases import leading_to, new_database
from tests.helpers import put

# How long an example takes depends on what else the machine does: no test fails by that.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")

_numbers = itertools.count(1)


@pytest.fixture
def fresh_database(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Point the alias ``default`` at a new, empty database for this test; yield the database's name."""
    name = f"sqlm_{os.getpid()}_{next(_numbers)}"
    with django_db_blocker.unblock(), new_database(name), leading_to(name):
        yield name


@pytest.fixture(scope="session")
def _history_template(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Make a database that has the tables of the history, to be copied: a copy takes less than migrations do."""
    with django_db_blocker.unblock(), new_database(f"sqlm_history_{os.getpid()}") as name:
        with leading_to(name):
            connections["default"].ensure_connection()
            ensure_tables(connections["default"])
        yield name


@pytest.fixture
def ready_database(_history_template: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Point the alias ``default`` at a new database for this test that has the tables of the history, all empty."""
    name = f"sqlm_{os.getpid()}_{next(_numbers)}"
    with django_db_blocker.unblock(), new_database(name, template=_history_template), leading_to(name):
        yield name


@pytest.fixture
def install(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Return a function that writes the files of an app and installs it for this test; it returns the app's folder."""
    labels: list[str] = []

    def install(label: str, files: Mapping[str, str]) -> Path:
        put(tmp_path / label, {"__init__.py": "", "migrations/__init__.py": "", **files})
        monkeypatch.syspath_prepend(tmp_path)
        settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, label]
        labels.append(label)
        return tmp_path / label

    yield install
    for label in labels:
        for name in [name for name in sys.modules if name.split(".")[0] == label]:
            del sys.modules[name]
        apps.all_models.pop(label)


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    """Make an empty migrations folder and name it in the settings."""
    path = tmp_path / "migrations_sql"
    path.mkdir()
    settings.SQLMIGRATIONS_DIRS = [path]
    return path


@pytest.fixture
def live(fresh_database: str) -> BaseDatabaseWrapper:
    """Return the open connection of the alias ``default``, pointed at an empty database."""
    wrapper = connections["default"]
    wrapper.ensure_connection()
    return wrapper
