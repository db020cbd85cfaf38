"""Tries something in a live database and rolls it back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from sqlmigrations.database import Connection


@contextmanager
def trial(connection: Connection, schemas: Iterable[str], path: Iterable[str] = ()) -> Iterator[None]:
    """Make ``schemas`` for the block and roll back all that it does; names are looked up in ``path`` alone.

    It rides in an open transaction as a savepoint, and waits for no lock longer than two seconds. Where the role may
    say so, event triggers don't run; elsewhere what they write is rolled back too.
    """
    with connection.transaction(force_rollback=True):
        names = sql.SQL(", ").join(map(sql.Identifier, dict.fromkeys(path))).as_string(None)
        connection.execute(
            "SELECT set_config('search_path', %s, true), set_config('lock_timeout', '2s', true)", [names]
        )
        try:
            with connection.transaction():
                connection.execute("SET LOCAL session_replication_role = replica")
        except psycopg.errors.InsufficientPrivilege:
            pass
        for schema in schemas:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        yield
