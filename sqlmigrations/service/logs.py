"""Says in the log what became of each file, with the facts as fields for loggers that keep them apart."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from sqlmigrations.runner.outcome import Outcome

logger = logging.getLogger("sqlmigrations")


def log_outcome(using: str, run: uuid.UUID, outcome: Outcome) -> None:
    """Log the end of one file: INFO when it came through, ERROR when it failed."""
    extra = fields(using, run, outcome)
    if (error := outcome.error) is not None:
        logger.error("%s failed: %s", error.where, error.message, extra=extra)
    else:
        logger.info("%s: %s in %.0f ms", outcome.name, outcome.state, outcome.duration_ms, extra=extra)


def fields(using: str, run: uuid.UUID, outcome: Outcome) -> dict[str, Any]:
    """Return what the record of the log has beside its words, each with the prefix ``sql_``."""
    error = outcome.error
    return {
        "sql_database": using,
        "sql_run": str(run),
        "sql_file": outcome.name,
        "sql_state": str(outcome.state),
        "sql_duration_ms": outcome.duration_ms,
        "sql_statements": outcome.statements,
        "sql_attempts": outcome.attempts,
        "sql_lock_wait_ms": outcome.lock_wait_ms,
        "sql_line": error.line if error is not None else None,
        "sql_sqlstate": error.sqlstate if error is not None else "",
    }
