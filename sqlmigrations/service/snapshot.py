"""Moves the snapshot of the schema by what a run changed, and by nothing else.

The catalog is looked at before a run and after it. What differed from the snapshot before stays different from it
afterwards: a change by hand is drift through any number of runs, until it is undone or accepted.

The version that a run begins with carries a note of the run until the next version takes its place. A run that is
killed leaves the note. Whoever comes next takes for the run's own only what the files that it did apply, in whole or in
part, name as theirs; all else that moved since is drift. So nothing is laundered by a kill, and what can't be told
apart is asked about.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from django.apps import apps
from django.db import connections
from django.db.utils import Error as DjangoError
from psycopg import sql

from sqlmigrations.conf import settings
from sqlmigrations.database import Connection, fetch_all, raw
from sqlmigrations.exceptions import SQLMigrationsError
from sqlmigrations.files.names import Names
from sqlmigrations.files.recorded import RecordedFile
from sqlmigrations.garbage import without_collections
from sqlmigrations.history import Tables, Texts, locate, read_all_texts
from sqlmigrations.models import EventType, SnapshotReason, State
from sqlmigrations.schema.buckets import Buckets
from sqlmigrations.schema.catalog import (
    RELATIONS,
    Catalog,
    Identity,
    read_catalog,
    read_fingerprint,
    table_of,
)
from sqlmigrations.schema.moved import Moved, Roster, read_moved, read_roster
from sqlmigrations.schema.snapshot import (
    Packed,
    Version,
    absorb,
    fetch,
    has_snapshots,
    latest,
    load,
    move,
    note_finished,
    note_unfinished,
    pack,
    patched,
    read_buckets,
    read_versions,
    renewed,
    store,
    store_again,
)
from sqlmigrations.service.gather import Footprints
from sqlmigrations.service.run import Run

logger = logging.getLogger("sqlmigrations")

#: So many relations take longer to read than it takes to find out which of them have moved.
MANY = 100

#: What may go wrong while a snapshot is moved. It never makes a run fail: the note stays, and the next run settles it.
FAILURES = (psycopg.Error, DjangoError, SQLMigrationsError)


@dataclass(frozen=True, slots=True)
class Before:
    """The schema before a run: the newest version, and what differed from it already.

    ``kept`` and ``found`` are None where nothing differed: then both are what the version says. Where there are many
    relations, ``roster`` tells later which of them have moved.
    """

    version: Version | None
    fingerprint: str
    kept: Catalog | None = None
    found: Catalog | None = None
    roster: Roster | None = None


def look_before(connection: Connection, tables: Tables, begun: Mapping[str, Any]) -> Before:
    """Look at the schema before it is changed, and leave the note ``begun`` in its newest version."""
    version = latest(connection, tables)
    roster = None if version is None or _relations(version) < MANY else read_roster(connection)
    fingerprint = read_fingerprint(connection) if roster is None else roster.fingerprint
    if version is None:
        return Before(None, fingerprint)
    kept = found = loaded = None
    if version.fingerprint != fingerprint:
        loaded, found = kept_and_found(connection, tables, version, lambda: read_catalog(connection))
        kept = settle(connection, tables, version, loaded, found)
    with nullcontext() if kept is None else connection.transaction():
        if kept is not None and version.unfinished is not None:
            files = [str(name) for name in version.unfinished.get("files", ())]
            before = version.id, read_buckets(connection, tables, version.id)
            reason = version.unfinished["reason"]
            keep = settings.SCHEMA_VERSIONS
            store(connection, tables, pack(kept), reason=reason, files=files, fingerprint="", before=before, keep=keep)
            version = read_versions(connection, tables, last=1)[0]
        elif kept is not None and loaded is not None and loaded.reader.version < kept.reader.version:
            store_again(connection, tables, version, pack(kept))
        note_unfinished(connection, tables, version.id, begun)
    return Before(version, fingerprint, kept, found, roster if kept is None else None)


def look_after(
    connection: Connection, tables: Tables, before: Before, *, reason: SnapshotReason, files: Iterable[str]
) -> None:
    """Keep what has changed since ``before`` as a new version.

    Where nothing differed before, all that is found now is the run's own; the version before needs no reading then,
    and of many relations only those are read that moved.
    """
    version = before.version
    moved = None if before.roster is None else read_moved(connection, before.roster)
    fingerprint = read_fingerprint(connection) if moved is None else moved.fingerprint
    if version is not None and fingerprint == before.fingerprint and before.kept is None:
        note_finished(connection, tables, version.id, fingerprint)
        return
    with without_collections():
        newest = None if version is None else (version.id, read_buckets(connection, tables, version.id))
        if version is None or newest is None or moved is None or not _can_be_kept(newest[1], moved, version):
            packed, as_found = _read_all(connection, before)
            fingerprint = fingerprint if as_found else ""
        else:
            found = read_catalog(connection, relations=moved.relations)
            packed = patched(newest[1], version.counts, found, moved.names)
    if version is not None and newest is not None and packed.buckets.say_the_same_as(newest[1]):
        note_finished(connection, tables, version.id, fingerprint)
        return
    store(
        connection,
        tables,
        packed,
        reason=str(reason),
        files=list(files),
        fingerprint=fingerprint,
        before=newest,
        keep=settings.SCHEMA_VERSIONS,
    )


def _read_all(connection: Connection, before: Before) -> tuple[Packed, bool]:
    """Return the objects as they are to be kept, and whether they were found so."""
    found = read_catalog(connection)
    if before.kept is None or before.found is None:
        return pack(found), True
    moved = move(before.kept, before.found, found)
    return pack(moved), moved.objects == found.objects


def _relations(version: Version) -> int:
    return sum(version.counts.get(kind, 0) for kind in RELATIONS)


def _can_be_kept(buckets: Buckets, moved: Moved, version: Version) -> bool:
    """Tell whether what moved is known, and is little enough for the rest of a version to be worth keeping."""
    if moved.relations is None or not buckets.is_by_relation:
        return False
    return len(moved.relations) * 10 <= _relations(version)


def kept_and_found(
    connection: Connection, tables: Tables, version: Version, read: Callable[[], Catalog]
) -> tuple[Catalog, Catalog]:
    """Return the objects of a version and those that ``read`` finds; unpack the former while the server reads."""
    packed = fetch(connection, tables, version.id)
    with without_collections(), ThreadPoolExecutor(max_workers=1) as thread:
        unpacking = thread.submit(packed.unpack)
        found = read()
    return unpacking.result(), found


def settled(connection: Connection, tables: Tables, version: Version, found: Catalog) -> Catalog:
    """Return what a version says the schema is, with what a run that was killed had changed by then."""
    return settle(connection, tables, version, load(connection, tables, version.id), found)


def settle(connection: Connection, tables: Tables, version: Version, loaded: Catalog, found: Catalog) -> Catalog:
    """Return what the objects of a version are in the words of today's reader, a killed run's changes included."""
    kept = loaded if loaded.reader == found.reader else renewed(loaded, found)
    if version.unfinished is None:
        return kept
    names, labels = _done(connection, tables, version.unfinished)
    done = Names(names | _of_models(labels))
    moved = (
        identity
        for identity in kept.objects.keys() | found.objects.keys()
        if kept.objects.get(identity) != found.objects.get(identity)
    )
    return absorb(kept, found, [one for one in moved if _is_named(one, _table(one, kept, found), done)])


def _table(identity: Identity, *catalogs: Catalog) -> str:
    tables = (table_of(catalog.objects.get(identity, {})) for catalog in catalogs)
    return next(filter(None, tables), "")


def _is_named(identity: Identity, table: str, names: Names) -> bool:
    return any(names.can_mean(name) for name in (table, identity.name.partition("(")[0]) if name)


def _done(
    connection: Connection, tables: Tables, unfinished: Mapping[str, Any]
) -> tuple[frozenset[str], frozenset[str]]:
    """Return what a killed run's files change, by name, and the labels of the apps that it migrated."""
    if unfinished["reason"] == SnapshotReason.MIGRATE:
        statement = "SELECT DISTINCT app FROM django_migrations WHERE applied >= %s::timestamptz"
        return frozenset(), frozenset(app for (app,) in fetch_all(connection, statement, [unfinished["at"]]))
    statement_of_run = sql.SQL(
        "SELECT DISTINCT filename FROM {} WHERE run = %s AND (type = ANY (%s) OR filename IN "
        "(SELECT filename FROM {} WHERE state = ANY (%s)))"
    ).format(tables.event, tables.record)
    types = [str(type) for type in (EventType.APPLIED, EventType.REVERTED, EventType.STOPPED)]
    half_way = [str(state) for state in (State.PARTIAL, State.IN_DOUBT)]
    names = [name for (name,) in fetch_all(connection, statement_of_run, [unfinished["run"], types, half_way])]
    texts = read_all_texts(connection, tables) if names else {}
    return frozenset().union(*(_changes(name, texts[name]) for name in names if name in texts)), frozenset()


