"""Makes a database anew, from nothing, and compares it with the live one.

In a scratch database, Django's migrations run first and the SQL files after them, as ``migrate`` does with
SQLMIGRATIONS_APPLY_ON_MIGRATE: just those that the live database is recorded to hold, so that what is pending is no
difference. What they change beyond their database (roles, tablespaces, the server's settings) is left out: it belongs
to other databases too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from sqlmigrations.conf import settings
from sqlmigrations.database import Connection, raw
from sqlmigrations.exceptions import InvalidFile, SQLMigrationsError
from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.recorded import RecordedFile
from sqlmigrations.files.scripts import SMALL, Script, SQLFile
from sqlmigrations.files.server_wide import without_server_wide
from sqlmigrations.history import Record, Texts, read_all_texts, read_record
from sqlmigrations.messages import gettext as _
from sqlmigrations.models import State
from sqlmigrations.runner.outcome import Outcome
from sqlmigrations.runner.task import Task, backwards, forwards
from sqlmigrations.schema.catalog import Attributes, Catalog, read_catalog
from sqlmigrations.schema.compare import compare
from sqlmigrations.schema.deparse import compare_twice
from sqlmigrations.schema.difference import Difference, Findings, Severity, Skipped, Source
from sqlmigrations.schema.scratch import NoScratch, Scratch, scratch_database
from sqlmigrations.schema.severities import read_severities
from sqlmigrations.schema.stand_in import OutsideScratch
from sqlmigrations.service.gather import OnDisk, Remembered
from sqlmigrations.service.replay_cache import Replay, keep_replay, place_of, read_replay
from sqlmigrations.service.revert import is_whole
from sqlmigrations.service.run import Run, open_run
from sqlmigrations.service.within_migration import tasks_made_by


@dataclass(frozen=True, slots=True)
class Past:
    """What a database is recorded to hold, in the order in which it is made from nothing."""

    migrations: frozenset[tuple[str, str]]
    files: tuple[SQLFile, ...] = ()
    skipped: tuple[Skipped, ...] = ()


class ReplayFailed(SQLMigrationsError):
    """A migration or a file does not run on an empty database."""

    def __init__(self, kind: str, name: str, why: str) -> None:
        self.kind = kind
        self.name = name
        self.why = why
        super().__init__(f"{kind} {name} does not run on an empty database: {why}")


# What there is to replay


def past_of(wrapper: BaseDatabaseWrapper, disk: OnDisk, remembered: Remembered) -> Past:
    """Return what the live database is recorded to hold."""
    applied = frozenset(MigrationLoader(wrapper).applied_migrations)
    tables = remembered.location.tables
    texts = read_all_texts(raw(wrapper), tables) if tables else {}
    files, skipped = held_files(disk.files, remembered.records, texts)
    return Past(applied, files, skipped)


def held_files(
    files: Sequence[SQLFile], records: Mapping[str, Record], texts: Mapping[str, Texts]
) -> tuple[tuple[SQLFile, ...], tuple[Skipped, ...]]:
    """Return the files with the texts that the database holds, in the order of a run, and those that can't be had."""
    held: list[SQLFile] = []
    skipped = []
    on_disk = {file.name: file for file in files}
    missing = [record for name, record in sorted(records.items()) if record.is_held and name not in on_disk]
    for record in (records[file.name] for file in files if file.name in records):
        if record.state in (State.PARTIAL, State.IN_DOUBT):
            reason = _("it stopped half-way, and what it left can't be told")
            skipped.append(Skipped(_replay_of(record), reason, _("Settle it: applysql --resume-at")))
        elif record.is_held:
            _take(record, on_disk[record.filename], texts, held, skipped)
    for record in missing:
        _take(record, None, texts, held, skipped)
    return tuple(held), tuple(skipped)


def _replay_of(record: Record) -> str:
    return _("the replay of {name}", name=record.filename)


