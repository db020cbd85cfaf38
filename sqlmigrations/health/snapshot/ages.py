"""Checks of the age of transaction ids: how far away the day is on which PostgreSQL stops taking writes."""

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
    Subject,
    answer,
)
from sqlmigrations.health.grading import grade, grade_left, worse
from sqlmigrations.health.measures import Measures, multixacts_between
from sqlmigrations.health.units import DAY, GB, percent, size, span
from sqlmigrations.messages import gettext as _
from sqlmigrations.messages import joined

#: Ids between the oldest unfrozen one and the point where the server refuses writes.
#: https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-WRAPAROUND
ROOM = 2**31


def millions(ids: float) -> str:
    """Return a number of ids as people read it: ``"512 million"``."""
    return f"{ids:,.0f}" if ids < 1_000_000 else _("{ids:,.0f} million", ids=ids / 1_000_000)


@dataclass(frozen=True, kw_only=True)
class Wraparound(Check):
    """What the two kinds of ids have in common."""

    evidence = Evidence.SNAPSHOT
    examines = "databases and tables"
    tags = frozenset({"capacity", "vacuum", BEFORE})
    sql: ClassVar[tuple[str, ...]] = ("transaction_ids", "measured_server")
    #: What is counted, and the column that holds it.
    noun: ClassVar[str]
    column: ClassVar[str]
    #: The column of the age at which autovacuum freezes whatever it costs.
    max_age: ClassVar[str]

    #: Ids since the oldest one that is not frozen.
    warning_age: int = 500_000_000
    critical_age: int = 1_000_000_000
    #: How long it takes to a standstill at the rate of the last weeks, where freezing has fallen behind: an age above
    #: autovacuum_freeze_max_age.
    warning_left_seconds: float = 30 * DAY
    critical_left_seconds: float = 7 * DAY
    #: Over a shorter time no rate is judged.
    min_window_seconds: float = 1 * DAY

    def run(self, probe: Probe) -> Answer:
        """Look at all databases of the server and at the tables of this one, system catalogs included."""
        rate = self.rate(probe) if probe.past.seconds >= self.min_window_seconds else 0.0
        return answer(self.judge(row, rate) for row in probe.rows())

    def rate(self, probe: Probe) -> float:
        """Return how many ids a second were used up since they were last measured."""
        baseline, now = probe.past.baseline, probe.row("measured_server")
        return self.used(baseline, now) / probe.past.seconds if baseline is not None else 0.0

    @staticmethod
    def used(then: Measures, now: Mapping[str, Any]) -> int:
        """Return how many ids were used up since ``then``."""
        raise NotImplementedError

    def judge(self, row: Mapping[str, Any], rate: float = 0.0) -> Finding | None:
        """Judge one database or table; ``rate`` is the number of ids that are used up in a second."""
        subject = Subject.of(row["kind"], row)
        limits = self.on(subject)
        age = row[self.column]
        lasts = max(0, ROOM - age) / rate if rate > 0 and age > row[self.max_age] else None
        severity = worse(
            grade(age, warning=limits.warning_age, critical=limits.critical_age),
            grade_left(lasts, warning=limits.warning_left_seconds, critical=limits.critical_left_seconds),
        )
        if severity is None:
            return None
        way = percent(100 * age / ROOM)
        lasting = _(", {time} at the present rate", time=span(lasts)) if lasts is not None else ""
        return Finding(
            subject=subject,
            severity=severity,
            observed=_(
                "{age} {noun} old, {way} of the way to a standstill{lasting}",
                age=millions(age),
                noun=self.noun,
                way=way,
                lasting=lasting,
            ),
            threshold=millions(limits.warning_age),
            fixes=(_freeze(subject),),
            value=age,
        )


@dataclass(frozen=True, kw_only=True)
class TransactionIdWraparound(Wraparound):
    """PostgreSQL counts transactions with 32 bits, and must freeze old rows before the count comes round.

    Autovacuum does so by itself. Where it can't (it is off, it is too slow, something old holds it up) the age grows,
    and at about two thousand million the server refuses every write until a VACUUM has been through.
    """

    id = "xid_wraparound"
    title = _("Transaction ids are frozen in time")
    noun = _("transactions")
    column = "xid_age"
    max_age = "freeze_max_age"

    @staticmethod
    def used(then: Measures, now: Mapping[str, Any]) -> int:
        """Return how many transaction ids were used up since ``then``."""
        return int(now["transaction_ids"]) - then.transaction_ids


