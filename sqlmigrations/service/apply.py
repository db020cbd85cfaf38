"""Applies SQL files to one database, and tells what that would do.

Most runs find nothing to do: what only a run with work needs is imported when there is some.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import BaseDatabaseWrapper

from sqlmigrations import signals
from sqlmigrations.conf import settings
from sqlmigrations.database import Connection, connected, raw
from sqlmigrations.exceptions import ConfigurationError, DatabaseUnavailable, InvalidFiles, Problem
from sqlmigrations.files.kinds import Kind
from sqlmigrations.history import Location, read_head, read_head_of_settled
from sqlmigrations.models import State
from sqlmigrations.plan import UNFINISHED, LatePolicy, Plan, Selection, Status, Step, Walk, make_plan, preview, resolve
from sqlmigrations.runner.failure import Failure
from sqlmigrations.runner.lock import run_in_progress
from sqlmigrations.runner.outcome import Outcome
from sqlmigrations.runner.task import forwards
from sqlmigrations.service.gather import Footprints, OnDisk, Remembered, judge, read_disk, recall
from sqlmigrations.service.results import (
    Began,
    FileResult,
    Finished,
    PlanReport,
    Progress,
    RunResult,
    Starting,
    changing,
    silent,
)
from sqlmigrations.service.run import LOCK_WAIT, Run, open_run

if TYPE_CHECKING:
    from sqlmigrations.service.lint import LintReport


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """What to apply, where, and how. ``lock_wait`` is in seconds.

    Raises:
        ConfigurationError: two of them contradict each other.
    """

    database: str = DEFAULT_DB_ALIAS
    names: tuple[str, ...] = ()
    to: str | None = None
    seeds: tuple[str, ...] = ()
    force: bool = False
    fake: bool = False
    baseline: str | None = None
    fail_fast: bool = False
    allow_late: bool = False
    backup: bool = False
    gate: bool = False
    lock_wait: float = LOCK_WAIT
    lint: bool = False

    def __post_init__(self) -> None:
        given = {"NAME": self.names, "--to": self.to, "--seed": self.seeds, "--baseline": self.baseline}
        if len(said := [name for name, value in given.items() if value not in (None, ())]) > 1:
            raise ConfigurationError(f"{' and '.join(said)} say two different things.", hint="Give one of them.")
        if self.force and not self.seeds:
            raise ConfigurationError("--force goes with --seed.")

    @property
    def records_only(self) -> bool:
        """Whether files are recorded without being run."""
        return self.fake or self.baseline is not None


# Plans


@dataclass
class _Prospect:
    """The files, the history and the plan that follows from both."""

    disk: OnDisk
    remembered: Remembered
    plan: Plan
    footprints: Footprints


def plan_run(options: ApplyOptions, *, findings: bool = False) -> PlanReport:
    """Return what a run would do. Nothing is locked, made or changed.

    With ``findings``, or where the options ask for it, the files that would run are linted.

    Raises:
        InvalidFiles: files can't be run as they are.
        DatabaseUnavailable: the database can't be asked.
    """
    with connected(options.database) as wrapper:
        prospect = _prospect(wrapper, read_disk(options.database), options, Footprints())
        judge(prospect.plan.runnable)
        plan = preview(prospect.plan, prospect.footprints.overlap, prospect.remembered.django_applied)
        connection = raw(wrapper)
        location = prospect.remembered.location
        return PlanReport(
            options.database,
            plan,
            read_head(connection, location.tables),
            run_in_progress(connection, location.schema),
            _warnings(prospect.disk),
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
    prospect = _foresee(disk, recall(wrapper, disk, of_disk=True, location=location), options, footprints)
    judge(prospect.plan.runnable)
    return preview(prospect.plan, prospect.footprints.overlap, prospect.remembered.django_applied)


def _lint(plan: Plan, connection: Connection, options: ApplyOptions) -> LintReport | None:
    """Lint the files that would run; what is only recorded is not looked at."""
    if options.records_only:
        return None
    from sqlmigrations.service.lint import lint_scripts

    return lint_scripts([step.file for step in plan.runnable], connection, thorough=options.lint)


def _prospect(
    wrapper: BaseDatabaseWrapper,
    disk: OnDisk,
    options: ApplyOptions,
    footprints: Footprints,
    location: Location | None = None,
) -> _Prospect:
    _selection(options, disk)  # a wrong name is told before the database is asked
    return _foresee(disk, recall(wrapper, disk, location=location), options, footprints)


def _foresee(disk: OnDisk, remembered: Remembered, options: ApplyOptions, footprints: Footprints) -> _Prospect:
    selection = _selection(options, disk)
    if disk.mixed_width is not None and not any(record.is_held for record in remembered.records.values()):
        raise InvalidFiles([disk.mixed_width])
    plan = make_plan(
        disk.files,
        remembered.records,
        changes=remembered.changes,
        selection=selection,
        overlap=footprints.overlap,
        renames=remembered.renames,
        reverted_with=remembered.reverted_with,
    )
    return _Prospect(disk, remembered, plan, footprints)


def _selection(options: ApplyOptions, disk: OnDisk) -> Selection:
    """Turn the names that a person gave into those of files.

    Raises:
        UnknownFile: a name that no file has.
        ConfigurationError: a combination that says two things, or a seed that must not be here.
    """
    target = options.to if options.baseline is None else options.baseline
    to = resolve(target, disk.files).name if target is not None else None
    names = tuple(resolve(name, disk.files).name for name in options.names)
    seeds = tuple(resolve(name, disk.files, kind=Kind.SEED).name for name in options.seeds)
    for name in (*names, *([to] if to else [])):
        if disk.by_name[name].kind is Kind.SEED:
            raise ConfigurationError(f"{name} is a seed.", hint=f"Run it with: applysql --seed {name}")
    for name in seeds:
        if settings.PRODUCTION and "production" not in disk.by_name[name].directives.tags:
            raise ConfigurationError(
                f"{name} is a seed for development, and SQLMIGRATIONS_PRODUCTION is set.",
                hint="If it belongs into production, write into it: -- sqlmigrations: tags production",
            )
    late = LatePolicy.ALLOW if options.allow_late else _late_policy()
    return Selection(names, to, seeds, options.force, late, retakes_reverted=options.baseline is None)


def _late_policy() -> LatePolicy:
    """Return the setting's policy. Raises ``ConfigurationError`` for a value that is none."""
    try:
        return LatePolicy(settings.LATE_FILES)
    except ValueError as error:
        known = ", ".join(f'"{policy}"' for policy in LatePolicy)
        raise ConfigurationError(
            f"SQLMIGRATIONS_LATE_FILES can't be {settings.LATE_FILES!r}.", hint=f"Set it to one of: {known}."
        ) from error


