"""Checks of keys: primary keys, foreign keys, and the numbers that they are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import ForeignKey

from sqlmigrations.health import fixes
from sqlmigrations.health.base import (
    Answer,
    Check,
    Evidence,
    Finding,
    Fix,
    Probe,
    Severity,
    Skip,
    Subject,
    answer,
    tallied,
)
from sqlmigrations.health.grading import grade, grade_left, worse
from sqlmigrations.health.measures import Past, find
from sqlmigrations.health.sizes import table_sizes
from sqlmigrations.health.structural.sequences import last_values
from sqlmigrations.health.units import DAY, percent, span
from sqlmigrations.messages import counted
from sqlmigrations.messages import gettext as _


@dataclass(frozen=True, kw_only=True)
class NoPrimaryKey(Check):
    """Rows without a primary key can't be told apart.

    Not by Django, not by logical replication, not by a person who has to correct one of two that are alike.
    """

    id = "no_primary_key"
    title = _("Every table has a primary key")
    evidence = Evidence.STRUCTURAL
    examines = "tables"
    tags = frozenset({"integrity", "keys"})

    def run(self, probe: Probe) -> Answer:
        """Look at all tables; a partition has its parent's key."""
        return tallied(probe.rows(), self._judge)

    def _judge(self, row: Mapping[str, Any]) -> Finding | None:
        if row["has_key"]:
            return None
        subject = Subject.of("table", row)
        return Finding(
            subject=subject,
            severity=Severity.WARNING,
            observed=_("no primary key"),
            threshold=_("a primary key"),
            fixes=self._fixes(subject, row),
        )

    def _fixes(self, subject: Subject, row: Mapping[str, Any]) -> tuple[Fix, ...]:
        if row["partition_columns"] is None:
            return fixes.add_primary_key(subject, row["candidates"], has_id=row["has_id"])
        if row["partition_columns"] and row["has_id"]:
            return (fixes.add_partitioned_primary_key(subject, row["partition_columns"]),)
        return ()


@dataclass(frozen=True, kw_only=True)
class ForeignKeyWithoutIndex(Check):
    """PostgreSQL indexes the parent's side of a foreign key, never the child's.

    Each DELETE of a parent row, and each UPDATE of its key, then reads the whole child table, while it holds a lock
    on the parent row.

    An index helps when all columns of the key lead it, in any order. A partial index helps only where it leaves out
    nothing but NULLs, a column in INCLUDE never does, nor does an index that is INVALID.
    """

    id = "fk_without_index"
    title = _("Every foreign key has an index on its columns")
    evidence = Evidence.STRUCTURAL
    examines = "foreign keys"
    tags = frozenset({"performance", "indexes", "keys"})

    #: Findings of child tables below this size are information only. Right after a migration every table is small.
    min_bytes: int = 0

    def run(self, probe: Probe) -> Answer:
        """Look at all foreign keys, those of partitioned tables once."""
        rows = probe.rows()
        limited = [row["relation"] for row in rows if row["service"] < 2 and self.on(_child(row)).min_bytes]
        sizes = table_sizes(probe, limited)
        return tallied(rows, lambda row: self._judge(row, sizes.get(row["relation"])))

    def _judge(self, row: Mapping[str, Any], bytes: int | None) -> Finding | None:
        if row["service"] == 2:
            return None
        subject = _child(row)
        is_small = bytes is not None and bytes < self.on(subject).min_bytes
        observed = (
            _("an index on part of it, or a BRIN index only for the key to {parent}")
            if row["service"]
            else _("no index for the key to {parent}")
        )
        return Finding(
            subject=subject,
            severity=Severity.INFO if row["service"] or is_small else Severity.WARNING,
            observed=_(observed, parent=row["parent"]),
            threshold=_("an index that its columns lead"),
            fixes=fixes.add_index(subject, subject.columns, is_partitioned=row["is_partitioned"]),
        )


def _child(row: Mapping[str, Any]) -> Subject:
    """Return the columns of a foreign key."""
    return Subject("column", row["schema"], row["table"], columns=tuple(row["columns"]))


