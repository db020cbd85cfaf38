"""A server with a standby, three roles and a database of the matrix's own: nobody else is there to be examined."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import psycopg

from project.postgres.server import SETTINGS
from tests.faults.databases import ThrowAway, connect
from tests.faults.processes import Place
from tests.health.asking import Patient
from tests.helpers import wait_until

#: Who asks: the owner of the database and of all in it, one who may watch, one without any right.
ROLES = ("app", "monitor", "bare")

#: A state of the world: SQL that ``app`` executes in a transaction, or whatever makes a patient of it.
State = str | Callable[["World"], AbstractContextManager[Patient]]


class Primary(ThrowAway):
    """A server on which all is well, and nothing happens by itself."""

    settings: ClassVar[Mapping[str, str]] = {
        **SETTINGS,
        "archive_mode": "on",
        "autovacuum_naptime": "1h",
        "checkpoint_timeout": "1h",
        "log_lock_waits": "on",
        "log_min_duration_statement": "1s",
        # As in postgresql.conf: what differs there from the command line is taken for a change after a reload.
        "max_connections": "100",
        "max_standby_streaming_delay": "0",
        "pg_stat_statements.max": "100",
        # Tells when a materialized view was refreshed.
        "track_commit_timestamp": "on",
        "track_io_timing": "on",
        "wal_level": "logical",
    }

    def _initialise(self) -> None:
        is_new = not self.data.exists()
        super()._initialise()
        if is_new and self._major() < 18:
            self._call("pg_checksums", "--enable", "--pgdata", self.data)
        if is_new:
            with (self.data / "postgresql.conf").open("a") as configuration:
                configuration.write("fsync = off\n")


class Standby(ThrowAway):
    """A standby of it."""

    settings: ClassVar[Mapping[str, str]] = Primary.settings

    def __init__(self, folder: Path, primary: Primary, binaries: Path) -> None:
        super().__init__(folder, binaries=binaries)
        self.primary = primary

    def _initialise(self) -> None:
        if not self.data.exists():
            where = ("--host", self.primary.socket_folder, "--port", self.primary.settings["port"])
            user = ("--username", self.primary.place.user)
            self._call(
                "pg_basebackup",
                "--pgdata",
                self.data,
                "--checkpoint",
                "fast",
                "--no-sync",
                "--write-recovery-conf",
                *where,
                *user,
            )


MADE = """
CREATE ROLE app LOGIN;
CREATE ROLE monitor LOGIN IN ROLE pg_monitor;
CREATE ROLE bare LOGIN;
CREATE DATABASE shop OWNER app TEMPLATE template0
"""


class World:
    """The server and its standby."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.primary = Primary(folder / "primary", binaries=binaries)
        self.standby = Standby(folder / "standby", self.primary, binaries)
        self._made: set[str] = set()

    @cached_property
    def major(self) -> int:
        """The major version."""
        return self.primary._major()

    @cached_property
    def _asking(self) -> psycopg.Connection[Any]:
        """The session of one who asks the shop; a new one each time would have to learn the catalog each time."""
        return self.session()

    @cached_property
    def _watching(self) -> psycopg.Connection[Any]:
        """The session of one who waits until something is so."""
        return self.session("postgres")

    def start(self) -> None:
        """Start both servers, and make what all states build on."""
        self.primary.start()
        with self.session("postgres") as session:
            for statement in MADE.split(";"):
                session.execute(statement.encode())
        self.start_standby()

    def start_standby(self) -> None:
        """Start the standby, and wait until it reads."""
        self.standby.start()
        self.wait("SELECT FROM pg_stat_replication WHERE state = 'streaming' AND replay_lsn IS NOT NULL")

    def destroy(self) -> None:
        """Remove both servers."""
        for session in (self.__dict__.get("_asking"), self.__dict__.get("_watching")):
            if session is not None:
                session.close()
        self.standby.destroy()
        self.primary.destroy()

    def session(
        self, database: str = "shop", *, on: ThrowAway | None = None, role: str = "", **options: Any
    ) -> psycopg.Connection[Any]:
        """Open a session in autocommit: as the superuser, who leaves no trace in pg_stat_statements, or as ``role``."""
        given = (on or self.primary).place
        place = Place(database, given.host, given.port, role or given.user)
        connection = connect(place, **options)
        if not role:
            connection.execute("SET pg_stat_statements.track = none")
        return connection

    @contextlib.contextmanager
    def patient(self, database: str = "shop", *, on: ThrowAway | None = None, **options: Any) -> Iterator[Patient]:
        """Return the one who asks the shop, or open a session of one who asks elsewhere or otherwise."""
        if (database, on, options) == ("shop", None, {}):
            yield Patient(self._asking)
            return
        with self.session(database, on=on, **options) as connection:
            yield Patient(connection)

    @contextlib.contextmanager
    def built(self, statements: str) -> Iterator[Patient]:
        """Let ``app`` execute statements in a transaction of which nothing stays; ``RESET ROLE`` makes it almighty."""
        with self.patient() as patient, patient.connection.transaction(force_rollback=True):
            if statements:
                patient.run("SET LOCAL ROLE app")
                patient.run(statements)
                patient.run("RESET ROLE")
            yield patient

    @contextlib.contextmanager
    def database(self, name: str) -> Iterator[None]:
        """Make a database of ``app`` for the time of the block."""
        with self.session("postgres") as session:
            session.execute(f"CREATE DATABASE {name} OWNER app TEMPLATE template0".encode())
            try:
                yield
            finally:
                session.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    def make(self, name: str, statement: str = "") -> bool:
        """Make a database of ``app`` that stays, with a statement of the superuser; say whether it is new."""
        if name in self._made:
            return False
        self._made.add(name)
        with self.session("postgres") as session:
            session.execute(f"CREATE DATABASE {name} OWNER app TEMPLATE template0".encode())
        if statement:
            with self.session(name) as session:
                session.execute(statement.encode())
        return True

    @contextlib.contextmanager
    def busy(self, role: str, statement: str, condition: str) -> Iterator[None]:
        """Let ``role`` work on a statement until the end of the block, which begins when ``condition`` is met."""
        with contextlib.closing(self.session(role=role, application_name="busy")) as connection:
            connection.pgconn.send_query(statement.encode())
            self.wait(condition)
            yield
            self._watching.execute("SELECT pg_terminate_backend(%s, 10000)", [connection.info.backend_pid])

    def wait(self, condition: str, database: str = "postgres", *, on: ThrowAway | None = None) -> None:
        """Wait until a query has rows."""
        if (database, on) == ("postgres", None):
            wait_until(lambda: self._watching.execute(condition.encode()).fetchall())
            return
        with self.session(database, on=on) as watcher:
            wait_until(lambda: watcher.execute(condition.encode()).fetchall())

    def made(self, state: State) -> AbstractContextManager[Patient]:
        """Bring about a state."""
        return self.built(state) if isinstance(state, str) else state(self)