def _warnings(disk: OnDisk) -> tuple[Problem, ...]:
    return (*disk.warnings, *([disk.mixed_width] if disk.mixed_width else []))


# Runs


def apply(options: ApplyOptions, progress: Progress = silent) -> RunResult:
    """Apply what is pending, each file once, and return what became of each.

    Raises:
        InvalidFiles: files can't be run as they are; nothing was run.
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
        prospect = _prospect(wrapper, disk, options, footprints)
        runnable = prospect.plan.runnable
        if runnable:
            # Before the lock is taken and before the history's tables are made.
            _check_beforehand(runnable, raw(wrapper), options)
        elif (head := read_head_of_settled(raw(wrapper), prospect.remembered.location)) is not None:
            return _nothing_to_do(prospect, head, options, progress)
        location = prospect.remembered.location
        with open_run(wrapper, lock_wait=options.lock_wait, tell=progress, location=location) as run:
            prospect = _prospect(wrapper, disk, options, footprints, replace(location, tables=run.tables))
            judge(prospect.plan.runnable, {step.name for step in runnable})
            application = _Application(run, options, progress)
            if prospect.plan.runnable:
                return _with_work(application, prospect)
            if prospect.remembered.records:
                _keep_first_version(run)
            return application.go(prospect)


def _nothing_to_do(prospect: _Prospect, head: str, options: ApplyOptions, progress: Progress) -> RunResult:
    """Tell what a run without work would tell; it needs no lock."""
    run, database, warnings = uuid.uuid4(), options.database, _warnings(prospect.disk)
    progress(Began(prospect.plan, warnings))
    signals.announce(signals.run_started, using=database, run=run, names=[])
    left = (*(_left(step, step.reason) for step in prospect.plan if _is_told(step)), *_gone(prospect.plan))
    for result in left:
        progress(Finished(result))
    told = RunResult(database, run, left, 0, head, warnings)
    signals.announce(signals.run_finished, using=database, run=run, result=told)
    return told


def _is_told(step: Step) -> bool:
    """Say whether a file that does not run is not as it should be."""
    return step.status in UNFINISHED or step.status is Status.CHANGED


def _gone(plan: Plan) -> Iterator[FileResult]:
    """Yield the files that are missing."""
    for gone in plan.missing:
        yield FileResult(gone.name, gone.kind, gone.status, gone.reason)


def _keep_first_version(run: Run) -> None:
    from sqlmigrations.service.snapshot import keep_first_version

    keep_first_version(run)


def _check_backup_is_possible() -> None:
    from sqlmigrations.service.backup import check_backup_is_possible

    check_backup_is_possible()


def _check_beforehand(runnable: Iterable[Step], connection: Connection, options: ApplyOptions) -> None:
    """Judge the files that would run, and the moment; raise what ``apply`` names for it."""
    steps = list(runnable)
    dropping = judge(steps)
    if options.gate:
        from sqlmigrations.service.gate import check_gate

        check_gate(options.database)
    scripts = [step.file for step in steps if options.lint or step.name in dropping]
    if scripts and not options.records_only:
        from sqlmigrations.service.lint import refuse

        refuse(scripts, connection, asked=options.lint)


def _with_work(application: _Application, prospect: _Prospect) -> RunResult:
    """Do the work with all that belongs around it: backup, gate, the schema's snapshot."""
    from sqlmigrations.service.ddl_log import prune_ddl_log
    from sqlmigrations.service.snapshot import moving_snapshot

    run, options = application.run, application.options
    if options.backup:
        from sqlmigrations.service.backup import back_up

        run.journal.context["backup"] = back_up(options.database)
    if options.gate:
        from sqlmigrations.service.gate import look

        before = look(options.database)
    result = application.go(prospect, moving_snapshot(run, files=lambda: changing(application.results)))
    prune_ddl_log(run.connection, run.tables)
    if options.gate and not run.connection.closed:
        from sqlmigrations.service.gate import close_gate

        result = replace(result, gate=close_gate(run, before), head=run.head)
    return result