def _take(
    record: Record, file: SQLFile | None, texts: Mapping[str, Texts], held: list[SQLFile], skipped: list[Skipped]
) -> None:
    """Put a file into its place among those that are ``held``, with the text that the database holds."""
    if file is not None and (not record.checksum or file.checksum == record.checksum):
        held.append(file)
        return
    text = texts[record.filename].applied if record.filename in texts else None
    if text is None or not is_whole(text):
        reason = (
            _("the file is gone and its text is not kept")
            if file is None
            else _("the file has changed and its text is not kept")
        )
        skipped.append(Skipped(_replay_of(record), reason, _("Bring the file back as it was applied.")))
        return
    folder = file.folder if file is not None else ""
    kept = RecordedFile(record.filename, Path(record.filename), kind=record.kind, folder=folder, text=text)
    held.insert(len(held) if file is not None else _place(kept, held), kept)


def _place(gone: SQLFile, held: Sequence[SQLFile]) -> int:
    """Return where a file that is gone belongs: before the first one of its kind whose name is greater."""
    kinds = list(Kind)
    for index, file in enumerate(held):
        if (kinds.index(file.kind), file.name) > (kinds.index(gone.kind), gone.name):
            return index
    return len(held)


# Making it anew


@contextmanager
def anew(live: BaseDatabaseWrapper, purpose: str) -> Iterator[_Anew]:
    """Make a scratch database that stands in for the live one during the block.

    Raises:
        NoScratch: there can be none.
    """
    loader = MigrationLoader(live)  # of two squashed histories, the one that the live database has
    loader.applied_migrations = {}
    with scratch_database(live, purpose) as scratch, scratch.standing_in():
        yield _Anew(scratch, loader)


