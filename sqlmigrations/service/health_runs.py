"""Keeps what is measured of a database, and compares it with what was kept before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from sqlmigrations.conf import settings
from sqlmigrations.database import Connection, fetch_row
from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.health.examine import asking
from sqlmigrations.health.measures import FURTHEST, Measures, Past
from sqlmigrations.health.measuring import measure, place_of
from sqlmigrations.health.trends import FileTime, Trends, compare
from sqlmigrations.history import Tables
from sqlmigrations.history.health_runs import (
    KeptRun,
    add_health_run,
    count_health_runs,
    has_health_runs,
    prune_health_runs,
    read_file_times,
    read_oldest_run,
)
from sqlmigrations.models import HealthRunReason

#: How many files are told with their times.
FILES = 100


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept of a database: the past, the number of runs, the times of its files."""

    past: Past
    runs: int = 0
    files: Sequence[FileTime] = ()


def read_kept(connection: Connection, tables: Tables | None, database: str) -> Kept:
    """Return what was kept of this database, where there is anything."""
    files = tuple(FileTime(*row) for row in read_file_times(connection, tables)[:FILES]) if tables else ()
    if tables is None or not has_health_runs(connection, tables):
        return Kept(Past(), files=files)
    with asking(connection, database=database) as probe:
        here = place_of(probe)
    furthest = here["at"] - FURTHEST
    baseline = read_oldest_run(connection, tables, place=here["place"], since=furthest)
    if baseline is None:
        return Kept(Past(here["at"]), files=files)
    counted: KeptRun | None = None
    if here["since"] is not None:
        since = max(here["since"], furthest)
        is_same = baseline.at >= since
        counted = baseline if is_same else read_oldest_run(connection, tables, place=here["place"], since=since)
    past = Past(here["at"], _measures(baseline), _measures(counted) if counted is not None else None)
    return Kept(past, count_health_runs(connection, tables, place=here["place"]), files)


def _measures(run: KeptRun) -> Measures:
    return Measures.from_json(
        run.measured, at=run.at, place=run.place, started_at=run.started_at, counting_since=run.counting_since
    )


def look_closely(connection: Connection, database: str) -> Measures:
    """Return the numbers of this moment. Raises ``psycopg.Error`` where they can't be read."""
    with asking(connection, database=database) as probe:
        return measure(probe)


def tell_trends(kept: Kept, now: Measures | None) -> Trends:
    """Return where the database is going; without numbers of this moment, the times of its files alone."""
    if now is None or kept.past.baseline is None:
        return Trends(runs=kept.runs, files=tuple(kept.files))
    return compare(kept.past.baseline, now, runs=kept.runs, files=kept.files)


def check_can_keep(connection: Connection, tables: Tables | None, option: str) -> Tables:
    """Return the tables in which numbers can be kept.

    Raises:
        ConfigurationError: there is no table for them, or this role may not write there.
    """
    if tables is None or not has_health_runs(connection, tables):
        raise ConfigurationError(
            "The numbers can't be kept: their table is missing, or may not be read.",
            hint=f"Make it: manage.py migrate sqlmigrations{option}",
        )
    return tables


def keep_run(
    connection: Connection, tables: Tables, measures: Measures, *, reason: HealthRunReason, summary: Mapping[str, int]
) -> None:
    """Keep the numbers of this moment, and remove those that are older than the settings want them kept.

    Raises:
        ConfigurationError: they can't be written.
    """
    run = KeptRun(measures.at, measures.place, measures.started_at, measures.counting_since, measures.as_json())
    days: int | None = settings.HEALTH_DAYS
    try:
        with connection.transaction():
            add_health_run(connection, tables, run, reason=str(reason), summary=summary)
            if days is not None:
                prune_health_runs(connection, tables, days=days)
    except psycopg.errors.InsufficientPrivilege as error:
        (role,) = fetch_row(connection, "SELECT current_user")
        grant = sql.SQL("GRANT SELECT, INSERT, DELETE ON {} TO {};").format(tables.health_run, sql.Identifier(role))
        raise ConfigurationError(
            f"The numbers can't be kept: {str(error).strip()}.", hint=f"As its owner: {grant.as_string(connection)}"
        ) from error
    except psycopg.errors.ReadOnlySqlTransaction as error:
        raise ConfigurationError(
            "The numbers can't be kept: this database is read-only, as a standby is.", hint="Ask the primary."
        ) from error
