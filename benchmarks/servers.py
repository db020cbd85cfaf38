"""The server that is measured: its databases, and what it counts while a tool works.

By itself it is a server of the measurements' own, made for them and removed afterwards: durable as a real one, and
quiet, since autovacuum would come in at its own times. Any other one can be named; what else happens there is counted
with the rest.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, LiteralString
from urllib.parse import quote

import environ
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from benchmarks.processes import cpu_seconds, descendants
from project.env import BASE_DIR
from project.postgres.server import SETTINGS
from project.postgres.server import Server as Embedded

#: Seconds for a tool's backends to be gone after the tool itself.
GONE_AFTER = 10.0

_numbers = count(1)


class Own(Embedded):
    """The embedded server as it is for measurements: durable, at rest, counting statements only when told to."""

    settings: ClassVar[Mapping[str, str]] = {
        **SETTINGS,
        "autovacuum": "off",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "1h",
        "pg_stat_statements.track": "none",
    }


@dataclass(frozen=True)
class Database:
    """Where a database is, and the server's version as PostgreSQL numbers it: 180006 for 18.6."""

    host: str
    port: str
    user: str
    password: str
    name: str
    version: int = 0

    @property
    def socket(self) -> str:
        """The folder of the unix socket, if that's the way there."""
        return self.host if self.host.startswith("/") else ""

    @property
    def authority(self) -> str:
        """The part of an URL that names user and host; where a unix socket is the way, the user alone."""
        user = quote(self.user, safe="") + (f":{quote(self.password, safe='')}" if self.password else "")
        return f"{user}@" + ("" if self.socket else f"{self.host or 'localhost'}:{self.port or 5432}")

    @property
    def environment(self) -> dict[str, str]:
        """Libpq's variables.

        https://www.postgresql.org/docs/current/libpq-envars.html
        """
        return {
            "PGHOST": self.host,
            "PGPORT": self.port,
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": self.name,
        }

    @property
    def url(self) -> str:
        """The address as ``DATABASE_URL`` has it; a unix socket's folder stands before the name."""
        folder = f"/{quote(self.socket)}" if self.socket else ""
        return f"postgres://{self.authority}{folder}/{quote(self.name)}"


@dataclass(frozen=True, slots=True)
class Counters:
    """What the server has counted: None where it doesn't tell.

    ``cpu`` is in seconds, of all its processes; ``connections``, ``commits`` (of transactions that only read as well)
    and ``statements`` are those of one database, ``flushes`` the times that WAL was brought to disk.
    """

    cpu: float | None
    connections: int
    commits: int
    statements: int | None
    flushes: int | None

    def since(self, before: Counters) -> Counters:
        """Return what has been added."""
        pairs = ((getattr(self, each.name), getattr(before, each.name)) for each in fields(self))
        added: list[Any] = [None if now is None or then is None else now - then for now, then in pairs]
        return Counters(*added)


