"""Tells whether a connection goes through a pooler that gives it another backend in each transaction.

A session's advisory locks and settings can't be relied upon there: what was taken in one transaction is another
client's in the next. https://www.pgbouncer.org/features.html
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import NamedTuple

import psycopg

from sqlmigrations.database import Connection, fetch_row
from sqlmigrations.exceptions import DatabaseUnavailable

#: How often the two connections are compared; a pooler may hand out its backends in turn.
LOOKS = 3


class PoolMode(Enum):
    """For how long a pooler lends a connection the same backend, as PgBouncer calls it; or that there is none."""

    NONE = "none"
    SESSION = "session"
    TRANSACTION = "transaction"


def has_pooler(connection: Connection, pid: int) -> bool:
    """Tell whether something stands between us and the server: the backend, ``pid``, isn't the one that was announced.

    A pooler answers a new connection by itself, with a key of its own making for cancelling it.
    """
    return pid != connection.info.backend_pid


def find_mode(connection: Connection, other: Connection) -> PoolMode:
    """Find out for how long the pooler in between lends ``connection`` its backend.

    ``other`` is a second connection to the same database; neither may be inside a transaction, and none is held open
    while another backend is asked for: as many runs as the pooler has backends would wait for each other. Poolers that
    share the work between them, behind one address, may keep it from being seen: each has backends of its own.

    Raises:
        DatabaseUnavailable: the pooler lends a backend for single statements only.
    """
    last = _use(connection)
    try:
        for _look in range(LOOKS):
            with other.transaction():
                is_lent = _is_lent(last, other)
            before, last = last, _use(connection)
            if is_lent or last.pid != before.pid:
                return PoolMode.TRANSACTION
    except psycopg.Error as error:
        raise DatabaseUnavailable(
            f"The pooler in between refuses transactions: {str(error).strip()}",
            hint="Name an alias that connects to the server directly, or in pool_mode session or transaction.",
        ) from error
    return PoolMode.SESSION


class _Use(NamedTuple):
    """Which backend answered, and when its statement began by the server's clock."""

    pid: int
    began: datetime


def _use(connection: Connection) -> _Use:
    return _Use(*fetch_row(connection, "SELECT pg_catalog.pg_backend_pid(), pg_catalog.statement_timestamp()"))


def _is_lent(last: _Use, other: Connection) -> bool:
    """Tell whether the backend of the ``last`` use has been somebody else's since: that of ``other``, or a third one's.

    When its last statement began is not known where the server doesn't keep it (``track_activities``).
    """
    pid, began = fetch_row(
        other,
        "SELECT pg_catalog.pg_backend_pid(), (SELECT query_start FROM pg_catalog.pg_stat_activity WHERE pid = %s)",
        [last.pid],
    )
    return pid == last.pid or began not in (last.began, None)


def backend_pid(connection: Connection) -> int:
    """Return the pid of the backend that answers at this moment."""
    (pid,) = fetch_row(connection, "SELECT pg_backend_pid()")
    return int(pid)
