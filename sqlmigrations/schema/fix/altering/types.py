"""Alters types: enums, domains and composite types."""

from __future__ import annotations

import re

from sqlmigrations.schema.catalog import container, last_part
from sqlmigrations.schema.fix.altering.alteration import Alteration, make_anew
from sqlmigrations.schema.fix.statements import (
    Statement,
    Statements,
    literal,
    suffixed,
    values,
)


def alter_enum(change: Alteration) -> Statements:
    """Yield the statements that rename or add labels of an enum, or make it anew."""
    want, have = values(change.value), values(change.before)
    renamed = [(old, new) for old, new in zip(have, want, strict=False) if old != new]
    if len(want) == len(have) and not {new for _, new in renamed} & {*have}:
        yield from (f"ALTER TYPE {change.name} RENAME VALUE {literal(old)} TO {literal(new)}" for old, new in renamed)
    elif [label for label in want if label in have] == list(have):
        for place, label in enumerate(want):
            if label not in have:
                where = f" AFTER {literal(want[place - 1])}" if place else f" BEFORE {literal(have[0])}" if have else ""
                yield f"ALTER TYPE {change.name} ADD VALUE {literal(label)}{where}"
    else:
        yield from _enum_anew(change)


def _enum_anew(change: Alteration) -> Statements:
    """Yield the statements that make an enum again and move its columns over; a label in use makes them fail."""
    name = change.name
    passing = suffixed(last_part(name), "_old")
    yield f"ALTER TYPE {name} RENAME TO {passing}"
    yield from make_anew(change)
    for column, attributes in change.found.objects.items():
        if column.kind == "column" and attributes.get("type") == name and "table" in attributes:
            alter = f"ALTER TABLE {attributes['table']} ALTER COLUMN {last_part(column.name)}"
            if "default" in attributes:
                yield f"{alter} DROP DEFAULT"
            yield f"{alter} TYPE {name} USING {last_part(column.name)}::text::{name}"
            if "default" in attributes:
                yield f"{alter} SET DEFAULT {attributes['default']}"
    yield f"DROP TYPE {container(name)}.{passing}"


def alter_domain(change: Alteration) -> Statements:
    """Yield the statements that alter a domain."""
    alter = f"ALTER DOMAIN {change.name}"
    match change.attribute:
        case "not_null":
            yield f"{alter} {'SET' if change.value else 'DROP'} NOT NULL"
        case "default":
            yield f"{alter} SET DEFAULT {change.value}" if change.value is not None else f"{alter} DROP DEFAULT"
        case "constraints":
            want, have = values(change.value), values(change.before)
            yield from (f"{alter} DROP CONSTRAINT {_constraint_name(one)}" for one in have if one not in want)
            for one in want:
                if one not in have:
                    yield f"{alter} ADD {one.removesuffix(' NOT VALID')} NOT VALID"
                    if not one.endswith(" NOT VALID"):
                        yield f"{alter} VALIDATE CONSTRAINT {_constraint_name(one)}"


def alter_composite(change: Alteration) -> Statements:
    """Yield the statements that alter a composite type."""
    alter = f"ALTER TYPE {change.name}"
    want, have = (_members(values(each)) for each in (change.value, change.before))
    for name in have:
        if name not in want:
            yield Statement(f"{alter} DROP ATTRIBUTE {name}", destructive=_in_use(change))
    for name, type in want.items():
        if name not in have:
            yield f"{alter} ADD ATTRIBUTE {name} {type}"
        elif have[name] != type:
            yield f"{alter} ALTER ATTRIBUTE {name} TYPE {type}"


def _in_use(change: Alteration) -> bool:
    """Tell whether a column is of the type."""
    types = (str(given.get("type")) for one, given in change.found.objects.items() if one.kind == "column")
    return any(type.removesuffix("[]") == change.name for type in types)


def _members(columns: tuple[str, ...]) -> dict[str, str]:
    return {name: column[len(name) + 1 :] for column in columns for name in [_constraint_name(column)]}


_NAME = re.compile(r'^(?:CONSTRAINT )?("(?:[^"]|"")*"|\S+)')


def _constraint_name(definition: str) -> str:
    match = _NAME.match(definition)
    return match[1] if match else ""
