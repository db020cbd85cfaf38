"""Fixtures of this room: a database with the tables that the rules' examples are about."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg
import pytest
from django.db import connections
from psycopg import sql

from tests.lint.helpers import SCHEMA

Connection = psycopg.Connection
#: Make a copy of that database for the time of a block.
Copy = Callable[[], AbstractContextManager[Connection]]


def connect(name: str) -> Connection:
    """Open a session with a database of the test server, in autocommit."""
    given = connections["default"].settings_dict
    return psycopg.connect(
        host=given["HOST"] or None,
        port=given["PORT"] or None,
        user=given["USER"] or None,
        password=given["PASSWORD"] or None,
        dbname=name,
        autocommit=True,
    )


@contextmanager
def database(name: str, template: str) -> Iterator[str]:
    """Make a database for the time of a block."""
    with connect("postgres") as server:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        server.execute(drop)
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield name
        finally:
            server.execute(drop)


@pytest.fixture(scope="session")
def examples() -> Iterator[str]:
    """Make the database of the examples once; yield its name."""
    with database(f"sqlm_lint_{os.getpid()}", "template0") as name:
        with connect("postgres") as server:  # what the tests do there must not look like traffic
            server.execute(sql.SQL("ALTER DATABASE {} SET track_counts = off").format(sql.Identifier(name)))
        with connect(name) as connection:
            connection.execute(SCHEMA.encode())
        yield name


@pytest.fixture
def copy(examples: str) -> Copy:
    """Return what makes a copy of that database."""

    @contextmanager
    def make() -> Iterator[Connection]:
        with database(f"{examples}_copy", examples) as name, connect(name) as connection:
            yield connection

    return make


@pytest.fixture
def live(examples: str) -> Iterator[Connection]:
    """Open a session with the examples' database; nothing may be changed there."""
    with connect(examples) as connection:
        connection.execute("SET timezone = 'Europe/Paris'")
        yield connection
