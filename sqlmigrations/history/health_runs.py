"""Reads and writes what was measured of a database: its health runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from sqlmigrations import __version__
from sqlmigrations.database import Connection, fetch_all, fetch_row
from sqlmigrations.history.tables import Tables


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A kept look at a database. ``measured`` are its numbers, as JSON."""

    at: datetime
    place: str
    started_at: datetime
    counting_since: datetime | None
    measured: Mapping[str, Any]


def has_health_runs(connection: Connection, tables: Tables | None) -> bool:
    """Say whether the table of health runs is there, and may be read."""
    return tables is not None and is_readable(connection, tables.health_run)


def is_readable(connection: Connection, table: sql.Identifier) -> bool:
    """Say whether a table of the history is there, and the role may read it."""
    name = table.as_string(connection)
    statement = "SELECT coalesce(has_table_privilege(to_regclass(%s), 'SELECT'), false)"
    return bool(fetch_row(connection, statement, [name])[0])


def read_oldest_run(connection: Connection, tables: Tables, *, place: str, since: datetime) -> KeptRun | None:
    """Return the oldest run of a place that is not older than ``since``, if there is any."""
    statement = sql.SQL(
        "SELECT at, place, started_at, counting_since, measured FROM {}"
        " WHERE place = %s AND at >= %s ORDER BY at, id LIMIT 1"
    ).format(tables.health_run)
    for row in fetch_all(connection, statement, [place, since]):
        return KeptRun(*row)
    return None


def count_health_runs(connection: Connection, tables: Tables, *, place: str) -> int:
    """Return how many runs of a place are kept."""
    statement = sql.SQL("SELECT count(*) FROM {} WHERE place = %s").format(tables.health_run)
    return int(fetch_row(connection, statement, [place])[0])


def add_health_run(
    connection: Connection, tables: Tables, run: KeptRun, *, reason: str, summary: Mapping[str, int]
) -> None:
    """Add a run."""
    statement = sql.SQL(
        "INSERT INTO {} (at, reason, tool, place, started_at, counting_since, summary, measured)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
    ).format(tables.health_run)
    values = [run.at, reason, __version__, run.place, run.started_at, run.counting_since]
    connection.execute(statement, [*values, Jsonb(dict(summary)), Jsonb(dict(run.measured))])


def prune_health_runs(connection: Connection, tables: Tables, *, days: int) -> int:
    """Remove the runs that are older than so many days; return how many these were."""
    statement = sql.SQL("DELETE FROM {} WHERE at < clock_timestamp() - make_interval(days => %s)").format(
        tables.health_run
    )
    return connection.execute(statement, [days]).rowcount


def read_file_times(connection: Connection, tables: Tables) -> list[tuple[Any, ...]]:
    """Return a row for each file that was applied, the slowest at last first.

    It holds the file, how often it was applied, how long the last time took and when it was, the median of the times
    before, and line and duration of the last time's slowest statement; all durations in milliseconds. There is none
    where the events may not be read.
    """
    if not is_readable(connection, tables.event):
        return []
    statement = sql.SQL(
        """
        WITH timed AS (
            SELECT
                filename, at, duration_ms, timings,
                row_number() OVER (PARTITION BY filename ORDER BY id DESC) AS place
            FROM {}
            WHERE type = 'applied' AND duration_ms IS NOT NULL
        ),
        file AS (
            SELECT
                filename,
                count(*) AS times,
                percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_ms) FILTER (WHERE place > 1) AS median_ms
            FROM timed
            GROUP BY filename
        )
        SELECT
            file.filename, file.times, last.duration_ms, last.at, file.median_ms,
            (slowest.value ->> 'line')::int, (slowest.value ->> 'duration_ms')::float8
        FROM file
        JOIN timed AS last ON last.filename = file.filename AND last.place = 1
        LEFT JOIN LATERAL (
            SELECT each.value
            FROM jsonb_array_elements(last.timings) AS each (value)
            ORDER BY (each.value ->> 'duration_ms')::float8 DESC
            LIMIT 1
        ) AS slowest ON true
        ORDER BY last.duration_ms DESC, file.filename
        """
    ).format(tables.event)
    return fetch_all(connection, statement)
