"""Reverts SQL files with their down scripts, newest first, and tells what that would do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS

from sqlmigrations import signals
from sqlmigrations.database import Connection, connected
from sqlmigrations.exceptions import ConfigurationError, InvalidFiles, SQLMigrationsError, UnknownFile
from sqlmigrations.files.discovery import DOWN, SUFFIX
from sqlmigrations.files.graph import required
from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.lookup import resolve
from sqlmigrations.files.masking import holds_masks
from sqlmigrations.files.reading import examine
from sqlmigrations.files.recorded import RecordedFile
from sqlmigrations.files.scripts import Script, SQLFile
from sqlmigrations.files.stored import CUT
from sqlmigrations.history import Record, Tables, Texts, read_all_texts
from sqlmigrations.history.places import read_places
from sqlmigrations.messages import gettext as _
from sqlmigrations.models import State
from sqlmigrations.plan import Status
from sqlmigrations.runner.outcome import Outcome
from sqlmigrations.runner.task import backwards
from sqlmigrations.service.backup import back_up, check_backup_is_possible
from sqlmigrations.service.gather import Footprints, OnDisk, Remembered, read_disk, recall
from sqlmigrations.service.logs import log_outcome
from sqlmigrations.service.results import FileResult, Finished, Progress, Starting, changing, silent
from sqlmigrations.service.run import Run, open_run
from sqlmigrations.service.snapshot import moving_snapshot
from sqlmigrations.service.told import LOCK_WAIT

#: The target that reverts everything, as in ``migrate APP zero``.
ZERO = "zero"


class NothingToRevertWith(SQLMigrationsError):
    """A file has no down script, neither kept with its record nor on disk."""


class StillNeeded(SQLMigrationsError):
    """Files that were applied later build on those to be reverted."""


@dataclass(frozen=True, slots=True)
class RevertOptions:
    """What to revert; just one of ``names``, ``last`` and ``to`` is given."""

    database: str = DEFAULT_DB_ALIAS
    names: tuple[str, ...] = ()
    last: int | None = None
    to: str | None = None
    cascade: bool = False
    from_disk: bool = False


@dataclass(frozen=True, slots=True)
class Reversal:
    """One file to revert: with which script, and what a person should know before.

    ``reverted_with`` names the files for whose sake it has to go, where nobody asked for it.
    """

    name: str
    kind: Kind
    record: Record
    script: Script
    reason: str = ""
    diff: str = ""
    reverted_with: tuple[str, ...] = ()

    @property
    def was_faked(self) -> bool:
        """Whether the file was recorded without being run, so that its down script may not fit."""
        return self.record.state == State.BASELINED


@dataclass(frozen=True, slots=True)
class RevertPlan:
    """What would be reverted, newest first."""

    database: str
    reversals: tuple[Reversal, ...]


@dataclass(frozen=True, slots=True)
class RevertResult:
    """What became of each file."""

    database: str
    files: tuple[FileResult, ...]
    head: str


def plan_revert(options: RevertOptions) -> RevertPlan:
    """Return what would be reverted, newest first. Nothing is locked, made or changed.

    Raises:
        ConfigurationError: no target was given, or more than one, or less than one file or more than there are.
        UnknownFile: a name that the database doesn't hold.
        StillNeeded: later files build on them, and ``cascade`` was not asked for.
        NothingToRevertWith: there is no down script that can be run.
        InvalidFiles: a down script holds what is never run.
    """
    if sum((bool(options.names), options.last is not None, options.to is not None)) != 1:
        raise ConfigurationError("Say what to revert: NAME, --last N or --to NAME.")
    if options.last is not None and options.last < 1:
        raise ConfigurationError(
            f"--last {options.last} reverts nothing: N says how many of the files that were applied last are reverted.",
            hint="Give a number of at least 1; all files: --to zero.",
        )
    with connected(options.database) as wrapper:
        disk = read_disk(options.database)
        remembered = recall(wrapper, disk)
        if remembered.location.tables is None:
            raise UnknownFile("This database has no history of SQL files: there is nothing to revert.")
        texts = read_all_texts(wrapper.connection, remembered.location.tables)
        past = _Past(disk, remembered, texts, _oldest_first(wrapper.connection, disk, remembered))
        targets = past.targets(options)
        names = past.with_dependants(targets, cascade=options.cascade)
        reversals = tuple(past.reversal(name, from_disk=options.from_disk) for name in names)
        reversals = tuple(
            one if one.name in targets else replace(one, reverted_with=past.builds_on(one.name, names))
            for one in reversals
        )
        problems = [problem for reversal in reversals for problem in examine(reversal.script)]
        if problems:
            raise InvalidFiles(problems)
        return RevertPlan(options.database, reversals)


def refuse_faked(plan: RevertPlan, *, hint: str) -> None:
    """Check that every file of ``plan`` was run: the others' down scripts want a person's consent.

    Raises:
        ConfigurationError: one was recorded without being run; ``hint`` says how to consent.
    """
    if faked := [reversal.name for reversal in plan.reversals if reversal.was_faked]:
        raise ConfigurationError(
            f"{', '.join(faked)} was recorded without being run: its down script may undo what it never did.", hint=hint
        )


def revert(
    plan: RevertPlan, progress: Progress = silent, *, backup: bool = False, lock_wait: float = LOCK_WAIT
) -> RevertResult:
    """Run the down scripts of ``plan``, one file after the other; the first failure stops it.

    Raises:
        RunLockHeld: another run went on for longer than ``lock_wait`` seconds.
        BackupFailed: a backup was asked for and could not be taken; nothing was reverted.
        DatabaseUnavailable: the database can't be reached.
        KeyboardInterrupt: the run was interrupted; the script in work was rolled back.
    """
    if backup:
        check_backup_is_possible()
    with connected(plan.database) as wrapper, open_run(wrapper, lock_wait=lock_wait, tell=progress) as run:
        if backup and plan.reversals:
            run.journal.context["backup"] = back_up(plan.database)
        return _Reverting(run, plan, progress).go()


@dataclass
class _Reverting:
    """The walk of one run along what is to be reverted."""

    run: Run
    plan: RevertPlan
    progress: Progress
    results: list[FileResult] = field(default_factory=list)

    def go(self) -> RevertResult:
        """Do the work between the signals that begin and end a run."""
        using, run = self.plan.database, self.run.id
        names = [reversal.name for reversal in self.plan.reversals]
        signals.announce(signals.run_started, using=using, run=run, names=names)
        try:
            with moving_snapshot(self.run, files=lambda: changing(self.results)):
                for reversal in self.plan.reversals:
                    self._take(reversal)
        finally:
            result = RevertResult(using, tuple(self.results), self.run.head)
            signals.announce(signals.run_finished, using=using, run=run, result=result)
        return result

    def _take(self, reversal: Reversal) -> None:
        if self.results and self.results[-1].status is not Status.REVERTED:
            result = FileResult(
                reversal.name, reversal.kind, Status.APPLIED, "stays as it is, since the one before it failed"
            )
        else:
            self.progress(Starting(reversal.name, reversal.script, "Reverting"))
            result = FileResult.of(self._one(reversal), reversal.kind)
        self.results.append(result)
        self.progress(Finished(result))

    def _one(self, reversal: Reversal) -> Outcome:
        """Revert one file, with its signals."""
        using, run, name = self.plan.database, self.run.id, reversal.name
        signals.announce(signals.migration_started, using=using, run=run, name=name)
        task = backwards(name, reversal.kind, reversal.script, reversal.reverted_with)
        outcome = self.run.executor.run(task, reversal.record)
        signal = signals.migration_failed if outcome.error else signals.migration_reverted
        signals.announce(signal, using=using, run=run, name=name, outcome=outcome)
        log_outcome(using, run, outcome)
        return outcome


@dataclass
class _Past:
    """What the database holds, in the order in which it came there."""

    disk: OnDisk
    remembered: Remembered
    texts: Mapping[str, Texts]
    held: Sequence[Record]  #: what the database holds, oldest first
    footprints: Footprints = field(default_factory=Footprints)

    def targets(self, options: RevertOptions) -> list[str]:
        """Return the names that a person means."""
        held = [record.filename for record in self.held]
        if options.names:
            return [self._resolve(name) for name in options.names]
        versioned = [record.filename for record in self.held if record.kind == Kind.VERSIONED]
        if options.last is not None:
            if options.last > len(versioned):
                raise ConfigurationError(
                    f"--last {options.last}: this database holds {len(versioned)} versioned files."
                )
            return versioned[-options.last :]
        if options.to == ZERO:
            return [name for name in held if self._down_of(name) is not None or name in versioned]
        return self._after(self._resolve(str(options.to)), versioned)

    def _after(self, target: str, versioned: Sequence[str]) -> list[str]:
        order = [file.name for file in self.disk.files if file.name in versioned]
        if target not in order:
            raise ConfigurationError(f"--to {target}: only a versioned file on disk can be a target.")
        return order[order.index(target) + 1 :]

    def _resolve(self, name: str) -> str:
        files = [self.file(record.filename) for record in self.held]
        try:
            return resolve(name, files).name
        except UnknownFile:
            present = resolve(name, self.disk.files)  # says so itself when there is no such file at all
        record = self.remembered.records.get(present.name)
        state = str(record.state.label) if record else "pending"
        raise UnknownFile(f"{present.name} is {state}: there is nothing of it to revert.")

    def file(self, name: str) -> SQLFile:
        """Return a file as it was applied, where its text is kept; else as it stands on disk."""
        kept = self.texts.get(name)
        record = self.remembered.records[name]
        if kept is not None and kept.applied:
            return RecordedFile(name, Path(name), kind=record.kind, text=kept.applied)
        return self.disk.by_name.get(name) or RecordedFile(name, Path(name), kind=record.kind)

    def with_dependants(self, names: Sequence[str], *, cascade: bool) -> list[str]:
        """Return ``names`` with those that build on them, newest first.

        Raises:
            StillNeeded: there are such, and ``cascade`` is not set.
        """
        order = [record.filename for record in self.held]
        chosen = set(names)
        before: list[str] = []
        for name in order:
            if name not in chosen:
                needed = next(self._needs(name, before), "")
                if not needed:
                    continue
                if not cascade:
                    raise StillNeeded(
                        f"{name} was applied later and {needed}.", hint="Revert it too: add --cascade, or name it."
                    )
                chosen.add(name)
            before.append(name)
        return [name for name in reversed(order) if name in chosen]

    def _needs(self, name: str, others: Iterable[str]) -> Iterator[str]:
        """Yield why the file ``name`` can't stay when ``others``, applied before it, go."""
        present = self.disk.by_name.get(name)
        for other in others:
            if present is not None and other in required(present):
                yield f"requires {other}"
            elif shared := self.footprints.overlap(self.file(name), self.file(other)):
                yield f"touches {shared}, as does {other}"

    def builds_on(self, name: str, chosen: Sequence[str]) -> tuple[str, ...]:
        """Return those of ``chosen``, newest first, that the file ``name`` can't stay without."""
        before = takewhile(lambda other: other != name, reversed(chosen))
        return tuple(other for other in before if next(self._needs(name, [other]), ""))

    def _down_of(self, name: str) -> str | None:
        kept = self.texts.get(name)
        return kept.down if kept else None

    def reversal(self, name: str, *, from_disk: bool) -> Reversal:
        """Return how to revert one file.

        Raises:
            NothingToRevertWith: neither the record nor the disk has a script that can be run.
        """
        record = self.remembered.records[name]
        present = self.disk.by_name.get(name)
        on_disk = present.down if present is not None else None
        kept = self._down_of(name)
        if kept is not None and is_whole(kept) and not from_disk:
            script = _kept_script(name, kept)
            return Reversal(name, record.kind, record, script, _("as kept when it was applied"), _diff(kept, on_disk))
        if on_disk is None:
            why = "it had none when it was applied" if kept is None else "the kept one is cut or masked"
            raise NothingToRevertWith(
                f"{name} has no down script that can be run: {why}, and there is none on disk.",
                hint=f"Write {_down_name(name)}, and run this again.",
            )
        return Reversal(name, record.kind, record, on_disk, _("as it stands on disk"))