@dataclass
class _Application:
    """The walk of one run along its plan."""

    run: Run
    options: ApplyOptions
    progress: Progress
    results: list[FileResult] = field(default_factory=list)
    stopped: str = ""

    def go(self, prospect: _Prospect, around: AbstractContextManager[None] | None = None) -> RunResult:
        """Do the work, and what belongs ``around`` it, between the signals that begin and end a run."""
        plan, database, run = prospect.plan, self.options.database, self.run.id
        self.progress(Began(plan, _warnings(prospect.disk)))
        signals.announce(signals.run_started, using=database, run=run, names=[step.name for step in plan.runnable])
        try:
            with around or nullcontext():
                self._walk(prospect)
        finally:
            result = RunResult(
                database,
                run,
                tuple(self.results),
                len(plan.runnable),
                self.run.head,
                _warnings(prospect.disk),
            )
            signals.announce(signals.run_finished, using=database, run=run, result=result)
        return result

    def _walk(self, prospect: _Prospect) -> None:
        overlap = prospect.footprints.overlap
        walk = Walk.along(prospect.plan, overlap, prospect.remembered.django_applied)
        for step in prospect.plan:
            if not step.runs:
                walk.pass_by(step)
                if _is_told(step):
                    self._take(_left(step, step.reason))
            elif self.stopped:
                self._take(_left(step, self.stopped))
            elif reason := walk.held(step):
                walk.finish(step, applied=False)
                self._take(replace(_left(step, reason), status=Status.HELD))
            else:
                result = self._one(step)
                walk.finish(step, applied=result.status in (Status.APPLIED, Status.BASELINED))
                self._take(result)
        for result in _gone(prospect.plan):
            self._take(result)

    def _take(self, result: FileResult) -> None:
        self.results.append(result)
        self.progress(Finished(result))

    def _one(self, step: Step) -> FileResult:
        """Apply or record one file, with its signals."""
        from sqlmigrations.service.logs import log_outcome

        verb = "Recording" if self.options.records_only else "Applying"
        if step.status is Status.PARTIAL and not self.options.records_only:
            verb = "Resuming"
        self.progress(Starting(step.name, step.file, verb))
        using, run = self.options.database, self.run.id
        signals.announce(signals.migration_started, using=using, run=run, name=step.name)
        try:
            outcome = self._outcome(step)
        except DatabaseUnavailable as lost:
            self.stopped = "the connection was lost"
            failure = Failure(lost.message, step.name, advice=lost.hint)
            # Nobody can be asked any more how far it came: outside a transaction, part of it may be there.
            state = State.FAILED if step.file.directives.transaction else State.PARTIAL
            outcome = Outcome(step.name, state, error=failure)
        signal = signals.migration_failed if outcome.error else signals.migration_applied
        signals.announce(signal, using=using, run=run, name=step.name, outcome=outcome)
        log_outcome(using, run, outcome)
        if outcome.error and self.options.fail_fast:
            self.stopped = self.stopped or "--fail-fast stopped the run"
        return FileResult.of(outcome, step.kind)

    def _outcome(self, step: Step) -> Outcome:
        if not self.options.records_only:
            return self.run.executor.run(forwards(step.file), step.record)
        reason = f"--baseline {self.options.baseline}" if self.options.baseline else "--fake"
        count = self.run.journal.baselined(step.file, reason)
        return Outcome(step.name, State.BASELINED, statements=count)


def _left(step: Step, reason: str) -> FileResult:
    status = Status.PENDING if step.runs and step.status is not Status.PARTIAL else step.status
    return FileResult(step.name, step.kind, status, reason)
