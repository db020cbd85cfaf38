"""Checks of what has to be looked after: materialized views, extensions, collations, autovacuum, names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from psycopg import sql

from sqlmigrations.health import fixes
from sqlmigrations.health.base import (
    BEFORE,
    Answer,
    Check,
    Evidence,
    Finding,
    Fix,
    FixKind,
    Probe,
    Severity,
    Subject,
    answer,
    tallied,
)
from sqlmigrations.health.units import MB, size
from sqlmigrations.messages import gettext as _
from sqlmigrations.messages import joined


@dataclass(frozen=True, kw_only=True)
class MaterializedViewUnpopulated(Check):
    """A materialized view made ``WITH NO DATA`` fails every query until its first REFRESH.

    One without a unique index over plain columns can't be refreshed CONCURRENTLY: each REFRESH keeps all readers out.
    That is information.
    """

    id = "matview_unpopulated"
    title = _("Materialized views are filled")
    evidence = Evidence.STRUCTURAL
    examines = "materialized views"
    tags = frozenset({"integrity"})

    def run(self, probe: Probe) -> Answer:
        """Look at all materialized views."""
        return answer(self._judge(row) for row in probe.rows())

    def _judge(self, row: Mapping[str, Any]) -> Finding | None:
        subject = Subject.of("materialized view", row)
        if not row["is_populated"]:
            return Finding(
                subject=subject,
                severity=Severity.WARNING,
                observed=_("never filled: every query of it fails"),
                threshold=_("filled"),
                fixes=(
                    fixes.noted(
                        "REFRESH MATERIALIZED VIEW {};",
                        fixes.relation(subject),
                        note=_("takes AccessExclusive while its query runs; a transaction is fine"),
                    ),
                ),
            )
        if row["has_unique_index"]:
            return None
        return Finding(
            subject=subject,
            severity=Severity.INFO,
            observed=_("no unique index: a REFRESH keeps readers out ({bytes})", bytes=size(row["bytes"])),
            threshold=_("a unique index over plain columns"),
            fixes=(
                fixes.noted(
                    "CREATE UNIQUE INDEX CONCURRENTLY ON {} (...);",
                    fixes.relation(subject),
                    note=joined("; ", [_("then REFRESH MATERIALIZED VIEW CONCURRENTLY"), fixes.OUTSIDE]),
                ),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class ExtensionVersion(Check):
    """After an upgrade of the server the extensions' objects stay as they were until each is updated.

    The new library then runs behind the old definitions: new columns and functions are missing.
    """

    id = "extension_version"
    title = _("Extensions have the version that the server brings")
    evidence = Evidence.STRUCTURAL
    examines = "extensions"
    tags = frozenset({"upgrade"})

    def run(self, probe: Probe) -> Answer:
        """Look at all installed extensions; one that the server no longer brings is left alone."""
        return answer(self._judge(row) for row in probe.rows())

    def _judge(self, row: Mapping[str, Any]) -> Finding | None:
        if row["is_current"] or not row["can_update"]:
            return None
        subject = Subject.of("extension", row)
        return Finding(
            subject=subject,
            severity=Severity.WARNING,
            observed=row["installed"],
            threshold=row["available"],
            fixes=(
                fixes.noted(
                    "ALTER EXTENSION {} UPDATE;", sql.Identifier(subject.name), note=_("a transaction is fine")
                ),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class CollationVersion(Check):
    """When the operating system sorts texts in another order, indexes made before are wrong.

    Rows are then not found, and unique indexes let duplicates in. PostgreSQL keeps the version of the library that each
    collation was made with; after an upgrade of glibc or ICU it is another one.
    """

    id = "collation_version"
    title = _("Texts are sorted as when the indexes were made")
    evidence = Evidence.STRUCTURAL
    examines = "collations in use that have a version"
    tags = frozenset({"integrity", "upgrade", BEFORE})
    sql: ClassVar[tuple[str, ...]] = ("collation_version", "collation_version_14")

    def run(self, probe: Probe) -> Answer:
        """Compare the recorded versions with those of the libraries."""
        keeps_databases = probe.capabilities.has("pg_database.datcollversion")
        name = "collation_version" if keeps_databases else "collation_version_14"
        return answer(self._judge(row) for row in probe.rows(name))

    def _judge(self, row: Mapping[str, Any]) -> Finding | None:
        if row["recorded"] == row["actual"] or row["actual"] is None:
            return None
        subject = Subject.of(row["kind"], row)
        is_database = row["kind"] == "database"
        refresh = (
            fixes.statement("ALTER DATABASE {} REFRESH COLLATION VERSION;", sql.Identifier(subject.name))
            if is_database
            else fixes.statement("ALTER COLLATION {} REFRESH VERSION;", fixes.named(subject))
        )
        return Finding(
            subject=subject,
            severity=Severity.CRITICAL,
            observed=_(
                "made with version {recorded}, sorted by {actual}: indexes over texts may be wrong",
                recorded=row["recorded"],
                actual=row["actual"],
            ),
            threshold=row["recorded"],
            fixes=(
                Fix(
                    FixKind.SQL,
                    "REINDEX INDEX CONCURRENTLY ...;",
                    joined(
                        "; ",
                        [_("first, each index over texts of this collation, unique ones above all"), fixes.OUTSIDE],
                    ),
                ),
                Fix(refresh.kind, refresh.text, _("only then: it just takes the warning away")),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class AutovacuumOff(Check):
    """A table that autovacuum leaves alone grows without end, and its statistics are those of long ago.

    Switched off for a bulk load, it is easily forgotten; and one table is enough to stop the whole server before
    transaction ids run out.
    """

    id = "autovacuum_off"
    title = _("Autovacuum looks after every table")
    evidence = Evidence.STRUCTURAL
    examines = "settings and tables"
    tags = frozenset({"vacuum"})

    def run(self, probe: Probe) -> Answer:
        """Look at the server's settings and at the options of tables and their TOAST tables."""
        return tallied(probe.rows(), self._judge)

    def _judge(self, row: Mapping[str, Any]) -> Finding | None:
        if not row["is_off"]:
            return None
        if row["kind"] == "setting":
            return Finding(
                subject=Subject("setting", name=row["name"]),
                severity=Severity.CRITICAL,
                observed="off",
                threshold="on",
                fixes=(
                    fixes.noted(
                        "ALTER SYSTEM RESET {};", sql.Identifier(row["name"]), note=_("then SELECT pg_reload_conf();")
                    ),
                ),
            )
        subject = Subject("table", row["schema"], row["table"])
        return Finding(
            subject=subject,
            severity=Severity.WARNING,
            observed=_("{name} is false", name=row["name"]),
            threshold="true",
            fixes=(
                fixes.noted(
                    "ALTER TABLE {} RESET ({});",
                    fixes.relation(subject),
                    sql.SQL("toast.autovacuum_enabled" if row["name"].startswith("toast") else "autovacuum_enabled"),
                    note=_("takes ShareUpdateExclusive for a moment"),
                ),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class NameTruncation(Check):
    """PostgreSQL cuts names after 63 bytes without an error.

    Two names that differ only behind that place then clash, and a migration that looks for the name it wrote doesn't
    find it. Names that Django cut end in a hash and are no accident.
    """

    id = "name_truncation"
    title = _("No name was cut")
    evidence = Evidence.STRUCTURAL
    examines = "names"
    tags = frozenset({"naming"})

    def run(self, probe: Probe) -> Answer:
        """Look at the names of relations, columns, constraints and functions."""
        return tallied(probe.rows(), self._judge)

    def _judge(self, row: Mapping[str, Any]) -> Finding | None:
        if not row["is_full"]:
            return None
        return Finding(
            subject=Subject("constraint" if row["table"] else row["kind"], row["schema"], row["table"], row["name"]),
            severity=Severity.INFO,
            observed=_("the {kind}'s name is as long as a name can be, and was perhaps cut", kind=row["kind"]),
            threshold=_("a shorter name"),
        )


@dataclass(frozen=True, kw_only=True)
class NeverAnalyzed(Check):
    """The planner guesses about a table that was never analysed: after a bulk load every plan with it is a gamble.

    Autovacuum analyses it sooner or later; a migration that loads rows does well to do it itself. A partitioned table
    it never analyses, only the partitions: what the planner knows of the whole stays what the last ANALYZE told. The
    mark of it survives a reset of the statistics, as the counters don't.
    """

    id = "never_analyzed"
    title = _("The planner knows every table")
    evidence = Evidence.STRUCTURAL
    examines = "tables"
    tags = frozenset({"performance", "vacuum"})

    #: Smaller tables are read in no time whatever the plan.
    min_bytes: int = 1 * MB

    def run(self, probe: Probe) -> Answer:
        """Look at all tables, partitioned ones included, and materialized views."""
        return answer(self._judge(row) for row in probe.rows())

    def _judge(self, row: Mapping[str, Any]) -> Finding | None:
        subject = Subject.of("table", row)
        never = _("never analysed, {bytes}", bytes=size(row["bytes"]))
        if row["is_partitioned"]:
            never = _("{never}: autovacuum analyses its partitions alone", never=never)
        if not row["is_unknown"] or row["bytes"] < self.on(subject).min_bytes:
            return None
        return Finding(
            subject=subject,
            severity=Severity.WARNING,
            observed=never,
            threshold=_("analysed"),
            fixes=(
                fixes.noted(
                    "ANALYZE {};",
                    fixes.relation(subject),
                    note=_("takes ShareUpdateExclusive, reads a sample; a transaction is fine"),
                ),
            ),
            value=row["bytes"],
        )


@dataclass(frozen=True, kw_only=True)
class PublicSchemaCreate(Check):
    """Where everybody may create objects, anybody can put a function or a table in somebody else's way.

    PostgreSQL no longer grants it on ``public`` from version 15 on; databases made before keep it.
    """

    id = "public_schema_create"
    title = _("Not everybody may create objects")
    evidence = Evidence.STRUCTURAL
    examines = "schemas"
    tags = frozenset({"security"})

    def run(self, probe: Probe) -> Answer:
        """Look at the rights of PUBLIC on all schemas."""
        return answer(self._judge(row) for row in probe.rows())

    def _judge(self, row: Mapping[str, Any]) -> Finding | None:
        if not row["is_open"]:
            return None
        subject = Subject.of("schema", row)
        revoke = fixes.noted(
            "REVOKE CREATE ON SCHEMA {} FROM PUBLIC;",
            sql.Identifier(subject.name),
            note=_("first grant it to the roles that run migrations"),
        )
        return Finding(
            subject=subject,
            severity=Severity.WARNING,
            observed=_("everybody may create objects in it"),
            threshold=_("roles by name"),
            fixes=(revoke,),
        )


CHECKS: tuple[type[Check], ...] = (
    MaterializedViewUnpopulated,
    ExtensionVersion,
    CollationVersion,
    AutovacuumOff,
    NeverAnalyzed,
    NameTruncation,
    PublicSchemaCreate,
)
