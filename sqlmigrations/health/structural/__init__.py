"""Checks of the catalog: what they say holds right after a migration as well as a year later."""

from __future__ import annotations

from sqlmigrations.health.base import Check
from sqlmigrations.health.structural import constraints, indexes, keys, sequences, upkeep

#: All of them, in the order in which they are listed.
CHECKS: tuple[type[Check], ...] = (
    *constraints.CHECKS,
    *keys.CHECKS,
    *sequences.CHECKS,
    *indexes.CHECKS,
    *upkeep.CHECKS,
)
