"""Brings together, for one look at a database, what is known of it without asking long. Changes nothing.

What costs more than a page may cost (the whole catalog of a large database, the health checks) is left to be asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from sqlmigrations.database import Connection, connected, fetch_row, raw
from sqlmigrations.exceptions import DatabaseUnavailable, SQLMigrationsError
from sqlmigrations.history import GENESIS, ChainReport, Tables, locate, verify_chain
from sqlmigrations.models import EventType, MigrationEvent, MigrationRecord
from sqlmigrations.schema.catalog import read_fingerprint
from sqlmigrations.schema.difference import Difference, Severity
from sqlmigrations.schema.snapshot import Version, latest
from sqlmigrations.service.apply import ApplyOptions, PlanReport, plan_run
from sqlmigrations.service.databases import option
from sqlmigrations.service.lint import LintReport, lint_scripts
from sqlmigrations.service.snapshot import compare_snapshot
from sqlmigrations.service.validate import of_files

#: Events at the end of the chain that are verified and counted: no look reads a whole history.
RECENT_EVENTS = 1_000

#: Days that the count of executions reaches back.
DAYS = 30

#: Migrations whose durations are told, the latest ones, and how many of all are told as the slowest.
LATEST = 40
SLOWEST = 5

#: Objects of a schema that is small enough to be compared at each look, where its catalogs were written to.
FEW_OBJECTS = 2_000


class Schema(StrEnum):
    """What is known of the schema without a long look."""

    UNKNOWN = "unknown"  #: no run has left a version of it
    SAME = "same"  #: it is what the last run left
    DIFFERENT = "different"  #: it was compared, and something is not as the last run left it
    MOVED = "moved"  #: the catalogs were written to since, and nobody has compared them yet


@dataclass(frozen=True, slots=True)
class LastRun:
    """Who ran something last, when, for how long, and what came of it; ``duration_ms`` is from first to last event."""

    run: str
    at: datetime
    duration_ms: float
    role: str
    os_user: str
    host: str
    revision: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Day:
    """How many files were applied on a day, and how many attempts failed."""

    day: date
    applied: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Execution:
    """How long the last attempt at a file took, in milliseconds."""

    id: int
    name: str
    duration_ms: float


@dataclass(frozen=True, slots=True)
class Overview:
    """One database at a look. ``problem`` says why there is no plan, where there is none."""

    database: str
    server: str
    name: str
    role: str
    chain: ChainReport
    plan: PlanReport | None = None
    problem: SQLMigrationsError | None = None
    schema: Schema = Schema.UNKNOWN
    version: Version | None = None
    differences: tuple[Difference, ...] = ()
    last_run: LastRun | None = None
    days: tuple[Day, ...] = ()
    latest: tuple[Execution, ...] = ()
    slowest: tuple[Execution, ...] = ()
    has_history: bool = True
    counts: dict[str, int] = field(default_factory=dict)
    #: What the linter finds in the text of the files that a run would take.
    lint: LintReport = field(default_factory=LintReport)

    @property
    def severities(self) -> dict[Severity, int]:
        """How many differences there are of each severity."""
        found = Counter(difference.severity for difference in self.differences)
        return {severity: found[severity] for severity in Severity}


def look_over(database: str = DEFAULT_DB_ALIAS) -> Overview:
    """Return what is known of a database.

    Raises:
        DatabaseUnavailable: the database can't be asked.
    """
    with connected(database) as wrapper:
        connection = raw(wrapper)
        tables = locate(connection).tables
        plan, problem = _plan(database)
        schema, version, found = _schema(connection, tables)
        steps = plan.plan if plan else None
        # What is pending or failed is told apart; here it is about what was applied once.
        of_plan = [one for one in of_files(steps, option(database)) if one.attribute != "state"] if steps else []
        differences = sorted((*of_plan, *found), key=lambda difference: list(Severity).index(difference.severity))
        server, name, role = fetch_row(
            connection, "SELECT current_setting('server_version'), current_database(), current_user"
        )
        return Overview(
            database,
            server,
            name,
            role,
            verify_chain(connection, tables, last=RECENT_EVENTS) if tables else ChainReport(0, GENESIS),
            plan,
            problem,
            schema,
            version,
            tuple(differences),
            has_history=tables is not None,
            counts=dict(Counter(step.status for step in (*steps, *steps.missing))) if steps else {},
            lint=lint_scripts([step.file for step in steps.runnable], None) if steps else LintReport(),
            **_activity(database) if tables else {},
        )


def _plan(database: str) -> tuple[PlanReport | None, SQLMigrationsError | None]:
    try:
        return plan_run(ApplyOptions(database)), None
    except DatabaseUnavailable:
        raise
    except SQLMigrationsError as error:
        return None, error


def _schema(connection: Connection, tables: Tables | None) -> tuple[Schema, Version | None, tuple[Difference, ...]]:
    """Return what is known of the schema: by its fingerprint, or compared where that is soon done."""
    version = latest(connection, tables)
    if version is None:
        return Schema.UNKNOWN, None, ()
    if version.fingerprint and version.fingerprint == read_fingerprint(connection):
        return Schema.SAME, version, ()
    if sum(version.counts.values()) > FEW_OBJECTS:
        return Schema.MOVED, version, ()
    differences = compare_snapshot(connection, tables).differences
    return (Schema.DIFFERENT if differences else Schema.SAME), version, differences


# What happened

_FAILURES = (EventType.FAILED, EventType.STOPPED, EventType.REVERT_FAILED)


def _activity(database: str) -> dict[str, Any]:
    """Return what the latest events and records tell."""
    events = MigrationEvent.objects.using(database)
    last = events.order_by("-id").only("run", "at", "role", "os_user", "host", "revision").first()
    done = MigrationRecord.objects.using(database).filter(executed_at__isnull=False, execution_time_ms__isnull=False)
    columns = ("pk", "filename", "execution_time_ms")
    latest_done = [Execution(*row) for row in done.order_by("-executed_at", "-id").values_list(*columns)[:LATEST]]
    slowest = [Execution(*row) for row in done.order_by("-execution_time_ms").values_list(*columns)[:SLOWEST]]
    return {
        "last_run": _last_run(database, last) if last else None,
        "days": _days(database, last.pk) if last else (),
        "latest": tuple(reversed(latest_done)),
        "slowest": tuple(slowest),
    }


def _last_run(database: str, last: MigrationEvent) -> LastRun:
    events = MigrationEvent.objects.using(database).filter(run=last.run, id__gt=last.pk - RECENT_EVENTS)
    rows: Sequence[tuple[str, datetime]] = list(events.order_by("id").values_list("type", "at"))
    took = rows[-1][1] - rows[0][1]
    return LastRun(
        str(last.run),
        last.at,
        took.total_seconds() * 1_000,
        last.role,
        last.os_user,
        last.host,
        last.revision,
        dict(Counter(type for type, _at in rows)),
    )


def _days(database: str, last: int) -> tuple[Day, ...]:
    """Return the latest days, those on which nothing was done among them."""
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    types = (EventType.APPLIED, *_FAILURES)
    events = MigrationEvent.objects.using(database).filter(id__gt=last - RECENT_EVENTS, type__in=types)
    rows = events.annotate(day=TruncDate("at")).filter(day__gte=first).values_list("day", "type").annotate(Count("id"))
    applied: Counter[date] = Counter()
    failed: Counter[date] = Counter()
    for day, type, count in rows.order_by():
        (applied if type == EventType.APPLIED else failed)[day] += count
    days = (first + timedelta(days=number) for number in range(DAYS))
    return tuple(Day(day, applied[day], failed[day]) for day in days)