class Server:
    """A server, over one connection to its database ``postgres``."""

    def __init__(self, url: str) -> None:
        config = environ.Env.db_url_config(url)
        self.place = Database(
            str(config["HOST"]), str(config["PORT"] or ""), str(config["USER"]), str(config["PASSWORD"]), "postgres"
        )
        self.connection: psycopg.Connection[Any] = psycopg.connect(self._conninfo("postgres"), autocommit=True)
        self.place = replace(self.place, version=self.connection.info.server_version)
        self._postmaster = self._find_postmaster()
        self._counts_statements = self._prepare_to_count()
        self._staying: list[str] = []

    # Databases

    @contextmanager
    def database(
        self, *, template: str = "template0", counts_statements: bool = False, stays: bool = False
    ) -> Iterator[Database]:
        """Make a database from a template for the block.

        One that ``stays`` is dropped after all measurements only. ext4 gives no file the inode of one that was deleted
        within the last minutes, and looks at each of these for every new one: where thousands of tables were dropped,
        to make others takes the server twice as long.
        """
        name = f"bench_{os.getpid()}_{next(_numbers)}"
        self._do("CREATE DATABASE {} TEMPLATE {}", name, template)
        try:
            if counts_statements and self._counts_statements:
                self._do("ALTER DATABASE {} SET pg_stat_statements.track = 'top'", name)
            yield replace(self.place, name=name)
        finally:
            if stays:
                self._staying.append(name)
                self._do("CHECKPOINT")  # as to drop it would
            else:
                self._drop(name)

    def clear(self) -> None:
        """Drop the databases that stayed."""
        while self._staying:
            self._drop(self._staying.pop())

    def _drop(self, name: str) -> None:
        self._do("DROP DATABASE {} WITH (FORCE)", name)

    def ask(self, database: Database, statement: LiteralString) -> Any:
        """Return the one value that a statement returns in a database."""
        with psycopg.connect(self._conninfo(database.name)) as connection:
            row = connection.execute(statement).fetchone()
            return row[0] if row else None

    def tell(self, database: Database, statement: LiteralString) -> None:
        """Execute a statement in a database."""
        with psycopg.connect(self._conninfo(database.name)) as connection:
            connection.execute(statement)

    def fill(self, database: Database, statement: LiteralString, rows: Sequence[tuple[object, ...]]) -> None:
        """Execute a statement in a database once for each row of parameters."""
        with psycopg.connect(self._conninfo(database.name)) as connection:
            connection.cursor().executemany(statement, rows)

    def wait_until_left(self, database: Database) -> None:
        """Wait until nobody is connected to a database.

        Raises:
            SystemExit: somebody still is after seconds.
        """
        until = time.monotonic() + GONE_AFTER
        while self._value("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", database.name):
            if time.monotonic() > until:
                raise SystemExit(f"Somebody is still connected to {database.name}.")
            time.sleep(0.005)

    def backends(self, database: Database) -> Iterator[int]:
        """Yield the processes that serve the database's connections, found by their titles."""
        title = f" {database.name} ".encode()
        for pid in descendants(self._postmaster) if self._postmaster else ():
            with suppress(OSError):
                if title in Path(f"/proc/{pid}/cmdline").read_bytes():
                    yield pid

    def setting(self, name: str) -> str:
        """Return what a setting of the server is."""
        return str(self._value("SELECT current_setting(%s)", name))

    def _conninfo(self, database: str) -> str:
        where = {"host": self.place.host, "port": self.place.port, "user": self.place.user}
        given = {key: each for key, each in {**where, "password": self.place.password}.items() if each}
        return make_conninfo(dbname=database, **given)

    def _do(self, statement: LiteralString, *names: str) -> None:
        self.connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _value(self, statement: LiteralString, *parameters: object) -> Any:
        row = self.connection.execute(statement, parameters).fetchone()
        return row[0] if row else None

    # What it counts

    def counters(self, database: Database) -> Counters:
        """Return what the server has counted, once nobody is connected to the database any more."""
        self.wait_until_left(database)
        connections, commits = self.connection.execute(
            "SELECT sessions, xact_commit FROM pg_stat_database WHERE datname = %s", [database.name]
        ).fetchall()[0]
        return Counters(self._cpu(), connections, commits, self._statements(database), self._flushes())

    def _cpu(self) -> float | None:
        """Return the processor time of the server's processes, those included that have ended."""
        if self._postmaster is None:
            return None
        while True:
            # A process may end while they are added up; it would be in neither sum, or in both.
            pids = set(descendants(self._postmaster))
            spent = [cpu_seconds(pid, with_ended=pid == self._postmaster) for pid in pids]
            if None not in spent and pids == set(descendants(self._postmaster)):
                return sum(filter(None, spent))

    def _statements(self, database: Database) -> int | None:
        if not self._counts_statements:
            return None
        return int(
            self._value(
                "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements "
                "WHERE dbid = (SELECT oid FROM pg_database WHERE datname = %s)",
                database.name,
            )
        )

    def _flushes(self) -> int | None:
        if self.setting("fsync") == "off":
            return None
        if self.connection.info.server_version >= 180000:
            return int(self._value("SELECT coalesce(sum(fsyncs), 0) FROM pg_stat_io WHERE object = 'wal'"))
        return int(self._value("SELECT wal_sync FROM pg_stat_wal"))

    def _find_postmaster(self) -> int | None:
        """Return the pid of the server's first process, None where it isn't on this machine (or this isn't Linux)."""
        if not (self.place.host.startswith("/") or self.place.host in ("", "localhost", "127.0.0.1", "::1")):
            return None
        try:
            with open(f"/proc/{self.connection.info.backend_pid}/stat") as file:
                return int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            return None

    def _prepare_to_count(self) -> bool:
        try:
            self.connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            return bool(self._value("SELECT count(*) >= 0 FROM pg_stat_statements"))
        except psycopg.Error:
            return False


@contextmanager
def serving(url: str = "") -> Iterator[Server]:
    """Yield the server at ``url``, or one of our own for the block."""
    if url:
        server = connect(url)
        try:
            yield server
        finally:
            server.clear()
        return
    folder = BASE_DIR / "build"
    folder.mkdir(exist_ok=True)
    own = Own(folder / f"benchmarks-{os.getpid()}")
    try:
        own.start()
        yield connect(own.url("postgres"))
    finally:
        own.destroy()


def connect(url: str) -> Server:
    """Return the server at ``url``."""
    return Server(url)
