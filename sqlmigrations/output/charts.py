"""Turns numbers into the geometry of a chart; templates draw it as SVG, which needs no inline style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

#: Bars of one chart: the slowest statements, which are those that people look for.
MAX_BARS = 20


@dataclass(frozen=True, slots=True)
class Bar:
    """How long one statement took, and how long its bar is, in percent of the longest."""

    number: int
    line: int
    duration_ms: float
    width: float


def slowest(timings: Sequence[dict[str, Any]]) -> list[Bar]:
    """Return bars for the slowest of an event's statements, in the order of the file."""
    chosen = sorted(timings, key=lambda timing: timing["duration_ms"], reverse=True)[:MAX_BARS]
    longest = max((timing["duration_ms"] for timing in chosen), default=0)
    bars = [
        Bar(
            number=timing["number"],
            line=timing["line"],
            duration_ms=timing["duration_ms"],
            width=round(100 * timing["duration_ms"] / longest, 1) if longest else 0.0,
        )
        for timing in chosen
    ]
    return sorted(bars, key=lambda bar: bar.number)
