"""Shows a state or an event's type as a word and a shape, so that nobody has to tell colours apart."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.html import format_html
from django.utils.safestring import SafeString

_CHECK = "M3 8.5 6.5 12 13 4.5"
_CROSS = "M4 4 12 12M12 4 4 12"
_HALF = "M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11"
_QUESTION = "M5.5 6a2.5 2.5 0 1 1 3.6 2.2C8.4 8.6 8 9 8 10M8 12.8v.4"
_BACK = "M6.5 3 3 6.5 6.5 10M3 6.5h6a3.5 3.5 0 0 1 0 7H6"
_FLAG = "M4 14V2.5h8L10 5.5l2 3H4"
_BOX = "M2.5 4h11v3h-11zM3.5 7v6h9V7M6.5 9.5h3"
_PLAY = "M5 3v10l8-5z"
_RESUME = "M3.5 3v10M7 3v10l6.5-5z"
_STOP = "M4 4h8v8H4z"
_PEN = "M3 13l1-3.5L10.5 3 13 5.5 6.5 12zM9 4.5 11.5 7"
_ARROW = "M2.5 8h10M9 4l4 4-4 4"
_INBOX = "M8 2v7M5 6.5 8 9.5l3-3M3 10v3.5h10V10"
_LENS = "M7 3a4 4 0 1 0 0 8 4 4 0 1 0 0-8M10 10l3.5 3.5"
_CLOCK = "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 1 0 0-11M8 5v3.2l2.2 1.3"
_PAUSE = "M5.5 3.5v9M10.5 3.5v9"
_ALERT = "M8 2.5 14 13H2zM8 6.5v3M8 11.4v.1"
_SKIP = "M4 8h8"
_DOT = "M8 6.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 1 0 0-3"

#: The shape of each state, event type, status of a plan and severity: an SVG path in a box of 16 by 16.
SHAPES: Mapping[str, str] = {
    "applied": _CHECK,
    "failed": _CROSS,
    "partial": _HALF,
    "in_doubt": _QUESTION,
    "reverted": _BACK,
    "baselined": _FLAG,
    "retired": _BOX,
    "started": _PLAY,
    "resumed": _RESUME,
    "stopped": _STOP,
    "revert_failed": _CROSS,
    "accepted": _PEN,
    "renamed": _ARROW,
    "adopted": _INBOX,
    "schema_accepted": _PEN,
    "ddl_log_installed": _FLAG,
    "examined": _LENS,
    "ddl_log_removed": _BOX,
    "requested": _PLAY,
    "ended": _STOP,
    "pending": _CLOCK,
    "held": _PAUSE,
    "late": _CLOCK,
    "changed": _PEN,
    "missing": _QUESTION,
    "critical": _CROSS,
    "error": _CROSS,
    "warning": _ALERT,
    "info": _DOT,
    "ok": _CHECK,
    "skipped": _SKIP,
}


def badge(value: str, word: str) -> SafeString:
    """Return the badge of a state or an event's type; an unknown one gets a dot and its word."""
    return format_html(
        '<span class="sqlm-badge sqlm-badge--{}"><svg class="sqlm-shape" viewBox="0 0 16 16" width="12" height="12" '
        'aria-hidden="true" focusable="false"><path d="{}"/></svg>{}</span>',
        value,
        SHAPES.get(value, _DOT),
        word,
    )
