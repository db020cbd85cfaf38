"""The versions of a schema: lists them, compares two, and accepts the schema as it was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from sqlmigrations.conf import settings
from sqlmigrations.database import Connection, connected, raw
from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.history import Event, Tables, locate
from sqlmigrations.models import EventType, SnapshotReason
from sqlmigrations.schema.catalog import Catalog, read_catalog, read_fingerprint
from sqlmigrations.schema.compare import compare
from sqlmigrations.schema.difference import Difference, Source
from sqlmigrations.schema.severities import read_severities
from sqlmigrations.schema.snapshot import (
    Version,
    has_snapshots,
    latest,
    load,
    pack,
    read_buckets,
    read_versions,
    store,
    without,
)
from sqlmigrations.service.drift import NO_SNAPSHOT
from sqlmigrations.service.run import open_run
from sqlmigrations.service.snapshot import settled
from sqlmigrations.service.told import LOCK_WAIT, Tell


@dataclass(frozen=True, slots=True)
class VersionsReport:
    """The versions of a database's schema, the newest first."""

    database: str
    versions: tuple[Version, ...] = field(default=())


def list_versions(database: str = DEFAULT_DB_ALIAS) -> VersionsReport:
    """Return the versions of the schema; none where no run has left one.

    Raises:
        DatabaseUnavailable: the database can't be asked.
    """
    with connected(database) as wrapper:
        connection = raw(wrapper)
        tables = locate(connection).tables
        if tables is None or not has_snapshots(connection, tables):
            return VersionsReport(database)
        return VersionsReport(database, tuple(read_versions(connection, tables)))


def compare_versions(one: int, other: int, *, database: str = DEFAULT_DB_ALIAS) -> tuple[Difference, ...]:
    """Return what differs between two versions of the schema.

    Raises:
        ConfigurationError: there are no versions at all.
        SnapshotDamaged: one of them isn't there.
        DatabaseUnavailable: the database can't be asked.
    """
    with connected(database) as wrapper:
        connection = raw(wrapper)
        tables = locate(connection).tables
        if tables is None or not has_snapshots(connection, tables):
            raise ConfigurationError("No run has left a version of the schema yet.", hint=NO_SNAPSHOT)
        before, after = load(connection, tables, one), load(connection, tables, other)
    parts = before.reader.unlike(after.reader)
    before, after = without(before, parts), without(after, parts)
    return compare(before, after, source=Source.SNAPSHOT, severities=read_severities(settings.DRIFT_SEVERITY))


def read_coverage(database: str = DEFAULT_DB_ALIAS) -> Catalog:
    """Return the catalog of a database.

    Raises:
        DatabaseUnavailable: the database can't be asked.
    """
    with connected(database) as wrapper:
        return read_catalog(raw(wrapper))


#: Differences that the event of an acceptance names; more are counted.
MOST = 100


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was accepted: the version, and how the schema differed from the one before."""

    database: str
    version: int
    differences: tuple[Difference, ...]
    head: str


def accept_schema(reason: str, *, database: str = DEFAULT_DB_ALIAS, tell: Tell) -> Accepted:
    """Take the schema as it is for what it should be, and remember that, with ``reason``, as an event.

    Raises:
        ConfigurationError: there is no reason.
        RunLockHeld: a run went on for too long.
        DatabaseUnavailable: the database can't be asked.
    """
    if not reason.strip():
        raise ConfigurationError("Say why the schema is accepted as it is: --reason TEXT.")
    with connected(database) as wrapper, open_run(wrapper, lock_wait=LOCK_WAIT, tell=tell) as run:
        connection, tables = run.journal.connect(), run.tables
        version = latest(connection, tables)
        fingerprint, found = read_fingerprint(connection), read_catalog(connection)
        kept = settled(connection, tables, version, found) if version else found
        differences = compare(kept, found, source=Source.SNAPSHOT)
        number = (version.id if version else 0) + 1

        def write(connection: Connection) -> None:
            nonlocal number
            number = _store(connection, tables, found, fingerprint, version)

        details: dict[str, Any] = {
            "reason": reason,
            "differences": [_told(difference) for difference in differences[:MOST]],
        }
        if len(differences) > MOST:
            details["more"] = len(differences) - MOST
        run.journal.append(Event(EventType.SCHEMA_ACCEPTED, "", details=details), write)
        return Accepted(database, number, differences, run.head)


def _store(connection: Connection, tables: Tables, accepted: Catalog, fingerprint: str, version: Version | None) -> int:
    """Store what was accepted behind ``version``, which is settled with it; return the new version's number."""
    return store(
        connection,
        tables,
        pack(accepted),
        reason=str(SnapshotReason.ACCEPTED),
        files=(),
        fingerprint=fingerprint,
        before=None if version is None else (version.id, read_buckets(connection, tables, version.id)),
        keep=settings.SCHEMA_VERSIONS,
    )


def _told(difference: Difference) -> str:
    return f"{difference.kind} {difference.object}: {difference.attribute}"
