"""Alters tables and foreign tables."""

from __future__ import annotations

from sqlmigrations.schema.fix.altering.alteration import Alteration, rebuild
from sqlmigrations.schema.fix.making.tables import replica_identity
from sqlmigrations.schema.fix.statements import (
    Statements,
    name_of,
    set_options,
    set_server_options,
    values,
    word_of,
)


def alter_table(change: Alteration) -> Statements:
    """Yield the statements that alter a table or a foreign table."""
    alter = f"ALTER {word_of(change.identity.kind)} {change.name}"
    value, before = change.value, change.before
    match change.attribute:
        case "options":
            yield from set_options(alter, value, before)
        case "persistence":
            yield f"{alter} SET {'UNLOGGED' if value == 'unlogged' else 'LOGGED'}"
        case "row_security":
            yield f"{alter} {'ENABLE' if value else 'DISABLE'} ROW LEVEL SECURITY"
        case "force_row_security":
            yield f"{alter} {'FORCE' if value else 'NO FORCE'} ROW LEVEL SECURITY"
        case "replica_identity":
            yield f"{alter} {replica_identity(value)}"
        case "inherits":
            yield from (f"{alter} NO INHERIT {parent}" for parent in values(before) if parent not in values(value))
            yield from (f"{alter} INHERIT {parent}" for parent in values(value) if parent not in values(before))
        case "partition_of" | "partition_bound":
            if "partition_of" in change.present:
                yield f"ALTER TABLE {change.present['partition_of']} DETACH PARTITION {change.name}"
            if "partition_of" in change.wanted:
                bound = change.wanted["partition_bound"]
                yield f"ALTER TABLE {change.wanted['partition_of']} ATTACH PARTITION {change.name} {bound}"
        case "access_method":
            yield f"{alter} SET ACCESS METHOD {name_of(str(value or 'heap'))}"
        case "tablespace":
            yield f"{alter} SET TABLESPACE {name_of(str(value or 'pg_default'))}"
        case "of_type":
            yield f"{alter} OF {value}" if value is not None else f"{alter} NOT OF"
        case "server_options":
            yield from set_server_options(alter, value, before)
        case "server" if change.identity.kind == "foreign table":
            yield from rebuild(change)
