"""What a command's exit code says. The first that applies, in this order, is taken."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING

from sqlmigrations.exceptions import DangersFound, RunLockHeld, SQLMigrationsError
from sqlmigrations.plan import DISAGREEING, Status
from sqlmigrations.service.results import PlanReport, RunResult

if TYPE_CHECKING:
    from sqlmigrations.health.base import Severity
    from sqlmigrations.service.ddl_log import DDLLogReport
    from sqlmigrations.service.health import HealthReport
    from sqlmigrations.service.rehearse import RehearsalReport
    from sqlmigrations.service.revert import RevertResult
    from sqlmigrations.service.validate import ValidationReport


class ExitCode(IntEnum):
    """The exit codes of all commands."""

    OK = 0
    FOUND = 1  #: something was found, failed or is left to do
    COULD_NOT_ASK = 2  #: usage, no connection, invalid files: nothing ran
    LOCKED = 3  #: another run holds the lock
    DISAGREES = 4  #: files and history disagree
    HALF_WAY = 5  #: a file outside a transaction stopped half-way
    INTERRUPTED = 130
    TERMINATED = 143


#: From the code that outweighs all others to the one that any other outweighs.
_BY_WEIGHT = (
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
    ExitCode.COULD_NOT_ASK,
    ExitCode.LOCKED,
    ExitCode.HALF_WAY,
    ExitCode.DISAGREES,
    ExitCode.FOUND,
    ExitCode.OK,
)


#: What the code of one database says in the roll-up of several.
WORDS = {
    ExitCode.OK: "all is well",
    ExitCode.FOUND: "something was found, failed or is left to do",
    ExitCode.COULD_NOT_ASK: "could not be asked",
    ExitCode.LOCKED: "another run holds the lock",
    ExitCode.DISAGREES: "files and history disagree",
    ExitCode.HALF_WAY: "a file stopped half-way",
}


def heaviest(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the code that stands for several databases."""
    return min(codes, key=_BY_WEIGHT.index, default=ExitCode.OK)


def of_error(error: SQLMigrationsError) -> ExitCode:
    """Return the exit code of an error before anything ran."""
    if isinstance(error, DangersFound):
        return ExitCode.FOUND
    return ExitCode.LOCKED if isinstance(error, RunLockHeld) else ExitCode.COULD_NOT_ASK


def of_run(result: RunResult | RevertResult) -> ExitCode:
    """Return the exit code of a run: what became of the files that it was asked for."""
    files = [file for file in result.files if file.asked]
    statuses = {file.status for file in files}
    if statuses & {Status.PARTIAL, Status.IN_DOUBT}:
        return ExitCode.HALF_WAY
    if statuses & DISAGREEING:
        return ExitCode.DISAGREES
    if any(file.error for file in files) or statuses & {Status.FAILED, Status.HELD, Status.LATE}:
        return ExitCode.FOUND
    gate = result.gate if isinstance(result, RunResult) else None
    return ExitCode.FOUND if gate is not None and gate.is_worse else ExitCode.OK


def of_rehearsal(report: RehearsalReport) -> ExitCode:
    """Return the exit code of a rehearsal: whether everything ran, within the budgets."""
    return ExitCode.FOUND if any(each.state != "ok" for each in report.files) else ExitCode.OK


def of_check(report: PlanReport) -> ExitCode:
    """Return the exit code of ``--check``: whether the database is where the files asked for say it should be."""
    plan = report.plan.asked
    statuses = {step.status for step in plan.unfinished}
    if statuses & {Status.PARTIAL, Status.IN_DOUBT}:
        return ExitCode.HALF_WAY
    if plan.with_status(*DISAGREEING) or plan.missing:
        return ExitCode.DISAGREES
    if report.lint is not None:
        return ExitCode.FOUND if report.lint.serious else ExitCode.OK
    return ExitCode.FOUND if plan.unfinished else ExitCode.OK


def of_validation(report: ValidationReport) -> ExitCode:
    """Return the exit code of a validation."""
    if any(skipped.asked for skipped in report.skipped):
        return ExitCode.COULD_NOT_ASK
    if report.disagrees:
        return ExitCode.DISAGREES
    summary = report.summary
    return ExitCode.FOUND if summary["error"] or summary["warning"] else ExitCode.OK


def of_ddl_log(report: DDLLogReport) -> ExitCode:
    """Return the exit code of a look at the DDL log, or of a change to it."""
    return ExitCode.FOUND if report.condition.problems else ExitCode.OK


def of_health(report: HealthReport, fail_on: Severity | None) -> ExitCode:
    """Return the exit code of a look at a database's health.

    ``fail_on`` is the least severity that counts, ``None`` for none. A named check that could not look is an answer
    that was not given, and so are all of them when none could.
    """
    if report.blind and (report.is_named or len(report.blind) == len(report.results)):
        return ExitCode.COULD_NOT_ASK
    worst = report.worst
    if fail_on is None or worst is None or worst.rank < fail_on.rank:
        return ExitCode.OK
    return ExitCode.FOUND
