"""Rehearses pending files: runs them where they can do no harm, and measures what they would block and for how long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from sqlmigrations.conf import settings
from sqlmigrations.database import Connection, connected, fetch_all, own_connection, raw
from sqlmigrations.exceptions import RunLockHeld, SQLMigrationsError
from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.scripts import Script
from sqlmigrations.files.server_wide import server_wide
from sqlmigrations.lint.linter import foreseen
from sqlmigrations.plan import Status, Step
from sqlmigrations.queries import query
from sqlmigrations.runner.measurements import Block, Rehearsed
from sqlmigrations.runner.measuring import LeftTransaction
from sqlmigrations.runner.modes import Mode
from sqlmigrations.runner.rehearsal import Rehearsal
from sqlmigrations.runner.session import Session
from sqlmigrations.schema.copy import copy_live
from sqlmigrations.schema.scratch import scratch_database
from sqlmigrations.service.apply import ApplyOptions, plan_run
from sqlmigrations.service.gather import Footprints
from sqlmigrations.service.lint import LintReport, sources_of
from sqlmigrations.service.prediction import LockPrediction, Prediction, lock_predictions, predictions
from sqlmigrations.walk import Walk

#: How fast slow work is taken to be where there were no rows to measure it with: bytes of the table in a millisecond.
BYTES_PER_MS = 50_000

#: How long a statement may take that is rehearsed in place, where nothing else is set.
IN_PLACE_TIMEOUT = "60s"

_IN_PLACE_NOTES = (
    "In place: sequences that were used keep their new values, and files keep their size.",
    "In place: what an earlier file has locked stays locked, and is not told of later ones.",
)


class Where(StrEnum):
    """Where files are rehearsed."""

    #: In a scratch database with the live one's schema and statistics.
    SCHEMA = "schema"
    #: In a scratch database with its rows as well.
    DATA = "data"
    #: In the live database itself, in a transaction that is rolled back.
    IN_PLACE = "in_place"


@dataclass(frozen=True, slots=True)
class RehearseOptions:
    """What to rehearse, where, and what is too much.

    ``max_block_ms`` is how long any relation may be kept from others, ``max_lock`` the strongest lock that may be taken
    on one that was there before.
    """

    run: ApplyOptions = field(default_factory=ApplyOptions)
    where: Where = Where.SCHEMA
    max_block_ms: float | None = None
    max_lock: Mode | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """How large a relation is in the live database, as its statistics tell."""

    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Over:
    """What goes beyond a budget, and the line of the statement that took the lock."""

    relation: str
    message: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class FileRehearsal:
    """How the rehearsal of one file went.

    ``is_held`` says that it was not run since it depends on one that failed, or that is held itself. ``down`` is its
    down script after all files had run, ``again`` the file once more after that; ``None`` where that was not tried,
    for ``reason``. ``predictions`` and ``locks`` put what the linter says beside what was measured.
    """

    name: str
    kind: Kind
    run: Rehearsed | None = None
    reason: str = ""
    is_held: bool = False
    down: Rehearsed | None = None
    again: Rehearsed | None = None
    over: tuple[Over, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    locks: tuple[LockPrediction, ...] = ()

    @property
    def state(self) -> str:
        """``ok``, ``failed``, ``over`` a budget, ``held``, or ``skipped``."""
        tried = [each for each in (self.run, self.down, self.again) if each is not None]
        if not tried:
            return "held" if self.is_held else "skipped"
        if any(each.error for each in tried):
            return "failed"
        return "over" if self.over else "ok"


@dataclass(frozen=True, slots=True)
class RehearsalReport:
    """What was measured. ``sizes`` are those of the relations in the live database, ``paths`` the files by name."""

    database: str
    where: Where
    files: tuple[FileRehearsal, ...]
    sizes: dict[str, Size]
    notes: tuple[str, ...] = ()
    paths: Mapping[str, Path] = field(default_factory=dict)

    def estimate_ms(self, block: Block) -> float:
        """Return how long the slow work of a block would take on the rows that the rehearsal had not."""
        return estimate_ms(block, self.sizes) if self.where is Where.SCHEMA else 0.0


class Unrehearsable(SQLMigrationsError):
    """A file can't be rehearsed in the way that was asked for."""


Tell = Callable[[str], None]