@dataclass(frozen=True, kw_only=True)
class ReplicaIdentityMissing(Check):
    """An UPDATE or DELETE of a published table fails when a subscriber could not tell which row is meant.

    It can by the primary key unless that is DEFERRABLE, by an index named as REPLICA IDENTITY, or, at a price, by the
    whole old row.
    """

    id = "replica_identity_missing"
    title = _("Every published table has a replica identity")
    evidence = Evidence.STRUCTURAL
    examines = "published tables"
    tags = frozenset({"integrity", "replication", "keys"})

    def run(self, probe: Probe) -> Answer:
        """Look at the tables of publications that publish updates or deletes."""
        return answer(self._judge(row) for row in probe.rows())

    def _judge(self, row: Mapping[str, Any]) -> Finding | None:
        if row["has_identity"]:
            return None
        subject = Subject.of("table", row)
        full = fixes.noted(
            "ALTER TABLE {} REPLICA IDENTITY FULL;",
            fixes.relation(subject),
            note=_("until it has a primary key; each UPDATE and DELETE then writes the whole old row to the WAL"),
        )
        return Finding(
            subject=subject,
            severity=Severity.CRITICAL,
            observed=_(
                "UPDATE and DELETE fail: published by {publications} without a replica identity",
                publications=row["publications"],
            ),
            threshold=_("a replica identity"),
            fixes=(full,) if row["has_key"] else (*fixes.add_primary_key(subject, (), has_id=row["has_id"]), full),
        )


@dataclass(frozen=True, kw_only=True)
class ForeignKeyTypeMismatch(Check):
    """A foreign key's column of another type than the key that it points at is trouble in waiting.

    An integer column that points at a bigint key refuses the first key above 2,147,483,647: what is left over when
    ``AutoField`` became ``BigAutoField``. Other differences cost a conversion in each join.
    """

    id = "fk_type_mismatch"
    title = _("Columns of foreign keys have the type of what they point at")
    evidence = Evidence.STRUCTURAL
    examines = "columns of foreign keys"
    tags = frozenset({"integrity", "keys"})

    def run(self, probe: Probe) -> Answer:
        """Look at all pairs of columns."""
        return tallied(probe.rows(), self._judge)

    def _judge(self, row: Mapping[str, Any]) -> Finding | None:
        if row["is_same"]:
            return None
        subject = Subject.of("column", row)
        return Finding(
            subject=subject,
            severity=Severity.INFO if row["is_alike"] else Severity.WARNING,
            observed=_(
                "{type}, but {parent} is {parent_type}",
                type=row["type"],
                parent=row["parent"],
                parent_type=row["parent_type"],
            ),
            threshold=row["parent_type"],
            fixes=fixes.change_type(subject, row["parent_type"]),
        )


@dataclass(frozen=True, kw_only=True)
class DuplicateForeignKey(Check):
    """Two foreign keys that say the same are checked twice for each row, and two migrations think that they own it.

    One whose columns another one holds as well says nothing new either; that is information.
    """

    id = "duplicate_fk"
    title = _("No foreign key says what another one says")
    evidence = Evidence.STRUCTURAL
    examines = "foreign keys"
    tags = frozenset({"keys"})

    def run(self, probe: Probe) -> Answer:
        """Compare the foreign keys of each table."""
        return tallied(probe.rows(), self._judge)

    def _judge(self, row: Mapping[str, Any]) -> Finding | None:
        if row["other"] is None:
            return None
        subject = Subject("constraint", row["schema"], row["table"], row["name"])
        if not row["is_same"]:
            return Finding(
                subject=subject,
                severity=Severity.INFO,
                observed=_("{other} holds its columns as well", other=row["other"]),
                threshold=_("one foreign key"),
            )
        alike = (
            _("says the same as {other}")
            if row["acts_the_same"]
            else _("says the same as {other}, but does something else ON DELETE or ON UPDATE")
        )
        return Finding(
            subject=subject,
            severity=Severity.WARNING,
            observed=_(alike, other=row["other"]),
            threshold=_("one foreign key"),
            fixes=fixes.drop_foreign_key(subject) if row["acts_the_same"] else (),
            identity=(row["schema"], row["table"], *row["columns"]),
        )


@dataclass(frozen=True, kw_only=True)
class MissingForeignKey(Check):
    """A column that points at rows of another table without a foreign key keeps pointing when they are gone.

    Told are relations of Django's models with ``db_constraint=False``, and, in tables of no model, numbers and uuids
    called ``something_id`` where the schema has one table of that name. It is information: partitioned archives,
    imports and other services have their reasons.
    """

    id = "missing_fk_constraint"
    title = _("Columns that point at other tables have a foreign key")
    evidence = Evidence.STRUCTURAL
    examines = "columns that point at other tables"
    tags = frozenset({"integrity", "keys"})

    def run(self, probe: Probe) -> Answer:
        """Look at the columns whose names end in ``_id``."""
        rows = probe.rows()
        targets = ((row, _target(row)) for row in rows if not row["is_held"])
        findings = tuple(self._judge(row, target) for row, target in targets if target is not None)
        return Answer(sum(row["things"] for row in rows if row["is_held"]) + len(findings), findings)

    def _judge(self, row: Mapping[str, Any], target: _Target) -> Finding:
        subject = Subject.of("column", row)
        why = "db_constraint=False" if target.is_of_model else _("its name says so")
        return Finding(
            subject=subject,
            severity=Severity.INFO,
            observed=_(
                "points at {schema}.{table} without a foreign key ({why})",
                schema=subject.schema,
                table=target.table,
                why=why,
            ),
            threshold=_("a foreign key"),
            fixes=fixes.add_foreign_key(subject, target.table, target.column, is_of_model=target.is_of_model),
        )


