"""Checks of constraints: whether PostgreSQL holds what they promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from sqlmigrations.health import fixes
from sqlmigrations.health.base import Answer, Check, Evidence, Finding, Probe, Severity, Subject, answer


@dataclass(frozen=True, kw_only=True)
class NotValidConstraints(Check):
    """A constraint that is NOT VALID is kept for new rows only: older ones may break it, and the planner can't use it.

    Adding it so and validating it later is right for a large table; what is forgotten is the second step. From
    PostgreSQL 18 on a constraint can also be NOT ENFORCED: it is kept for no row at all, and validating it first needs
    ``ALTER CONSTRAINT ... ENFORCED``.
    """

    id = "not_valid_constraints"
    title = "Every constraint holds for all rows"
    evidence = Evidence.STRUCTURAL
    examines = "constraints"
    tags = frozenset({"integrity"})

    def run(self, probe: Probe) -> Answer:
        """Look at checks, foreign keys and, where they are constraints, NOT NULLs."""
        return answer(self._judge(row) for row in probe.rows())

    def _judge(self, row: Mapping[str, Any]) -> Finding | None:
        subject = Subject.of("constraint", row)
        if not row["is_enforced"]:
            enforce = fixes.noted(
                "ALTER TABLE {} ALTER CONSTRAINT {} ENFORCED;",
                fixes.relation(subject),
                sql.Identifier(subject.name),
                note="takes ShareRowExclusive and checks all rows; for foreign keys only, others are dropped and added",
            )
            return Finding(
                subject=subject,
                severity=Severity.WARNING,
                observed="NOT ENFORCED",
                threshold="enforced",
                fixes=(enforce,),
            )
        if row["is_valid"]:
            return None
        return Finding(
            subject=subject,
            severity=Severity.WARNING,
            observed="NOT VALID: rows older than it may break it",
            threshold="validated",
            fixes=fixes.validate_constraint(subject),
        )


CHECKS: tuple[type[Check], ...] = (NotValidConstraints,)
