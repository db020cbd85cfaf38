"""Checks of this moment: what sessions, standbys, slots and the clock of transaction ids are at right now."""

from __future__ import annotations

from sqlmigrations.health.base import Check
from sqlmigrations.health.snapshot import ages, configuration, damage, horizon, locks, replication, sessions

#: All of them, in the order in which they are listed.
CHECKS: tuple[type[Check], ...] = (
    *sessions.CHECKS,
    *locks.CHECKS,
    *horizon.CHECKS,
    *ages.CHECKS,
    *replication.CHECKS,
    *damage.CHECKS,
    *configuration.CHECKS,
)
