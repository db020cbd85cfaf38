"""Measure what ``dbhealth`` costs on many tables: each check, client and server.

Usage: ``python -m benchmarks.health_speed [--tables 5000]``. Each table has ten columns, five indexes beside its
primary key, and a foreign key to the one before. All checks run that don't have to be asked for, right after the
tables were made and again after ANALYZE. Seconds of processor time, which other work on the machine lengthens less
than those by the clock: that of this process, and that of the server's process where it is on the same Linux machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django.db import connection

from benchmarks.inside import new_database
from benchmarks.validate_speed import BATCH, TABLE

if TYPE_CHECKING:
    from sqlmigrations.health.base import Result

FOREIGN_KEY = "ALTER TABLE t{n} ADD COLUMN t{before}_id bigint REFERENCES t{before};"

#: So many of the slowest checks are told.
TOLD = 8


@dataclass(frozen=True)
class Taken:
    """What one look took, in seconds."""

    clock: float
    client: float
    server: float | None
    results: tuple[Result, ...]


def main() -> None:
    """Make the tables, measure, and write a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.health_speed", description=__doc__)
    parser.add_argument("--tables", type=int, default=5_000, help="how many tables (default: %(default)s)")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    with new_database():
        make(options.tables)
        taken = {"right after they were made": look()}
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        taken["after ANALYZE"] = look()
        show(options.tables, taken)


def make(tables: int) -> None:
    """Make the tables."""
    with connection.cursor() as cursor:
        for first in range(0, tables, BATCH):
            numbers = range(first, min(first + BATCH, tables))
            cursor.execute("".join(TABLE.replace("{n}", str(n)) for n in numbers))
            cursor.execute("".join(FOREIGN_KEY.format(n=n, before=n - 1) for n in numbers if n))


def look() -> Taken:
    """Run all checks."""
    # Needs Django to be set up.
    from sqlmigrations.service.health import HealthOptions, check_health

    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    server, client, began = _processor_seconds(pid), time.process_time(), time.perf_counter()
    report = check_health(HealthOptions(trends=True))
    clock, client, after = time.perf_counter() - began, time.process_time() - client, _processor_seconds(pid)
    return Taken(clock, client, None if server is None or after is None else after - server, report.results)


def _processor_seconds(pid: int) -> float | None:
    """Return the processor time that a process has used, as far as Linux tells."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def show(tables: int, taken: dict[str, Taken]) -> None:
    """Write the seconds, and the slowest checks, as tables in Markdown."""
    server = ".".join(map(str, connection.get_database_version()))
    lines = [
        f"{tables} tables of 11 columns with 5 indexes and a foreign key each; PostgreSQL {server}, Python "
        f"{platform.python_version()}, Django {django.__version__}, {os.cpu_count()} cores",
        "",
        "| all checks | by the clock, s | client, s of processor | server, s of processor |",
        "| --- | ---: | ---: | ---: |",
    ]
    for when, each in taken.items():
        of_server = "" if each.server is None else f"{each.server:.2f}"
        lines.append(f"| {when} | {each.clock:.2f} | {each.client:.2f} | {of_server} |")
    for when, each in taken.items():
        slowest = sorted(each.results, key=lambda result: -result.duration_ms)[:TOLD]
        lines += ["", f"| slowest {when} | examined | by the clock, s |", "| --- | ---: | ---: |"]
        lines += [f"| {one.check.id} | {one.examined} | {one.duration_ms / 1000:.2f} |" for one in slowest]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
