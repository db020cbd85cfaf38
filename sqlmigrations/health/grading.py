"""How bad a number is; pure."""

from __future__ import annotations

from sqlmigrations.health.base import Severity


def grade(value: float | None, *, warning: float, critical: float) -> Severity | None:
    """Return how bad a number is that is the worse the larger it is; nothing below ``warning``."""
    if value is None or value < min(warning, critical):
        return None
    return Severity.CRITICAL if value >= critical else Severity.WARNING


def grade_left(seconds: float | None, *, warning: float, critical: float) -> Severity | None:
    """Return how bad it is that so many seconds are left; nothing from ``warning`` on, or where it is unknown."""
    if seconds is None or seconds >= max(warning, critical):
        return None
    return Severity.CRITICAL if seconds < critical else Severity.WARNING


def worse(one: Severity | None, other: Severity | None) -> Severity | None:
    """Return the worse of two severities; nothing where there is none."""
    return max((each for each in (one, other) if each is not None), key=lambda each: each.rank, default=None)
