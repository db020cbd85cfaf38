"""The documents of ``applysql``, ``revertsql`` and ``makesql``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlmigrations.output.documents.base import Document, failure_document, head
from sqlmigrations.service.results import FileResult, PlanReport, RunResult, summary

if TYPE_CHECKING:
    from sqlmigrations.plan import Missing, Step
    from sqlmigrations.runner.failure import Failure
    from sqlmigrations.service.adopt import AdoptionPlan
    from sqlmigrations.service.lint import LintReport
    from sqlmigrations.service.makesql import Made
    from sqlmigrations.service.rehearse import FileRehearsal, RehearsalReport
    from sqlmigrations.service.repair import RepairPlan
    from sqlmigrations.service.revert import RevertPlan, RevertResult


def of_run(command: str, result: RunResult | RevertResult) -> Document:
    """Return the document of a run, forwards or backwards."""
    return {
        **head(command, result.database),
        "files": [_file(file) for file in result.files],
        "summary": summary(result.files),
        "head": result.head,
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
        "asked": result.asked,
        "error": failure_document(result.error),
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


def _planned(step: Step, lint: LintReport | None) -> Document:
    return {
        "name": step.name,
        "kind": str(step.kind),
        "state": str(step.status),
        "reason": step.reason,
        "runs": step.runs,
        "asked": step.asked,
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
        "asked": missing.asked,
        "error": None,
    }


def of_rehearsal(report: RehearsalReport) -> Document:
    """Return the document of a rehearsal."""
    from sqlmigrations.output.rehearsal import of_file

    return {
        **head("applysql", report.database),
        "rehearsal": str(report.where),
        "files": [{**of_file(each, report), "error": failure_document(_first_error(each))} for each in report.files],
        "notes": list(report.notes),
        "summary": dict(Counter(each.state for each in report.files)),
    }


def _first_error(result: FileRehearsal) -> Failure | None:
    """Return what failed first of a file, its down script and its second run."""
    tried = (result.run, result.down, result.again)
    return next((each.error for each in tried if each is not None and each.error), None)


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


def of_made(made: Made, database: str) -> Document:
    """Return the document of new files."""
    return {
        **head("makesql", database),
        "name": made.name,
        "path": str(made.path),
        "down": str(made.down) if made.down else None,
        "left_out": list(made.left_out),
    }
