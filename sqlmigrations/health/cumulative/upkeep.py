"""Checks of whether autovacuum keeps up: dead rows, and tables that it should have been to long ago."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlmigrations.health import fixes
from sqlmigrations.health.base import (
    Answer,
    Finding,
    Fix,
    Probe,
    Subject,
    answer,
)
from sqlmigrations.health.cumulative.window import FILES, Counting
from sqlmigrations.health.grading import grade
from sqlmigrations.health.units import DAY, HOUR, percent, span
from sqlmigrations.messages import counted, joined
from sqlmigrations.messages import gettext as _

Row = Mapping[str, Any]

UPKEEP = ("table_upkeep", *FILES)


@dataclass(frozen=True, kw_only=True)
class DeadTuples(Counting):
    """Dead rows are read by every scan, and fill the table until a vacuum makes room of them.

    Told is a table with many of them, of which autovacuum should have taken care already: more than it waits for by
    the table's own settings. Where somebody holds vacuum up (``xmin_holder``), that one is the reason.
    """

    id = "dead_tuples"
    title = _("Vacuum keeps up with dead rows")
    examines = "tables"
    tags = frozenset({"vacuum", "performance"})
    sql: ClassVar[tuple[str, ...]] = UPKEEP

    min_window_seconds: float = 1 * HOUR
    #: Of all rows of the table.
    warning_percent: float = 20
    critical_percent: float = 40
    min_rows: int = 10_000

    def run(self, probe: Probe) -> Answer:
        """Look at all tables.

        Raises:
            Skip: the counters have not run for long enough.
        """
        window = self.window(probe)
        return answer((self.judge(row) for row in probe.rows()), window=window)

    def judge(self, row: Row) -> Finding | None:
        """Judge one table."""
        subject = Subject.of("table", row)
        limits = self.on(subject)
        if row["dead"] < max(limits.min_rows, row["vacuum_at"], 1):
            return None
        share = 100 * row["dead"] / (row["dead"] + row["live"])
        severity = grade(share, warning=limits.warning_percent, critical=limits.critical_percent)
        if severity is None:
            return None
        return Finding(
            subject=subject,
            severity=severity,
            observed=_(
                "{rows} ({share}); autovacuum comes at {vacuum_at:,.0f}",
                rows=counted(row["dead"], "dead row"),
                share=percent(share),
                vacuum_at=row["vacuum_at"],
            ),
            threshold=f"{limits.warning_percent:g} %",
            fixes=(_vacuum(subject), _sooner(subject)),
            value=share,
        )


@dataclass(frozen=True, kw_only=True)
class Overdue(Counting):
    """What the two ages have in common: a table is due when it has changed enough, and overdue some days later."""

    examines = "tables"
    sql: ClassVar[tuple[str, ...]] = UPKEEP
    #: What was to be done, and the column that says how long ago it was.
    done: ClassVar[str]
    column: ClassVar[str]

    min_window_seconds: float = 1 * DAY
    warning_seconds: float = 1 * DAY
    critical_seconds: float = 7 * DAY

    def run(self, probe: Probe) -> Answer:
        """Look at all tables.

        Raises:
            Skip: the counters have not run for long enough.
        """
        window = self.window(probe)
        return answer((self.judge(row, window.total_seconds()) for row in probe.rows()), window=window)

    def judge(self, row: Row, window: float) -> Finding | None:
        """Judge one table; what was never done to it wasn't for as long as the counters have run."""
        changed = self.changed(row)
        if not changed:
            return None
        subject = Subject.of("table", row)
        limits = self.on(subject)
        ago = row[self.column]
        waited = window if ago is None else ago
        severity = grade(waited, warning=limits.warning_seconds, critical=limits.critical_seconds)
        if severity is None:
            return None
        when = (
            _("not {done} in the {window} counted", done=self.done, window=span(window))
            if ago is None
            else _("last {done} {time} ago", done=self.done, time=span(ago))
        )
        return Finding(
            subject=subject,
            severity=severity,
            observed=_("{when}, {changed} since", when=when, changed=changed),
            threshold=span(limits.warning_seconds),
            fixes=(self.fix(subject),),
            value=waited,
        )

    def changed(self, row: Row) -> str:
        """Return what has changed, in words; nothing where autovacuum would not come for it."""
        raise NotImplementedError

    def fix(self, subject: Subject) -> Fix:
        """Return what does by hand what is overdue."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class VacuumAge(Overdue):
    """A table that has changed enough for autovacuum and still was not vacuumed for days is one that it doesn't get to.

    It is off, too slow, cancelled each time by somebody who wants a lock, or held up by old transactions. A table in
    which nothing changes needs no vacuum, and is not told.
    """

    id = "vacuum_age"
    title = _("Tables that change are vacuumed")
    tags = frozenset({"vacuum"})
    done = _("vacuumed")
    column = "vacuum_seconds"

    def changed(self, row: Row) -> str:
        """Return the dead and the new rows, where either are more than autovacuum waits for."""
        has_dead = row["dead"] > row["vacuum_at"]
        has_new = row["insert_vacuum_at"] is not None and row["inserted"] > row["insert_vacuum_at"]
        if not has_dead and not has_new:
            return ""
        dead, new = counted(row["dead"], "dead row"), counted(row["inserted"], "new row")
        return _("{dead} and {new}", dead=dead, new=new)

    def fix(self, subject: Subject) -> Fix:
        """Return the VACUUM."""
        return _vacuum(subject)


@dataclass(frozen=True, kw_only=True)
class AnalyzeAge(Overdue):
    """The planner takes a table for what it was when it was last analysed.

    After many changes it takes thousands of rows for one, and a nested loop for cheap. Told is a table that has changed
    enough for autovacuum to analyse it, and was not for days.
    """

    id = "analyze_age"
    title = _("Tables that change are analysed")
    tags = frozenset({"vacuum", "performance"})
    done = _("analysed")
    column = "analyze_seconds"

    def changed(self, row: Row) -> str:
        """Return the changes, where they are more than autovacuum waits for."""
        return counted(row["modified"], "change") if row["modified"] > row["analyze_at"] else ""

    def fix(self, subject: Subject) -> Fix:
        """Return the ANALYZE."""
        return fixes.noted(
            "ANALYZE {};",
            fixes.relation(subject),
            note=_("takes ShareUpdateExclusive, reads and writes go on; a transaction is fine"),
        )


def _vacuum(subject: Subject) -> Fix:
    return fixes.noted(
        "VACUUM (ANALYZE, VERBOSE) {};",
        fixes.relation(subject),
        note=joined("; ", [_("takes ShareUpdateExclusive, reads and writes go on"), fixes.OUTSIDE]),
    )


def _sooner(subject: Subject) -> Fix:
    return fixes.noted(
        "ALTER TABLE {} SET (autovacuum_vacuum_scale_factor = 0.02);",
        fixes.relation(subject),
        note=_("takes ShareUpdateExclusive for a moment; autovacuum then comes sooner"),
    )


CHECKS = (DeadTuples, VacuumAge, AnalyzeAge)
