"""The check of vacuum's horizon: who still wants to see rows that are long dead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
from sqlmigrations.health.grading import grade
from sqlmigrations.health.snapshot.ages import millions
from sqlmigrations.health.snapshot.sessions import SEES_ALL, left_out, seen, terminate
from sqlmigrations.health.units import HOUR, MINUTE, span
from sqlmigrations.messages import gettext as _

Row = Mapping[str, Any]

#: What may hold vacuum up: a session, a standby, ...
NOUN = "possible holder"


@dataclass(frozen=True, kw_only=True)
class HorizonHolder(Check):
    """Vacuum removes only rows that nobody can want to see any more, and one who does holds it up everywhere.

    It may be an old transaction, one that was prepared and forgotten, a replication slot that nobody reads, or a
    query on a standby with ``hot_standby_feedback``. Tables and indexes grow meanwhile, and transaction ids get old.
    """

    id = "xmin_holder"
    title = _("Nobody keeps vacuum from removing dead rows")
    evidence = Evidence.SNAPSHOT
    examines = "transactions, slots and standbys"
    tags = frozenset({"vacuum", "sessions", BEFORE})
    right = SEES_ALL

    #: Transactions since the oldest row version that somebody may want to see.
    warning_age: int = 10_000_000
    critical_age: int = 100_000_000
    #: Sessions and prepared transactions are judged by their time as well.
    warning_seconds: float = 10 * MINUTE
    critical_seconds: float = 1 * HOUR

    def run(self, probe: Probe) -> Answer:
        """Look at sessions, prepared transactions, replication slots and standbys.

        Raises:
            Skip: nothing was found, but sessions of other roles are hidden.
        """
        rows = probe.rows()
        return seen(probe, rows, self.judge(rows), NOUN)

    def judge(self, rows: Sequence[Row]) -> Answer:
        """Judge each of those who could hold vacuum up."""
        return answer((self._one(row) for row in rows if not row["is_hidden"]), left_out=left_out(rows, NOUN))

    def _one(self, row: Row) -> Finding | None:
        subject = _subject(row)
        limits = self.on(subject)
        by_age = grade(row["age"], warning=limits.warning_age, critical=limits.critical_age)
        by_time = grade(row["seconds"], warning=limits.warning_seconds, critical=limits.critical_seconds)
        if row["age"] is None or (by_age is None and by_time is None):
            return None
        since = _(", for {time}", time=span(row["seconds"])) if row["seconds"] is not None else ""
        return Finding(
            subject=subject,
            severity=max((found for found in (by_age, by_time) if found), key=lambda found: found.rank),
            observed=_(
                "holds up vacuum {age} transactions back{since} ({who})",
                age=millions(row["age"]),
                since=since,
                who=row["who"],
            ),
            threshold=_(
                "{age} transactions, {time}",
                age=millions(limits.warning_age),
                time=span(limits.warning_seconds),
            ),
            fixes=(_let_go(row),),
            identity=(row["who"],) if row["kind"] == "session" else (row["name"],),
            value=row["age"],
        )


def _subject(row: Row) -> Subject:
    name = f"pid {row['name']}" if row["kind"] == "session" else row["name"]
    return Subject(row["kind"], name=name)


def _let_go(row: Row) -> Fix:
    """Return how to make one let go."""
    if row["kind"] == "session":
        return terminate(int(row["name"]))
    if row["kind"] == "prepared transaction":
        return fixes.noted(
            "ROLLBACK PREPARED {};",
            sql.Literal(row["name"]),
            note=_("or COMMIT PREPARED; ask the transaction manager that prepared it first"),
        )
    if row["kind"] == "slot":
        return fixes.noted(
            "SELECT pg_catalog.pg_drop_replication_slot({});",
            sql.Literal(row["name"]),
            note=_("only when its reader never comes back: it has to be set up anew afterwards"),
        )
    return Fix(
        FixKind.SQL,
        "SELECT pid, query, xact_start FROM pg_stat_activity ORDER BY xact_start;",
        _("on the standby, where a query is at work"),
    )


CHECKS: tuple[type[Check], ...] = (HorizonHolder,)
