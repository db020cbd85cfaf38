"""Alters sequences."""

from __future__ import annotations

from sqlmigrations.schema.fix.altering.alteration import Alteration
from sqlmigrations.schema.fix.statements import Statements

_SEQUENCE = {"increment": "INCREMENT BY", "minimum": "MINVALUE", "maximum": "MAXVALUE", "start": "START WITH"}


def alter_sequence(change: Alteration) -> Statements:
    """Yield the statements that alter a sequence."""
    alter = f"ALTER SEQUENCE {change.name}"
    match change.attribute:
        case "type":
            bounds = " ".join(f"{word} {change.wanted[key]}" for key, word in _SEQUENCE.items() if key != "increment")
            yield f"{alter} AS {change.value} {bounds}"
        case "cache":
            yield f"{alter} CACHE {change.value}"
        case "cycle":
            yield f"{alter} {'CYCLE' if change.value else 'NO CYCLE'}"
        case "owned_by":
            yield f"{alter} OWNED BY {change.value or 'NONE'}"
        case "persistence":
            yield f"{alter} SET {'UNLOGGED' if change.value == 'unlogged' else 'LOGGED'}"
        case attribute:
            yield f"{alter} {_SEQUENCE[attribute]} {change.value}"
