"""Measure what a run costs, beside psql: ``make bench``, or ``python -m benchmarks [--files N] [--repeat N]``."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.db import connection
from django.test.utils import override_settings

from sqlmigrations.programs import find

#: One file: three statements, as a small migration has.
FILE = """\
CREATE TABLE bench_{n} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, made timestamptz);
CREATE INDEX bench_{n}_name_idx ON bench_{n} (name);
COMMENT ON TABLE bench_{n} IS 'made by file {n}';
"""

#: The database of the measurements.
DATABASE = f"bench_{os.getpid()}"


def main() -> None:
    """Make the files, measure, and write a table of medians in milliseconds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--files", type=int, default=300, help="how many files (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="how often; the median counts (default: %(default)s)")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()

    with tempfile.TemporaryDirectory() as folder:
        for n in range(options.files):
            Path(folder, f"{n:04}_bench.sql").write_text(FILE.format(n=n))
        with override_settings(SQLMIGRATIONS_DIRS=[folder], SQLMIGRATIONS_APP_DIRS=False, DEBUG=False):
            rounds = [measure(sorted(Path(folder).iterdir())) for _ in range(options.repeat)]
    show(options.files, rounds)


def measure(files: list[Path]) -> dict[str, float]:
    """Return the milliseconds that each way to run the files takes."""
    # Needs Django to be set up.
    from sqlmigrations.service.apply import ApplyOptions, apply, plan_run

    taken: dict[str, float] = {}
    with new_database():
        psql = psql_command()
        taken["psql, a process for each file"] = clock(
            lambda: [run([*psql, "--single-transaction", "--file", file]) for file in files]
        )
    with new_database():
        options = [part for file in files for part in ("--file", file)]
        taken["psql, one process for all files"] = clock(lambda: run([*psql, *options]))
    with new_database():
        taken["applysql --plan"] = clock(lambda: plan_run(ApplyOptions()))
        taken["applysql"] = clock(lambda: apply(ApplyOptions()))
        taken["applysql, nothing to do"] = clock(lambda: apply(ApplyOptions()))
        taken["applysql --check"] = clock(lambda: plan_run(ApplyOptions()))
    return taken


def clock(work: Callable[[], object]) -> float:
    """Return the milliseconds that ``work`` takes."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


@contextmanager
def new_database() -> Iterator[None]:
    """Point the alias ``default`` at an empty database for the block."""
    kept = connection.settings_dict["NAME"]
    name = connection.ops.quote_name(DATABASE)
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    connection.settings_dict["NAME"] = DATABASE
    connection.ensure_connection()
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = kept
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")


def psql_command() -> list[str | Path]:
    """Return how psql is called on the database of the measurements."""
    where = connection.settings_dict
    command: list[str | Path] = [find("psql", connection.connection.info.server_version)]
    command += ["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", DATABASE]
    for option, key in (("--host", "HOST"), ("--port", "PORT"), ("--username", "USER")):
        if where[key]:
            command += [option, str(where[key])]
    return command


def run(command: list[str | Path]) -> subprocess.CompletedProcess[bytes]:
    """Run a program, with the database's password in its environment."""
    password = connection.settings_dict["PASSWORD"] or ""
    return subprocess.run(command, check=True, env={**os.environ, "PGPASSWORD": password})  # noqa: S603 - psql


def show(files: int, rounds: list[dict[str, float]]) -> None:
    """Write the medians as a table in Markdown."""
    connection.ensure_connection()
    server = ".".join(map(str, connection.get_database_version()))
    lines = [
        f"{files} files of 3 statements, median of {len(rounds)}; PostgreSQL {server}, "
        f"Python {platform.python_version()}, Django {django.__version__}, {os.cpu_count()} cores",
        "",
        "| way | ms | ms a file |",
        "| --- | ---: | ---: |",
    ]
    for name in rounds[0]:
        median = statistics.median(taken[name] for taken in rounds)
        lines.append(f"| {name} | {median:.0f} | {median / files:.2f} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
