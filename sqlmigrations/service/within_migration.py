"""Runs SQL files for Django migrations: inside the migration's transaction, or on their own where it has none.

A file of a folder and a file of a migration are one and the same: whoever comes first runs it, the other finds it done.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db.backends.base.base import BaseDatabaseWrapper

from sqlmigrations import signals
from sqlmigrations.exceptions import ConfigurationError, SQLMigrationsError, UnknownFile
from sqlmigrations.files.graph import required
from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.scripts import Script, SQLFile
from sqlmigrations.history import Record, read_record
from sqlmigrations.plan import LatePolicy, Selection, Status, make_plan
from sqlmigrations.runner.task import Direction, Task, backwards, forwards
from sqlmigrations.service.databases import option
from sqlmigrations.service.gather import OnDisk, judge, read_disk
from sqlmigrations.service.logs import log_outcome
from sqlmigrations.service.revert import RevertOptions, StillNeeded, plan_revert
from sqlmigrations.service.run import Run, join_run, open_run
from sqlmigrations.service.told import LOCK_WAIT, Told, Waiting

logger = logging.getLogger("sqlmigrations")

#: What the database holds of these needs no second run, whatever the text says today.
_HELD = frozenset({Status.APPLIED, Status.BASELINED, Status.CHANGED})

_make_task: ContextVar[Callable[[SQLFile], Task]] = ContextVar("sqlmigrations_make_task", default=forwards)


class FileFailed(SQLMigrationsError):
    """A SQL file that a migration runs has failed; the migration's transaction is to be rolled back."""


@contextmanager
def tasks_made_by(make: Callable[[SQLFile], Task]) -> Iterator[None]:
    """Let ``make`` say what applying a file means in the block: a replay leaves out what reaches beyond it."""
    token = _make_task.set(make)
    try:
        yield
    finally:
        _make_task.reset(token)


def script_of(alias: str, name: str, label: str, *, is_down: bool = False) -> Script | None:
    """Return the file that a migration of the app ``label`` calls ``name``, or its down script as it is on disk.

    Raises:
        UnknownFile: there is no such file for this database.
        InvalidFiles: files can't be read.
    """
    file = _find(read_disk(alias), alias, name, label)
    return file.down if is_down else file


def apply_file(wrapper: BaseDatabaseWrapper, name: str, label: str) -> None:
    """Apply the file that a migration of the app ``label`` calls ``name``, unless the database holds it already.

    Raises:
        UnknownFile: there is no such file for this database.
        ConfigurationError: it can't run there: it is no versioned file, runs outside a transaction, or requires a file
            that is not applied.
        InvalidFiles: files can't be run as they are.
        FileFailed: it was run and failed.
        RunLockHeld: another run held the lock for too long.
    """
    file = _find(read_disk(wrapper.alias), wrapper.alias, name, label)
    _check_kind(file)
    with _run(wrapper) as run:
        record = read_record(run.connection, run.tables, file.name)
        if not _is_to_run(file, record):
            logger.info("%s: applied already", file.name)
            return
        _check_required(run, file)
        if wrapper.in_atomic_block:
            _check_joins(file)
        _do(run, wrapper, _make_task.get()(file), record)


def revert_file(wrapper: BaseDatabaseWrapper, name: str, label: str) -> None:
    """Run the down script of the file that a migration calls ``name``, unless it was reverted or never applied.

    Raises:
        UnknownFile: there is no such file for this database, and never was.
        ConfigurationError: its down script runs outside a transaction, and the migration doesn't.
        NothingToRevertWith: there is no down script that can be run.
        StillNeeded: files that were applied later build on it.
        InvalidFiles: files can't be run as they are.
        FileFailed: it was run and failed.
        RunLockHeld: another run held the lock for too long.
    """
    alias = wrapper.alias
    with _run(wrapper) as run:
        record = _held_record(run, name, label)
        if record is None:
            file = _find(read_disk(alias), alias, name, label)
            logger.info("%s: not applied, there is nothing to revert", file.name)
            return
        try:
            (reversal,) = plan_revert(RevertOptions(alias, (record.filename,))).reversals
        except StillNeeded as needed:
            hint = f"Revert both before: manage.py revertsql{option(alias)} {record.filename} --cascade"
            raise StillNeeded(needed.message, hint=hint) from needed
        if wrapper.in_atomic_block:
            _check_joins(reversal.script)
        _do(run, wrapper, backwards(reversal.name, reversal.kind, reversal.script), reversal.record)


