"""Applies SQL files to one database, and tells what that would do.

Most runs find nothing to do: what only a run with work needs is imported when there is some.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db.backends.base.base import BaseDatabaseWrapper

from sqlmigrations import signals
from sqlmigrations.database import Connection, connected, raw
from sqlmigrations.history import Location, read_head, read_head_of_settled
from sqlmigrations.plan import Plan, Step
from sqlmigrations.service.gather import Footprints, judge, read_disk, recall
from sqlmigrations.service.prospect import ApplyOptions, Prospect, foresee, look_ahead, warnings
from sqlmigrations.service.results import (
    Began,
    Finished,
    PlanReport,
    Progress,
    RunResult,
    gone,
    is_told,
    left,
    silent,
)
from sqlmigrations.walk import preview

if TYPE_CHECKING:
    from sqlmigrations.service.lint import LintReport

__all__ = ["ApplyOptions", "apply", "plan_from_disk", "plan_run"]

# Plans


def plan_run(options: ApplyOptions, *, findings: bool = False) -> PlanReport:
    """Return what a run would do. Nothing is locked, made or changed.

    With ``findings``, or where the options ask for it, the files that would run are linted.

    Raises:
        InvalidFiles: files can't be run as they are.
        DatabaseUnavailable: the database can't be asked.
    """
    from sqlmigrations.runner.lock import run_in_progress

    with connected(options.database) as wrapper:
        prospect = look_ahead(wrapper, read_disk(options.database), options, Footprints())
        judge(prospect.plan.runnable)
        plan = preview(prospect.plan, prospect.footprints.overlap, prospect.remembered.django_applied)
        connection = raw(wrapper)
        location = prospect.remembered.location
        return PlanReport(
            options.database,
            plan,
            read_head(connection, location.tables),
            run_in_progress(connection, location.schema),
            warnings(prospect),
            options.records_only,
            prospect.remembered.django_applied,
            _lint(plan, connection, options) if findings or options.lint else None,
        )


def plan_from_disk(wrapper: BaseDatabaseWrapper, options: ApplyOptions, location: Location) -> Plan:
    """Return what a run would do, asking no more than that takes, however long the history is.

    Records of files that are gone are not read: among what is missing are only those whose text another file has.

    Raises:
        InvalidFiles: files can't be run as they are.
    """
    disk, footprints = read_disk(options.database), Footprints()
    prospect = foresee(disk, recall(wrapper, disk, of_disk=True, location=location), options, footprints)
    judge(prospect.plan.runnable)
    return preview(prospect.plan, prospect.footprints.overlap, prospect.remembered.django_applied)


def _lint(plan: Plan, connection: Connection, options: ApplyOptions) -> LintReport | None:
    """Lint the files that would run; what is only recorded is not looked at."""
    if options.records_only:
        return None
    from sqlmigrations.service.lint import lint_scripts

    return lint_scripts([step.file for step in plan.runnable], connection, thorough=options.lint)


# Runs


def apply(options: ApplyOptions, progress: Progress = silent) -> RunResult:
    """Apply what is pending, each file once, and return what became of each.

    Raises:
        InvalidFiles: files can't be run as they are; nothing was run.
        ConfigurationError: a setting has a value that can't be worked with; nothing was run.
        DangersFound: linting was asked for and found something serious, or PostgreSQL is sure to refuse a statement;
            nothing was run.
        RunLockHeld: another run went on for longer than ``lock_wait``.
        BackupFailed: a backup was asked for and could not be taken; nothing was run.
        GateClosed: the gate was asked for, and now is no good time; nothing was run.
        DatabaseUnavailable: the database can't be reached.
        KeyboardInterrupt: the run was interrupted; the file in work was rolled back and that was recorded.
    """
    if options.backup:
        _check_backup_is_possible()
    with connected(options.database) as wrapper:
        disk, footprints = read_disk(options.database), Footprints()
        prospect = look_ahead(wrapper, disk, options, footprints)
        runnable = prospect.plan.runnable
        if runnable:
            # Before the lock is taken and before the history's tables are made.
            _check_beforehand(runnable, raw(wrapper), options)
        elif (head := read_head_of_settled(raw(wrapper), prospect.remembered.location)) is not None:
            return _nothing_to_do(prospect, head, options, progress)
        from sqlmigrations.service.application import carry_out

        return carry_out(wrapper, prospect, options, progress)


def _nothing_to_do(prospect: Prospect, head: str, options: ApplyOptions, progress: Progress) -> RunResult:
    """Tell what a run without work would tell; it needs no lock."""
    run, database, warned = uuid.uuid4(), options.database, warnings(prospect)
    progress(Began(prospect.plan, warned))
    signals.announce(signals.run_started, using=database, run=run, names=[])
    found = (*(left(step, step.reason) for step in prospect.plan if is_told(step)), *gone(prospect.plan))
    for result in found:
        progress(Finished(result))
    told = RunResult(database, run, found, 0, head, warned)
    signals.announce(signals.run_finished, using=database, run=run, result=told)
    return told


def _check_backup_is_possible() -> None:
    from sqlmigrations.service.backup import check_backup_is_possible

    check_backup_is_possible()


def _check_beforehand(runnable: Iterable[Step], connection: Connection, options: ApplyOptions) -> None:
    """Judge the files that would run, and the moment; raise what ``apply`` names for it."""
    steps = list(runnable)
    dropping = judge(steps, before_run=True)
    if options.gate:
        from sqlmigrations.service.gate import check_gate

        check_gate(options.database)
    scripts = [step.file for step in steps if options.lint or step.name in dropping]
    if scripts and not options.records_only:
        from sqlmigrations.service.lint import refuse

        refuse(scripts, connection, asked=options.lint)
