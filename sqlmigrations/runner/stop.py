"""Lets a run that goes on in a thread be stopped as Ctrl-C stops one in the main thread, the only one that hears it.

Whoever stops it asks for it, and cancels the statement that is in work. The error of that statement, a pause, or the
beginning of the next file is where the run notices, and raises what Ctrl-C would have raised there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Stop:
    """Whether the runs of one thread shall stop, and whether that was noticed."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self.is_noticed = False

    def ask(self) -> None:
        """Ask for it; from another thread."""
        self._asked.set()

    def notice(self, *, within: float = 0.0) -> None:
        """Wait for so many seconds, and raise ``KeyboardInterrupt`` as soon as it is asked for."""
        if self._asked.wait(within):
            self.is_noticed = True
            raise KeyboardInterrupt


_stop: ContextVar[Stop | None] = ContextVar("sqlmigrations_stop", default=None)


@contextmanager
def stopped_by(stop: Stop) -> Iterator[None]:
    """Let ``stop`` stop what the block does."""
    token = _stop.set(stop)
    try:
        yield
    finally:
        _stop.reset(token)


def check() -> None:
    """Raise ``KeyboardInterrupt`` if what goes on here shall stop."""
    stop = _stop.get()
    if stop is not None:
        stop.notice()


def sleep(seconds: float) -> None:
    """Sleep for so many seconds, unless what goes on here shall stop: that raises ``KeyboardInterrupt``."""
    stop = _stop.get()
    if stop is None:
        time.sleep(seconds)
    else:
        stop.notice(within=seconds)


@contextmanager
def stoppable() -> Iterator[None]:
    """Take an error of the block for the interrupt behind it, if what goes on here shall stop."""
    try:
        yield
    except Exception:
        check()
        raise
