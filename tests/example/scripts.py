"""The example's SQL files, and PostgreSQL's own programs to run them: none of the package's runner."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection

from sqlmigrations import programs

FOLDER = Path(__file__).parents[2] / "migrations_sql"

#: What pg_dump writes anew each time: the token that guards a restore, since its minor releases of August 2025.
_CHANGING = re.compile(r"^\\(un)?restrict .*\n", re.MULTILINE)
_TRANSACTION_OFF = re.compile(r"^-- sqlmigrations: transaction off$", re.MULTILINE)


find = cache(programs.find)


def scripts(folder: str = "") -> list[str]:
    """Return the names of the files of a folder in order, without their down and verify scripts."""
    paths = sorted((FOLDER / folder).glob("*.sql"))
    return [str(path.relative_to(FOLDER)) for path in paths if path.suffixes == [".sql"]]


VERSIONED = scripts()
REPEATABLE = scripts("repeatable")
SEEDS = scripts("seed")


def down(name: str) -> str:
    """Return the name of a file's down script."""
    return name.removesuffix(".sql") + ".down.sql"


def verify(name: str) -> str:
    """Return the name of a file's verify script."""
    return name.removesuffix(".sql") + ".verify.sql"


def exists(name: str) -> bool:
    """Return whether the file is there."""
    return (FOLDER / name).exists()


@dataclass(frozen=True)
class Client:
    """PostgreSQL's client programs, pointed at one database."""

    psql: Path
    pg_dump: Path
    environment: dict[str, str]

    @classmethod
    def here(cls) -> Client:
        """Return the programs that fit the server of Django's connection, pointed at its database."""
        connection.ensure_connection()
        info = connection.connection.info
        return cls(
            find("psql", info.server_version),
            find("pg_dump", info.server_version),
            {
                **os.environ,
                "PGHOST": info.host,
                "PGPORT": str(info.port),
                "PGUSER": info.user,
                "PGPASSWORD": info.password,
                "PGDATABASE": info.dbname,
                "PGOPTIONS": "-c client_min_messages=warning",
            },
        )

    def run(self, name: str) -> None:
        """Run one file as a person would: in one transaction, unless it says that it can't."""
        together = [] if _TRANSACTION_OFF.search((FOLDER / name).read_text()) else ["--single-transaction"]
        self._call(self.psql, *self._strict, *together, "--file", str(FOLDER / name))

    def run_all(self, names: Iterable[str]) -> None:
        """Run files one after the other over one connection, each statement in a transaction of its own."""
        self._call(self.psql, *self._strict, *(f"--file={FOLDER / name}" for name in names))

    def schema(self) -> str:
        """Return the schema as ``pg_dump`` writes it."""
        return _CHANGING.sub("", self._call(self.pg_dump, "--schema-only"))

    def data(self) -> str:
        """Return the rows as ``pg_dump`` writes them, in the order in which they lie on disk."""
        return _CHANGING.sub("", self._call(self.pg_dump, "--data-only"))

    _strict = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null")

    def _call(self, program: Path, *arguments: str) -> str:
        done = subprocess.run([program, *arguments], env=self.environment, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), f"{program.name} {arguments[-1]}: {done.stderr}"
        return done.stdout


def query(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Execute one statement over Django's connection and return its rows, if it has any."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return cursor.fetchall() if cursor.description else []