def _find(disk: OnDisk, alias: str, name: str, label: str) -> SQLFile:
    """Return the file: one of the app's own folder, or one that has the whole name."""
    for candidate in _names(name, label):
        if candidate in disk.by_name:
            return disk.by_name[candidate]
    raise UnknownFile(
        f"Database '{alias}' has no SQL file {name}, neither of the app '{label}' nor by its whole name.",
        hint=f"See the names with: manage.py applysql{option(alias)} --list. If it belongs to another database, let a "
        "router keep the migration from this one.",
    )


def _names(name: str, label: str) -> tuple[str, str]:
    return f"{label}/{name}", name


def _held_record(run: Run, name: str, label: str) -> Record | None:
    """Return the record of the file, if the database holds it; the file may be gone from the disk."""
    for candidate in _names(name, label):
        record = read_record(run.connection, run.tables, candidate)
        if record is not None and record.is_held:
            return record
    return None


@contextmanager
def _run(wrapper: BaseDatabaseWrapper) -> Iterator[Run]:
    """Join the open transaction, or hold a run of one's own where there is none."""
    if wrapper.in_atomic_block:
        yield join_run(wrapper, lock_wait=LOCK_WAIT, tell=_log_wait)
        return
    with open_run(wrapper, lock_wait=LOCK_WAIT, tell=_log_wait) as run:
        yield run


def _log_wait(told: Told) -> None:
    if isinstance(told, Waiting):
        logger.warning("Waiting for another run: %s", told.holder)


def _check_kind(file: SQLFile) -> None:
    if file.kind is not Kind.VERSIONED:
        raise ConfigurationError(
            f"{file.name} is a {file.kind} file; a migration applies versioned ones, which run once.",
            hint="Repeatable files run by themselves when their text changes, seeds with: applysql --seed NAME",
        )


def _check_joins(script: Script) -> None:
    """Check that a script can run in the middle of a transaction that others have begun."""
    directives = script.directives
    wrong = "batch" if directives.batch else "transaction off" if not directives.transaction else ""
    if wrong:
        raise ConfigurationError(
            f"It has `{wrong}`, and the migration that runs it has a transaction.",
            where=script.name,
            hint="Write into the migration: atomic = False",
        )
    if directives.isolation:
        raise ConfigurationError(
            f"It has `isolation {directives.isolation}`, which only the first statement of a transaction can set.",
            where=script.name,
            hint="Take the directive out, or write into the migration: atomic = False",
        )


def _is_to_run(file: SQLFile, record: Record | None) -> bool:
    """Tell whether the file has to be run: not when the database holds it.

    Raises:
        ConfigurationError: it stopped half-way, so that a person has to say how it goes on.
        InvalidFiles: it can't be run as it is.
    """
    plan = make_plan(
        (file,),
        {} if record is None else {file.name: record},
        changes={},
        selection=Selection((file.name,), late=LatePolicy.ALLOW),
        overlap=lambda one, other: "",
    )
    (step,) = plan
    judge(plan.runnable)
    if not step.runs and step.status not in _HELD:
        words = f"{file.name} is {step.status.replace('_', ' ')}: {step.reason}"
        raise ConfigurationError(words, hint="Settle that first, as applysql --plan says.")
    return step.runs


def _check_required(run: Run, file: SQLFile) -> None:
    """Check that the files that it requires are applied; which migrations it needs is the graph's to say."""
    for name in required(file):
        record = read_record(run.connection, run.tables, name)
        if record is None or not record.is_held:
            raise ConfigurationError(
                f"It requires {name}, which is not applied.",
                where=file.name,
                hint=f"Apply it first: by an ApplySQL before this one, or with: manage.py applysql {name}",
            )


def _do(run: Run, wrapper: BaseDatabaseWrapper, task: Task, record: Record | None) -> None:
    """Run the task, with its signals; that it came through is told once that is committed.

    Raises:
        FileFailed: it did not come through.
    """
    given = {"using": wrapper.alias, "run": run.id, "name": task.name}
    signals.announce(signals.migration_started, **given)
    outcome = run.executor.run(task, record)
    log_outcome(wrapper.alias, run.id, outcome)
    if (error := outcome.error) is not None:
        signals.announce(signals.migration_failed, **given, outcome=outcome)
        raise FileFailed(error.message, where=error.where, hint=error.advice)
    done = signals.migration_reverted if task.direction is Direction.BACKWARDS else signals.migration_applied
    wrapper.on_commit(lambda: signals.announce(done, **given, outcome=outcome))
