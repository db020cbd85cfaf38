"""Since when the server counts: counters say nothing before they have run for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlmigrations.health.base import (
    Check,
    Evidence,
    Probe,
    Skip,
)
from sqlmigrations.health.units import DAY, span
from sqlmigrations.messages import gettext as _

#: The SQL files that tell the window.
FILES = ("statistics_window", "statistics_window_16", "database_made")


@dataclass(frozen=True, kw_only=True)
class Counting(Check):
    """A check that judges counters, and is skipped until they have run for long enough."""

    evidence = Evidence.CUMULATIVE

    #: Counters that have run for a shorter time are not judged.
    min_window_seconds: float = 7 * DAY

    def window(self, probe: Probe) -> timedelta:
        """Return how long the counters have run.

        Raises:
            Skip: it is unknown, or too short to judge by.
        """
        seconds = window_seconds(probe)
        if seconds is None:
            raise Skip(_("it is unknown since when the server counts"))
        if seconds < self.min_window_seconds:
            raise Skip(
                _(
                    "the server has counted for {window} only; {needed} are needed",
                    window=span(seconds),
                    needed=span(self.min_window_seconds),
                ),
                _("A crash, a reset, a restore or an upgrade starts the counters anew. Wait."),
            )
        return timedelta(seconds=seconds)


def window_seconds(probe: Probe) -> float | None:
    """Return for how many seconds the counters of the database have run; None where that is unknown.

    They begin at the latest of all resets, those of the whole server included: after a crash nothing else tells that
    they are lost. A superuser also sees when the database was made, which may be later.
    """
    row = probe.row(window_file(probe))
    if row["seconds"] is None:
        return None
    known: list[float] = [row["seconds"]]
    if probe.capabilities.is_superuser:
        known += [made["seconds"] for made in probe.rows("database_made")]
    return max(0.0, min(known))


def window_file(probe: Probe) -> str:
    """Return the name of the SQL file that tells since when this server counts."""
    return "statistics_window" if probe.capabilities.has("pg_stat_checkpointer") else "statistics_window_16"
