"""Sizes and times as people write them: read from the settings, worded in findings."""

from __future__ import annotations

import re

from sqlmigrations.messages import gettext as _

#: PostgreSQL's units of memory, in bytes: 1 kB is 1024.
KB = 1024
MB = 1024 * KB
GB = 1024 * MB

#: In seconds.
MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_BYTES: dict[str, float] = {"b": 1, "kb": KB, "mb": MB, "gb": GB, "tb": 1024 * GB}
_SECONDS: dict[str, float] = {"ms": 0.001, "s": 1, "min": MINUTE, "h": HOUR, "d": DAY}
_UNITS = {"bytes": _BYTES, "seconds": _SECONDS, "percent": {"percent": 1.0}}

_AMOUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*")


def parse(unit: str, value: object) -> float:
    """Return a threshold of the settings as a number; ``unit`` is the last word of its name.

    ``"10MB"`` is read where ``unit`` is ``bytes``, ``"5min"`` where it is ``seconds``, ``"70%"`` where ``percent``.

    Raises:
        ValueError: it is no number, or has another unit.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    match = _AMOUNT.fullmatch(str(value).replace("%", " percent"))
    if match is None:
        raise ValueError(f"{value!r} is no number")
    number, suffix = float(match[1]), match[2].lower()
    known = _UNITS.get(unit, {})
    if suffix and suffix not in known:
        raise ValueError(f"{value!r} has an unknown unit; known are: {', '.join(known) or 'none'}")
    return number * known.get(suffix, 1)


def size(count: float) -> str:
    """Return bytes as people read them: ``"117 MB"``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if count >= 10 or unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"


def span(seconds: float) -> str:
    """Return a time as people read it: ``"45 s"``, ``"12 min"``, ``"3.5 h"``, ``"9 days"``."""
    if seconds < 2 * MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * HOUR:
        return f"{seconds / MINUTE:.0f} min"
    if seconds < 2 * DAY:
        return f"{seconds / HOUR:.1f} h"
    return _("{days:.0f} days", days=seconds / DAY)


def quick(seconds: float) -> str:
    """Return a time in milliseconds where it is short: ``"120 ms"``."""
    return f"{seconds * 1000:,.0f} ms" if seconds < 10 else span(seconds)


def percent(value: float) -> str:
    """Return a share as people read it: ``"97.8 %"``."""
    return f"{value:.1f} %"
