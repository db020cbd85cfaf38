"""The document of ``dbhealth``, and what the gate of a run adds to that of the run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlmigrations.output.documents.base import Document, head

if TYPE_CHECKING:
    from sqlmigrations.health.base import Check, Finding, Result
    from sqlmigrations.health.trends import IdTrend, SequenceTrend, Trends
    from sqlmigrations.service.gate import GateReport
    from sqlmigrations.service.health import HealthReport, Known

SECONDS_OF_A_DAY = 86_400


def of_health(report: HealthReport) -> Document:
    """Return the document of a look at a database's health."""
    return {
        **head("dbhealth", report.database),
        "at": report.at.isoformat(),
        "checks": [_check(result) for result in report.results],
        "gone": [_known(each) for each in report.gone],
        "trends": _trends(report.trends),
        "kept": report.is_kept,
        "summary": dict(report.summary),
    }


def _check(result: Result) -> Document:
    check = result.check
    return {
        "id": check.id,
        "title": check.title,
        "status": str(result.status),
        "evidence": str(check.evidence),
        "tags": sorted(check.tags),
        "examined": result.examined,
        "reason": result.reason,
        "remedy": result.remedy,
        "applies": result.applies,
        "left_out": result.left_out,
        "window_s": result.window and result.window.total_seconds(),
        "duration_ms": round(result.duration_ms, 1),
        "ignored": result.ignored,
        "findings": [_finding(finding, check.id) for finding in result.findings],
    }


def _finding(finding: Finding, check: str) -> Document:
    origin = finding.origin
    return {
        "object": str(finding.subject),
        "kind": finding.subject.kind,
        "severity": str(finding.severity),
        "observed": finding.observed,
        "threshold": finding.threshold,
        "value": None if finding.value is None else float(finding.value),
        "details": list(finding.details),
        "fix": [{"kind": str(fix.kind), "text": fix.text, "note": fix.note} for fix in finding.fixes],
        "origin": origin and {"file": origin.file, "line": origin.line},
        "fingerprint": finding.fingerprint(check),
        "known": finding.is_known,
    }


def _known(known: Known) -> Document:
    return {"check": known.check, "object": known.object, "severity": str(known.severity)}


def _trends(trends: Trends) -> Document:
    return {
        "since": trends.since and trends.since.isoformat(),
        "runs": trends.runs,
        "database": None
        if trends.since is None
        else {"bytes": trends.bytes, "per_day": _per_day(trends.bytes_per_second)},
        "ids": [
            {"kind": each.kind, "age": each.age, "per_day": _per_day(each.per_second), "days_left": _days(each)}
            for each in trends.ids
        ],
        "sequences": [
            {
                "object": f"{each.schema}.{each.name}",
                "last": each.last,
                "per_day": _per_day(each.per_second),
                "days_left": _days(each),
            }
            for each in trends.sequences
        ],
        "tables": [
            {"object": f"{each.schema}.{each.name}", "bytes": each.bytes, "per_day": _per_day(each.per_second)}
            for each in trends.tables
        ],
        "files": [
            {
                "file": each.name,
                "times": each.times,
                "at": each.at.isoformat(),
                "duration_ms": each.last_ms,
                "median_before_ms": each.median_ms,
                "slowest": None if each.line is None else {"line": each.line, "duration_ms": each.statement_ms},
                "slower": each.is_slower,
            }
            for each in trends.files
        ],
    }


def _per_day(per_second: float) -> float:
    return round(per_second * SECONDS_OF_A_DAY, 1)


def _days(trend: IdTrend | SequenceTrend) -> float | None:
    return None if trend.seconds_left is None else round(trend.seconds_left / SECONDS_OF_A_DAY, 1)


def of_known(database: str, checks: Iterable[Check]) -> Document:
    """Return the document of checks that are listed or explained, with the thresholds that hold for a database."""
    return {
        **head("dbhealth", database),
        "known_checks": [
            {
                "id": check.id,
                "title": check.title,
                "evidence": str(check.evidence),
                "tags": sorted(check.tags),
                "examines": check.examines,
                "explanation": check.explanation(),
                "opt_in": check.opt_in,
                "thresholds": {name: getattr(check, name) for name in check.thresholds()},
                "sql": check.sql_files(),
            }
            for check in checks
        ],
    }


def of_gate(gate: GateReport) -> Document:
    """Return what is added to the document of a run with ``--gate``."""
    return {
        "gate": {
            "new": [{"check": check, **_finding(finding, check)} for check, finding in gate.new],
            "gone": [_known(each) for each in gate.gone],
        }
    }
