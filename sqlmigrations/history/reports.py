"""The reports that are kept: the last validations and looks at the health, as the documents of their commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from sqlmigrations import __version__
from sqlmigrations.database import Connection, fetch_all
from sqlmigrations.history.tables import Location
from sqlmigrations.messages import kept, revived
from sqlmigrations.models import ReportKind

#: How many reports of each kind are kept.
MOST = 20


@dataclass(frozen=True, slots=True)
class KeptReport:
    """A report that was kept: when, by which database role, and its document with its messages."""

    at: datetime
    role: str
    document: Mapping[str, Any]


def keep_report(connection: Connection, location: Location, kind: ReportKind, document: Mapping[str, Any]) -> bool:
    """Keep a report and remove the oldest ones; tell whether there is a table for it."""
    tables = location.tables
    if tables is None or not location.has_reports:
        return False
    with connection.transaction():
        insert = sql.SQL("INSERT INTO {} (kind, tool, document) VALUES (%s, %s, %s)").format(tables.report)
        connection.execute(insert, [str(kind), __version__, Jsonb(kept(document))])
        prune = sql.SQL(
            "DELETE FROM {0} WHERE kind = %s AND id <= (SELECT id FROM {0} WHERE kind = %s "
            "ORDER BY id DESC OFFSET %s LIMIT 1)"
        ).format(tables.report)
        connection.execute(prune, [str(kind), str(kind), MOST])
    return True


def read_reports(connection: Connection, location: Location, *kinds: ReportKind) -> dict[str, KeptReport]:
    """Return the newest report of each of ``kinds``, as far as any is kept."""
    tables = location.tables
    if tables is None or not location.has_reports:
        return {}
    statement = sql.SQL(
        "SELECT DISTINCT ON (kind) kind, at, role, document FROM {} WHERE kind = ANY (%s) ORDER BY kind, id DESC"
    ).format(tables.report)
    rows = fetch_all(connection, statement, [[str(kind) for kind in kinds]])
    return {kind: KeptReport(at, role, revived(document)) for kind, at, role, document in rows}
