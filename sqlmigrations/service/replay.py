"""Compares the live database with what migrations and files make from nothing.

Django's migrations run first and the SQL files after them, as ``migrate`` does with SQLMIGRATIONS_APPLY_ON_MIGRATE:
just those that the live database is recorded to hold, so that what is pending is no difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader

from sqlmigrations.conf import settings
from sqlmigrations.database import Connection, raw
from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.recorded import RecordedFile
from sqlmigrations.files.scripts import SQLFile
from sqlmigrations.history import Record, Texts, read_all_texts
from sqlmigrations.messages import gettext as _
from sqlmigrations.models import State
from sqlmigrations.schema.catalog import Attributes, Catalog, read_catalog
from sqlmigrations.schema.deparse import compare_twice
from sqlmigrations.schema.difference import Findings, Skipped, Source
from sqlmigrations.schema.scratch import NoScratch
from sqlmigrations.schema.severities import read_severities
from sqlmigrations.service.anew import ReplayFailed, anew
from sqlmigrations.service.gather import OnDisk, Remembered
from sqlmigrations.service.replay_cache import Replay, keep_replay, place_of, read_replay
from sqlmigrations.service.revert import is_whole


@dataclass(frozen=True, slots=True)
class Past:
    """What a database is recorded to hold, in the order in which it is made from nothing."""

    migrations: frozenset[tuple[str, str]]
    files: tuple[SQLFile, ...] = ()
    skipped: tuple[Skipped, ...] = ()


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
        return Findings((error.as_difference(Source.REPLAY),), skipped=past.skipped)


def _compared(beside: Connection, live: BaseDatabaseWrapper, made: Replay, past: Past) -> Findings:
    """Compare; ``beside`` leads to where expressions may be stored once more."""
    found = read_catalog(raw(live))
    expected = as_owned(made.catalog, found)
    severities = read_severities(settings.DRIFT_SEVERITY)
    differences = compare_twice(beside, expected, found, source=Source.REPLAY, severities=severities)
    left_out = Counter(f"unreplayed {command}" for command in made.left_out)
    not_covered = {**found.not_covered, **left_out}
    return Findings(differences, found.counts, not_covered, past.skipped, expected=expected, found=found)


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
