"""Confirm, clear or sharpen findings by what the live catalog says. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import psycopg

from sqlmigrations.database import Connection
from sqlmigrations.lint.base import Certainty, Finding
from sqlmigrations.lint.catalog import Catalog, read_only
from sqlmigrations.lint.linter import PERHAPS
from sqlmigrations.lint.live import columns, constraints, indexes, tables, verdicts
from sqlmigrations.lint.live.verdicts import Judge


def confirm(found: Iterable[Finding], connection: Connection) -> list[Finding]:
    """Return the findings with what the catalog says to each. The connection must be in autocommit."""
    with read_only(connection):
        catalog = Catalog(connection)
        return [_asked(one, catalog, connection) for one in found]


def _asked(one: Finding, catalog: Catalog, connection: Connection) -> Finding:
    """Return a finding with what the catalog says; a guess, with the reason, where it can't be asked."""
    try:
        with connection.transaction():
            return _confirmed(one, catalog)
    except psycopg.Error as error:
        if connection.closed:
            raise
        return replace(one, because=f"the catalog can't be asked: {(error.diag.message_primary or str(error)).strip()}")


def _confirmed(one: Finding, catalog: Catalog) -> Finding:
    if one.certainty is Certainty.CLEARED:
        if one.because != PERHAPS or catalog.relation(one.subject.table) is None:
            return one
        one = replace(one, certainty=Certainty.GUESS, because="")
    if one.rule.certain or one.source != "sqlmigrations":
        return one
    verdict = _JUDGES.get(one.rule.id, verdicts.by_size if one.rule.slow else verdicts.by_traffic)(one, catalog)
    return replace(
        one,
        certainty=verdict.certainty,
        because=verdict.because,
        message=verdict.message or one.message,
        rewrite=verdict.rewrite or one.rewrite,
        severity=verdict.severity or one.severity,
    )


_JUDGES: dict[str, Judge] = {
    "create-index-blocking": indexes.create_index,
    "drop-index-blocking": indexes.drop_index,
    "drop-index-of-constraint": indexes.index_of_constraint,
    "drop-index-of-foreign-key": indexes.index_of_foreign_key,
    "concurrently-if-not-exists": indexes.if_not_exists,
    "set-not-null": columns.set_not_null,
    "change-column-type": columns.change_type,
    "timestamp-to-timestamptz": columns.timestamp,
    "change-type-of-viewed-column": columns.viewed,
    "add-column-volatile-default": columns.volatile_default,
    "add-column-not-null": columns.not_null_without_default,
    "primary-key-reads-table": constraints.primary_key,
    "drop-foreign-key": constraints.dropped_foreign_key,
    "change-type-locks-others": constraints.change_type_locks_others,
    "drop-table-locks-others": constraints.drop_locks_others,
    "foreign-key-without-index": constraints.unindexed,
    "alter-after-write": constraints.deferred,
    "alter-domain-constraint": constraints.domain,
    "attach-partition": tables.attach,
    "rewrite-table": tables.tablespace,
    "refresh-blocking": tables.refresh,
    "work-under-lock": tables.work,
    "references-locks-other": verdicts.brief,
    "create-partition-of": verdicts.brief,
    "detach-partition": verdicts.brief,
    "unguarded-lock": verdicts.brief,
    "rename-enum-value": verdicts.as_it_is,
    "drop-schema": verdicts.as_it_is,
    "rename-schema": verdicts.as_it_is,
}
