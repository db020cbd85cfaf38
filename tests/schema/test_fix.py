"""A fix brings the database back: every change by hand is made by a script of ours, and undone by another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sqlmigrations.database import Connection
from sqlmigrations.schema.catalog import Catalog, read_catalog
from sqlmigrations.schema.fix import everything as everything_of
from tests.databases import new_database, session
from tests.schema.conftest import EVERYTHING
from tests.schema.mutations import SOME_MUTATIONS, Mutation
from tests.schema.undoing import FOR_GOOD, WRITTEN, differences, fixes, run


@pytest.fixture(scope="module")
def laboratory(everything_name: str) -> Iterator[str]:
    """Name a database for scripts that are committed; it is made by the first who needs it."""
    name = f"{everything_name}_fix"
    with session(dbname="postgres") as server:
        yield name
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


@contextmanager
def connected(name: str) -> Iterator[Connection]:
    """Open the database, made anew where a test before has failed and left it changed."""
    with session(dbname="postgres") as server:
        if not server.execute("SELECT FROM pg_database WHERE datname = %s", [name]).rowcount:
            server.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
            with session(dbname=name) as fresh:
                fresh.execute(EVERYTHING.encode())
        try:
            with session(dbname=name) as connection:
                yield connection
        except BaseException:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
            raise


def after(connection: Connection, mutation: Mutation) -> Catalog:
    """Return the catalog as the change leaves it, without making it."""
    with connection.transaction(force_rollback=True):
        connection.execute(mutation.statement.encode())
        return read_catalog(connection)


@pytest.mark.parametrize("mutation", SOME_MUTATIONS)
def test_each_change_is_made_and_undone(laboratory: str, mutation: Mutation) -> None:
    if mutation.statement in FOR_GOOD:
        pytest.skip(FOR_GOOD[mutation.statement])
    with connected(laboratory) as connection:
        if connection.info.server_version // 10000 < mutation.since:
            pytest.skip(f"PostgreSQL {mutation.since} brought this statement")
        before = read_catalog(connection)
        if mutation.statement.startswith(WRITTEN):
            connection.execute(mutation.statement.encode())
        else:
            changed = after(connection, mutation)
            run(connection, fixes(changed, before))
            assert differences(changed, read_catalog(connection)) == []
        run(connection, fixes(before, read_catalog(connection)))
        assert differences(before, read_catalog(connection)) == []


def test_a_whole_catalog_is_made_anew(everything_name: str, everything_catalog: Catalog) -> None:
    name = f"{everything_name}_anew"
    with new_database(name), session(dbname=name) as connection:
        for statement in everything_of(everything_catalog):
            connection.execute(statement.sql.encode())
        assert differences(everything_catalog, read_catalog(connection)) == []
