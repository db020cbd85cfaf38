"""Fixtures that more than one room's tests use."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker, Settings

_numbers = itertools.count(1)


@pytest.fixture
def fresh_database(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Point the alias ``default`` at a new, empty database for this test; yield the database's name."""
    wrapper = connections["default"]
    name = f"sqlm_{os.getpid()}_{next(_numbers)}"
    kept = wrapper.settings_dict["NAME"]
    with django_db_blocker.unblock():
        wrapper.close()
        with wrapper._nodb_cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        wrapper.settings_dict["NAME"] = name
        try:
            yield name
        finally:
            wrapper.close()
            wrapper.settings_dict["NAME"] = kept
            with wrapper._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    """Make an empty migrations folder and name it in the settings."""
    path = tmp_path / "migrations_sql"
    path.mkdir()
    settings.SQLMIGRATIONS_DIRS = [path]
    return path
