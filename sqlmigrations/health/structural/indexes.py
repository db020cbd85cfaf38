"""Checks of indexes: whether each can be used, and whether each is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmigrations.health import fixes
from sqlmigrations.health.base import (
    BEFORE,
    Answer,
    Check,
    Evidence,
    Finding,
    Fix,
    Probe,
    Severity,
    Subject,
    tallied,
)
from sqlmigrations.health.units import MB, size
from sqlmigrations.messages import gettext as _


@dataclass(frozen=True, kw_only=True)
class InvalidIndex(Check):
    """No query uses an INVALID index, and it may cost all the same.

    A ``CREATE INDEX CONCURRENTLY`` or ``REINDEX CONCURRENTLY`` that failed leaves one behind. If it got far enough
    every write still pays for it, and a unique one may refuse rows.

    A partitioned index that was made ``ON ONLY`` its table is invalid until each partition has one attached.
    """

    id = "invalid_index"
    title = _("Every index is valid")
    evidence = Evidence.STRUCTURAL
    examines = "indexes"
    tags = frozenset({"integrity", "indexes", BEFORE})

    def run(self, probe: Probe) -> Answer:
        """Look at all indexes, TOAST's and partitioned tables' included; one that is being built is left alone."""
        return tallied(probe.rows(), self._judge)

    def _judge(self, row: Mapping[str, Any]) -> Finding | None:
        if row["is_valid"] or row["is_in_progress"]:
            return None
        subject = Subject.of("index", row)
        return Finding(
            subject=subject,
            severity=Severity.WARNING,
            observed=self._observed(row),
            threshold=_("valid"),
            fixes=self._fixes(subject, row),
        )

    def _observed(self, row: Mapping[str, Any]) -> str:
        if row["is_partitioned"]:
            missing = ", ".join(row["missing"]) or _("a partition")
            return _("INVALID: no index attached for {missing}", missing=missing)
        if row["costs_writes"]:
            return _("INVALID, though every write maintains it")
        return _("INVALID: its building failed")

    def _fixes(self, subject: Subject, row: Mapping[str, Any]) -> tuple[Fix, ...]:
        if row["is_partitioned"]:
            return (fixes.attach_partitions(subject),)
        if row["backs_constraint"]:
            return fixes.rebuild_index(subject)
        leftover = subject.name.rstrip("0123456789").endswith(("_ccnew", "_ccold"))
        if leftover:
            return fixes.drop_index(subject, note=_("the leftover of a REINDEX; the index itself stays"))
        return (*fixes.rebuild_index(subject), *fixes.drop_index(subject))


@dataclass(frozen=True, kw_only=True)
class DuplicateIndex(Check):
    """Of two indexes that do the same, every write maintains both and queries use one.

    They do the same when access method, columns, operator classes, collations, directions, INCLUDE columns and
    predicate are the same. The one that backs a constraint, or is unique, is never the superfluous one.
    """

    id = "duplicate_index"
    title = _("No index does what another one does")
    evidence = Evidence.STRUCTURAL
    examines = "indexes"
    tags = frozenset({"performance", "indexes"})

    def run(self, probe: Probe) -> Answer:
        """Compare the valid indexes of each table."""
        return tallied(probe.rows(), self._judge)

    def _judge(self, row: Mapping[str, Any]) -> Finding | None:
        if row["other"] is None:
            return None
        subject = Subject("index", row["schema"], row["table"], row["name"])
        return Finding(
            subject=subject,
            severity=Severity.WARNING,
            observed=_("does the same as {other} ({bytes})", other=row["other"], bytes=size(row["bytes"])),
            threshold=_("one index"),
            fixes=() if row["is_needed"] else fixes.drop_index(subject, note=_("{other} stays", other=row["other"])),
            identity=(row["schema"], row["table"], *row["columns"], row["predicate"]),
        )


@dataclass(frozen=True, kw_only=True)
class OverlappingIndex(Check):
    """An index on (a) is seldom worth its writes beside one on (a, b).

    It is smaller, so it may be kept on purpose: a finding is information until the index is large. Unique indexes
    and those with another predicate, operator class, collation or direction don't count.
    """

    id = "overlapping_index"
    title = _("No index is the beginning of another one")
    evidence = Evidence.STRUCTURAL
    examines = "B-tree indexes"
    tags = frozenset({"performance", "indexes"})

    warning_bytes: int = 100 * MB

    def run(self, probe: Probe) -> Answer:
        """Compare the valid B-tree indexes of each table."""
        return tallied(probe.rows(), self._judge)

    def _judge(self, row: Mapping[str, Any]) -> Finding | None:
        if row["other"] is None:
            return None
        subject = Subject("index", row["schema"], row["table"], row["name"])
        limit = self.on(subject).warning_bytes
        return Finding(
            subject=subject,
            severity=Severity.WARNING if row["bytes"] >= limit else Severity.INFO,
            observed=_("{other} begins with its columns ({bytes})", other=row["other"], bytes=size(row["bytes"])),
            threshold=_("below {limit}", limit=size(limit)),
            fixes=fixes.drop_index(subject, note=_("{other} stays, and is larger to read", other=row["other"])),
            value=row["bytes"],
        )


CHECKS: tuple[type[Check], ...] = (InvalidIndex, DuplicateIndex, OverlappingIndex)
