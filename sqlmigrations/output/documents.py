"""Results as JSON documents: stable, one per call.

Every command imports this module: what only some documents need is imported where they are made.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlmigrations.exceptions import DangersFound, InvalidFiles, SQLMigrationsError
from sqlmigrations.service.apply import FileResult, PlanReport, RunResult, summary

if TYPE_CHECKING:
    from sqlmigrations.health.base import Finding, Result
    from sqlmigrations.health.trends import IdTrend, SequenceTrend, Trends
    from sqlmigrations.plan import Missing, Step
    from sqlmigrations.runner.failure import Failure
    from sqlmigrations.schema.catalog import Catalog
    from sqlmigrations.schema.ddl_log import LoggedChange
    from sqlmigrations.schema.difference import Difference
    from sqlmigrations.service.adopt import AdoptionPlan
    from sqlmigrations.service.ddl_log import DDLLogReport
    from sqlmigrations.service.gate import GateReport
    from sqlmigrations.service.health import HealthReport, Known
    from sqlmigrations.service.lint import LintReport
    from sqlmigrations.service.makesql import Made
    from sqlmigrations.service.rehearse import FileRehearsal, RehearsalReport
    from sqlmigrations.service.repair import RepairPlan
    from sqlmigrations.service.revert import RevertPlan, RevertResult
    from sqlmigrations.service.validate import Origin, ValidationReport
    from sqlmigrations.service.versions import Accepted, VersionsReport

SECONDS_OF_A_DAY = 86_400

#: Raised when the meaning of a key changes; a new key may come at any time.
SCHEMA_VERSION = 1

Document = dict[str, Any]


def dumps(document: Document) -> str:
    """Write a document as text."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def head(command: str, database: str) -> Document:
    """Return what every document begins with."""
    return {"schema_version": SCHEMA_VERSION, "command": command, "database": database}


def of_all(command: str, found: list[Document]) -> Document:
    """Return the document of a call on several databases: that of each, in order."""
    return {"schema_version": SCHEMA_VERSION, "command": command, "databases": found}


def of_run(command: str, result: RunResult | RevertResult) -> Document:
    """Return the document of a run, forwards or backwards."""
    return {
        **head(command, result.database),
        "files": [_file(file) for file in result.files],
        "summary": summary(result.files),
        "head": result.head,
    }


def of_rehearsal(report: RehearsalReport) -> Document:
    """Return the document of a rehearsal."""
    from sqlmigrations.output.rehearsal import of_file

    return {
        **head("applysql", report.database),
        "rehearsal": str(report.where),
        "files": [{**of_file(each, report), "error": _failure(_first_error(each))} for each in report.files],
        "notes": list(report.notes),
        "summary": dict(Counter(each.state for each in report.files)),
    }


def _first_error(result: FileRehearsal) -> Failure | None:
    """Return what failed first of a file, its down script and its second run."""
    tried = (result.run, result.down, result.again)
    return next((each.error for each in tried if each is not None and each.error), None)


def of_gate(gate: GateReport) -> Document:
    """Return what is added to the document of a run with ``--gate``."""
    return {
        "gate": {
            "new": [{"check": check, **_finding(finding, check)} for check, finding in gate.new],
            "gone": [_known(each) for each in gate.gone],
        }
    }


def of_revert_plan(plan: RevertPlan) -> Document:
    """Return the document of what would be reverted."""
    return {
        **head("revertsql", plan.database),
        "files": [
            {
                "name": reversal.name,
                "kind": str(reversal.kind),
                "state": str(reversal.record.state),
                "reason": reversal.reason,
                "diff": reversal.diff,
            }
            for reversal in plan.reversals
        ],
    }


def of_repair(plan: RepairPlan) -> Document:
    """Return the document of what files and history disagree about."""
    return {
        **head("applysql", plan.database),
        "repairs": [
            {"kind": str(repair.kind), "name": repair.name, "new_name": repair.new_name, "diff": repair.diff}
            for repair in plan.repairs
        ],
        "head": None,
    }


def of_adoption(plan: AdoptionPlan) -> Document:
    """Return the document of what would be taken over from another tool's history."""
    return {
        **head("applysql", plan.database),
        "table": plan.table,
        "tool": plan.tool,
        "adopted": [
            {
                "name": adoption.name,
                "state": str(adoption.state),
                "executed_at": adoption.at.isoformat() if adoption.at else None,
                "duration_ms": adoption.duration_ms,
                "error": adoption.error or "",
            }
            for adoption in plan.adoptions
        ],
        "head": None,
    }


def of_plan(report: PlanReport, steps: tuple[Step, ...]) -> Document:
    """Return the document of a plan, showing ``steps`` of it and what is missing."""
    files = [*(_planned(step, report.lint) for step in steps), *(_gone(missing) for missing in report.plan.missing)]
    counts = Counter(file["state"] for file in files)
    return {
        **head("applysql", report.database),
        "files": files,
        "summary": {name: counts[name] for name in ("applied", "failed", "held", "pending")} | dict(counts),
        "head": report.head,
    }


