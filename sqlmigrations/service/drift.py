"""Says what differs from the newest version of the schema: from what the last run left."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import psycopg

from sqlmigrations.conf import settings
from sqlmigrations.database import Connection
from sqlmigrations.history import Tables
from sqlmigrations.messages import gettext as _
from sqlmigrations.schema.catalog import CatalogBusy
from sqlmigrations.schema.deparse import compare_twice
from sqlmigrations.schema.difference import Findings, Skipped, Source
from sqlmigrations.schema.live import Live
from sqlmigrations.schema.reader import Part
from sqlmigrations.schema.severities import read_severities
from sqlmigrations.schema.snapshot import latest, note_fingerprint
from sqlmigrations.service.snapshot import kept_and_found, settle

logger = logging.getLogger("sqlmigrations")


def compare_snapshot(connection: Connection, tables: Tables | None, live: Live | None = None) -> Findings:
    """Compare the schema with the newest version of it: with what the last run left.

    The fingerprint is asked first: where no catalog was written to since, nothing can differ.
    """
    version = latest(connection, tables)
    if tables is None or version is None:
        return Findings(skipped=(Skipped(_("the snapshot"), _("no run has left one"), NO_SNAPSHOT, asked=False),))
    live = live or Live(connection)
    try:
        if version.fingerprint == live.fingerprint:
            return Findings(examined=dict(sorted(version.counts.items())), not_covered=live.not_covered)
        loaded, found = kept_and_found(connection, tables, version, lambda: live.catalog)
    except CatalogBusy as busy:
        return Findings(skipped=(Skipped(_("the snapshot"), busy.reason, busy.hint),))
    parts = loaded.reader.unlike(found.reader)
    kept = settle(connection, tables, version, loaded, found)
    severities = read_severities(settings.DRIFT_SEVERITY)
    differences = compare_twice(connection, kept, found, source=Source.SNAPSHOT, severities=severities)
    if not differences and version.unfinished is None:
        _remember(connection, tables, version.id, live.fingerprint)
    skipped = (_of_reader(parts),) if parts else ()
    return Findings(differences, found.counts, found.not_covered, skipped, expected=kept, found=found)


def _of_reader(parts: Iterable[Part]) -> Skipped:
    names = ", ".join(f"{kind} {attribute}".strip().replace("_", " ") for kind, attribute in sorted(parts))
    why = _("the version of sqlmigrations that kept it did not read them as this one does")
    remedy = _("They are compared from the next applysql or migrate on.")
    return Skipped(_("the snapshot, as to {names}", names=names), why, remedy, asked=False)


#: What makes a snapshot where there is none.
NO_SNAPSHOT = _("The next run that applies a file leaves one, or: manage.py validateschema --accept --reason TEXT")


def _remember(connection: Connection, tables: Tables, id: int, fingerprint: str) -> None:
    """Note that the catalogs are just what the version says, where the role may and the server isn't a standby."""
    try:
        with connection.transaction():
            note_fingerprint(connection, tables, id, fingerprint)
    except psycopg.Error as error:
        logger.debug("The fingerprint of the schema was not kept: %s", str(error).strip())
