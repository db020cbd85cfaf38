"""Asks one database how it is. Changes nothing in it, but for keeping numbers where that is asked for."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import psycopg
from django.db import DEFAULT_DB_ALIAS

from sqlmigrations.conf import settings
from sqlmigrations.database import Connection, connected, is_lost, raw
from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.files.discovery import discover, folders
from sqlmigrations.health.base import BEFORE, Check, Evidence, Result, Severity, Status, with_findings
from sqlmigrations.health.config import Config, read_config
from sqlmigrations.health.examine import examine, silent
from sqlmigrations.health.measures import Measures
from sqlmigrations.health.trends import Trends
from sqlmigrations.history import locate
from sqlmigrations.models import HealthRunReason
from sqlmigrations.service.databases import option
from sqlmigrations.service.health_runs import Kept, check_can_keep, keep_run, look_closely, read_kept, tell_trends
from sqlmigrations.service.origin import Origins


class Gate(StrEnum):
    """When a migration asks: whether now is a good time, or whether it left something behind."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class HealthOptions:
    """What to ask. Without ``only``, ``tags`` and ``gate``: everything but what has to be asked for."""

    database: str = DEFAULT_DB_ALIAS
    only: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    gate: Gate | None = None
    #: The JSON document of an earlier run: what it has is known.
    known: Path | None = None
    #: Keep what is measured, so that later runs can tell how fast things go; the only thing that is ever written.
    keep: bool = False
    #: Tell where the database is going.
    trends: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """A finding of an earlier run."""

    check: str
    object: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What was found, worst first."""

    database: str
    results: tuple[Result, ...]
    at: datetime.datetime
    #: Checks were named, so that one which could not look is an answer that was not given.
    is_named: bool = False
    #: What an earlier run found and this one no longer does.
    gone: tuple[Known, ...] = ()
    summary: Mapping[str, int] = field(default_factory=dict)
    #: Where the database is going, as far as that was asked for.
    trends: Trends = field(default_factory=Trends)
    is_kept: bool = False
    #: Where the SQL files are, by name, that brought in what was found.
    paths: Mapping[str, Path] = field(default_factory=dict)

    @property
    def worst(self) -> Severity | None:
        """The worst severity among the findings that are not known; nothing where there are none."""
        found = [finding.severity for result in self.results for finding in result.findings if not finding.is_known]
        return max(found, key=lambda severity: severity.rank, default=None)

    @property
    def blind(self) -> tuple[Result, ...]:
        """The checks that could not look."""
        return tuple(result for result in self.results if result.is_blind)


def check_health(options: HealthOptions, progress: Callable[[Result], None] = silent) -> HealthReport:
    """Run the checks that are asked for on one database.

    Raises:
        ConfigurationError: an unknown check or tag, settings that can't be understood, a file that is no document;
            the numbers are to be kept and can't be.
        DatabaseUnavailable: the database can't be asked.
    """
    config = read_config(settings.HEALTH, options.database)
    checks = select(config, options)
    known = _read_known(options.known, options.database) if options.known else {}
    with connected(options.database) as wrapper:
        connection = raw(wrapper)
        tables = locate(connection).tables
        if options.keep:
            tables = check_can_keep(connection, tables, option(options.database))
        kept = read_kept(connection, tables, options.database)
        results = examine(connection, checks, database=options.database, past=kept.past, progress=progress)
        origins = Origins(wrapper)
        results = tuple(_settled(result, config, known, origins) for result in results)
        summary = summarize(results)
        now = _measure(connection, options, kept)
        if options.keep and tables is not None and now is not None:
            keep_run(connection, tables, now, reason=HealthRunReason.ASKED, summary=summary)
    return HealthReport(
        options.database,
        tuple(sorted(results, key=_weight)),
        datetime.datetime.now(datetime.UTC),
        is_named=bool(options.only),
        gone=_gone(results, known),
        summary=summary,
        trends=tell_trends(kept, now) if options.trends else Trends(),
        is_kept=options.keep,
        paths=_paths(results, options.database),
    )


def _paths(results: Iterable[Result], database: str) -> dict[str, Path]:
    """Return where the files are that findings came from, as far as they are still there."""
    named = {finding.origin.file for result in results for finding in result.findings if finding.origin}
    return {file.name: file.path for file in discover(folders(database)).files if file.name in named} if named else {}


def _measure(connection: Connection, options: HealthOptions, kept: Kept) -> Measures | None:
    """Return the numbers of this moment where they are to be kept or compared.

    Raises:
        ConfigurationError: they are to be kept and can't be read.
    """
    if not options.keep and not (options.trends and kept.past.baseline):
        return None
    try:
        return look_closely(connection, options.database)
    except psycopg.Error as error:
        if is_lost(error):
            raise
        if options.keep:
            raise ConfigurationError(
                f"Nothing was kept, since the numbers can't be read: {str(error).strip()}", hint="Run it again."
            ) from error
        return None


def summarize(results: Iterable[Result]) -> dict[str, int]:
    """Return how many checks gave each answer."""
    counts = Counter(result.status for result in results)
    return {str(status): counts[status] for status in Status}


def select(config: Config, options: HealthOptions) -> list[Check]:
    """Return the checks that are asked for, in the order in which they are listed.

    Raises:
        ConfigurationError: an unknown check or tag, or nothing is left to run.
    """
    for id in options.only:
        if id not in config.known:
            raise ConfigurationError(f"There is no health check '{id}'.", hint="manage.py dbhealth --list shows all.")
    _check_tags(options.tags, config)
    ids = [id for id, check in config.known.items() if _is_asked(id, check, config, options)]
    if not ids:
        raise ConfigurationError("No health check is both asked for and enabled.")
    return [config.make(id) for id in ids]


def _check_tags(tags: Iterable[str], config: Config) -> None:
    known = {tag for check in config.known.values() for tag in check.tags}
    for tag in tags:
        if tag not in known:
            raise ConfigurationError(
                f"No health check has the tag '{tag}'.", hint=f"Known are: {', '.join(sorted(known))}."
            )


def _is_asked(id: str, check: type[Check], config: Config, options: HealthOptions) -> bool:
    if options.only:
        return id in options.only
    if id in config.disabled or (check.opt_in and id not in config.enabled):
        return False
    if options.tags and not check.tags & set(options.tags):
        return False
    if options.gate is Gate.BEFORE:
        return BEFORE in check.tags
    return options.gate is None or check.evidence is Evidence.STRUCTURAL


def _settled(result: Result, config: Config, known: Mapping[str, Known], origins: Origins) -> Result:
    """Return a result without what is ignored, with what is known marked, and with the origins of its findings."""
    if result.status is Status.SKIPPED:
        return result
    id, today = result.check.id, datetime.date.today()
    kept = [finding for finding in result.findings if not config.is_ignored(id, finding, today)]
    marked = [
        replace(
            finding,
            origin=finding.origin or origins.of(finding.subject),
            is_known=bool(known) and _is_known(finding.severity, known.get(finding.fingerprint(id))),
        )
        for finding in kept
    ]
    return replace(with_findings(result, marked), ignored=len(result.findings) - len(kept))


def _is_known(severity: Severity, before: Known | None) -> bool:
    return before is not None and severity.rank <= before.severity.rank


def _weight(result: Result) -> tuple[int, int]:
    """Return what sorts results: the worst first, then what could not look, then what had nothing to look at."""
    order = [Status.CRITICAL, Status.WARNING, Status.SKIPPED, Status.OK]
    return order.index(result.status), int(not result.is_blind)


# Known findings


def _read_known(path: Path, database: str) -> dict[str, Known]:
    """Return the findings by fingerprint in the JSON document of an earlier run, of one database or of all.

    Raises:
        ConfigurationError: it can't be read, or is no such document.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        several = document.get("databases")
        found = [document] if several is None else [each for each in several if each["database"] == database]
        return {
            finding["fingerprint"]: Known(check["id"], finding["object"], Severity(finding["severity"]))
            for each in found
            for check in each["checks"]
            for finding in check["findings"]
        }
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"{path} is no document of dbhealth.", hint=f"Make one: manage.py dbhealth --format json > {path}"
        ) from error


def _gone(results: Iterable[Result], known: Mapping[str, Known]) -> tuple[Known, ...]:
    """Return what was known and isn't found any more by a check that looked."""
    looked = {result.check.id: result for result in results if result.status is not Status.SKIPPED}
    found = {finding.fingerprint(id) for id, result in looked.items() for finding in result.findings}
    gone = [each for fingerprint, each in known.items() if each.check in looked and fingerprint not in found]
    return tuple(sorted(gone, key=lambda each: (each.check, each.object)))


# Explanations


def known_for(database: str, tags: Sequence[str] = ()) -> dict[str, Check]:
    """Return all checks by id, or those with one of some tags, with the thresholds that hold for a database.

    Raises:
        ConfigurationError: an unknown tag, or settings that can't be understood.
    """
    config = read_config(settings.HEALTH, database)
    _check_tags(tags, config)
    return {id: config.make(id) for id, check in config.known.items() if not tags or check.tags & set(tags)}