def of_validation(report: ValidationReport) -> Document:
    """Return the document of a validation."""
    return {
        **head("validateschema", report.database),
        "drift": [
            difference_document(difference, report.origins.get(difference.object)) for difference in report.differences
        ],
        "examined": dict(report.examined),
        "not_compared": dict(report.not_compared),
        "skipped": [
            {"what": skipped.what, "reason": skipped.reason, "remedy": skipped.remedy, "asked": skipped.asked}
            for skipped in report.skipped
        ],
        "ignored": [
            {
                "kind": difference.kind,
                "object": difference.object,
                "attribute": difference.attribute,
                "reason": rule.reason,
                "until": rule.until and rule.until.isoformat(),
            }
            for difference, rule in report.ignored
        ],
        "expired_rules": [
            {"rule": str(rule), "reason": rule.reason, "until": rule.until and rule.until.isoformat()}
            for rule in report.expired
        ],
        "summary": report.summary,
        "head": report.head,
    }


def difference_document(difference: Difference, origin: Origin | None = None) -> Document:
    """Return the document of one difference."""
    changed = difference.changed
    return {
        "source": str(difference.source),
        "kind": difference.kind,
        "object": difference.object,
        "attribute": difference.attribute,
        "expected": difference.expected,
        "found": difference.found,
        "found_object": difference.found_object or difference.object,
        "severity": str(difference.severity),
        "fix": difference.fix,
        "origin": origin and {"file": origin.path, "line": origin.line},
        "changed": changed
        and {
            "at": changed.at.isoformat(),
            "by": changed.by,
            "application": changed.application,
            "statement": changed.statement,
        },
    }


def of_versions(report: VersionsReport) -> Document:
    """Return the document of the versions of a schema."""
    return {
        **head("validateschema", report.database),
        "versions": [
            {
                "id": version.id,
                "at": version.at.isoformat(),
                "reason": version.reason,
                "files": list(version.files),
                "role": version.role,
                "objects": dict(version.counts),
            }
            for version in report.versions
        ],
    }


def of_accepted(accepted: Accepted) -> Document:
    """Return the document of a schema that was accepted as it is."""
    return {
        **head("validateschema", accepted.database),
        "accepted": [
            {"kind": difference.kind, "object": difference.object, "attribute": difference.attribute}
            for difference in accepted.differences
        ],
        "version": accepted.version,
        "head": accepted.head,
    }


def of_coverage(database: str, catalog: Catalog) -> Document:
    """Return the document of what is read and what isn't."""
    return {
        **head("validateschema", database),
        "examined": dict(catalog.counts),
        "not_compared": dict(catalog.not_covered),
    }


def of_ddl_log(report: DDLLogReport) -> Document:
    """Return the document of the DDL log."""
    installed = report.installed
    return {
        **head("validateschema", report.database),
        "installed": report.condition.is_installed,
        "installed_at": installed.at.isoformat() if installed else None,
        "installed_by": installed.role if installed else None,
        "problems": list(report.condition.problems),
        "changes": [_logged(change) for change in report.changes],
    }


def _logged(change: LoggedChange) -> Document:
    return {**{name: getattr(change, name) for name in change.__slots__}, "at": change.at.isoformat()}


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


def _known(known: Known) -> Document:
    return {"check": known.check, "object": known.object, "severity": str(known.severity)}


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


def of_made(made: Made, database: str) -> Document:
    """Return the document of new files."""
    return {
        **head("makesql", database),
        "name": made.name,
        "path": str(made.path),
        "down": str(made.down) if made.down else None,
        "left_out": list(made.left_out),
    }


def of_error(command: str, database: str, error: SQLMigrationsError) -> Document:
    """Return the document of a call that could not be answered."""
    problems = error.problems if isinstance(error, (DangersFound, InvalidFiles)) else []
    return {
        **head(command, database),
        "error": {
            "message": error.message,
            "hint": error.hint,
            "problems": [
                {"file": found.file, "line": found.line or None, "message": found.message, "hint": found.hint}
                for found in problems
            ],
        },
    }


def _file(result: FileResult) -> Document:
    return {
        "name": result.name,
        "kind": str(result.kind),
        "state": str(result.status),
        "reason": result.reason,
        "duration_ms": result.duration_ms,
        "statements": result.statements,
        "lock_wait_ms": result.lock_wait_ms,
        "batches": result.batches.as_json() if result.batches else None,
        "notes": list(result.notes),
        "error": _failure(result.error),
    }


def _planned(step: Step, lint: LintReport | None) -> Document:
    return {
        "name": step.name,
        "kind": str(step.kind),
        "state": str(step.status),
        "reason": step.reason,
        "runs": step.runs,
        "duration_ms": step.record.execution_time_ms if step.record else None,
        "statements": step.record.statements_total if step.record else None,
        "error": None,
        "findings": _found(lint, step.name) if lint else [],
    }


def _found(lint: LintReport, name: str) -> list[Document]:
    """Return what the linter found in a file."""
    from sqlmigrations.output.lint import document

    return [document(finding) for finding in lint.of(name)]


def _gone(missing: Missing) -> Document:
    return {
        "name": missing.name,
        "kind": str(missing.kind),
        "state": str(missing.status),
        "reason": missing.reason,
        "runs": False,
        "error": None,
    }


def _failure(failure: Failure | None) -> Document | None:
    if failure is None:
        return None
    return {
        "message": failure.message,
        "sqlstate": failure.sqlstate,
        "detail": failure.detail,
        "hint": failure.hint,
        "advice": failure.advice,
        "file": failure.file,
        "line": failure.line,
        "column": failure.column,
        "statement": failure.statement,
        "blockers": [blocker.as_json() for blocker in failure.blockers],
    }
