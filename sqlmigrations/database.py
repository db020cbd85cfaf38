"""The psycopg connection below a Django one.

The history and the runner work on it directly: Django's own cursors keep every statement's text while ``DEBUG`` is on,
wrap errors, and read JSON as text and times without a zone where ``USE_TZ`` is off.
"""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error as DjangoError
from psycopg import sql
from psycopg.rows import dict_row, tuple_row
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.json import JsonbLoader

from sqlmigrations.exceptions import DatabaseUnavailable

Connection = psycopg.Connection[Any]
Cursor = psycopg.Cursor[Any]
Query = str | bytes | sql.SQL | sql.Composed


def connect(alias: str) -> BaseDatabaseWrapper:
    """Return Django's connection for ``alias``, opened.

    Raises:
        DatabaseUnavailable: the alias is not PostgreSQL, or the server doesn't answer or doesn't let us in.
    """
    wrapper = connections[alias]
    if wrapper.vendor != "postgresql":
        raise DatabaseUnavailable(
            f"Database '{alias}' is {wrapper.display_name}; SQL files are applied to PostgreSQL only.",
            hint="Name another one with --database.",
        )
    try:
        wrapper.ensure_connection()
    except DjangoError as error:
        raise DatabaseUnavailable(
            f"Database '{alias}' can't be reached: {str(error).strip()}",
            hint=f"Look at DATABASES['{alias}'] and whether its server runs.",
        ) from error
    return wrapper


def raw(wrapper: BaseDatabaseWrapper) -> Connection:
    """Return the psycopg connection below ``wrapper``, opened when it isn't yet."""
    wrapper.ensure_connection()
    connection: Connection = wrapper.connection
    return connection


def cursor(connection: Connection) -> Cursor:
    """Return a cursor that reads times and JSON as psycopg does by itself."""
    opened = connection.cursor(row_factory=tuple_row)
    opened.adapters.register_loader("timestamptz", TimestamptzLoader)
    opened.adapters.register_loader("jsonb", JsonbLoader)
    return opened


def fetch_row(connection: Connection, statement: Query, parameters: Any = None) -> tuple[Any, ...]:
    """Return the first row. Raises ``LookupError`` when there is none."""
    row: tuple[Any, ...] | None = cursor(connection).execute(statement, parameters).fetchone()
    if row is None:
        raise LookupError("the statement returned no row")
    return row


def fetch_all(connection: Connection, statement: Query, parameters: Any = None) -> list[tuple[Any, ...]]:
    """Return all rows."""
    return cursor(connection).execute(statement, parameters).fetchall()


def fetch_dicts(connection: Connection, statement: Query, parameters: Any = None) -> list[dict[str, Any]]:
    """Return all rows by column name."""
    opened = cursor(connection)
    opened.row_factory = dict_row
    return opened.execute(statement, parameters).fetchall()
