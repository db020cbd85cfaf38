"""Makes tables and foreign tables."""

from __future__ import annotations

from sqlmigrations.schema.catalog import Attributes, Catalog, Identity, Value, last_part
from sqlmigrations.schema.fix.making.columns import column_definition, column_settings
from sqlmigrations.schema.fix.making.sequences import give_to_owners, make_unowned, owned_sequences
from sqlmigrations.schema.fix.order import columns_of
from sqlmigrations.schema.fix.statements import (
    Statements,
    name_of,
    server_options,
    split_options,
    values,
    word_of,
    written_options,
)


def make_table(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the statements that make a table with its columns and the sequences that they own."""
    name = identity.name
    sequences = owned_sequences(name, catalog)
    yield from make_unowned(sequences, catalog)
    columns = columns_of(name, catalog)
    written = ", ".join(column_definition(last_part(column.name), given) for column, given in columns)
    unlogged = "UNLOGGED " if attributes.get("persistence") == "unlogged" else ""
    create = f"CREATE {unlogged}{word_of(identity.kind)} {name}"
    if "partition_of" in attributes:
        create += f" PARTITION OF {attributes['partition_of']} {attributes['partition_bound']}"
    elif "of_type" in attributes:
        create += f" OF {attributes['of_type']}"
    else:
        create += f" ({written})"
    if "inherits" in attributes:
        create += f" INHERITS ({', '.join(values(attributes['inherits']))})"
    if "partition_key" in attributes:
        create += f" PARTITION BY {attributes['partition_key']}"
    if identity.kind == "foreign table":
        create += f" SERVER {name_of(str(attributes['server']))}{server_options(attributes.get('server_options'))}"
    if "access_method" in attributes:
        create += f" USING {name_of(str(attributes['access_method']))}"
    if "options" in attributes:
        create += f" WITH ({written_options(split_options(values(attributes['options'])))})"
    if "tablespace" in attributes:
        create += f" TABLESPACE {name_of(str(attributes['tablespace']))}"
    yield create
    yield from give_to_owners(sequences, catalog)
    for column, given in columns:
        if "partition_of" in attributes or "of_type" in attributes:
            yield from _of_parent(name, column, given)
        yield from column_settings(column, given)


def _of_parent(table: str, column: Identity, attributes: Attributes) -> Statements:
    """Yield what a column that a table has from elsewhere has of its own."""
    alter = f"ALTER TABLE {table} ALTER COLUMN {last_part(column.name)}"
    if "default" in attributes:
        yield f"{alter} SET DEFAULT {attributes['default']}"
    if "not_null" in attributes:
        yield f"{alter} SET NOT NULL"


def table_settings(identity: Identity, attributes: Attributes) -> Statements:
    """Yield what a new table has beyond its definition: row security, what is replicated of it."""
    alter = f"ALTER TABLE {identity.name}"
    if attributes.get("row_security"):
        yield f"{alter} ENABLE ROW LEVEL SECURITY"
    if attributes.get("force_row_security"):
        yield f"{alter} FORCE ROW LEVEL SECURITY"
    if "replica_identity" in attributes:
        yield f"{alter} {replica_identity(attributes['replica_identity'])}"


def replica_identity(value: Value | None) -> str:
    """Write what a table's rows are known by to those who follow it."""
    words = str(value or "default")
    if words.startswith("index "):
        return f"REPLICA IDENTITY USING INDEX {words.removeprefix('index ')}"
    return f"REPLICA IDENTITY {words.upper()}"
