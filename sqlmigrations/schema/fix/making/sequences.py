"""Makes sequences, those of columns included."""

from __future__ import annotations

from sqlmigrations.schema.catalog import Attributes, Catalog, Identity, container
from sqlmigrations.schema.fix.statements import (
    Statements,
)


def make_sequence(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the statements that make a sequence and give it to the column that owns it."""
    unlogged = "UNLOGGED " if attributes.get("persistence") == "unlogged" else ""
    yield (
        f"CREATE {unlogged}SEQUENCE {identity.name} AS {attributes['type']} INCREMENT BY {attributes['increment']} "
        f"MINVALUE {attributes['minimum']} MAXVALUE {attributes['maximum']} START WITH {attributes['start']} "
        f"CACHE {attributes['cache']}{' CYCLE' if attributes.get('cycle') else ''}"
    )
    if attributes.get("owned_by"):
        yield f"ALTER SEQUENCE {identity.name} OWNED BY {attributes['owned_by']}"


def owned_by(sequence: Identity, catalog: Catalog) -> str:
    """Return the column that owns a sequence; nothing where none does."""
    return str(catalog.objects[sequence].get("owned_by", ""))


def owned_sequences(table: str, catalog: Catalog) -> list[Identity]:
    """Return the sequences that the columns of a table own."""
    return [
        identity
        for identity in catalog.objects
        if identity.kind == "sequence" and container(owned_by(identity, catalog) or "..") == table
    ]


def make_unowned(sequences: list[Identity], catalog: Catalog) -> Statements:
    """Yield the statements that make sequences before the columns that will own them."""
    for sequence in sequences:
        yield from make_sequence(sequence, {**catalog.objects[sequence], "owned_by": ""}, catalog, False)


def give_to_owners(sequences: list[Identity], catalog: Catalog) -> Statements:
    """Yield the statements that give sequences to their columns, now that these are there."""
    for sequence in sequences:
        yield f"ALTER SEQUENCE {sequence.name} OWNED BY {owned_by(sequence, catalog)}"
