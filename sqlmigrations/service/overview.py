"""Brings together, for one look at a database, what is known of it without asking long. Changes nothing.

What costs more than a page may cost (the whole catalog of a large database, the health checks) is left to be asked for:
the overview shows what the last look that was kept has found. No query reads more rows than the page shows, however
long the history is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Value
from django.utils import timezone

from sqlmigrations.database import Connection, connected, raw
from sqlmigrations.exceptions import DatabaseUnavailable, SQLMigrationsError
from sqlmigrations.files.kinds import Kind
from sqlmigrations.history import GENESIS, ChainReport, Location, Tables, locate, read_missing, verify_chain
from sqlmigrations.history.reports import KeptReport, read_reports
from sqlmigrations.models import FAILURES, EventType, MigrationEvent, MigrationRecord, ReportKind
from sqlmigrations.plan import Missing, Plan, Status, Step
from sqlmigrations.runner.lock import Holder, run_in_progress
from sqlmigrations.schema.catalog import read_fingerprint
from sqlmigrations.schema.difference import Difference
from sqlmigrations.schema.snapshot import Version, latest
from sqlmigrations.service.apply import ApplyOptions, plan_from_disk
from sqlmigrations.service.databases import option
from sqlmigrations.service.disagreements import of_files
from sqlmigrations.service.drift import compare_snapshot
from sqlmigrations.service.lint import LintReport, lint_scripts
from sqlmigrations.severity import Severity

#: Events at the end of the chain that are counted: no look reads a whole history.
RECENT_EVENTS = 1_000

#: Events at the end of the chain that are verified at each look; a validation verifies more, or all.
VERIFIED_EVENTS = 100

#: Days that the count of executions reaches back.
DAYS = 30

#: Migrations whose durations are told, the latest ones, and how many of all are told as the slowest.
LATEST = 40
SLOWEST = 5

#: Files left to do that are named and linted; more are counted.
NAMED = 25

#: Missing files that are named; more are counted.
MISSING = 5

#: Objects of a schema that is small enough to be compared at a look, where its catalogs were written to.
FEW_OBJECTS = 2_000

#: Seconds for which a comparison is remembered; the catalogs' fingerprint says whether it still holds.
REMEMBERED = 60 * 60


class Schema(StrEnum):
    """What is known of the schema without a long look."""

    UNKNOWN = "unknown"  #: no run has left a version of it
    SAME = "same"  #: it is what the last run left
    DIFFERENT = "different"  #: it was compared, and something is not as the last run left it
    MOVED = "moved"  #: the catalogs were written to since, and nobody has compared them yet


@dataclass(frozen=True, slots=True)
class LastRun:
    """Who ran something last, when, for how long, and what came of it; ``duration_ms`` is from first to last event.

    ``user`` is the person who asked for it in the admin; empty where it was a command.
    """

    run: str
    at: datetime
    duration_ms: float
    role: str
    os_user: str
    host: str
    revision: str
    counts: dict[str, int]
    user: str = ""


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
    plan: Plan | None = None
    problem: SQLMigrationsError | None = None
    holder: Holder | None = None
    schema: Schema = Schema.UNKNOWN
    version: Version | None = None
    differences: tuple[Difference, ...] = ()
    last_run: LastRun | None = None
    days: tuple[Day, ...] = ()
    latest: tuple[Execution, ...] = ()
    slowest: tuple[Execution, ...] = ()
    has_history: bool = True
    counts: dict[str, int] = field(default_factory=dict)
    #: What the linter finds in the text of the files that a run would take, as far as the page names them.
    lint: LintReport = field(default_factory=LintReport)
    #: What was found when somebody last examined the health and kept the report.
    health: KeptReport | None = None
    #: What was measured when somebody last rehearsed what was pending, and kept that.
    rehearsal: KeptReport | None = None

    @property
    def severities(self) -> dict[Severity, int]:
        """How many differences there are of each severity; of missing files, which are errors, also the unnamed."""
        found = Counter(difference.severity for difference in self.differences)
        named = len(self.plan.missing) if self.plan else 0
        found[Severity.ERROR] += self.counts.get(Status.MISSING, 0) - named
        return {severity: found[severity] for severity in Severity}

    @property
    def unfinished(self) -> tuple[Step, ...]:
        """The steps that still have something to do."""
        return self.plan.unfinished if self.plan else ()


def look_over(database: str = DEFAULT_DB_ALIAS) -> Overview:
    """Return what is known of a database.

    Raises:
        DatabaseUnavailable: the database can't be asked.
    """
    with connected(database) as wrapper:
        connection = raw(wrapper)
        location = locate(connection)
        tables = location.tables
        plan, counts, problem = _plan(wrapper, location)
        schema, version, found = _schema(connection, tables, database)
        # What is pending or failed is told apart; here it is about what was applied once.
        of_plan = [one for one in of_files(plan, option(database)) if one.attribute != "state"] if plan else []
        differences = sorted((*of_plan, *found), key=lambda difference: list(Severity).index(difference.severity))
        runnable = [step.file for step in plan.unfinished[:NAMED] if step.runs] if plan else []
        reports = read_reports(connection, location, ReportKind.HEALTH, ReportKind.REHEARSAL)
        return Overview(
            database,
            connection.info.parameter_status("server_version") or "",
            connection.info.dbname,
            str(wrapper.settings_dict["OPTIONS"].get("assume_role") or connection.info.user),
            plan=plan,
            problem=problem,
            holder=run_in_progress(connection, location.schema),
            schema=schema,
            version=version,
            differences=tuple(differences),
            has_history=tables is not None,
            counts=counts,
            lint=lint_scripts(runnable, None),
            health=reports.get(ReportKind.HEALTH),
            rehearsal=reports.get(ReportKind.REHEARSAL),
            **(_activity(connection, tables, database) if tables else {"chain": ChainReport(0, GENESIS)}),
        )


def _plan(
    wrapper: BaseDatabaseWrapper, location: Location
) -> tuple[Plan | None, dict[str, int], SQLMigrationsError | None]:
    """Return the plan, which names the first missing files alone, how many files there are of each status, or why not.

    Raises:
        DatabaseUnavailable: the database can't be asked.
    """
    try:
        plan = plan_from_disk(wrapper, ApplyOptions(wrapper.alias), location)
    except DatabaseUnavailable:
        raise
    except SQLMigrationsError as error:
        return None, {}, error
    missing, names = read_missing(raw(wrapper), location.tables, [step.name for step in plan], first=MISSING)
    counts = Counter(str(step.status) for step in plan)
    counts[Status.MISSING] = missing
    return replace(plan, missing=tuple(Missing(name, Kind.VERSIONED) for name in names)), dict(counts), None


def _schema(
    connection: Connection, tables: Tables | None, database: str
) -> tuple[Schema, Version | None, tuple[Difference, ...]]:
    """Return what is known of the schema: by its fingerprint, or compared where that is soon done."""
    version = latest(connection, tables)
    if version is None:
        return Schema.UNKNOWN, None, ()
    fingerprint = read_fingerprint(connection)
    if version.fingerprint and version.fingerprint == fingerprint:
        return Schema.SAME, version, ()
    if sum(version.counts.values()) > FEW_OBJECTS:
        return Schema.MOVED, version, ()
    key = f"sqlmigrations.drift.{database}.{version.id}.{sha256(fingerprint.encode()).hexdigest()}"
    differences: tuple[Difference, ...] | None = cache.get(key)
    if differences is None:
        differences = compare_snapshot(connection, tables).differences
        cache.set(key, differences, REMEMBERED)
    return (Schema.DIFFERENT if differences else Schema.SAME), version, differences


# What happened

#: What the overview reads of the latest events, the newest first.
_SEEN = ("id", "run", "type", "at", "role", "os_user", "host", "revision", "details__user")


def _activity(connection: Connection, tables: Tables, database: str) -> dict[str, Any]:
    """Return what the latest events and records tell."""
    events = MigrationEvent.objects.using(database).order_by("-id")
    seen = list(events.values_list(*_SEEN, named=True)[:RECENT_EVENTS])
    before = seen[VERIFIED_EVENTS].id if len(seen) > VERIFIED_EVENTS else 0
    latest_done, slowest = _executions(database)
    return {
        "chain": verify_chain(connection, tables, after=before),
        "last_run": _last_run(seen) if seen else None,
        "days": _days(seen),
        "latest": latest_done,
        "slowest": slowest,
    }


def _executions(database: str) -> tuple[tuple[Execution, ...], tuple[Execution, ...]]:
    """Return the latest executions, the oldest of them first, and the slowest of all."""
    done = MigrationRecord.objects.using(database).filter(executed_at__isnull=False, execution_time_ms__isnull=False)
    columns = ("is_slow", "executed_at", "pk", "filename", "execution_time_ms")
    by_time = done.annotate(is_slow=Value(False)).order_by("-executed_at").values_list(*columns)[:LATEST]
    by_length = done.annotate(is_slow=Value(True)).order_by("-execution_time_ms").values_list(*columns)[:SLOWEST]
    rows = sorted(by_time.union(by_length, all=True).order_by())
    slow = sorted((Execution(*row) for is_slow, _at, *row in rows if is_slow), key=lambda one: -one.duration_ms)
    return tuple(Execution(*row) for is_slow, _at, *row in rows if not is_slow), tuple(slow)


def _last_run(seen: Sequence[Any]) -> LastRun:
    last = seen[0]
    own = [event for event in reversed(seen) if event.run == last.run]
    return LastRun(
        str(last.run),
        last.at,
        (last.at - own[0].at).total_seconds() * 1_000,
        last.role,
        last.os_user,
        last.host,
        last.revision,
        dict(Counter(event.type for event in own)),
        last.details__user or "",
    )


def _days(seen: Sequence[Any]) -> tuple[Day, ...]:
    """Return the latest days, those on which nothing was done among them."""
    if not seen:
        return ()
    applied: Counter[date] = Counter()
    failed: Counter[date] = Counter()
    for event in seen:
        if event.type == EventType.APPLIED:
            applied[_day(event.at)] += 1
        elif event.type in FAILURES:
            failed[_day(event.at)] += 1
    first = _day(timezone.now()) - timedelta(days=DAYS - 1)
    days = (first + timedelta(days=number) for number in range(DAYS))
    return tuple(Day(day, applied[day], failed[day]) for day in days)


def _day(at: datetime) -> date:
    """Return the day of a moment; without ``USE_TZ`` it is the time zone's own already."""
    return timezone.localtime(at).date() if timezone.is_aware(at) else at.date()
