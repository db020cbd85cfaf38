"""Compares one database with what the files, the history and the settings say it is. Changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import BaseDatabaseWrapper

from sqlmigrations.conf import settings
from sqlmigrations.database import Connection, connected, fetch_row, raw
from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.files.names import same, unqualified
from sqlmigrations.history import (
    Tables,
    knows_head,
    locate,
    read_events,
    read_head,
    read_objects_made,
    verify_chain,
)
from sqlmigrations.messages import gettext as _
from sqlmigrations.models import MigrationEvent, MigrationRecord
from sqlmigrations.plan import Plan, Selection, Status
from sqlmigrations.runner.lock import run_in_progress
from sqlmigrations.runner.stop import sleep
from sqlmigrations.schema.catalog import read_catalog
from sqlmigrations.schema.deparse import compare_twice
from sqlmigrations.schema.difference import Difference, Findings, Skipped, Source
from sqlmigrations.schema.ignore import Rule, apply_rules, read_rules
from sqlmigrations.schema.live import Live
from sqlmigrations.schema.required import compare_required
from sqlmigrations.schema.severities import read_severities
from sqlmigrations.service.authors import with_authors
from sqlmigrations.service.databases import option
from sqlmigrations.service.ddl_log import doubts
from sqlmigrations.service.disagreements import of_chain, of_files, of_head
from sqlmigrations.service.drift import compare_snapshot
from sqlmigrations.service.fixes import with_fixes
from sqlmigrations.service.gather import Footprints, OnDisk, Remembered, plan_of, read_disk, recall
from sqlmigrations.service.models import compare_with_models
from sqlmigrations.service.replay import compare_replay
from sqlmigrations.service.roundtrip import compare_roundtrip
from sqlmigrations.service.verify import run_verify_scripts
from sqlmigrations.severity import Severity
from sqlmigrations.walk import preview

#: Events at the end of the chain that are verified when the whole history isn't asked for.
TAIL = 1_000

#: Seconds to wait for a run in progress before the second and last look.
PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class ValidateOptions:
    """What to validate."""

    database: str = DEFAULT_DB_ALIAS
    history: bool = False
    expect_head: str | None = None
    against: str | None = None
    models: bool = True
    verify: bool = False
    replay: bool = False
    roundtrip: bool = False
    fix: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an object is made: the path of a file on disk, and the line of the statement."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """What was found, what was examined, and what could not be."""

    database: str
    differences: tuple[Difference, ...] = ()
    examined: Mapping[str, int] = field(default_factory=dict)
    not_compared: Mapping[str, int] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
    ignored: tuple[tuple[Difference, Rule], ...] = ()
    expired: tuple[Rule, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict)
    pending: int = 0
    has_history: bool = True
    head: str = ""

    @property
    def summary(self) -> dict[str, int]:
        """How many differences there are of each severity."""
        counts = Counter(difference.severity for difference in self.differences)
        return {str(severity): counts[severity] for severity in Severity}

    @property
    def disagrees(self) -> bool:
        """Whether files and history tell different stories."""
        return any(
            difference.source is Source.HISTORY and difference.attribute in ("text", "presence", "chain")
            for difference in self.differences
        )


def validate(options: ValidateOptions) -> ValidationReport:
    """Validate one database.

    A run in progress would be mistaken for drift: it is waited for briefly, then the question is left open.

    Raises:
        ConfigurationError: settings can't be understood, or it would be compared with itself.
        InvalidFiles: files can't be read.
        DatabaseUnavailable: the database can't be asked.
    """
    with connected(options.database) as wrapper:
        for attempt in range(2):
            if attempt:
                sleep(PATIENCE)
            before = _moment(wrapper)
            report = _validate(wrapper, options)
            if before is not None and before == _moment(wrapper):
                return report
        holder = Skipped(_("everything"), _("a run is in progress"), _("Validate again when it is done."))
        return ValidationReport(options.database, skipped=(holder,), pending=report.pending, head=report.head)


def _moment(wrapper: BaseDatabaseWrapper) -> str | None:
    """Return the head of the history, or nothing while a run holds the lock."""
    connection = raw(wrapper)
    location = locate(connection)
    return None if run_in_progress(connection, location.schema) else read_head(connection, location.tables)


def _validate(wrapper: BaseDatabaseWrapper, options: ValidateOptions) -> ValidationReport:
    connection = raw(wrapper)
    disk = read_disk(options.database)
    remembered = recall(wrapper, disk)
    plan = _plan(disk, remembered)
    tables = remembered.location.tables
    whole = options.history or options.expect_head is not None
    chain = verify_chain(connection, tables, last=None if whole else TAIL)
    is_known = options.expect_head is None or knows_head(connection, tables, options.expect_head)
    of_history = (
        *of_files(plan, option(options.database)),
        *of_chain(chain),
        *of_head(options.expect_head, chain, is_known=is_known),
    )
    findings = (Findings(of_history), *_of_schema(wrapper, options, disk, remembered))
    judged = apply_rules(
        (difference for found in findings for difference in found.differences),
        read_rules(settings.DRIFT_IGNORE),
        datetime.now().date(),
    )
    differences = with_authors(connection, tables, judged.differences)
    if options.fix:
        differences = with_fixes(wrapper, differences, findings)
    return ValidationReport(
        options.database,
        differences,
        examined={"file": len(plan.steps), "event": chain.events} | _most(found.examined for found in findings),
        not_compared=_most(found.not_covered for found in findings),
        skipped=(
            *(skipped for found in findings for skipped in found.skipped),
            *doubts(options.database, connection, tables),
        ),
        ignored=judged.ignored,
        expired=judged.expired,
        origins=_origins(connection, tables, disk, judged.differences),
        pending=len([step for step in plan if step.runs or step.status is Status.HELD]),
        has_history=bool(remembered.records),
        head=chain.head,
    )


def _of_schema(
    wrapper: BaseDatabaseWrapper, options: ValidateOptions, disk: OnDisk, remembered: Remembered
) -> Iterator[Findings]:
    """Yield what each source that is asked for says of the schema."""
    tables, live = remembered.location.tables, Live(raw(wrapper))
    yield _of_required(raw(wrapper), tables)
    if options.models:
        yield compare_with_models(wrapper, tables, live, whole=options.fix)
    yield compare_snapshot(raw(wrapper), tables, live)
    if options.verify:
        yield run_verify_scripts(wrapper, disk, remembered)
    if options.replay:
        yield compare_replay(wrapper, disk, remembered)
    if options.roundtrip:
        yield compare_roundtrip(wrapper, disk)
    if options.against:
        yield _against(live, options.against)


def _plan(disk: OnDisk, remembered: Remembered) -> Plan:
    """Return what a run would do now: where the files and the history disagree."""
    footprints = Footprints()
    plan = plan_of(disk, remembered, Selection(), footprints)
    return preview(plan, footprints.overlap, remembered.django_applied)


def _most(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the counts of several sources, the greatest of each kind."""
    most: dict[str, int] = {}
    for count in counts:
        for kind, number in count.items():
            most[kind] = max(most.get(kind, 0), number)
    return most