def rehearse(options: RehearseOptions, tell: Tell = lambda words: None) -> RehearsalReport:
    """Run what is pending where it can do no harm, and return what was measured. Nothing of it is left.

    ``tell`` is called with what begins: the copy of the live database, each file.

    Raises:
        InvalidFiles: files can't be run as they are.
        NoScratch: there can be no scratch database.
        ProgramMissing, CopyFailed: the live database can't be copied.
        Unrehearsable: ``in_place`` was asked for, and a file can't be rolled back.
        RunLockHeld: ``in_place`` was asked for while a run is at work.
        DatabaseUnavailable: the database can't be reached.
    """
    with connected(options.run.database) as wrapper:
        plan = plan_run(options.run, findings=True)
        if options.where is Where.IN_PLACE:
            if plan.holder is not None:
                raise RunLockHeld(f"A run is at work: {plan.holder}.", hint="Rehearse when it is done.")
            _check_can_be_rolled_back(plan.plan.runnable)
        steps = [step for step in plan.unfinished if step.runs or (step.asked and step.status is not Status.PENDING)]
        with _stage(wrapper, options.where, tell) as (stage, notes):
            walk = Walk.along(plan.plan, Footprints().overlap, plan.django_applied)
            files = _Show(stage, walk, tell).go(steps)
        sizes = _sizes(raw(wrapper), files)
        files = tuple(replace(each, over=tuple(_over(each, options, sizes))) for each in files)
        if plan.lint is not None:
            by_text = foreseen(sources_of(step.file for step in plan.plan.runnable))
            files = tuple(_compared(each, plan.lint, by_text, options.where) for each in files)
        return RehearsalReport(options.run.database, options.where, files, sizes, tuple(notes), _paths(steps))


# Where it runs


@contextmanager
def _stage(wrapper: BaseDatabaseWrapper, where: Where, tell: Tell) -> Iterator[tuple[Rehearsal, list[str]]]:
    """Open what files are rehearsed in, and close it so that nothing is left."""
    if where is Where.IN_PLACE:
        with _in_place(wrapper) as rehearsal:
            yield rehearsal, list(_IN_PLACE_NOTES)
        return
    with scratch_database(wrapper, "a rehearsal", as_copy=where is Where.DATA) as scratch:
        tell("Copying the live database" + (" with its rows" if where is Where.DATA else "'s schema"))
        notes = copy_live(scratch, rows=where is Where.DATA)
        if where is Where.SCHEMA:
            notes.append("The tables of the copy are empty: times are estimated from the size of the live ones.")
        with scratch.standing_in(), closing(own_connection(scratch.wrapper)) as observer:
            yield Rehearsal(Session(scratch.wrapper), _observing(observer), leaves_out=server_wide), notes


@contextmanager
def _in_place(wrapper: BaseDatabaseWrapper) -> Iterator[Rehearsal]:
    """Open a transaction on the live database that is rolled back, whatever happens in it."""
    session, timeout = Session(wrapper), settings.STATEMENT_TIMEOUT or IN_PLACE_TIMEOUT
    with ExitStack() as stack:
        stack.callback(session.end)
        observer = stack.enter_context(closing(own_connection(wrapper)))
        seen = _observing(observer)
        with transaction.atomic(using=wrapper.alias, durable=True):
            yield Rehearsal(session, seen, is_surrounded=True, statement_timeout=timeout)
            transaction.set_rollback(True, using=wrapper.alias)


def _observing(wrapper: BaseDatabaseWrapper) -> Connection:
    """Open the session that looks on. It never waits long: what it waits for may be waiting for it."""
    wrapper.connect()
    wrapper.set_autocommit(True)
    connection = raw(wrapper)
    connection.execute("SET lock_timeout = '1s'")
    return connection


def _check_can_be_rolled_back(steps: Iterable[Step]) -> None:
    """Check that every file can run inside one transaction.

    Raises:
        Unrehearsable: one can't.
    """
    for step in steps:
        if not step.file.directives.transaction:
            directive = "transaction off" if step.file.directives.batch is None else "batch"
            raise Unrehearsable(
                f"{step.name} has `{directive}`: what it does can't be rolled back.",
                hint="Rehearse it in a scratch database: applysql --rehearse, without --in-place.",
            )


# What runs there


