"""Alters objects: from an attribute that the catalog has to the one that it should have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sqlmigrations.schema.catalog import container, last_part
from sqlmigrations.schema.fix.altering import columns, database, parts, routines, sequences, tables, types, views
from sqlmigrations.schema.fix.altering.alteration import Alteration, rebuild
from sqlmigrations.schema.fix.statements import (
    Statement,
    Statements,
    comment_on,
    owner_to,
    set_grants,
    target,
    values,
    word_of,
)

__all__ = ["Alteration", "alter"]


def alter(change: Alteration) -> Statements:
    """Yield the statements that bring the attribute to what it should be; none where no statement can."""
    identity = change.identity
    match change.attribute:
        case "owner" if change.value is not None:
            yield owner_to(identity, change.value)
        case "comment":
            yield comment_on(identity, change.value, table=change.table)
        case "grants":
            yield from set_grants(identity, values(change.value), values(change.before))
        case "name":
            yield from _rename(change)
        case _:
            yield from _BY_KIND[identity.kind](change)


def _rename(change: Alteration) -> Statements:
    present, wanted = change.identity, change.proper
    kind, new = present.kind, last_part(wanted.name).partition("(")[0]
    if kind == "column":
        yield f"ALTER TABLE {container(present.name)} RENAME COLUMN {last_part(present.name)} TO {new}"
        return
    if kind in ("constraint", "trigger", "policy", "rule"):
        table = change.table
        if kind == "constraint":
            yield f"ALTER TABLE {table} RENAME CONSTRAINT {last_part(present.name)} TO {new}"
        else:
            yield f"ALTER {kind.upper()} {last_part(present.name)} ON {table} RENAME TO {new}"
        return
    before, after = container(present.name.partition("(")[0]), container(wanted.name.partition("(")[0])
    if last_part(present.name) != last_part(wanted.name):
        yield f"ALTER {target(present)} RENAME TO {new}"
    if before != after:
        moved = f"{before}.{last_part(wanted.name)}"
        yield f"ALTER {word_of(kind)} {moved} SET SCHEMA {after}"


def _nothing(change: Alteration) -> Iterator[Statement]:
    return iter(())


_BY_KIND: Mapping[str, Callable[[Alteration], Statements]] = {
    "schema": _nothing,
    "table": tables.alter_table,
    "foreign table": tables.alter_table,
    "view": views.alter_view,
    "materialized view": views.alter_view,
    "column": columns.alter_column,
    "constraint": parts.alter_constraint,
    "index": parts.alter_index,
    "trigger": parts.alter_trigger,
    "rule": parts.alter_trigger,
    "policy": rebuild,
    "statistics": parts.alter_statistics,
    "sequence": sequences.alter_sequence,
    "function": routines.alter_function,
    "procedure": routines.alter_function,
    "aggregate": routines.alter_function,
    "enum": types.alter_enum,
    "domain": types.alter_domain,
    "composite type": types.alter_composite,
    "range type": rebuild,
    "extension": database.alter_extension,
    "event trigger": database.alter_event_trigger,
    "publication": database.alter_publication,
    "server": database.alter_foreign,
    "foreign data wrapper": database.alter_foreign,
    "default privileges": _nothing,
}