@dataclass
class _Anew:
    """A scratch database in which things are made from nothing."""

    scratch: Scratch
    loader: MigrationLoader
    left_out: list[str] = field(default_factory=list)

    def migrate(self, migrations: Collection[tuple[str, str]] | None) -> None:
        """Apply Django's migrations: those named, or all.

        Signals are not sent: their receivers make rows, not schema, and may reach further than this database.

        Raises:
            ReplayFailed: one fails.
        """
        executor = MigrationExecutor(self.scratch.wrapper)
        executor.loader = self.loader
        progress = _Progress()
        executor.progress_callback = progress.note
        leaves = executor.loader.graph.leaf_nodes()
        plan = [
            (migration, False)
            for migration, _backwards in executor.migration_plan(leaves, clean_start=True)
            if migrations is None or (migration.app_label, migration.name) in migrations
        ]
        try:
            with self.scratch.wrapper.execute_wrapper(self._locally), tasks_made_by(self._task):
                executor.migrate([], plan=plan)
        except Exception as error:  # a migration may raise anything
            raise ReplayFailed("migration", progress.name, _first_line(error)) from error

    def _locally(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        """Execute a migration's SQL without the statements that reach beyond the database."""
        if params is None and isinstance(sql, str) and _MAY_REACH_FURTHER.search(sql):
            with suppress(InvalidFile):  # what can't be split is the server's to judge
                text, left_out = without_server_wide(sql.encode())
                self._note(left_out)
                sql = text.decode()
                if left_out and not sql.strip("; \n"):
                    return None
        return execute(sql, params, many, context)

    def _note(self, left_out: Sequence[tuple[int, str]]) -> None:
        self.left_out += [command for _line, command in left_out]

    def apply(self, run: Run, file: SQLFile) -> None:
        """Apply a file, unless a migration has done so.

        Raises:
            ReplayFailed: it fails.
        """
        if not self.holds(run, file):
            self._run(run, self._task(file))

    def holds(self, run: Run, file: SQLFile) -> bool:
        """Tell whether a file was applied here."""
        record = read_record(run.connection, run.tables, file.name)
        return record is not None and record.is_held

    def _task(self, file: SQLFile) -> Task:
        """Return the task of applying a file without its verify script, which may ask for data."""
        return replace(forwards(self._local(file)), verify=None)

    def revert(self, run: Run, file: SQLFile, down: Script) -> None:
        """Run the down script of a file.

        Raises:
            ReplayFailed: it fails.
        """
        self._run(run, backwards(file.name, file.kind, down))

    def _run(self, run: Run, task: Task) -> None:
        outcome = run.executor.run(task, read_record(run.connection, run.tables, task.name))
        if outcome.error is not None:
            raise ReplayFailed("file", task.script.name, _why(outcome))

    def _local(self, file: SQLFile) -> SQLFile:
        """Return the file without the statements that reach beyond the database; a large one as it is."""
        if file.size > SMALL:
            return file
        text, left_out = without_server_wide(b"".join(file.blocks()), file.name)
        if not left_out:
            return file
        self._note(left_out)
        return RecordedFile(file.name, file.path, kind=file.kind, folder=file.folder, text=text.decode())

    @contextmanager
    def runs(self) -> Iterator[Run]:
        """Hold a run in the scratch database."""
        with open_run(self.scratch.wrapper, lock_wait=0, tell=lambda told: None) as run:
            yield run

    def catalog(self) -> Catalog:
        """Read what is there now."""
        return read_catalog(self.scratch.connection)


#: Words without which no statement reaches beyond its database.
_MAY_REACH_FURTHER = re.compile(
    r"\b(?:role|user|group|database|tablespace|subscription|system|owned|grant|revoke)\b", re.IGNORECASE
)


class _Progress:
    """Remembers which migration is at work."""

    name = "of Django"

    def note(self, action: str, migration: Any = None, fake: bool | None = False) -> None:
        """Take a report of Django's executor."""
        if migration is not None:
            self.name = str(migration)


def _why(outcome: Outcome) -> str:
    error = outcome.error
    return f"{error.where}: {error.message}" if error is not None else ""


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


# Comparing


def compare_replay(wrapper: BaseDatabaseWrapper, disk: OnDisk, remembered: Remembered) -> Findings:
    """Compare the live database with what migrations and files make from nothing.

    What they make is read from the folder of SQLMIGRATIONS_REPLAY_CACHE where the same was replayed before.
    """
    past = past_of(wrapper, disk, remembered)
    place = place_of(raw(wrapper), past.migrations, past.files)
    try:
        if (kept := read_replay(place)) is not None:
            return _compared(raw(wrapper), wrapper, kept, past)
        with anew(wrapper, "replay") as new:
            new.migrate(past.migrations)
            if past.files:
                with new.runs() as run:
                    for file in past.files:
                        new.apply(run, file)
            made = Replay(new.catalog(), tuple(new.left_out))
            keep_replay(place, made)
            return _compared(new.scratch.connection, wrapper, made, past)
    except NoScratch as error:
        return Findings(skipped=(Skipped(_("the replay"), error.reason, error.remedy),))
    except ReplayFailed as error:
        return Findings((_not_replayed(error, Source.REPLAY),), skipped=past.skipped)


def _compared(beside: Connection, live: BaseDatabaseWrapper, made: Replay, past: Past) -> Findings:
    """Compare; ``beside`` leads to where expressions may be stored once more."""
    found = read_catalog(raw(live))
    expected = as_owned(made.catalog, found)
    severities = read_severities(settings.DRIFT_SEVERITY)
    differences = compare_twice(beside, expected, found, source=Source.REPLAY, severities=severities)
    left_out = Counter(f"unreplayed {command}" for command in made.left_out)
    not_covered = {**found.not_covered, **left_out}
    return Findings(differences, found.counts, not_covered, past.skipped, expected=expected, found=found)


def _not_replayed(failed: ReplayFailed, source: Source) -> Difference:
    outside = isinstance(failed.__cause__, OutsideScratch)
    return Difference(
        source,
        failed.kind,
        failed.name,
        "replay",
        "possible on an empty database",
        failed.why,
        Severity.WARNING if outside else Severity.ERROR,
        "what can't be made from nothing can't be made for tests or after a loss either: mend it",
    )


def as_owned(made: Catalog, found: Catalog) -> Catalog:
    """Return what was made as if the role that owns most of what was found had made it.

    Another role may validate than the one that runs the migrations.
    """
    makers, owners = (
        Counter(attributes["owner"] for attributes in catalog.objects.values() if "owner" in attributes)
        for catalog in (made, found)
    )
    if not makers or not owners:
        return made
    ((maker, _count),) = makers.most_common(1)
    ((owner, _count),) = owners.most_common(1)

    def owned(attributes: Attributes) -> Attributes:
        return {**attributes, "owner": owner} if attributes.get("owner") == maker else attributes

    return replace(made, objects={identity: owned(attributes) for identity, attributes in made.objects.items()})


# Up, down, up


def compare_roundtrip(wrapper: BaseDatabaseWrapper, disk: OnDisk) -> Findings:
    """Prove of each file with a down script that it undoes the file, and that the file runs again after it.

    All migrations and files on disk are taken, pending ones too, but for seeds and for files that migrations apply.
    """
    files = [file for file in disk.files if file.kind is not Kind.SEED]
    differences: list[Difference] = []
    skipped: list[Skipped] = []
    try:
        with anew(wrapper, "round trip") as new:
            new.migrate(None)
            with new.runs() as run:
                for file in files:
                    if new.holds(run, file):
                        skipped += [_of_migration(file)] if file.down else []
                    else:
                        differences += _roundtrip(new, run, file)
    except NoScratch as error:
        return Findings(skipped=(Skipped(_("the round trip"), error.reason, error.remedy),))
    except ReplayFailed as error:
        differences.append(_not_replayed(error, Source.ROUNDTRIP))
    examined = len([file for file in files if file.down]) - len(skipped)
    return Findings(tuple(differences), {"round trip": examined}, skipped=tuple(skipped))


def _of_migration(file: SQLFile) -> Skipped:
    """Say that a file can't be tried alone: the migrations behind the one that applies it may build on it."""
    remedy = "Migrate its app backwards and forwards in a database for tests."
    return Skipped(f"the round trip of {file.name}", "a Django migration applies it", remedy, asked=False)


def _roundtrip(new: _Anew, run: Run, file: SQLFile) -> Iterator[Difference]:
    """Apply a file; where it has a down script, revert and apply it again, and compare.

    Raises:
        ReplayFailed: the file itself fails.
    """
    before = new.catalog() if file.down else None
    new.apply(run, file)
    if file.down is None or before is None:
        return
    after = new.catalog()
    try:
        new.revert(run, file, file.down)
    except ReplayFailed as error:
        yield _of_roundtrip(file.down.name, "down script", "possible to run", error.why)
        return
    left = compare(before, new.catalog(), source=Source.ROUNDTRIP)
    if words := _differing(left):
        yield _of_roundtrip(file.down.name, "down script", "complete", words)
    try:
        new.apply(run, file)
    except ReplayFailed as error:
        yield _of_roundtrip(file.name, "second run", "possible", error.why)
        return
    if not left and (words := _differing(compare(after, new.catalog(), source=Source.ROUNDTRIP))):
        yield _of_roundtrip(file.name, "second run", "the same as the first", words)


def _of_roundtrip(name: str, attribute: str, expected: str, found: str) -> Difference:
    return Difference(Source.ROUNDTRIP, "file", name, attribute, expected, found, Severity.ERROR, f"mend {name}")


def _differing(differences: Sequence[Difference]) -> str:
    """Say in a line what differs; the order of columns does not count: a column that comes back stands at the end."""
    named = [
        f"{each.kind} {each.object} "
        + (f"is {each.found}" if each.attribute == "presence" else f"has other {each.attribute}")
        for each in differences
        if each.attribute != "column_order"
    ]
    shown = "; ".join(named[:3])
    return f"{shown}; and {len(named) - 3} more" if len(named) > 3 else shown
