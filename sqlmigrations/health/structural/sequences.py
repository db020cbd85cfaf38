"""The check of sequences: how long they last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from sqlmigrations.health import fixes
from sqlmigrations.health.base import (
    Answer,
    Check,
    Evidence,
    Finding,
    Fix,
    Probe,
    Skip,
    Subject,
    answer,
)
from sqlmigrations.health.grading import grade, grade_left, worse
from sqlmigrations.health.measures import Past, find
from sqlmigrations.health.units import DAY, percent, span
from sqlmigrations.messages import counted
from sqlmigrations.messages import gettext as _


@dataclass(frozen=True, kw_only=True)
class SequenceExhaustion(Check):
    """A sequence ends where it says, where its column ends, or where a column ends that points there.

    The smallest of the three counts: an integer column behind a bigint sequence refuses rows at 2,147,483,647, and so
    does a bigint key when an integer foreign key has to hold it.

    Where earlier numbers are kept (``dbhealth --keep``), the rate since then tells how long it lasts.
    """

    id = "sequence_exhaustion"
    title = _("Sequences have room")
    evidence = Evidence.STRUCTURAL
    examines = "sequences"
    tags = frozenset({"capacity", "keys"})
    right = "pg_read_all_data"

    warning_percent: float = 70
    critical_percent: float = 85
    #: How long it lasts at the rate of the last weeks.
    warning_left_seconds: float = 90 * DAY
    critical_left_seconds: float = 14 * DAY
    #: Over a shorter time no rate is judged.
    min_window_seconds: float = 1 * DAY

    def run(self, probe: Probe) -> Answer:
        """Look at all sequences that may be read.

        Raises:
            Skip: nothing was found, but some could not be read: pg_monitor alone doesn't see their values.
        """
        rows = probe.rows()
        readable = [row for row in rows if row["is_readable"]]
        unseen = len(rows) - len(readable)
        values = last_values(probe, {row["sequence"]: (row["schema"], row["name"]) for row in readable})
        given = answer(
            (self._judge(row, values.get(row["sequence"]), probe.past) for row in readable),
            left_out=_("{sequences} that can't be read", sequences=counted(unseen, "sequence")) if unseen else "",
        )
        if unseen and not given.findings:
            raise Skip(
                _("{unseen} of {sequences} can't be read", unseen=unseen, sequences=counted(len(rows), "sequence")),
                probe.grant(self.right),
            )
        return given

    def _judge(self, row: Mapping[str, Any], last: int | None, past: Past) -> Finding | None:
        if last is None or row["starts_again"]:
            return None
        subject = Subject.of("sequence", row)
        limits = self.on(subject)
        used = used_percent(last, start=row["start"], limit=row["limit"])
        lasts = seconds_left(past, row, last) if past.seconds >= limits.min_window_seconds else None
        severity = worse(
            grade(used, warning=limits.warning_percent, critical=limits.critical_percent),
            grade_left(lasts, warning=limits.warning_left_seconds, critical=limits.critical_left_seconds),
        )
        if severity is None:
            return None
        left = abs(int((row["limit"] - last) / row["increment"]))
        observed = _("{used} used, {values} left", used=percent(used), values=counted(left, "value"))
        if row["limited_by"]:
            observed = _("{observed} for {column}", observed=observed, column=".".join(row["limited_by"]))
        threshold = _("below {warning_percent:g} %", warning_percent=limits.warning_percent)
        if lasts is not None:
            observed = _(
                "{observed}, which last {time} at the rate of the last {window}",
                observed=observed,
                time=span(lasts),
                window=span(past.seconds),
            )
            threshold = _("{threshold}, lasting {time}", threshold=threshold, time=span(limits.warning_left_seconds))
        return Finding(
            subject=subject,
            severity=severity,
            observed=observed,
            threshold=threshold,
            fixes=_fixes(subject, row),
            value=used,
        )


def seconds_left(past: Past, row: Mapping[str, Any], last: int) -> float | None:
    """Return for how long a sequence lasts at its rate since it was measured; None where that can't be told."""
    was = find(past.baseline.sequences, row["schema"], row["name"]) if past.baseline else None
    return past.seconds_left(was and was[0], last, float(row["limit"]))


#: How many sequences are read, and locked with AccessShare, at once.
BATCH = 100

_READING = sql.SQL("SELECT tableoid AS oid, last_value, is_called FROM ")


def last_values(probe: Probe, names: Mapping[int, tuple[str, str]]) -> dict[int, int | None]:
    """Return what sequences gave out last, by oid; nothing where one never gave any.

    ``names`` are the schema and name of each by its oid. One that another check has read isn't read again.
    """
    found = probe.last_values
    unread = [name for oid, name in names.items() if oid not in found]
    for start in range(0, len(unread), BATCH):
        each = (_READING + sql.Identifier(*name) for name in unread[start : start + BATCH])
        for row in probe.fetch(sql.SQL(" UNION ALL ").join(each).as_string(), None):
            found[row["oid"]] = row["last_value"] if row["is_called"] else None
    return found


def used_percent(last: int, *, start: float, limit: float) -> float:
    """Return how much of the way from a sequence's start to its limit is gone, whichever way it counts."""
    way = float(limit - start)
    return 100.0 if not way else max(0.0, 100 * float(last - start) / way)


def _fixes(subject: Subject, row: Mapping[str, Any]) -> tuple[Fix, ...]:
    """Return how to make room: in the column that is too narrow, and in the sequence that is."""
    wide = fixes.noted(
        "ALTER SEQUENCE {} AS bigint;", fixes.named(subject), note=_("takes ShareRowExclusive on it alone")
    )
    if row["limited_by"]:
        schema, table, column = row["limited_by"]
        narrow = Subject("column", schema, table, columns=(column,))
        return (*fixes.change_type(narrow, "bigint"), *([wide] if row["is_narrow"] else []))
    return (wide,)


CHECKS: tuple[type[Check], ...] = (SequenceExhaustion,)
