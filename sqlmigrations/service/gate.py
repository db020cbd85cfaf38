"""The gate of a run: is now a good time, and what did the run leave behind that was not there before?"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from sqlmigrations.exceptions import SQLMigrationsError
from sqlmigrations.health.base import Finding, Severity
from sqlmigrations.history import Event
from sqlmigrations.models import EventType, HealthRunReason
from sqlmigrations.service.databases import option
from sqlmigrations.service.health import Gate, HealthOptions, HealthReport, Known, check_health
from sqlmigrations.service.health_runs import keep_run, look_closely
from sqlmigrations.service.run import Run

logger = logging.getLogger("sqlmigrations")


class GateClosed(SQLMigrationsError):
    """The database is in a state in which nothing should be migrated; nothing was run."""


@dataclass(frozen=True, slots=True)
class GateReport:
    """What a run changed in the database's health: findings that are new or worse, each with its check, or gone."""

    new: tuple[tuple[str, Finding], ...] = ()
    gone: tuple[Known, ...] = ()

    @property
    def worst(self) -> Severity | None:
        """The worst severity among the new findings."""
        return max((finding.severity for _, finding in self.new), key=lambda each: each.rank, default=None)

    @property
    def is_worse(self) -> bool:
        """Whether something new is more than information."""
        return self.worst in (Severity.WARNING, Severity.CRITICAL)

    def as_json(self) -> dict[str, Any]:
        """Return what an event keeps."""
        return {
            "new": [
                {
                    "check": check,
                    "object": str(finding.subject),
                    "severity": str(finding.severity),
                    "observed": finding.observed,
                    **({"file": finding.origin.file, "line": finding.origin.line} if finding.origin else {}),
                }
                for check, finding in self.new
            ],
            "gone": [
                {"check": each.check, "object": each.object, "severity": str(each.severity)} for each in self.gone
            ],
        }


def check_gate(database: str) -> None:
    """Check that now is a good time: no critical finding among those that tell.

    Raises:
        GateClosed: it is none.
    """
    report = check_health(HealthOptions(database, gate=Gate.BEFORE))
    critical = [
        f"{finding.subject}: {finding.observed} ({result.check.id})"
        for result in report.results
        for finding in result.findings
        if finding.severity is Severity.CRITICAL
    ]
    if critical:
        raise GateClosed(
            "Now is no good time, so nothing was run:\n" + "\n".join(f"    {each}" for each in critical),
            hint=f"manage.py dbhealth --gate before{option(database)} tells what would help.",
        )


def look(database: str) -> HealthReport:
    """Return what the catalog says of the database's health at this moment."""
    return check_health(HealthOptions(database, gate=Gate.AFTER))


def close_gate(run: Run, before: HealthReport) -> GateReport:
    """Look again, keep with an event what the run changed, keep the numbers of this moment, and return the former."""
    after = look(before.database)
    report = difference(before, after)
    run.journal.append(Event(EventType.EXAMINED, "", details=report.as_json()))
    _keep_numbers(run, after)
    return report


def _keep_numbers(run: Run, after: HealthReport) -> None:
    """Keep the numbers of this moment; a failure is logged, and nothing else: the run does not depend on it."""
    try:
        measures = look_closely(run.connection, after.database)
        keep_run(run.connection, run.tables, measures, reason=HealthRunReason.GATE, summary=after.summary)
    except (psycopg.Error, SQLMigrationsError) as error:
        logger.warning("The numbers of the database's health were not kept: %s", str(error).strip())


def difference(before: HealthReport, after: HealthReport) -> GateReport:
    """Return the findings of ``after`` that are new or worse, and those of ``before`` that are gone."""
    known = dict(_by_fingerprint(before))
    found = dict(_by_fingerprint(after))
    new = tuple(
        (check, finding)
        for fingerprint, (check, finding) in found.items()
        if fingerprint not in known or finding.severity.rank > known[fingerprint][1].severity.rank
    )
    gone = tuple(
        Known(check, str(finding.subject), finding.severity)
        for fingerprint, (check, finding) in known.items()
        if fingerprint not in found
    )
    return GateReport(new, gone)


def _by_fingerprint(report: HealthReport) -> Iterator[tuple[str, tuple[str, Finding]]]:
    for result in report.results:
        for finding in result.findings:
            yield finding.fingerprint(result.check.id), (result.check.id, finding)
