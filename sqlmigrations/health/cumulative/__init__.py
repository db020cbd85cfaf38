"""Checks of counters, which mean something only when it is known for how long they have run."""

from __future__ import annotations

from sqlmigrations.health.base import Check
from sqlmigrations.health.cumulative import access, bloat, indexes, jsonb, matviews, server, statements, upkeep

#: All of them, in the order in which they are listed.
CHECKS: tuple[type[Check], ...] = (
    *statements.CHECKS,
    *jsonb.CHECKS,
    *indexes.CHECKS,
    *bloat.CHECKS,
    *upkeep.CHECKS,
    *matviews.CHECKS,
    *access.CHECKS,
    *server.CHECKS,
)
