"""The streams that a command writes to."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

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


def not_written(error: OSError) -> str:
    """Say why the standard output could not be written."""
    return f"The standard output could not be written: {error.strerror}."


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


class Outlived(OutputWrapper):
    """A stream that what is done outlives: once it can't be written (a full disk), the rest of the words goes nowhere.

    ``lost`` says why. That a reader has gone (``| head``) is no such thing: whoever writes is told.
    """

    def __init__(self, stream: OutputWrapper) -> None:
        super().__init__(cast("TextIO", stream._out), stream.ending)
        self._style_func = stream.style_func
        self.lost: OSError | None = None

    def write(  # type: ignore[override] # as Django's own
        self, msg: str = "", style_func: Callable[[str], str] | None = None, ending: str | None = None
    ) -> None:
        """Write as Django does, as long as that can be done."""
        with self._outliving():
            super().write(msg, style_func, ending)

    def flush(self) -> None:
        """Let out what was written, as long as that can be done."""
        with self._outliving():
            super().flush()

    @contextmanager
    def _outliving(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            self.lost = error
            leave_unread(self)


def leave_unread(stream: Any) -> None:
    """Let what is still to be written to a stream go nowhere: nobody reads it any more, or it can't be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
