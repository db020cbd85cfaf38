"""Alters columns of tables."""

from __future__ import annotations

import re

from sqlmigrations.schema.catalog import Identity, last_part
from sqlmigrations.schema.fix import making
from sqlmigrations.schema.fix.altering.alteration import Alteration, make_anew
from sqlmigrations.schema.fix.altering.views import with_views_aside
from sqlmigrations.schema.fix.statements import (
    Statement,
    Statements,
    literal,
    set_options,
    set_server_options,
    suffixed,
    unquoted,
    values,
)


def alter_column(change: Alteration) -> Statements:
    """Yield the statements that alter a column, the views that read it put aside where they are in the way."""
    is_foreign = Identity("foreign table", change.table) in change.found.objects
    alter = f"ALTER {'FOREIGN ' if is_foreign else ''}TABLE {change.table} ALTER COLUMN {last_part(change.name)}"
    value, before = change.value, change.before
    match change.attribute:
        case "type" | "collation":
            column = last_part(change.name)
            yield from with_views_aside(change.table, change.found, _type(change, alter), column=column)
        case "not_null" if value and not is_foreign:
            yield from _not_null(change, alter)
        case "not_null":
            yield f"{alter} {'SET' if value else 'DROP'} NOT NULL"
        case "not_null_validated" if value is None:
            yield f"{alter} SET NOT NULL"
        case "default":
            yield f"{alter} SET DEFAULT {value}" if value is not None else f"{alter} DROP DEFAULT"
        case "generated":
            yield from _generated(change, alter)
        case "identity":
            yield from _identity(change, alter)
        case "identity_sequence":
            steps = [step for step in values(value) if step not in values(before)]
            yield f"{alter} {' '.join(f'SET {step}' for step in steps)}"
        case "storage":
            yield f"{alter} SET STORAGE {str(value or _usual_storage(str(change.wanted['type']))).upper()}"
        case "compression":
            yield f"{alter} SET COMPRESSION {value or 'default'}"
        case "statistics_target":
            yield f"{alter} SET STATISTICS {-1 if value is None else value}"
        case "options":
            yield from set_options(alter, value, before)
        case "server_options":
            yield from set_server_options(alter, value, before)


def _type(change: Alteration, alter: str) -> Statements:
    type, present = str(change.wanted["type"]), str(change.present["type"])
    collation = f" COLLATE {change.wanted['collation']}" if "collation" in change.wanted else ""
    using = "" if type == present or _family(type) == _family(present) else f" USING {last_part(change.name)}::{type}"
    has_default = "default" in change.present and type != present
    if has_default:
        yield f"{alter} DROP DEFAULT"
    yield Statement(f"{alter} TYPE {type}{collation}{using}", destructive=_loses(present, type))
    if has_default and "default" in change.wanted:
        yield f"{alter} SET DEFAULT {change.wanted['default']}"


_INTEGERS = ("smallint", "integer", "bigint")

_TYPE = re.compile(r"^([^(]+)(?:\((\d+)(?:,(-?\d+))?\))?(.*)$")


def _family(type: str) -> str:
    """Return what types have in common between which every value is kept or refused."""
    match = _TYPE.match(type)
    base = f"{match[1]}{match[4]}" if match else type
    if base in _INTEGERS:
        return "integer"
    return "text" if base in ("text", "character varying") else base


def _loses(present: str, wanted: str) -> bool:
    """Tell whether a change of type may change values without a word: rounding, cutting off, padding."""
    if _family(present) != _family(wanted):
        return not (_family(present) == "integer" and wanted in ("numeric", "text"))
    before, after = (match[3] if (match := _TYPE.match(type)) else None for type in (present, wanted))
    if _family(present) in ("numeric", "numeric[]"):
        return after is not None and (before is None or int(before) > int(after))
    return _family(present).startswith(("timestamp", "time", "interval", "bit", "character"))


def _usual_storage(type: str) -> str:
    """Return how values of a type are stored unless told otherwise; those of a fixed length can't be told otherwise."""
    return "main" if _family(type) in ("numeric", "inet", "cidr") else "extended"


def _not_null(change: Alteration, alter: str) -> Statements:
    """Yield the statements that look for NULLs without locking out those who write."""
    column = last_part(change.name)
    check = suffixed(column, "_sqlm_not_null")
    yield f"ALTER TABLE {change.table} ADD CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID"
    yield f"ALTER TABLE {change.table} VALIDATE CONSTRAINT {check}"
    yield f"{alter} SET NOT NULL"
    yield f"ALTER TABLE {change.table} DROP CONSTRAINT {check}"


def _generated(change: Alteration, alter: str) -> Statements:
    value, before = str(change.value or ""), str(change.before or "")
    if not value and before.endswith(" STORED"):
        yield f"{alter} DROP EXPRESSION"
    elif value and before and value.rpartition(" ")[2] == before.rpartition(" ")[2]:
        yield f"{alter} SET EXPRESSION AS ({value.rpartition(' ')[0]})"
    else:  # what was computed is computed again; what was typed in would be lost
        dropped = making.drop(change.identity, change.present)
        anew = [Statement(dropped.sql, destructive=not before), *make_anew(change)]
        yield from with_views_aside(change.table, change.found, iter(anew), column=last_part(change.name))


def _identity(change: Alteration, alter: str) -> Statements:
    value, before = change.value, change.before
    column, table = last_part(change.name), change.table
    if value is None:
        yield f"{alter} DROP IDENTITY"
    elif before is not None:
        yield f"{alter} SET GENERATED {value}"
    else:
        if "default" in change.present:
            yield f"{alter} DROP DEFAULT"
        if not change.present.get("not_null"):
            yield f"{alter} SET NOT NULL"
        options = " ".join(values(change.wanted.get("identity_sequence")))
        yield f"{alter} ADD GENERATED {value} AS IDENTITY" + (f" ({options})" if options else "")
        sequence = f"pg_catalog.pg_get_serial_sequence({literal(table)}, {literal(unquoted(column))})"
        highest = f"pg_catalog.max({column})"
        yield _CATCH_UP.format(sequence=sequence, highest=highest, table=table)


#: Lets a new sequence go on behind the numbers that the column holds.
_CATCH_UP = "SELECT pg_catalog.setval({sequence}, {highest}) FROM {table} HAVING {highest} IS NOT NULL"
