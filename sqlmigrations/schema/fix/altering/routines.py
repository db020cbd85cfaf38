"""Alters functions, procedures and aggregates."""

from __future__ import annotations

from sqlmigrations.schema.fix.altering.alteration import Alteration, rebuild
from sqlmigrations.schema.fix.making.routines import aggregate_definition
from sqlmigrations.schema.fix.statements import Statements


def alter_function(change: Alteration) -> Statements:
    """Yield the statements that replace a function, a procedure or an aggregate."""
    if change.attribute in ("arguments", "returns"):  # REPLACE can't change these
        yield from rebuild(change)
    elif change.identity.kind == "aggregate":
        yield aggregate_definition(change.proper, change.wanted)
    else:
        yield str(change.wanted["definition"]).rstrip()
