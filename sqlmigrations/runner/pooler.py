"""Tells whether a connection goes through a pooler that gives it another backend in each transaction.

A session's advisory locks and settings can't be relied upon there: what was taken in one transaction is another
client's in the next. https://www.pgbouncer.org/features.html
"""

from __future__ import annotations

import psycopg

from sqlmigrations.database import Connection, fetch_row
from sqlmigrations.exceptions import DatabaseUnavailable

#: How often the two connections are compared; a pooler may hand out its backends in turn.
LOOKS = 3


def has_pooler(connection: Connection, pid: int) -> bool:
    """Tell whether something stands between us and the server: the backend, ``pid``, isn't the one that was announced.

    A pooler answers a new connection by itself, with a key of its own making for cancelling it.
    """
    return pid != connection.info.backend_pid


def is_transaction_pooled(connection: Connection, other: Connection) -> bool:
    """Tell whether the pooler in between lends ``connection`` a backend for each transaction only.

    ``other`` is a second connection to the same database; neither may be inside a transaction. If the other one is
    ever given the backend that the first one had, or the first one's changes, nobody keeps a backend.

    Raises:
        DatabaseUnavailable: the pooler lends a backend for single statements only.
    """
    mine = backend_pid(connection)
    try:
        for _look in range(LOOKS):
            with other.transaction():
                if backend_pid(other) == mine or backend_pid(connection) != mine:
                    return True
    except psycopg.Error as error:
        raise DatabaseUnavailable(
            f"The pooler in between refuses transactions: {str(error).strip()}",
            hint="Name an alias that connects to the server directly, or in pool_mode session or transaction.",
        ) from error
    return False


def backend_pid(connection: Connection) -> int:
    """Return the pid of the backend that answers at this moment."""
    (pid,) = fetch_row(connection, "SELECT pg_backend_pid()")
    return int(pid)
