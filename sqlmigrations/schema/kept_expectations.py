"""Keeps what models expect, and how the schema compared with it, in the database itself.

Finding it out makes every table once, in a transaction that is rolled back. Whoever validates next, in another process,
on a standby or with a role that may make no schema, reads it here. It is no history: it may be emptied at any time.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from sqlmigrations.database import Connection, fetch_all, fetch_row
from sqlmigrations.history import Tables
from sqlmigrations.messages import kept, revived
from sqlmigrations.schema.catalog import Catalog, Identity
from sqlmigrations.schema.difference import Difference, Skipped, Source
from sqlmigrations.severity import Severity

#: Expectations that are kept: of the aliases and settings that a project's processes have at a time.
MOST = 4


@dataclass(frozen=True, slots=True)
class Expected:
    """What models expect.

    ``links`` are the tables that Django makes for many-to-many fields, ``named`` the names of indexes and constraints
    that models give: all others are made up by Django and PostgreSQL when something is made, and kept for good.
    """

    catalog: Catalog
    links: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the schema compared with an expectation: the differences, and how many tables were looked at."""

    differences: tuple[Difference, ...]
    tables: int
    skipped: tuple[Skipped, ...] = ()


def read_expected(connection: Connection, tables: Tables | None, key: str) -> Expected | None:
    """Return the expectation of ``key``; nothing where it isn't kept."""
    if not _has_table(connection, tables):
        return None
    rows = fetch_all(connection, sql.SQL("SELECT expected FROM {} WHERE key = %s").format(_table(tables)), [key])
    return _unpacked(bytes(rows[0][0])) if rows else None


def keep_expected(connection: Connection, tables: Tables | None, key: str, expected: Expected) -> None:
    """Keep an expectation, where the role may write, and let the oldest ones go."""
    if not _has_table(connection, tables):
        return
    add = sql.SQL("INSERT INTO {} (key, expected) VALUES (%s, %s) ON CONFLICT DO NOTHING").format(_table(tables))
    remove = sql.SQL("DELETE FROM {0} WHERE key NOT IN (SELECT key FROM {0} ORDER BY at DESC LIMIT %s)")
    try:
        with connection.transaction():
            connection.execute(add, [key, _packed(expected)])
            connection.execute(remove.format(_table(tables)), [MOST])
    except _REFUSALS:
        return


def read_verdict(
    connection: Connection, tables: Tables | None, key: str, fingerprint: str, severities: Mapping[str, Severity]
) -> Verdict | None:
    """Return how a schema of just this ``fingerprint`` compared, judged by just these ``severities``."""
    if not _has_table(connection, tables):
        return None
    statement = sql.SQL("SELECT verdict FROM {} WHERE key = %s AND fingerprint = %s AND verdict IS NOT NULL")
    rows = fetch_all(connection, statement.format(_table(tables)), [key, fingerprint])
    if not rows or rows[0][0]["severities"] != dict(severities):
        return None
    verdict = rows[0][0]
    return Verdict(
        tuple(_difference(each) for each in verdict["differences"]),
        verdict["tables"],
        tuple(Skipped(**revived(each)) for each in verdict["skipped"]),
    )


def keep_verdict(
    connection: Connection,
    tables: Tables | None,
    key: str,
    fingerprint: str,
    severities: Mapping[str, Severity],
    verdict: Verdict,
) -> None:
    """Keep how the schema of this ``fingerprint`` compared, where the role may write."""
    if not _has_table(connection, tables):
        return
    document = {
        "severities": dict(severities),
        "tables": verdict.tables,
        "differences": _documents(verdict.differences),
        "skipped": _documents(verdict.skipped),
    }
    statement = sql.SQL("UPDATE {} SET fingerprint = %s, verdict = %s WHERE key = %s").format(_table(tables))
    try:
        with connection.transaction():
            connection.execute(statement, [fingerprint, Jsonb(document), key])
    except _REFUSALS:
        return


#: What keeps a role from writing: a right, a standby or a read-only session, a lock that somebody has.
_REFUSALS = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.QueryCanceled,
)


def _table(tables: Tables | None) -> sql.Identifier:
    return sql.Identifier(tables.schema if tables else "", "sqlmigrations_schemaexpectation")


def _has_table(connection: Connection, tables: Tables | None) -> bool:
    """Tell whether there is a table that this role may read: an older version of this app has none."""
    if tables is None:
        return False
    statement = "SELECT coalesce(pg_catalog.has_table_privilege(pg_catalog.to_regclass(%s), 'SELECT'), false)"
    return bool(fetch_row(connection, statement, [_table(tables).as_string(connection)])[0])


def _packed(expected: Expected) -> bytes:
    document = {
        "objects": [[*identity, attributes] for identity, attributes in expected.catalog.objects.items()],
        "links": sorted(expected.links),
        "named": sorted(expected.named),
        "skipped": _documents(expected.skipped),
    }
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode())


def _unpacked(packed: bytes) -> Expected:
    document = json.loads(zlib.decompress(packed))
    objects = {
        Identity(kind, name): {
            key: tuple(value) if isinstance(value, list) else value for key, value in attributes.items()
        }
        for kind, name, attributes in document["objects"]
    }
    skipped = tuple(Skipped(**revived(each)) for each in document["skipped"])
    return Expected(Catalog(objects), frozenset(document["links"]), frozenset(document["named"]), skipped)


def _documents(each: Iterable[Difference | Skipped]) -> list[dict[str, Any]]:
    return [kept(asdict(one)) for one in each]


def _difference(document: Mapping[str, Any]) -> Difference:
    document = revived(document)
    return Difference(**{**document, "source": Source(document["source"]), "severity": Severity(document["severity"])})
