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


# Columns that stand beside each other

#: The box that columns are drawn in; CSS stretches it.
WIDTH = 600
HEIGHT = 120


@dataclass(frozen=True, slots=True)
class Column:
    """One part of a column: its place in the box, what it stands for, and the words that say so."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


def columns(series: Sequence[Sequence[tuple[str, float, str]]]) -> list[Column]:
    """Return the columns of a chart, each of parts on top of each other: (kind, value, title).

    The highest column is as high as the box; a part that is there at all is high enough to be seen.
    """
    highest = max((sum(value for _kind, value, _title in parts) for parts in series), default=0)
    if not highest:
        return []
    step = WIDTH / len(series)
    drawn: list[Column] = []
    for number, parts in enumerate(series):
        bottom = float(HEIGHT)
        for kind, value, title in parts:
            if value:
                height = max(round(HEIGHT * value / highest, 1), 2.0)
                bottom -= height
                x, width = round(number * step + step * 0.12, 1), round(step * 0.76, 1)
                drawn.append(Column(x, round(max(bottom, 0.0), 1), width, height, kind, title))
    return drawn
