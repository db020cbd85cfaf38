"""Makes views and materialized views."""

from __future__ import annotations

from sqlmigrations.schema.catalog import Attributes, Catalog, Identity, last_part
from sqlmigrations.schema.fix.order import columns_of
from sqlmigrations.schema.fix.statements import (
    Statements,
    split_options,
    values,
    word_of,
    written_options,
)


def make_view(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the statements that make a view, and its columns' defaults."""
    options = split_options(values(attributes.get("options")))
    with_options = f" WITH ({written_options(options)})" if options else ""
    query = str(attributes["definition"]).rstrip().rstrip(";")
    no_data = " WITH NO DATA" if attributes.get("populated") is False else ""
    yield f"CREATE {word_of(identity.kind)} {identity.name}{with_options} AS\n{query}{no_data}"
    for column, given in columns_of(identity.name, catalog):
        yield from view_column(column, given)


def view_column(identity: Identity, attributes: Attributes) -> Statements:
    """Yield the default of a view's column."""
    if "default" in attributes:
        alter = f"ALTER VIEW {attributes['table']} ALTER COLUMN {last_part(identity.name)}"
        yield f"{alter} SET DEFAULT {attributes['default']}"
