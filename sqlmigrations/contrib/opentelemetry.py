"""Follows the signals around runs with spans of OpenTelemetry, by itself, in a process that has OpenTelemetry at work.

Spans go nowhere without an SDK, and whoever sets one up has loaded the API: until then, so that no command waits for
it, nothing of either is loaded here.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import Any

from sqlmigrations import signals

#: Names an SDK that the API then sets up when it is first used.
PROVIDER = "OTEL_PYTHON_TRACER_PROVIDER"


def connect_tracing() -> None:
    """Follow the signals around runs."""
    signals.run_started.connect(_begin_run, dispatch_uid="sqlmigrations.tracing")
    signals.run_finished.connect(_end_run, dispatch_uid="sqlmigrations.tracing")
    for signal in (signals.migration_applied, signals.migration_reverted, signals.migration_failed):
        signal.connect(_tell_file, dispatch_uid="sqlmigrations.tracing")


def _spans() -> ModuleType | None:
    """Return what makes spans, where they are wanted."""
    if "opentelemetry.trace" not in sys.modules and PROVIDER not in os.environ:
        return None
    try:
        from sqlmigrations.contrib import spans
    except ModuleNotFoundError:  # the variable is set for another process: the package isn't here
        return None
    return spans


def _begin_run(sender: Any, **given: Any) -> None:
    if spans := _spans():
        spans.begin_run(sender, **given)


def _end_run(sender: Any, **given: Any) -> None:
    if spans := _spans():
        spans.end_run(sender, **given)


def _tell_file(sender: Any, **given: Any) -> None:
    if spans := _spans():
        spans.tell_file(sender, **given)