def kept_down(connection: Connection, tables: Tables, file: SQLFile) -> Script:
    """Return the down script of a file that is half reverted: as kept, else as it stands on disk.

    Raises:
        NothingToRevertWith: there is neither.
    """
    texts = read_all_texts(connection, tables).get(file.name)
    if texts is not None and texts.down is not None and is_whole(texts.down):
        return _kept_script(file.name, texts.down)
    if file.down is None:
        raise NothingToRevertWith(f"{file.name} has no down script any more, neither kept nor on disk.")
    return file.down


def _kept_script(name: str, text: str) -> Script:
    """Return the down script of the file ``name`` as it was kept."""
    return RecordedFile(_down_name(name), Path(_down_name(name)), text=text)


def _down_name(name: str) -> str:
    return name.removesuffix(SUFFIX) + DOWN


def _oldest_first(connection: Connection, disk: OnDisk, remembered: Remembered) -> list[Record]:
    """Return the records of what the database holds in the order in which it came there, else in that of the files."""
    place = {file.name: index for index, file in enumerate(disk.files)}
    held = [record for record in remembered.records.values() if _can_be_reverted(record)]
    held.sort(key=lambda record: place.get(record.filename, -1))
    return read_places(connection, remembered.location.tables).sort(held)


def _can_be_reverted(record: Record) -> bool:
    half_reverted = record.state == State.PARTIAL and (record.progress or {}).get("direction") == "backwards"
    return record.executed_at is not None and (record.is_held or half_reverted)


def is_whole(text: str) -> bool:
    """Tell whether a kept text is the script itself, neither cut nor masked."""
    return not (text.startswith("-- sensitive:") or _is_cut(text) or holds_masks(text.encode()))


def _is_cut(text: str) -> bool:
    first = text.partition("\n")[0]
    return CUT.fullmatch(first) is not None


def _diff(kept: str, on_disk: Script | None) -> str:
    """Return how a newer down script on disk differs from the kept one."""
    if on_disk is None:
        return ""
    present = b"".join(on_disk.blocks()).decode(errors="replace").replace("\r\n", "\n")
    lines = difflib.unified_diff(
        kept.replace("\r\n", "\n").splitlines(), present.splitlines(), "as applied", "on disk", lineterm=""
    )
    return "\n".join(lines)
