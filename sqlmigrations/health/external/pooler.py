"""The check of PgBouncer: whether clients wait for a connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from sqlmigrations.health.base import (
    BEFORE,
    Answer,
    Check,
    Evidence,
    Finding,
    Fix,
    FixKind,
    Probe,
    Skip,
    Subject,
    answer,
)
from sqlmigrations.health.grading import grade
from sqlmigrations.health.units import span
from sqlmigrations.messages import counted
from sqlmigrations.messages import gettext as _

#: Seconds to wait for the console.
PATIENCE = 5


@dataclass(frozen=True, kw_only=True)
class PgBouncerPools(Check):
    """Clients that wait for PgBouncer wait before their first statement, where the server doesn't see them.

    A pool is empty when transactions last too long, when one of them is blocked, or when it is too small. The check
    asks PgBouncer's console, whose connection string is given as ``admin``: ``"host=... port=6432 dbname=pgbouncer"``.
    """

    id = "pgbouncer"
    title = _("Nobody waits for PgBouncer")
    evidence = Evidence.EXTERNAL
    examines = "pools"
    tags = frozenset({"sessions", "capacity", BEFORE})

    #: Of the client that has waited the longest.
    warning_seconds: float = 1
    critical_seconds: float = 10
    #: The connection string of PgBouncer's console; nothing is examined without one.
    admin: str = ""

    def run(self, probe: Probe) -> Answer:
        """Look at all pools of the console.

        Raises:
            Skip: the console doesn't answer.
        """
        if not self.admin:
            return Answer(0)
        try:
            rows = show_pools(self.admin)
        except psycopg.Error as error:
            said = str(error).strip().partition("\n")[0]
            raise Skip(
                _("PgBouncer's console doesn't answer: {said}", said=said), _("Look at 'admin' of pgbouncer.")
            ) from error
        return answer(self.judge(row) for row in rows if row["database"] != "pgbouncer")

    def judge(self, row: Mapping[str, Any]) -> Finding | None:
        """Judge one pool."""
        subject = Subject("pool", name=f"{row['database']}/{row['user']}")
        limits = self.on(subject)
        waited = row["maxwait"] + row.get("maxwait_us", 0) / 1_000_000
        severity = grade(waited, warning=limits.warning_seconds, critical=limits.critical_seconds)
        if severity is None or not row["cl_waiting"]:
            return None
        return Finding(
            subject=subject,
            severity=severity,
            observed=_(
                "{clients} waiting, the longest for {waited}; {connections} at work, {sv_idle} idle",
                clients=counted(row["cl_waiting"], "client"),
                waited=span(waited),
                connections=counted(row["sv_active"], "server connection"),
                sv_idle=row["sv_idle"],
            ),
            threshold=span(limits.warning_seconds),
            fixes=(
                Fix(
                    FixKind.SHELL,
                    "manage.py dbhealth --only blocked --only idle_in_transaction --only long_running",
                    _(
                        "the usual reasons; else a larger default_pool_size in pgbouncer.ini, then RELOAD on the "
                        "console"
                    ),
                ),
            ),
            value=waited,
        )


def show_pools(admin: str) -> list[dict[str, Any]]:
    """Return the rows of ``SHOW POOLS``; the console knows the simple protocol only, and no transactions.

    Raises:
        psycopg.Error: it doesn't answer, or doesn't let us in.
    """
    with psycopg.connect(
        admin, autocommit=True, prepare_threshold=None, connect_timeout=PATIENCE, row_factory=dict_row
    ) as console:
        return console.execute("SHOW POOLS").fetchall()


CHECKS: tuple[type[Check], ...] = (PgBouncerPools,)
