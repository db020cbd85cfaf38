"""Results as JSON documents: stable, one per call.

Every command imports this package: what only some documents need is imported where they are made.
"""

from __future__ import annotations

from sqlmigrations.output.documents.base import SCHEMA_VERSION, Document, dumps, head, of_all, of_error
from sqlmigrations.output.documents.health import of_gate, of_health, of_known
from sqlmigrations.output.documents.runs import (
    of_adoption,
    of_made,
    of_plan,
    of_rehearsal,
    of_repair,
    of_revert_plan,
    of_run,
)
from sqlmigrations.output.documents.schema import (
    difference_document,
    of_accepted,
    of_coverage,
    of_ddl_log,
    of_validation,
    of_versions,
)

__all__ = [
    "SCHEMA_VERSION",
    "Document",
    "difference_document",
    "dumps",
    "head",
    "of_accepted",
    "of_adoption",
    "of_all",
    "of_coverage",
    "of_ddl_log",
    "of_error",
    "of_gate",
    "of_health",
    "of_known",
    "of_made",
    "of_plan",
    "of_rehearsal",
    "of_repair",
    "of_revert_plan",
    "of_run",
    "of_validation",
    "of_versions",
]
