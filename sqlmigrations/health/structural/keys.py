"""Checks of keys: primary keys, foreign keys, and the numbers that they are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmigrations.health import fixes
from sqlmigrations.health.base import Answer, Check, Evidence, Finding, Probe, Severity, Subject, answer


@dataclass(frozen=True, kw_only=True)
class NoPrimaryKey(Check):
    """Rows without a primary key can't be told apart.

    Not by Django, not by logical replication, not by a person who has to correct one of two that are alike.
    """

    id = "no_primary_key"
    title = "Every table has a primary key"
    evidence = Evidence.STRUCTURAL
    examines = "tables"
    tags = frozenset({"integrity", "keys"})

    def run(self, probe: Probe) -> Answer:
        """Look at all tables; a partition has its parent's key."""
        return answer(self._judge(row) for row in probe.rows())

    def _judge(self, row: Mapping[str, Any]) -> Finding | None:
        if row["has_key"]:
            return None
        subject = Subject.of("table", row)
        return Finding(
            subject=subject,
            severity=Severity.WARNING,
            observed="no primary key",
            threshold="a primary key",
            fixes=fixes.add_primary_key(subject, row["candidates"]),
        )


@dataclass(frozen=True, kw_only=True)
class ForeignKeyWithoutIndex(Check):
    """PostgreSQL indexes the parent's side of a foreign key, never the child's.

    Each DELETE of a parent row, and each UPDATE of its key, then reads the whole child table, while it holds a lock
    on the parent row.

    An index helps when all columns of the key lead it, in any order. A partial index helps only where it leaves out
    nothing but NULLs, a column in INCLUDE never does, nor does an index that is INVALID.
    """

    id = "fk_without_index"
    title = "Every foreign key has an index on its columns"
    evidence = Evidence.STRUCTURAL
    examines = "foreign keys"
    tags = frozenset({"performance", "indexes", "keys"})

    #: Findings of child tables below this size are information only. Right after a migration every table is small.
    min_bytes: int = 0

    def run(self, probe: Probe) -> Answer:
        """Look at all foreign keys, those of partitioned tables once."""
        return answer(self._judge(row) for row in probe.rows())

    def _judge(self, row: Mapping[str, Any]) -> Finding | None:
        if row["service"] == 2:
            return None
        subject = Subject("column", row["schema"], row["table"], columns=tuple(row["columns"]))
        is_small = row["bytes"] < self.on(subject).min_bytes
        observed = "an index on part of it, or a BRIN index only" if row["service"] else "no index"
        return Finding(
            subject=subject,
            severity=Severity.INFO if row["service"] or is_small else Severity.WARNING,
            observed=f"{observed} for the key to {row['parent']}",
            threshold="an index that its columns lead",
            fixes=fixes.add_index(subject, subject.columns, is_partitioned=row["is_partitioned"]),
        )


CHECKS: tuple[type[Check], ...] = (NoPrimaryKey, ForeignKeyWithoutIndex)
