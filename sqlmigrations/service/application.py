"""A run that has work: the walk along its plan, and what belongs around it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from django.db.backends.base.base import BaseDatabaseWrapper

from sqlmigrations import signals
from sqlmigrations.exceptions import DatabaseUnavailable
from sqlmigrations.models import State
from sqlmigrations.plan import Status, Step
from sqlmigrations.runner.failure import Failure
from sqlmigrations.runner.outcome import Outcome
from sqlmigrations.runner.task import forwards
from sqlmigrations.service.gather import judge
from sqlmigrations.service.logs import log_outcome
from sqlmigrations.service.prospect import ApplyOptions, Prospect, look_ahead, warnings
from sqlmigrations.service.results import (
    Began,
    FileResult,
    Finished,
    Progress,
    RunResult,
    Starting,
    changing,
    gone,
    is_told,
    left,
)
from sqlmigrations.service.run import Run, open_run
from sqlmigrations.walk import Walk


def carry_out(wrapper: BaseDatabaseWrapper, foreseen: Prospect, options: ApplyOptions, progress: Progress) -> RunResult:
    """Hold the run lock, look again, since another run may have been at work meanwhile, and do what there is to do.

    Raises as ``apply`` does.
    """
    if foreseen.plan.runnable:
        from sqlmigrations.service.wrong_settings import judge_settings

        judge_settings()
    disk, footprints, location = foreseen.disk, foreseen.footprints, foreseen.remembered.location
    judged = {step.name for step in foreseen.plan.runnable}
    with open_run(wrapper, lock_wait=options.lock_wait, tell=progress, location=location) as run:
        prospect = look_ahead(wrapper, disk, options, footprints, replace(location, tables=run.tables))
        judge(prospect.plan.runnable, judged)
        application = _Application(run, options, progress)
        if prospect.plan.runnable:
            return _with_work(application, prospect)
        if prospect.remembered.records:
            from sqlmigrations.service.snapshot import keep_first_version

            keep_first_version(run)
        return application.go(prospect)


def _with_work(application: _Application, prospect: Prospect) -> RunResult:
    """Do the work with all that belongs around it: backup, gate, the schema's snapshot."""
    # The schema's rooms, for which a database without files has no use.
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
    if not run.session.is_alive:  # nobody can be asked any more, and what was done is told all the same
        return result
    if prospect.remembered.location.has_logged_ddl:
        prune_ddl_log(run.connection, run.tables)
    if options.gate:
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

    def go(self, prospect: Prospect, around: AbstractContextManager[None] | None = None) -> RunResult:
        """Do the work, and what belongs ``around`` it, between the signals that begin and end a run."""
        plan, database, run = prospect.plan, self.options.database, self.run.id
        self.progress(Began(plan, warnings(prospect)))
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
                warnings(prospect),
            )
            signals.announce(signals.run_finished, using=database, run=run, result=result)
        return result

    def _walk(self, prospect: Prospect) -> None:
        overlap = prospect.footprints.overlap
        walk = Walk.along(prospect.plan, overlap, prospect.remembered.django_applied)
        for step in prospect.plan:
            if not step.runs:
                walk.pass_by(step)
                if is_told(step):
                    self._take(left(step, step.reason))
            elif self.stopped:
                self._take(left(step, self.stopped))
            elif reason := walk.held(step):
                walk.finish(step, applied=False)
                self._take(replace(left(step, reason), status=Status.HELD))
            else:
                result = self._one(step)
                walk.finish(step, applied=result.status in (Status.APPLIED, Status.BASELINED))
                self._take(result)
        for result in gone(prospect.plan):
            self._take(result)

    def _take(self, result: FileResult) -> None:
        self.results.append(result)
        self.progress(Finished(result))

    def _one(self, step: Step) -> FileResult:
        """Apply or record one file, with its signals."""
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
