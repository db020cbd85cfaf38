"""Who writes the history, and when: a connection, the person and machine behind it, the server's clock."""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from psycopg import sql

from sqlmigrations import __version__
from sqlmigrations.conf import settings
from sqlmigrations.database import Connection, Rows, apart, fetch_together
from sqlmigrations.queries import query


@dataclass(frozen=True, slots=True)
class Identity:
    """Who works here: a connection, its role, and the person and machine behind it."""

    role: str
    os_user: str
    host: str
    application_name: str
    backend_pid: int
    backend_start: datetime
    server: str
    revision: str
    tool: str = __version__


@dataclass(frozen=True, slots=True)
class Clock:
    """The server's time, read once and carried on by the client's steady clock."""

    server: datetime
    steady: float

    def now(self) -> datetime:
        """Return the server's present time, to the microsecond."""
        return self.server + timedelta(microseconds=round((time.monotonic() - self.steady) * 1_000_000))


def identify(connection: Connection) -> tuple[Identity, Clock]:
    """Ask the server who this connection is and what time it is there; all in one message."""
    with apart(connection, rolled_back=True):
        return identity_in(fetch_together(connection, *who_is_it()))


def who_is_it() -> tuple[sql.Composable, ...]:
    """Return the statements that ask who a connection is; ``identity_in`` their answers is that.

    They go last in a message that leaves nothing behind. The start of the session is asked for as the role that began
    it: from another, assumed role the server hides it. Its default role may be another one, too: ``ALTER ROLE ... SET
    role``.
    """
    as_itself = map(sql.SQL, ("SET LOCAL SESSION AUTHORIZATION DEFAULT", "SET LOCAL ROLE NONE"))
    return (query("sql/identity.sql"), *as_itself, query("sql/backend_start.sql"))


def identity_in(answers: Sequence[Rows]) -> tuple[Identity, Clock]:
    """Return who a connection is, and the time of its server, which answered just now."""
    [who], *_itself, [(start,)] = answers
    role, address, application, pid, server, now = who
    identity = Identity(
        role=role,
        os_user=_os_user(),
        host=socket.gethostname() + (f" ({address})" if address else ""),
        application_name=application,
        backend_pid=pid,
        backend_start=start.astimezone(UTC),
        server=server,
        revision=revision(),
    )
    return identity, Clock(now.astimezone(UTC), time.monotonic())


def _os_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())


#: Where build systems and platforms put the revision of the code.
_REVISION_VARIABLES = ("GIT_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA", "SOURCE_VERSION", "HEROKU_SLUG_COMMIT")


def revision() -> str:
    """Return the code's revision: the setting's, else the one that the environment names."""
    if settings.REVISION is not None:
        return str(settings.REVISION)
    return next((os.environ[name] for name in _REVISION_VARIABLES if os.environ.get(name)), "")