def _changes(name: str, texts: Texts) -> frozenset[str]:
    """Return the names of what a file's scripts change, as far as they can be known."""
    scripts = [RecordedFile(name, Path(name), text=text) for text in (texts.applied, texts.down) if text]
    return frozenset().union(*(Footprints().of(script).changes for script in scripts))


def _of_models(labels: Iterable[str]) -> frozenset[str]:
    """Return the names of the tables of apps."""
    names = set(labels)
    return frozenset(
        model._meta.db_table.replace('"', "")
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in names
    )


def note(reason: SnapshotReason, run: object, at: datetime) -> dict[str, Any]:
    """Return the note of a run that begins."""
    return {"reason": str(reason), "run": str(run), "at": at.isoformat()}


@contextmanager
def moving_snapshot(run: Run, *, files: Callable[[], Iterable[str]]) -> Iterator[None]:
    """Move the snapshot by what the block changes; ``files`` names, at its end, those that it applied.

    It never makes the block fail: what can't be written down is logged, and found as drift until it is accepted.
    """
    before = None
    try:
        begun = note(SnapshotReason.RUN, run.id, run.journal.chain.clock.now())
        before = look_before(run.journal.connect(), run.tables, begun)
    except FAILURES as error:
        logger.warning("The schema could not be looked at before the run: %s", str(error).strip())
    try:
        yield
    finally:
        if before is not None:
            try:
                look_after(run.journal.connect(), run.tables, before, reason=SnapshotReason.RUN, files=files())
            except FAILURES as error:
                logger.warning("The schema that the run left could not be kept: %s", str(error).strip())


