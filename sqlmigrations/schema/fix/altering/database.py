"""Alters what lies in no schema: extensions, publications, event triggers, what is foreign."""

from __future__ import annotations

from sqlmigrations.schema.fix.altering.alteration import Alteration, rebuild
from sqlmigrations.schema.fix.making.database import publication_options, published
from sqlmigrations.schema.fix.statements import (
    Statements,
    event_trigger_state,
    literal,
    set_server_options,
    unquoted,
    values,
    word_of,
)


def alter_extension(change: Alteration) -> Statements:
    """Yield the statement that alters an extension."""
    if change.attribute == "version":
        yield f"ALTER EXTENSION {change.name} UPDATE TO {literal(str(change.value))}"
    else:
        yield f"ALTER EXTENSION {change.name} SET SCHEMA {change.value}"


def alter_publication(change: Alteration) -> Statements:
    """Yield the statements that alter a publication."""
    alter = f"ALTER PUBLICATION {change.name}"
    match change.attribute:
        case "tables" | "schemas" if published(change.wanted):
            yield f"{alter} SET {published(change.wanted)}"
        case "tables" | "schemas":
            yield from (
                f"{alter} DROP TABLE {entry.partition(' ')[0]}" for entry in values(change.present.get("tables"))
            )
            yield from (f"{alter} DROP TABLES IN SCHEMA {each}" for each in values(change.present.get("schemas")))
        case "all_tables":
            yield from rebuild(change)
        case _:
            yield f"{alter} SET ({publication_options(change.wanted)})"


def alter_foreign(change: Alteration) -> Statements:
    """Yield the statements that alter a foreign server or a foreign data wrapper; none for a server that is in use."""
    alter = f"ALTER {word_of(change.identity.kind)} {change.name}"
    match change.attribute:
        case "options":
            yield from set_server_options(alter, change.value, change.before)
        case "version" if change.value is not None:
            yield f"{alter} VERSION {literal(str(change.value))}"
        case "handler" | "validator":
            word = change.attribute.upper()
            yield f"{alter} {word} {change.value}" if change.value is not None else f"{alter} NO {word}"
        case _ if not _has_tables(change):
            yield from rebuild(change)


def _has_tables(change: Alteration) -> bool:
    """Tell whether foreign tables keep a server from being made anew."""
    tables = (attributes for identity, attributes in change.found.objects.items() if identity.kind == "foreign table")
    return any(attributes["server"] == unquoted(change.name) for attributes in tables)


def alter_event_trigger(change: Alteration) -> Statements:
    """Yield the statements that alter an event trigger."""
    if change.attribute == "state":
        yield event_trigger_state(change.name, change.value)
    else:
        yield from rebuild(change)
