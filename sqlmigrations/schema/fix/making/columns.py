"""Makes columns of tables."""

from __future__ import annotations

from sqlmigrations.schema.catalog import Attributes, Catalog, Identity, last_part
from sqlmigrations.schema.fix.making.sequences import give_to_owners, make_unowned, owned_by, owned_sequences
from sqlmigrations.schema.fix.statements import (
    Statements,
    comment_on,
    server_options,
    set_grants,
    split_options,
    values,
    written_options,
)


def make_column(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the statements that add a column, and the sequences that it owns, to a table."""
    table = str(attributes["table"])
    sequences = [one for one in owned_sequences(table, catalog) if owned_by(one, catalog) == identity.name]
    yield from make_unowned(sequences, catalog)
    word = "FOREIGN TABLE" if Identity("foreign table", table) in catalog.objects else "TABLE"
    yield f"ALTER {word} {table} ADD COLUMN {column_definition(last_part(identity.name), attributes)}"
    yield from give_to_owners(sequences, catalog)
    yield from column_settings(identity, attributes)


def column_definition(name: str, attributes: Attributes) -> str:
    """Write a column as CREATE TABLE and ADD COLUMN take it."""
    parts = [name, str(attributes["type"])]
    parts[1] += server_options(attributes.get("server_options"))
    if "collation" in attributes:
        parts.append(f"COLLATE {attributes['collation']}")
    if "generated" in attributes:
        expression, _, how = str(attributes["generated"]).rpartition(" ")
        parts.append(f"GENERATED ALWAYS AS ({expression}) {how}")
    if "identity" in attributes:
        options = " ".join(values(attributes.get("identity_sequence")))
        parts.append(f"GENERATED {attributes['identity']} AS IDENTITY" + (f" ({options})" if options else ""))
    if "default" in attributes:
        parts.append(f"DEFAULT {attributes['default']}")
    if attributes.get("not_null"):
        parts.append("NOT NULL" + (" NO INHERIT" if attributes.get("not_null_no_inherit") else ""))
    return " ".join(parts)


def column_settings(identity: Identity, attributes: Attributes) -> Statements:
    """Yield what a column has beyond its definition: storage, statistics."""
    alter = f"ALTER TABLE {attributes['table']} ALTER COLUMN {last_part(identity.name)}"
    if "storage" in attributes:
        yield f"{alter} SET STORAGE {str(attributes['storage']).upper()}"
    if "compression" in attributes:
        yield f"{alter} SET COMPRESSION {attributes['compression']}"
    if "statistics_target" in attributes:
        yield f"{alter} SET STATISTICS {attributes['statistics_target']}"
    if "options" in attributes:
        yield f"{alter} SET ({written_options(split_options(values(attributes['options'])))})"


def beside_column(identity: Identity, attributes: Attributes) -> Statements:
    """Yield the privileges on a new column and its comment."""
    yield from set_grants(identity, values(attributes.get("grants")), ())
    if "comment" in attributes:
        yield comment_on(identity, attributes["comment"])