@dataclass(frozen=True, slots=True)
class _Target:
    """The table and column that a column points at."""

    table: str
    column: str
    is_of_model: bool


def _target(row: Mapping[str, Any]) -> _Target | None:
    """Return what a column points at: what its model says, where it has one, else what its name says."""
    subject = Subject.of("column", row)
    model = fixes.model_of(subject)
    if model is None:
        return _Target(row["parent_table"], row["parent_column"], False) if row["parent_table"] else None
    (field,) = fixes.fields_of(model, subject.columns) or (None,)
    if not isinstance(field, ForeignKey):
        return None
    return _Target(field.target_field.model._meta.db_table, str(field.target_field.column), True)


@dataclass(frozen=True, kw_only=True)
class IntegerPrimaryKey(Check):
    """An integer primary key ends at 2,147,483,647; changing it late rewrites a large table and all that point at it.

    Half of the way is the time to plan it. Where earlier numbers are kept (``dbhealth --keep``), how long a key lasts
    is told by the growth of its table; of one that a sequence fills, ``sequence_exhaustion`` tells it.
    """

    id = "int4_pk"
    title = _("Integer primary keys have room")
    evidence = Evidence.STRUCTURAL
    examines = "primary keys narrower than bigint"
    tags = frozenset({"capacity", "keys"})
    right = "pg_read_all_data"

    warning_percent: float = 50
    critical_percent: float = 85
    #: How long it lasts at the rate of the last weeks.
    warning_left_seconds: float = 90 * DAY
    critical_left_seconds: float = 14 * DAY
    #: Over a shorter time no rate is judged.
    min_window_seconds: float = 1 * DAY

    def run(self, probe: Probe) -> Answer:
        """Look at primary keys of one smallint or integer column.

        Raises:
            Skip: nothing was found, but some sequences can't be read, and few rows say little of deleted ones.
        """
        rows = probe.rows()
        readable = [row for row in rows if row["is_readable"]]
        values = last_values(
            probe, {row["sequence"]: (row["sequence_schema"], row["sequence_name"]) for row in readable}
        )
        verdicts = [self._judge(row, values.get(row["sequence"]), probe.past) for row in rows]
        findings = tuple(verdict for verdict in verdicts if verdict is not None)
        unseen = sum(
            bool(row["sequence_name"]) and not row["is_readable"] and verdict is None
            for row, verdict in zip(rows, verdicts, strict=True)
        )
        if unseen and not findings:
            reason = _(
                "of {unseen} of {keys} the sequence can't be read", unseen=unseen, keys=counted(len(rows), "key")
            )
            raise Skip(reason, probe.grant(self.right))
        words = _("{sequences} that can't be read", sequences=counted(unseen, "sequence")) if unseen else ""
        return Answer(len(rows) - unseen, findings, left_out=words)

    def _judge(self, row: Mapping[str, Any], last: int | None, past: Past) -> Finding | None:
        subject = Subject.of("column", row)
        limits = self.on(subject)
        used = 100 * (last or row["rows"]) / row["limit"]
        lasts = None if last or past.seconds < limits.min_window_seconds else _rows_last(past, row)
        severity = worse(
            grade(used, warning=limits.warning_percent, critical=limits.critical_percent),
            grade_left(lasts, warning=limits.warning_left_seconds, critical=limits.critical_left_seconds),
        )
        if severity is None:
            return None
        observed = _("{type}, {used} used", type=row["type"], used=percent(used))
        if lasts is not None:
            observed = _(
                "{observed}, full in {time} at the rate of the last {window}",
                observed=observed,
                time=span(lasts),
                window=span(past.seconds),
            )
        return Finding(
            subject=subject,
            severity=severity,
            observed=observed,
            threshold=_("below {warning_percent:g} %", warning_percent=limits.warning_percent),
            fixes=fixes.change_type(subject, "bigint"),
            value=used,
        )


def _rows_last(past: Past, row: Mapping[str, Any]) -> float | None:
    """Return how long a key without a sequence lasts if each row takes one number."""
    was = find(past.baseline.tables, row["schema"], row["table"]) if past.baseline else None
    return past.seconds_left(was and was[1], row["rows"], row["limit"])


CHECKS: tuple[type[Check], ...] = (
    NoPrimaryKey,
    ReplicaIdentityMissing,
    ForeignKeyWithoutIndex,
    ForeignKeyTypeMismatch,
    DuplicateForeignKey,
    MissingForeignKey,
    IntegerPrimaryKey,
)
