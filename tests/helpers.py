"""What many tests need: files put into a folder, the command run and its whole answer, the database looked at."""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from unittest import mock

from django.core.management import get_commands, load_command_class
from django.core.management.base import OutputWrapper
from django.db import connections
from psycopg import sql

from project.env import BASE_DIR
from project.postgres import database_url
from sqlmigrations.programs import find
from tests.databases import session

#: Seconds after which a test stops waiting for what it needs; nothing is measured by it.
PATIENCE = 60.0


class Settings(Protocol):
    """What pytest-django's fixture ``settings`` does; its class has different names in different versions."""

    def __getattr__(self, name: str) -> Any: ...

    def __setattr__(self, name: str, value: Any) -> None: ...

    def __delattr__(self, name: str) -> None: ...


# Files


def put(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files below ``folder``, their folders included."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


# The command


@dataclass(frozen=True)
class Ran:
    """What a command answered: what it wrote, and its exit code."""

    out: str
    err: str
    code: int


def manage(name: str, *arguments: str) -> Ran:
    """Run ``manage.py NAME ARGUMENTS`` in this process, as from a command line; return its words with placeholders."""
    ran = manage_word_for_word(name, *arguments)
    return Ran(plain(ran.out), plain(ran.err), ran.code)


def manage_word_for_word(name: str, *arguments: str) -> Ran:
    """Do the same, and return its words as they are."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    command = load_command_class(get_commands()[name], name)
    command.stdout, command.stderr = OutputWrapper(out), OutputWrapper(err)
    argv = ["manage.py", name, *arguments, "--no-color"]
    with mock.patch.object(sys, "argv", argv):
        try:
            command.run_from_argv(argv)
        except SystemExit as end:
            code = int(end.code or 0)
    return Ran(out.getvalue(), err.getvalue(), code)


def applysql(*arguments: str) -> Ran:
    """Run ``manage.py applysql`` in this process; return its words with placeholders."""
    return manage("applysql", *arguments)


_PLACEHOLDERS = (
    (re.compile(r"\b[0-9a-f]{64}\b"), "<hash>"),
    (re.compile(r"\b\d+\.\d{3}s"), "<time>"),
    (re.compile(r'("(?:duration_ms|lock_wait_ms)": )[0-9.e-]+'), r"\1<ms>"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d [A-Z]+)?"), "<when>"),
    (re.compile(r"\bpid \d+"), "pid <pid>"),
    (re.compile(r"pg_terminate_backend\(\d+\)"), "pg_terminate_backend(<pid>)"),
)


def plain(text: str) -> str:
    """Put placeholders where an answer differs from run to run: hashes, durations, times, process ids."""
    for pattern, placeholder in _PLACEHOLDERS:
        text = pattern.sub(placeholder, text)
    return text


# The command as a process


@dataclass
class Process:
    """A running ``applysql`` with its own Python."""

    popen: subprocess.Popen[str]

    def end(self) -> Ran:
        """Wait for its end and return its whole answer."""
        out, err = self.popen.communicate(timeout=PATIENCE)
        return Ran(plain(out or ""), plain(err), self.popen.returncode)

    def line(self) -> str:
        """Wait for the next line that it writes, and return it."""
        assert self.popen.stdout is not None
        return plain(self.popen.stdout.readline())

    def kill(self) -> None:
        """End it as ``kill -9`` does."""
        self.popen.kill()
        self.popen.communicate(timeout=PATIENCE)

    def signal(self, number: signal.Signals) -> Ran:
        """Send it a signal and return its whole answer."""
        self.popen.send_signal(number)
        return self.end()


def hear_interrupts() -> None:
    """Let a process hear Ctrl-C, also where the tests run in a shell's background, which is deaf to it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextlib.contextmanager
def started(folder: Path, *arguments: str, through: Sequence[str] = (), **environment: str) -> Iterator[Process]:
    """Run ``applysql`` on ``folder`` and the database of the alias ``default`` in a process of its own.

    ``through`` is a command that runs the one which its arguments are.
    """
    variables = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.process_settings",
        "DATABASE_URL": database_url(database_name()),
        "SQL_FOLDER": str(folder),
        **environment,
    }
    process = subprocess.Popen(
        [*through, sys.executable, "-m", "django", "applysql", "--no-color", *arguments],
        env=variables,
        cwd=BASE_DIR,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=hear_interrupts,
    )
    try:
        yield Process(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE)


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until ``condition()`` is true; ask less and less often, since most ask over a connection of their own."""
    deadline, pause = time.monotonic() + PATIENCE, 0.02
    while not condition():
        assert time.monotonic() < deadline, "what the test waits for never came"
        time.sleep(pause)
        pause = min(1.3 * pause, 0.1)


# The database


def database_name(alias: str = "default") -> str:
    """Return the name of the alias's database."""
    return str(connections[alias].settings_dict["NAME"])


