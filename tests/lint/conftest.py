"""Fixtures of this room: a database with the tables that the rules' examples are about."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg
import pytest
from psycopg import sql

from tests.databases import new_database, session
from tests.lint.helpers import SCHEMA

Connection = psycopg.Connection
#: Make a copy of that database for the time of a block.
Copy = Callable[[], AbstractContextManager[Connection]]


@pytest.fixture(scope="session")
def examples() -> Iterator[str]:
    """Make the database of the examples once; yield its name."""
    with new_database(f"sqlm_lint_{os.getpid()}") as name:
        with session(dbname="postgres") as server:  # what the tests do there must not look like traffic
            server.execute(sql.SQL("ALTER DATABASE {} SET track_counts = off").format(sql.Identifier(name)))
        with session(dbname=name) as connection:
            connection.execute(SCHEMA.encode())
        yield name


@pytest.fixture
def copy(examples: str) -> Copy:
    """Return what makes a copy of that database."""

    @contextmanager
    def make() -> Iterator[Connection]:
        with new_database(f"{examples}_copy", template=examples) as name, session(dbname=name) as connection:
            yield connection

    return make


@pytest.fixture
def live(examples: str) -> Iterator[Connection]:
    """Open a session with the examples' database; nothing may be changed there."""
    with session(dbname=examples) as connection:
        connection.execute("SET timezone = 'Europe/Paris'")
        yield connection