def keep_first_version(run: Run) -> None:
    """Keep the schema as it is where files are on record and no run has left a version: after another tool, say."""
    try:
        connection, tables = run.journal.connect(), run.tables
        if latest(connection, tables) is None:
            before = Before(None, "")
            look_after(connection, tables, before, reason=SnapshotReason.RUN, files=())
    except FAILURES as error:
        logger.warning("The schema that was found could not be kept: %s", str(error).strip())


# Django's migrate


#: The schema before a `migrate` of this process, by alias: Django sends a signal before and one after.
_before_migrate: dict[str, Before] = {}


def before_migrate(alias: str) -> None:
    """Look at the schema of a database that Django is about to migrate, where runs keep a snapshot of it."""
    _before_migrate.pop(alias, None)
    try:
        connection = raw(connections[alias])
        tables = locate(connection).tables
        if tables is not None and latest(connection, tables) is not None:
            begun = note(SnapshotReason.MIGRATE, uuid.uuid4(), datetime.now(UTC))
            _before_migrate[alias] = look_before(connection, tables, begun)
    except FAILURES as error:
        logger.warning("The schema could not be looked at before migrate: %s", str(error).strip())


def after_migrate(alias: str, migrations: Iterable[str]) -> None:
    """Move the snapshot by what Django's migrations changed."""
    before = _before_migrate.pop(alias, None)
    if before is None:
        return
    try:
        connection = raw(connections[alias])
        tables = locate(connection).tables
        if tables is not None and has_snapshots(connection, tables):
            look_after(connection, tables, before, reason=SnapshotReason.MIGRATE, files=migrations)
    except FAILURES as error:
        logger.warning("The schema that migrate left could not be kept: %s", str(error).strip())
