"""Signals around a run; receivers run in the process of the run, outside any file's transaction.

======================  =====================================================================
signal                  arguments (besides ``sender``, which is ``MigrationRecord``)
======================  =====================================================================
``run_started``         ``using``: alias; ``run``: UUID; ``names``: files to be applied or reverted, in order
``migration_started``   ``using``, ``run``; ``name``: the file
``migration_applied``   ``using``, ``run``, ``name``; ``outcome``: ``runner.outcome.Outcome``
``migration_reverted``  ``using``, ``run``, ``name``; ``outcome``
``migration_failed``    ``using``, ``run``, ``name``; ``outcome``: with its ``error``
``run_finished``        ``using``, ``run``; ``result``: ``service.results.RunResult`` or ``service.revert.RevertResult``
======================  =====================================================================

They are sent with ``send_robust``: a receiver that raises is logged and never stops a run.
"""

from __future__ import annotations

import logging
from typing import Any

from django.dispatch import Signal

run_started = Signal()
migration_started = Signal()
migration_applied = Signal()
migration_reverted = Signal()
migration_failed = Signal()
run_finished = Signal()

logger = logging.getLogger("sqlmigrations")


def announce(signal: Signal, **arguments: Any) -> None:
    """Send ``signal`` and log what its receivers raise."""
    from sqlmigrations.models import MigrationRecord

    for receiver, answer in signal.send_robust(MigrationRecord, **arguments):
        if isinstance(answer, Exception):
            logger.error("A receiver of a migration signal failed: %r", receiver, exc_info=answer)