@dataclass
class _Show:
    """The walk along the files: forwards, back, and forwards again."""

    rehearsal: Rehearsal
    walk: Walk
    tell: Tell
    results: dict[str, FileRehearsal] = field(default_factory=dict)

    def go(self, steps: Sequence[Step]) -> tuple[FileRehearsal, ...]:
        """Rehearse the steps and return how each went; those that depend on one that failed are held, as in a run."""
        ran = []
        for step in steps:
            result = self._forwards(step)
            self.results[step.name] = result
            if result.run is not None and result.run.error is None:
                ran.append(step)
        self._back_and_again(ran)
        return tuple(self.results.values())

    def _forwards(self, step: Step) -> FileRehearsal:
        """Rehearse one step, unless it is held or would not run."""
        result = FileRehearsal(step.name, step.kind)
        if not step.runs:
            self.walk.pass_by(step)
            return replace(result, reason=step.reason or step.status, is_held=step.status is Status.HELD)
        if reason := self.walk.held(step):
            self.walk.finish(step, applied=False)
            return replace(result, reason=reason, is_held=True)
        self.tell(f"Rehearsing {step.name}")
        run = self._run(step.file, step.file.verify)
        self.walk.finish(step, applied=run.error is None)
        return replace(result, run=run)

    def _back_and_again(self, steps: Sequence[Step]) -> None:
        """Undo the newest files that have a down script, then run them once more."""
        undone: list[Step] = []
        for step in reversed(steps):
            if step.file.down is None:
                if step.kind is Kind.VERSIONED:
                    break
                continue
            down = self._run(step.file.down)
            self.results[step.name] = replace(self.results[step.name], down=down)
            if down.error:
                return
            undone.append(step)
        for step in reversed(undone):
            again = self._run(step.file, step.file.verify)
            self.results[step.name] = replace(self.results[step.name], again=again)
            if again.error:
                return

    def _run(self, script: Script, verifier: Script | None = None) -> Rehearsed:
        try:
            return self.rehearsal.run(script, verifier)
        except LeftTransaction as left:
            raise Unrehearsable(
                f"{script.name} ended the transaction that was to be rolled back. Look at what it left.",
                hint="Rehearse it in a scratch database: applysql --rehearse, without --in-place.",
            ) from left


def _paths(steps: Iterable[Step]) -> dict[str, Path]:
    """Return where the files that were rehearsed are on disk, companions included, by name."""
    scripts = [script for step in steps for script in (step.file, step.file.down, step.file.verify) if script]
    return {script.name: script.path for script in scripts}


# What it means


def estimate_ms(block: Block, sizes: dict[str, Size]) -> float:
    """Return how long the slow work of a block takes on a table of its size in the live database."""
    size = sizes.get(block.lock.relation)
    return round(size.bytes / BYTES_PER_MS, 1) if size and block.work else 0.0


def _sizes(connection: Connection, files: Iterable[FileRehearsal]) -> dict[str, Size]:
    """Return the size of each relation that a file blocks, from the statistics of the live database."""
    names = sorted({block.lock.relation for each in files if each.run for block in each.run.blocks})
    rows = fetch_all(connection, query("service/sql/relation_sizes.sql"), {"names": names})
    return {name: Size(int(count), int(size)) for name, count, size in rows}


def _compared(
    result: FileRehearsal, lint: LintReport, by_text: Mapping[str, Mapping[tuple[str, ...], str]], where: Where
) -> FileRehearsal:
    """Put what the linter says of a file beside what was measured; nothing of a file that failed.

    In place, locks that earlier files have taken are still held, and not seen again.
    """
    if result.run is None or result.run.error is not None:
        return result
    found = [*lint.of(result.name), *(one for one in lint.cleared if one.file == result.name)]
    measured = result.run.statements
    locks = lock_predictions(by_text.get(result.name, {}), found, measured, sees_all=where is not Where.IN_PLACE)
    return replace(result, predictions=tuple(predictions(found, measured)), locks=tuple(locks))


def _over(result: FileRehearsal, options: RehearseOptions, sizes: dict[str, Size]) -> Iterator[Over]:
    """Yield what goes beyond the budgets."""
    run = result.run
    if run is None:
        return
    lines = {
        (lock.relation, lock.mode): statement.line for statement in reversed(run.statements) for lock in statement.locks
    }
    for block in run.blocks:
        estimated = estimate_ms(block, sizes) if options.where is Where.SCHEMA else 0.0
        total = block.writers_ms + estimated
        if options.max_block_ms is not None and total > options.max_block_ms:
            yield Over(
                block.lock.relation,
                f"{block.whom} of {block.lock.relation} wait {total:.0f} ms, more than {options.max_block_ms:.0f} ms",
                lines.get((block.lock.relation, block.lock.mode), 0),
            )
    strong = {
        lock.relation: lock
        for statement in run.statements
        for lock in statement.locks
        if options.max_lock is not None and lock.mode > options.max_lock
    }
    for lock in strong.values():
        line = lines.get((lock.relation, lock.mode), 0)
        yield Over(lock.relation, f"{lock.relation} is locked {lock.mode}, stronger than {options.max_lock}", line)
