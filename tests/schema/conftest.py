"""A database with an object of every kind, made once for each process; and one whose models have a history."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from sqlmigrations.database import Connection
from sqlmigrations.schema.catalog import Catalog, read_catalog
from tests.databases import new_database, session
from tests.helpers import Settings, run_sql
from tests.schema.logged_ddl import OBJECTS, install

EVERYTHING = (Path(__file__).parent / "everything.sql").read_text()


@pytest.fixture(scope="session")
def everything_name() -> Iterator[str]:
    """Make the database and yield its name."""
    name = f"sqlm_everything_{os.getpid()}"
    with new_database(name):
        with session(dbname=name) as connection:
            connection.execute(EVERYTHING.encode())
        yield name


@pytest.fixture(scope="session")
def everything_catalog(everything_name: str) -> Catalog:
    """Read the catalog of the database as it was made."""
    with session(dbname=everything_name) as connection:
        return read_catalog(connection)


@pytest.fixture
def everything(everything_name: str) -> Iterator[Connection]:
    """Yield a session inside a transaction that is rolled back after the test."""
    with session(dbname=everything_name) as connection, connection.transaction(force_rollback=True):
        yield connection


@pytest.fixture
def library_settings(settings: Settings) -> None:
    """Install the app whose models have every sort of field and a history of renames."""
    connections.close_all()  # what ``django.contrib.postgres`` would ask before the test has its database
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django.contrib.postgres", "tests.schema.library"]
    settings.DATABASE_ROUTERS = ["tests.schema.library.routers.Router"]


@pytest.fixture
def library(library_settings: None, live: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    """Return a database with that app's tables and those of Django's own apps."""
    call_command("migrate", verbosity=0)
    return live


@pytest.fixture
def log(ready_database: str) -> None:
    """Install the log in a database with objects."""
    run_sql(OBJECTS)
    assert install().code == 0
