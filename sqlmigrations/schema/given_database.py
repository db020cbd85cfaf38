"""Uses a database that a person made for it as the scratch database, where the role may make none itself.

Everything in it is dropped, before and after. So it must say in its own comment that it may be emptied: no database
says so by accident, and a copy that is restored elsewhere doesn't take the comment of another database with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import LiteralString

import psycopg
from psycopg import sql

from sqlmigrations.database import Connection, fetch_all, fetch_row
from sqlmigrations.queries import query
from sqlmigrations.schema.catalog import Catalog, Identity, read_catalog
from sqlmigrations.schema.fix import everything

#: What the comment of a database must be that may be emptied.
MARK = "sqlmigrations may empty this database"

PUBLIC = Identity("schema", "public")

_DROP: dict[str, LiteralString] = {
    "EVENT TRIGGER": "DROP EVENT TRIGGER IF EXISTS {} CASCADE",
    "PUBLICATION": "DROP PUBLICATION IF EXISTS {} CASCADE",
    "EXTENSION": "DROP EXTENSION IF EXISTS {} CASCADE",
    "FOREIGN DATA WRAPPER": "DROP FOREIGN DATA WRAPPER IF EXISTS {} CASCADE",
    "SCHEMA": "DROP SCHEMA IF EXISTS {} CASCADE",
}


class NotEmptied(Exception):
    """The database could not be emptied; the message says why."""


def may_be_emptied(connection: Connection) -> bool:
    """Tell whether the comment of the database says that all in it may be dropped."""
    statement = (
        "SELECT pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database"
        " WHERE datname = current_database()"
    )
    return bool(fetch_row(connection, statement)[0] == MARK)


@contextmanager
def emptied(connection: Connection) -> Iterator[None]:
    """Empty the database before the block and after it; nobody else does so meanwhile.

    Raises:
        NotEmptied: it may not be emptied, somebody else uses it, or something can't be dropped.
    """
    if not may_be_emptied(connection):
        raise NotEmptied("its comment doesn't say that it may be emptied")
    if not fetch_row(connection, "SELECT pg_catalog.pg_try_advisory_lock(%s, 0)", [_LOCK])[0]:
        raise NotEmptied("another process is using it")
    try:
        _empty(connection)
        try:
            yield
        finally:
            with suppress(NotEmptied):  # the next use begins with it
                _empty(connection)
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_catalog.pg_advisory_unlock(%s, 0)", [_LOCK])


#: First key of the lock on a database in use; "SQLE" in ASCII.
_LOCK = int.from_bytes(b"SQLE", "big")


def _empty(connection: Connection) -> None:
    """Drop all that the database holds, and make the schema ``public`` anew as it was."""
    try:
        before = read_catalog(connection)
        public = Catalog({identity: each for identity, each in before.objects.items() if identity == PUBLIC})
        with connection.transaction():
            for kind, name in fetch_all(connection, query("schema/sql/scratch/contents.sql")):
                connection.execute(sql.SQL(_DROP[kind]).format(sql.Identifier(name)))
            connection.execute("CREATE SCHEMA public")
            for statement in everything(public):
                connection.execute(statement.sql.encode())
        left = read_catalog(connection).objects.keys() - {PUBLIC, Identity("extension", "plpgsql")}
    except psycopg.Error as error:
        raise NotEmptied(str(error).partition("\n")[0].strip()) from error
    if left:
        raise NotEmptied(f"{min(left)} can't be dropped")
