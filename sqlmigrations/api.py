"""The package's functions for Python code: what the management commands do, without their words.

    from sqlmigrations import api

    report = api.plan()
    if report.unfinished:
        result = api.apply(lock_wait=10)
        failed = [file.name for file in result.files if file.error]

Each function is the service that its command calls: the same locks, checks and history, and nothing is printed. They
return dataclasses, whose types this module has as attributes too (`api.RunResult`), and raise `SQLMigrationsError` or
one of its children where nothing could be asked or done. A file that fails is no exception: it is told in the result,
as the others are.

The module can be imported anywhere, above `django.setup()` too. Its functions and the types want Django's apps to be
ready: call them from commands, tasks, views or scripts behind `django.setup()`. `apply` and `revert` refuse to work
inside `atomic()`; none of them works in a thread with a running event loop: `await sync_to_async(api.apply)()` there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlmigrations.exceptions import SQLMigrationsError

if TYPE_CHECKING:
    from sqlmigrations.health.base import Result as HealthResult
    from sqlmigrations.plan import Plan, Status, Step
    from sqlmigrations.schema.difference import Difference
    from sqlmigrations.service.health import HealthReport
    from sqlmigrations.service.results import FileResult, PlanReport, Progress, RunResult
    from sqlmigrations.service.revert import Reversal, RevertPlan, RevertResult
    from sqlmigrations.service.validate import ValidationReport

__all__ = [
    "Difference",
    "FileResult",
    "HealthReport",
    "HealthResult",
    "Plan",
    "PlanReport",
    "Reversal",
    "RevertPlan",
    "RevertResult",
    "RunResult",
    "SQLMigrationsError",
    "Status",
    "Step",
    "ValidationReport",
    "apply",
    "health",
    "plan",
    "plan_revert",
    "revert",
    "validate",
]

#: The modules of the types, each loaded when it is first asked for: most of them need Django's apps.
_TYPES = {
    "Difference": ("sqlmigrations.schema.difference", "Difference"),
    "FileResult": ("sqlmigrations.service.results", "FileResult"),
    "HealthReport": ("sqlmigrations.service.health", "HealthReport"),
    "HealthResult": ("sqlmigrations.health.base", "Result"),
    "Plan": ("sqlmigrations.plan", "Plan"),
    "PlanReport": ("sqlmigrations.service.results", "PlanReport"),
    "Reversal": ("sqlmigrations.service.revert", "Reversal"),
    "RevertPlan": ("sqlmigrations.service.revert", "RevertPlan"),
    "RevertResult": ("sqlmigrations.service.revert", "RevertResult"),
    "RunResult": ("sqlmigrations.service.results", "RunResult"),
    "Status": ("sqlmigrations.plan", "Status"),
    "Step": ("sqlmigrations.plan", "Step"),
    "ValidationReport": ("sqlmigrations.service.validate", "ValidationReport"),
}


if not TYPE_CHECKING:  # a type checker would take any name for one of the module's

    def __getattr__(name: str) -> Any:
        """Return one of the types. Raises ``AttributeError`` for any other name."""
        if name not in _TYPES:
            raise AttributeError(f"module 'sqlmigrations.api' has no attribute '{name}'")
        module, attribute = _TYPES[name]
        return getattr(import_module(module), attribute)


def plan(
    *names: str,
    database: str = "default",
    to: str | None = None,
    seeds: Sequence[str] = (),
    force: bool = False,
    fake: bool = False,
    baseline: str | None = None,
    allow_late: bool = False,
    lint: bool = False,
    findings: bool = False,
) -> PlanReport:
    """Return what `apply` with the same arguments would do, as `applysql --plan` does.

    Nothing is locked, made or changed.

    Args:
        names: The files, as `applysql` takes them; without any, all that are pending.
        database: The alias of the database.
        to: The last file to apply.
        seeds: The seeds to run.
        force: Run the seeds again though they are unchanged.
        fake: Plan to record the files without running them.
        baseline: The last file to record without running any.
        allow_late: Take late files whatever they touch.
        lint: Lint thoroughly, and count the rows that are in the way of new constraints.
        findings: Lint the files that would run; the report's `lint` is `None` otherwise.

    Raises:
        ConfigurationError: The arguments contradict each other, or name what is not there.
        InvalidFiles: Files can't be run as they are.
        DatabaseUnavailable: The database can't be asked.
    """
    from sqlmigrations.service.apply import ApplyOptions, plan_run

    options = ApplyOptions(
        database,
        names,
        to=to,
        seeds=tuple(seeds),
        force=force,
        fake=fake,
        baseline=baseline,
        allow_late=allow_late,
        lint=lint,
    )
    return plan_run(options, findings=findings)


def apply(
    *names: str,
    database: str = "default",
    to: str | None = None,
    seeds: Sequence[str] = (),
    force: bool = False,
    fake: bool = False,
    baseline: str | None = None,
    fail_fast: bool = False,
    allow_late: bool = False,
    backup: bool = False,
    gate: bool = False,
    lint: bool = False,
    lock_wait: float = 60.0,
    progress: Progress | None = None,
) -> RunResult:
    """Apply what is pending, each file once and in its own transaction, as `applysql` does.

    Args:
        names: The files, as `applysql` takes them; without any, all that are pending.
        database: The alias of the database.
        to: The last file to apply.
        seeds: The seeds to run.
        force: Run the seeds again though they are unchanged.
        fake: Record the files without running them.
        baseline: The last file to record without running any.
        fail_fast: Stop at the first file that fails.
        allow_late: Apply late files whatever they touch.
        backup: Take a backup before the first file runs.
        gate: Run nothing while the database's health says that now is no good time.
        lint: Refuse to run what the linter finds fault with.
        lock_wait: Seconds to wait for another run.
        progress: Called with each thing that happens, in the thread of the run: `Waiting`, `Blocked` and `Moved` of
            `sqlmigrations.service.told`, `Began`, `Starting` and `Finished` of `sqlmigrations.service.results`.

    Raises:
        ConfigurationError: The arguments contradict each other, or name what is not there; or the call is inside a
            transaction.
        InvalidFiles: Files can't be run as they are; nothing was run.
        DangersFound: Linting was asked for and found something serious; nothing was run.
        GateClosed: The gate was asked for, and now is no good time; nothing was run.
        BackupFailed: A backup was asked for and could not be taken; nothing was run.
        RunLockHeld: Another run went on for longer than `lock_wait`.
        DatabaseUnavailable: The database can't be reached.
    """
    from sqlmigrations.service.apply import ApplyOptions
    from sqlmigrations.service.apply import apply as run
    from sqlmigrations.service.results import silent

    options = ApplyOptions(
        database,
        names,
        to=to,
        seeds=tuple(seeds),
        force=force,
        fake=fake,
        baseline=baseline,
        fail_fast=fail_fast,
        allow_late=allow_late,
        backup=backup,
        gate=gate,
        lock_wait=lock_wait,
        lint=lint,
    )
    return run(options, progress or silent)


def plan_revert(
    *names: str,
    database: str = "default",
    last: int | None = None,
    to: str | None = None,
    cascade: bool = False,
    from_disk: bool = False,
) -> RevertPlan:
    """Return what `revert` with the same arguments would do, as `revertsql --plan` does.

    Nothing is locked, made or changed. Just one of `names`, `last` and `to` is given.

    Args:
        names: The files to revert.
        database: The alias of the database.
        last: How many of the last versioned files to revert.
        to: The file behind which all versioned files are reverted; `"zero"` for all.
        cascade: Also revert what was applied later and builds on them.
        from_disk: Use the down scripts on disk instead of those that were kept.

    Raises:
        ConfigurationError: No target was given, more than one, or one that is not there.
        StillNeeded: Later files build on them, and `cascade` was not asked for.
        NothingToRevertWith: There is no down script that can be run.
        InvalidFiles: A down script holds what is never run.
        DatabaseUnavailable: The database can't be asked.
    """
    from sqlmigrations.service.revert import RevertOptions
    from sqlmigrations.service.revert import plan_revert as foresee

    return foresee(RevertOptions(database, names, last=last, to=to, cascade=cascade, from_disk=from_disk))


def revert(
    *names: str,
    database: str = "default",
    last: int | None = None,
    to: str | None = None,
    cascade: bool = False,
    from_disk: bool = False,
    faked: bool = False,
    backup: bool = False,
    lock_wait: float = 60.0,
    progress: Progress | None = None,
) -> RevertResult:
    """Run down scripts, newest first, as `revertsql --noinput` does; the first failure stops it.

    Args:
        names: The files to revert.
        database: The alias of the database.
        last: How many of the last versioned files to revert.
        to: The file behind which all versioned files are reverted; `"zero"` for all.
        cascade: Also revert what was applied later and builds on them.
        from_disk: Use the down scripts on disk instead of those that were kept.
        faked: Also revert files that were recorded without being run, whose down scripts may undo what they never did.
        backup: Take a backup before the first file is reverted.
        lock_wait: Seconds to wait for another run.
        progress: Called with each thing that happens, as for `apply`.

    Raises:
        ConfigurationError: No target was given, more than one, or one that is not there; a file was recorded without
            being run, and `faked` is not set; or the call is inside a transaction.
        StillNeeded: Later files build on them, and `cascade` was not asked for.
        NothingToRevertWith: There is no down script that can be run.
        InvalidFiles: A down script holds what is never run.
        BackupFailed: A backup was asked for and could not be taken; nothing was reverted.
        RunLockHeld: Another run went on for longer than `lock_wait`.
        DatabaseUnavailable: The database can't be reached.
    """
    from sqlmigrations.service.results import silent
    from sqlmigrations.service.revert import refuse_faked
    from sqlmigrations.service.revert import revert as run

    foreseen = plan_revert(*names, database=database, last=last, to=to, cascade=cascade, from_disk=from_disk)
    if not faked:
        refuse_faked(foreseen, hint="If its down script fits all the same, give faked=True.")
    return run(foreseen, progress or silent, backup=backup, lock_wait=lock_wait)


def validate(
    *,
    database: str = "default",
    history: bool = False,
    expect_head: str | None = None,
    against: str | None = None,
    models: bool = True,
    verify: bool = False,
    replay: bool = False,
    roundtrip: bool = False,
    fix: bool = False,
) -> ValidationReport:
    """Compare a database with what files, history, models and settings say it is, as `validateschema` does.

    No object of the database is locked or changed.

    Args:
        database: The alias of the database.
        history: Verify the whole chain of events, not only its last thousand.
        expect_head: A head of the history that was kept outside the database, which it has to know.
        against: The alias of another database to compare the schema with.
        models: Compare with Django's models.
        verify: Run the verify scripts of the applied files once more, read-only.
        replay: Make the schema from nothing in a scratch database, and compare.
        roundtrip: Prove in a scratch database that each down script undoes its file.
        fix: Say with each difference which SQL undoes it, tried on a scratch copy first.

    Raises:
        ConfigurationError: Settings can't be understood, or `against` leads to the same database.
        InvalidFiles: Files can't be read.
        DatabaseUnavailable: The database can't be asked.
    """
    from sqlmigrations.service.validate import ValidateOptions
    from sqlmigrations.service.validate import validate as look

    return look(
        ValidateOptions(
            database,
            history=history,
            expect_head=expect_head,
            against=against,
            models=models,
            verify=verify,
            replay=replay,
            roundtrip=roundtrip,
            fix=fix,
        )
    )


def health(
    *,
    database: str = "default",
    only: Sequence[str] = (),
    tags: Sequence[str] = (),
    gate: Literal["before", "after"] | None = None,
    known: Path | None = None,
    keep: bool = False,
    trends: bool = False,
    progress: Callable[[HealthResult], None] | None = None,
) -> HealthReport:
    """Ask a database how it is, as `dbhealth` does. Nothing is changed, unless numbers are to be kept.

    Args:
        database: The alias of the database.
        only: The ids of the checks to run; without any, all that are enabled.
        tags: Run just the checks with one of these tags.
        gate: `"before"`: is now a good time for a migration? `"after"`: what the catalog tells right behind one.
        known: The JSON document of an earlier run; what it has is marked as known.
        keep: Keep what is measured, for later reports to tell how fast things go.
        trends: Tell where the database is going, as far as earlier runs were kept.
        progress: Called with the result of each check.

    Raises:
        ConfigurationError: An unknown check or tag, or settings that can't be understood.
        DatabaseUnavailable: The database can't be asked.
    """
    from sqlmigrations.health.examine import silent
    from sqlmigrations.service.health import Gate, HealthOptions, check_health

    options = HealthOptions(
        database,
        only=tuple(only),
        tags=tuple(tags),
        gate=Gate(gate) if gate else None,
        known=known,
        keep=keep,
        trends=trends,
    )
    return check_health(options, progress or silent)
