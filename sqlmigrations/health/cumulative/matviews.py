"""The check of materialized views: whether what they show is still so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlmigrations.health import fixes
from sqlmigrations.health.base import (
    Answer,
    Check,
    Evidence,
    Finding,
    Probe,
    Severity,
    Skip,
    Subject,
    answer,
)
from sqlmigrations.health.cumulative.window import FILES, window_file
from sqlmigrations.health.measures import Past, find
from sqlmigrations.health.units import DAY, percent, span
from sqlmigrations.messages import counted
from sqlmigrations.messages import gettext as _

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Age:
    """What has changed in the tables that a view reads, and for at least how many seconds it was not refreshed."""

    changes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class MaterializedViewStale(Check):
    """A materialized view shows what its tables held at its last REFRESH, however long ago that was.

    PostgreSQL keeps no time of it. It can be told where earlier numbers are kept (``dbhealth --keep``), else where
    ``track_commit_timestamp`` is on and the view was refreshed before the server began to count. Told is a view whose
    tables have changed much since. A GRANT or ALTER of the view passes for a REFRESH.
    """

    id = "matview_stale"
    title = _("Materialized views show what is")
    evidence = Evidence.CUMULATIVE
    examines = "materialized views"
    tags = frozenset({"integrity"})
    sql: ClassVar[tuple[str, ...]] = ("matview_stale", *FILES)

    #: Rows that were added, changed or removed, of all rows of the tables that it reads.
    warning_percent: float = 20
    #: It may be so old whatever has changed.
    min_age_seconds: float = 1 * DAY

    def run(self, probe: Probe) -> Answer:
        """Look at all materialized views that are filled.

        Raises:
            Skip: of none it can be told when it was refreshed.
        """
        rows = probe.rows()
        since = probe.row(window_file(probe))["since"]
        ages = [(row, age_of(row, probe.past, since)) for row in rows]
        known = [(row, age) for row, age in ages if age is not None]
        if rows and not known:
            raise Skip(
                _("it can't be told when {views} were refreshed", views=counted(len(rows), "materialized view"))
                if len(rows) > 1
                else _("it can't be told when the materialized view was refreshed"),
                _("Keep numbers to compare with: manage.py dbhealth --keep"),
            )
        unknown = len(rows) - len(known)
        return answer(
            (self.judge(row, age) for row, age in known),
            left_out=_("{views} of unknown age", views=counted(unknown, "materialized view")) if unknown else "",
        )

    def judge(self, row: Row, age: _Age) -> Finding | None:
        """Judge one view by its age."""
        subject = Subject("materialized view", row["schema"], row["table"])
        limits = self.on(subject)
        share = 100 * age.changes / max(row["rows"], 1)
        if age.seconds < limits.min_age_seconds or share < limits.warning_percent:
            return None
        return Finding(
            subject=subject,
            severity=Severity.WARNING,
            observed=_(
                "not refreshed for at least {seconds}; {changes} since in the tables it reads ({share} of their rows)",
                seconds=span(age.seconds),
                changes=counted(age.changes, "change"),
                share=percent(share),
            ),
            threshold=_("below {share} changed", share=f"{limits.warning_percent:g} %"),
            fixes=(
                fixes.noted(
                    "REFRESH MATERIALIZED VIEW CONCURRENTLY {};",
                    fixes.relation(subject),
                    note=_(
                        "takes Exclusive, reads go on; it needs a unique index over plain columns (without "
                        "CONCURRENTLY it keeps readers out)"
                    ),
                ),
            ),
            value=share,
        )


def age_of(row: Row, past: Past, since: datetime | None) -> _Age | None:
    """Return how old a view is, at least; None where that can't be told.

    It was refreshed by another transaction than when it was measured: then it is young. By the same one: then it is as
    old as that at least. Where it was refreshed before the server began to count, ``since``, all changes are newer.
    """
    was = find(past.counted.matviews, row["schema"], row["table"]) if past.counted is not None else None
    if was is not None:
        refreshed_by, changes = was
        is_same = refreshed_by == row["refreshed_by"] and row["changes"] >= changes
        return _Age(row["changes"] - changes, past.counted_seconds) if is_same else _Age()
    refreshed_at = row["refreshed_at"]
    if refreshed_at is not None and since is not None and refreshed_at <= since:
        return _Age(row["changes"], (row["now"] - refreshed_at).total_seconds())
    return None


CHECKS: tuple[type[Check], ...] = (MaterializedViewStale,)
