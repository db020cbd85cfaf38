"""The streams that a command writes to."""

from __future__ import annotations

import io
import os
from typing import Any

from django.core.management.base import OutputWrapper


def take_any_text(stream: Any, *, is_document: bool) -> None:
    r"""Let a stream of this process take whatever is written to it; nothing is done to one that is none of Python's.

    A log or a terminal of another encoding than UTF-8 must not end a run in its middle: characters that it doesn't know
    are written as ``\u201e``. Documents for programs are UTF-8: https://www.rfc-editor.org/rfc/rfc8259#section-8.1.
    """
    below = getattr(stream, "_out", stream)  # Django's wrapper
    if isinstance(below, io.TextIOWrapper):
        below.reconfigure(encoding="utf-8" if is_document else None, errors="backslashreplace")


#: Why a document is refused where there is no standard output.
NOBODY_READS = "The standard output is closed: nobody would get what is to be written there."


def is_closed(stream: Any) -> bool:
    """Tell whether there is nothing behind a stream: Python has none where the file descriptor is closed."""
    return getattr(stream, "_out", stream) is None


def heard_by_nobody() -> OutputWrapper:
    """Return a stream whose words go nowhere."""
    return OutputWrapper(_Nowhere())


class _Nowhere(io.StringIO):
    """Takes words and forgets them; unlike a null device it needs no closing."""

    def write(self, text: str) -> int:
        return len(text)


def leave_unread(stream: Any) -> None:
    """Let what is still to be written to a stream go nowhere: whoever read it (``| head``) has had enough."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
