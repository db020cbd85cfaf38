"""Checks of indexes: whether each can be used, and whether each is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmigrations.health import fixes
from sqlmigrations.health.base import BEFORE, Answer, Check, Evidence, Finding, Fix, Probe, Severity, Subject, answer


@dataclass(frozen=True, kw_only=True)
class InvalidIndex(Check):
    """No query uses an INVALID index, and it may cost all the same.

    A ``CREATE INDEX CONCURRENTLY`` or ``REINDEX CONCURRENTLY`` that failed leaves one behind. If it got far enough
    every write still pays for it, and a unique one may refuse rows.

    A partitioned index that was made ``ON ONLY`` its table is invalid until each partition has one attached.
    """

    id = "invalid_index"
    title = "Every index is valid"
    evidence = Evidence.STRUCTURAL
    examines = "indexes"
    tags = frozenset({"integrity", "indexes", BEFORE})

    def run(self, probe: Probe) -> Answer:
        """Look at all indexes, TOAST's and partitioned tables' included; one that is being built is left alone."""
        return answer(self._judge(row) for row in probe.rows())

    def _judge(self, row: Mapping[str, Any]) -> Finding | None:
        if row["is_valid"] or row["is_in_progress"]:
            return None
        subject = Subject.of("index", row)
        return Finding(
            subject=subject,
            severity=Severity.WARNING,
            observed=self._observed(row),
            threshold="valid",
            fixes=self._fixes(subject, row),
        )

    def _observed(self, row: Mapping[str, Any]) -> str:
        if row["is_partitioned"]:
            return f"INVALID: no index attached for {', '.join(row['missing']) or 'a partition'}"
        return "INVALID, though every write maintains it" if row["costs_writes"] else "INVALID: its building failed"

    def _fixes(self, subject: Subject, row: Mapping[str, Any]) -> tuple[Fix, ...]:
        if row["is_partitioned"]:
            return (fixes.attach_partitions(subject),)
        if row["backs_constraint"]:
            return fixes.rebuild_index(subject)
        leftover = subject.name.rstrip("0123456789").endswith(("_ccnew", "_ccold"))
        if leftover:
            return fixes.drop_index(subject, note="the leftover of a REINDEX; the index itself stays")
        return (*fixes.rebuild_index(subject), *fixes.drop_index(subject))


CHECKS: tuple[type[Check], ...] = (InvalidIndex,)