def wait_until_sessions(count: int, alias: str = "default") -> None:
    """Wait until the alias's database has so many sessions: one that was closed is there for a moment longer."""
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
    with session(alias, dbname="postgres") as elsewhere:
        wait_until(lambda: elsewhere.execute(sessions, [database_name(alias)]).fetchall() == [(count,)])


def rows(statement: str, *parameters: Any, alias: str = "default") -> list[tuple[Any, ...]]:
    """Ask the alias's database and return all rows."""
    with session(alias) as connection:
        return connection.execute(statement.encode(), parameters or None).fetchall()


def value(statement: str, *parameters: Any, alias: str = "default") -> Any:
    """Ask the alias's database for one value."""
    ((found,),) = rows(statement, *parameters, alias=alias)
    return found


def run_sql(statements: str, alias: str = "default") -> None:
    """Execute statements in the alias's database."""
    with session(alias) as connection:
        connection.execute(statements.encode())


def tables(schema: str = "public") -> list[str]:
    """Return the names of the tables in a schema, those of our own and of Django aside."""
    found = rows("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", schema)
    return [name for (name,) in found if not name.startswith(("sqlmigrations_", "django_"))]


def catalog(alias: str = "default") -> list[tuple[Any, ...]]:
    """Return all objects of the database with what tells a changed one from an unchanged one."""
    return rows(
        """
        SELECT 'relation', oid, relname::text, xmin::text, relkind::text FROM pg_class WHERE oid >= 16384
        UNION ALL SELECT 'column', attrelid, attname::text, xmin::text, atttypid::text
          FROM pg_attribute WHERE attrelid >= 16384
        UNION ALL SELECT 'function', oid, proname::text, xmin::text, prosrc FROM pg_proc WHERE oid >= 16384
        UNION ALL SELECT 'type', oid, typname::text, xmin::text, typtype::text FROM pg_type WHERE oid >= 16384
        UNION ALL SELECT 'schema', oid, nspname::text, xmin::text, '' FROM pg_namespace
        ORDER BY 1, 2, 3
        """,
        alias=alias,
    )


def states() -> dict[str, str]:
    """Return the state of each record by file."""
    return dict(rows("SELECT filename, state FROM sqlmigrations_migrationrecord ORDER BY filename"))


def events() -> list[tuple[str, str]]:
    """Return what happened, in order: the type and the file of each event."""
    return [
        (str(type), str(name))
        for type, name in rows("SELECT type, filename FROM sqlmigrations_migrationevent ORDER BY id")
    ]


def client(program: str, *arguments: str | Path, server_alias: str = "default") -> str:
    """Run ``psql`` or another program of PostgreSQL on the alias's database and return what it writes."""
    given = connections[server_alias].settings_dict
    with session(server_alias) as connection:
        found = find(program, connection.info.server_version)
    environment = {
        "PGDATABASE": given["NAME"],
        "PGHOST": given["HOST"],
        "PGPORT": str(given["PORT"]),
        "PGUSER": given["USER"],
        "PGPASSWORD": given["PASSWORD"],
    }
    variables = {**os.environ, **{name: text for name, text in environment.items() if text}}
    answer = subprocess.run(
        [found, *arguments], env=variables, capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    return answer.stdout


def dump(server_alias: str = "default", *options: str) -> str:
    """Return what ``pg_dump`` writes of the alias's database."""
    return client("pg_dump", *options, server_alias=server_alias)


@contextlib.contextmanager
def role(*options: str) -> Iterator[str]:
    """Make a role of the whole server for the time of the block; ``options`` as in CREATE ROLE."""
    name = f"sqlm_role_{os.getpid()}_{time.monotonic_ns()}"
    with session() as connection:
        statement = f"CREATE ROLE {name} {' '.join(options)}"
        connection.execute(statement.encode())
        try:
            yield name
        finally:
            connection.execute(sql.SQL("DROP OWNED BY {0} CASCADE").format(sql.Identifier(name)))
            connection.execute(sql.SQL("DROP ROLE {0}").format(sql.Identifier(name)))
