"""Measure what ``dbhealth`` costs on many tables: ``python -m benchmarks.health_speed [--tables N]``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection

from benchmarks.inside import new_database, set_up_django
from benchmarks.measurement import OnServer, main, parameter
from benchmarks.processes import cpu_seconds
from benchmarks.results import Section, Table
from benchmarks.servers import Server
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


@dataclass(frozen=True, kw_only=True)
class HealthSpeed(OnServer):
    """Run the health checks on many tables."""

    title = "The health of many tables"
    about = (
        "Each table has eleven columns, five indexes beside its primary key, and a foreign key to the one before. All "
        "checks run that don't have to be asked for: right after the tables were made, when the planner knows nothing "
        "of the grown catalogs yet, and after `ANALYZE`."
    )

    tables: int = parameter(5_000, "how many tables", quick=500)

    def measure(self, server: Server) -> Section:
        """Make the tables, and run all checks twice."""
        set_up_django(server)
        with new_database():
            make(self.tables)
            taken = {"right after they were made": look()}
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
            taken["after ANALYZE"] = look()
        looks = tuple((when, each.clock, each.client, each.server) for when, each in taken.items())
        columns = ("all checks", "wall, s", "client CPU, s", "server CPU, s")
        return self.section(
            tables=(Table(columns, looks), *(slowest(when, each.results) for when, each in taken.items()))
        )


def slowest(when: str, results: tuple[Result, ...]) -> Table:
    """Return a table of the checks that took longest."""
    last = sorted(results, key=lambda result: -result.duration_ms)[:TOLD]
    rows = tuple((one.check.id, one.examined, one.duration_ms / 1000) for one in last)
    return Table((f"slowest {when}", "examined", "wall, s"), rows)


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
    server, client, began = cpu_seconds(pid), time.process_time(), time.perf_counter()
    report = check_health(HealthOptions(trends=True))
    clock, client, after = time.perf_counter() - began, time.process_time() - client, cpu_seconds(pid)
    return Taken(clock, client, None if server is None or after is None else after - server, report.results)


if __name__ == "__main__":
    main(HealthSpeed)