@dataclass(frozen=True, kw_only=True)
class MultixactWraparound(Wraparound):
    """Rows that several transactions lock at once carry a multixact id, which comes round as transaction ids do.

    Foreign keys make them: each insert of a child locks its parent's row. They can run out long before transaction
    ids do, and few watch them.
    """

    id = "multixact_wraparound"
    title = _("Multixact ids are frozen in time")
    noun = _("multixacts")
    column = "multixact_age"
    max_age = "multixact_freeze_max_age"

    @staticmethod
    def used(then: Measures, now: Mapping[str, Any]) -> int:
        """Return how many multixacts were used up since ``then``."""
        return multixacts_between(then.multixacts, int(now["multixacts"]))


def _freeze(subject: Subject) -> Fix:
    """Return how to freeze a table, or all tables of a database."""
    if subject.kind == "database":
        return Fix(
            FixKind.SHELL,
            f"vacuumdb --freeze --jobs=2 {subject.name}",
            _("reads all that is not frozen; look at xmin_holder first, or it freezes nothing"),
        )
    return fixes.noted(
        "VACUUM (FREEZE, VERBOSE) {};",
        fixes.relation(subject),
        note=joined("; ", [_("takes ShareUpdateExclusive, reads and writes go on"), fixes.OUTSIDE]),
    )


@dataclass(frozen=True, kw_only=True)
class AntiWraparoundVacuum(Check):
    """The autovacuum that prevents wraparound does not step aside.

    An ordinary autovacuum gives way to whoever wants its lock. One that runs because a table has reached
    ``autovacuum_freeze_max_age`` doesn't: a migration that alters the table waits until it is through, and everybody
    else behind the migration. It is better to freeze the table first, or to wait.
    """

    id = "freeze_near_autovac_max"
    title = _("No vacuum that doesn't step aside is coming")
    evidence = Evidence.SNAPSHOT
    examines = "tables"
    tags = frozenset({"vacuum", BEFORE})
    sql: ClassVar[tuple[str, ...]] = ("transaction_ids",)

    warning_percent: float = 90
    critical_percent: float = 100
    #: Smaller tables are frozen in a moment.
    min_bytes: int = 1 * GB

    def run(self, probe: Probe) -> Answer:
        """Look at the tables of this database."""
        return answer(self.judge(row) for row in probe.rows() if row["kind"] == "table")

    def judge(self, row: Mapping[str, Any]) -> Finding | None:
        """Judge one table by the nearer of its two limits."""
        subject = Subject.of("table", row)
        limits = self.on(subject)
        used = 100 * max(row["xid_age"] / row["freeze_max_age"], row["multixact_age"] / row["multixact_freeze_max_age"])
        severity = grade(used, warning=limits.warning_percent, critical=limits.critical_percent)
        if severity is None or row["bytes"] < limits.min_bytes:
            return None
        return Finding(
            subject=subject,
            severity=severity,
            observed=_coming(row, used),
            threshold=f"{limits.warning_percent:g} %",
            fixes=(_wait(row["vacuum_pid"]),) if row["vacuum_pid"] else (_freeze(subject),),
            value=used,
        )


def _coming(row: Mapping[str, Any], used: float) -> str:
    what = _("{used} of autovacuum_freeze_max_age, {bytes} to read", used=percent(used), bytes=size(row["bytes"]))
    pid = row["vacuum_pid"]
    return _("{what}; a vacuum is at work on it (pid {pid})", what=what, pid=pid) if pid else what


def _wait(pid: int) -> Fix:
    return fixes.noted(
        "SELECT * FROM pg_stat_progress_vacuum WHERE pid = {};", sql.Literal(pid), note=_("wait until it is through")
    )


CHECKS: tuple[type[Check], ...] = (TransactionIdWraparound, MultixactWraparound, AntiWraparoundVacuum)
