"""Empty databases to make ill."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.databases import new_database, session
from tests.health.asking import Patient
from tests.health.others import Roles, roles


@pytest.fixture(scope="session")
def empty_database() -> Iterator[str]:
    """Make a database without any table; name it."""
    with new_database(f"sqlm_health_{os.getpid()}") as name:
        yield name


@pytest.fixture
def patient(empty_database: str) -> Iterator[Patient]:
    """Open a transaction in the empty database; nothing of it stays."""
    with session(dbname=empty_database) as connection, connection.transaction(force_rollback=True):
        yield Patient(connection)


@pytest.fixture
def own_patient(fresh_database: str) -> Iterator[Patient]:
    """Open a session in autocommit in a database of its own, for what can't run in a transaction."""
    with session() as connection:
        yield Patient(connection)


@pytest.fixture(scope="module")
def asking() -> Iterator[Roles]:
    """Make roles to ask as."""
    with roles() as made:
        yield made