def _of_required(connection: Connection, tables: Tables | None) -> Findings:
    """Return which of the required tables are missing, those of the history among them where there is one."""
    required = dict(settings.REQUIRED_TABLES) | (_own_tables(tables.schema) if tables else {})
    return Findings(
        tuple(compare_required(connection, required)), examined={"required table": len(settings.REQUIRED_TABLES)}
    )


#: What tells databases apart, whatever way leads to them: a pooler, another name of the host.
_IDENTITY = "SELECT oid, pg_postmaster_start_time() FROM pg_catalog.pg_database WHERE datname = current_database()"


def _against(live: Live, alias: str) -> Findings:
    """Compare the schema with that of another database.

    Raises:
        ConfigurationError: it is the same one.
        DatabaseUnavailable: the other one can't be asked.
    """
    with connected(alias) as other:
        if fetch_row(raw(other), _IDENTITY) == fetch_row(live.connection, _IDENTITY):
            raise ConfigurationError(
                f"--against {alias} is the same database: it would be compared with itself.",
                hint="Name the alias of another one.",
            )
        expected = read_catalog(raw(other))
    found = live.catalog
    severities = read_severities(settings.DRIFT_SEVERITY)
    differences = compare_twice(live.connection, expected, found, source=Source.AGAINST, severities=severities)
    return Findings(differences, found.counts, found.not_covered, expected=expected, found=found)


def _origins(
    connection: Connection, tables: Tables | None, disk: OnDisk, differences: Iterable[Difference]
) -> dict[str, Origin]:
    """Return, by the name of an object that differs, the statement of a file that makes it or its table."""
    named = {difference.object for difference in differences}
    if not named:
        return {}
    made: dict[str, list[tuple[str, Origin]]] = {}
    for name, objects in read_objects_made(connection, tables).items():
        for each in objects if name in disk.by_name else ():
            origin = Origin(str(disk.by_name[name].path), int(each["line"]))
            made.setdefault(unqualified(each["name"]), []).append((each["name"], origin))
    found: dict[str, Origin] = {}
    for name in named:
        parts = name.partition("(")[0].split(".")
        wanted = (".".join(parts[:size]) for size in range(len(parts), min(len(parts), 2) - 1, -1))
        places = (origin for one in wanted for other, origin in made.get(unqualified(one), ()) if same({one}, {other}))
        if place := next(places, None):
            found[name] = place
    return found


def _own_tables(schema: str) -> dict[str, list[str]]:
    """Return the history's tables with their columns."""
    return {
        f"{schema}.{model._meta.db_table}": [str(field.column) for field in model._meta.concrete_fields]
        for model in (MigrationRecord, MigrationEvent)
    }


def export_history(database: str = DEFAULT_DB_ALIAS) -> Iterator[dict[str, Any]]:
    """Yield every event of a database in order, in constant memory.

    Raises:
        DatabaseUnavailable: the database can't be asked.
    """
    with connected(database) as wrapper:
        connection = raw(wrapper)
        yield from read_events(connection, locate(connection).tables)
