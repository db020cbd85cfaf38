"""Spans of OpenTelemetry for runs, their files and the files' slowest statements.

``contrib.opentelemetry`` calls what is here where spans are wanted. SQL is never part of a span: it may hold secrets.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from django.db import connections
from opentelemetry import context, trace

from sqlmigrations import __version__

if TYPE_CHECKING:
    from sqlmigrations.runner.outcome import Outcome

Attributes = dict[str, str | int | float]

#: Statements of one file that have a span of their own: the slowest ones.
STATEMENTS = 100

#: The spans of the runs in work.
_runs: dict[uuid.UUID, trace.Span] = {}


def begin_run(sender: Any, *, using: str, run: uuid.UUID, names: list[str], **given: Any) -> None:
    """Begin the span of a run, below the span that its caller may be in."""
    attributes: Attributes = {**_attributes(using, run), "sqlmigrations.files": len(names)}
    _runs[run] = _tracer().start_span("sqlmigrations.run", attributes=attributes)


def end_run(sender: Any, *, run: uuid.UUID, **given: Any) -> None:
    """End the span of a run."""
    if (span := _runs.pop(run, None)) is not None:
        span.end()


def tell_file(sender: Any, *, using: str, run: uuid.UUID, name: str, outcome: Outcome, **given: Any) -> None:
    """Tell what became of a file, with its slowest statements below it.

    The span is made when all is over: nothing is left open where a migration is rolled back.
    """
    parent = _runs.get(run)
    around = trace.set_span_in_context(parent) if parent is not None else context.get_current()
    ended = time.time_ns()
    began = ended - int((outcome.duration_ms + outcome.lock_wait_ms) * 1e6)
    began = min(began, outcome.timings.began_ns or began)  # the duration ends before the COMMIT
    attributes: Attributes = {
        **_attributes(using, run),
        "code.file.path": name,
        "sqlmigrations.state": str(outcome.state),
        "sqlmigrations.statements": outcome.statements,
        "sqlmigrations.attempts": outcome.attempts,
        "sqlmigrations.lock_wait_ms": outcome.lock_wait_ms,
    }
    span = _tracer().start_span("sqlmigrations.file", around, attributes=attributes, start_time=began)
    if (error := outcome.error) is not None:
        span.set_status(trace.StatusCode.ERROR, error.message)
        if error.line is not None:
            span.set_attribute("code.line.number", error.line)
        if error.sqlstate:
            span.set_attribute("db.response.status_code", error.sqlstate)
        if parent is not None:
            parent.set_status(trace.StatusCode.ERROR, f"{error.where}: {error.message}")
    _tell_statements(outcome, trace.set_span_in_context(span))
    span.end(ended)


def _tell_statements(outcome: Outcome, around: context.Context) -> None:
    for result, began in outcome.timings.slowest(STATEMENTS):
        attributes = {"code.line.number": result.line, "sqlmigrations.number": result.number}
        span = _tracer().start_span("sqlmigrations.statement", around, attributes=attributes, start_time=began)
        span.end(began + int(result.duration_ms * 1e6))


def _tracer() -> trace.Tracer:
    return trace.get_tracer("sqlmigrations", __version__)


def _attributes(using: str, run: uuid.UUID) -> dict[str, str]:
    """Return what all spans of a run say; names as in OpenTelemetry's semantic conventions where there are any."""
    return {
        "db.system.name": "postgresql",
        "db.namespace": str(connections[using].settings_dict["NAME"]),
        "sqlmigrations.database": using,
        "sqlmigrations.run": str(run),
    }
