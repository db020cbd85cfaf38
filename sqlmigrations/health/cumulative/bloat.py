"""Checks of bloat: room in tables and indexes that nothing uses. Estimates, and only where they are worth something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from psycopg import sql

from sqlmigrations.health import fixes
from sqlmigrations.health.base import (
    Answer,
    Check,
    Evidence,
    Finding,
    Fix,
    FixKind,
    Probe,
    Skip,
    Subject,
)
from sqlmigrations.health.grading import grade
from sqlmigrations.health.units import MB, percent, size
from sqlmigrations.messages import counted, joined
from sqlmigrations.messages import gettext as _

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Bloat(Check):
    """What tables and indexes have in common.

    Who is too small to waste ``warning_bytes`` is well whatever the statistics say. Of the others only those are
    judged whose statistics are fresh; the rest is left out, and told.
    """

    evidence = Evidence.CUMULATIVE
    tags = frozenset({"capacity", "performance", "vacuum"})
    right = "pg_read_all_data"
    kind: ClassVar[str]

    #: It must be both: a share of the whole, and an amount.
    warning_percent: float = 30
    critical_percent: float = 70
    warning_bytes: int = 100 * MB

    def run(self, probe: Probe) -> Answer:
        """Compare the size of each with what its rows need.

        Raises:
            Skip: nothing was found, and of all that is large the statistics are hidden or old.
        """
        return self.judge_all(probe, probe.rows())

    def judge_all(self, probe: Probe, rows: Sequence[Row]) -> Answer:
        """Judge what can be judged, and tell what can't."""
        large = [row for row in rows if row["table"] and self._is_large(row)]
        hidden = [row for row in large if not row["is_readable"]]
        stale = [row for row in large if row["is_readable"] and not row["is_fresh"]]
        judged = [row for row in large if row["is_readable"] and row["is_fresh"]]
        words = [
            *([_("{unseen} that may not be read", unseen=len(hidden))] if hidden else []),
            *([_("{stale} without fresh statistics", stale=len(stale))] if stale else []),
        ]
        unseen = len(hidden) + len(stale)
        given = Answer(
            examined=sum(row["things"] for row in rows) - unseen,
            findings=tuple(found for found in map(self.judge, judged) if found is not None),
            left_out=joined(", ", words),
        )
        if given.findings or not (hidden or stale):
            return given
        if hidden:
            raise Skip(
                _("of {relations} the statistics are hidden", relations=self._large(hidden)), probe.grant(self.right)
            )
        if not judged:
            raise Skip(
                _("of {relations} the statistics are old", relations=self._large(stale)),
                fixes.composed("ANALYZE {};", fixes.relation(Subject.of("table", stale[0]))),
            )
        return given

    def _is_large(self, row: Row) -> bool:
        return bool(row["bytes"] >= self.on(Subject.of(self.kind, row)).warning_bytes)

    def _large(self, rows: Sequence[Row]) -> str:
        return counted(len(rows), f"large {self.kind}", f"large {self.examines}")

    def judge(self, row: Row) -> Finding | None:
        """Judge one of them."""
        subject = Subject.of(self.kind, row)
        limits = self.on(subject)
        wasted = row["bytes"] - row["needed_bytes"]
        share = 100 * wasted / row["bytes"] if row["bytes"] else 0
        severity = grade(share, warning=limits.warning_percent, critical=limits.critical_percent)
        if severity is None or wasted < limits.warning_bytes:
            return None
        return Finding(
            subject=subject,
            severity=severity,
            observed=_(
                "about {wasted} of {bytes} unused ({share}, an estimate)",
                wasted=size(wasted),
                bytes=size(row["bytes"]),
                share=percent(share),
            ),
            threshold=_("{share} and {bytes}", share=f"{limits.warning_percent:g} %", bytes=size(limits.warning_bytes)),
            fixes=self.fixes(subject),
            value=wasted,
        )

    def fixes(self, subject: Subject) -> tuple[Fix, ...]:
        """Return how to get the room back."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class TableBloat(Bloat):
    """Room that dead rows have left is used again by the table, but never given back.

    A mass update or a vacuum that was held up leaves more than is ever needed again: each scan reads it, each backup
    carries it. The numbers are estimates from the statistics of the columns, and where these are old there is none.
    """

    id = "table_bloat"
    title = _("Tables are about as large as their rows")
    examines = "tables"
    kind = "table"

    def fixes(self, subject: Subject) -> tuple[Fix, ...]:
        """Return how to measure first, then how to write the table anew."""
        return (
            fixes.noted(
                "SELECT * FROM pgstattuple_approx({});",
                sql.Literal(fixes.composed("{}", fixes.relation(subject))),
                note=_("measures instead of estimating; CREATE EXTENSION pgstattuple first"),
            ),
            Fix(
                FixKind.SHELL,
                f"pg_repack --table={subject.schema}.{subject.table}",
                _("writes the table anew while it is used; VACUUM FULL keeps everybody out meanwhile"),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class IndexBloat(Bloat):
    """A B-tree index gives pages back only when they are empty, and half-empty ones stay half-empty.

    Deleting old rows in no order, or a time of many dead rows, leaves it larger than it need be. The numbers are
    estimates from the statistics of the columns; what the server saves by keeping equal entries together can hide
    waste, never make it up.
    """

    id = "index_bloat"
    title = _("Indexes are about as large as their entries")
    examines = "B-tree indexes"
    kind = "index"

    warning_percent: float = 50

    def fixes(self, subject: Subject) -> tuple[Fix, ...]:
        """Return how to build the index anew."""
        return fixes.rebuild_index(subject)


CHECKS: tuple[type[Check], ...] = (TableBloat, IndexBloat)
