"""Makes types: enums, domains, composite and range types."""

from __future__ import annotations

from sqlmigrations.schema.catalog import Attributes, Catalog, Identity
from sqlmigrations.schema.fix.statements import Statements, literal, values


def make_enum(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the statement that makes an enum."""
    yield f"CREATE TYPE {identity.name} AS ENUM ({', '.join(map(literal, values(attributes.get('labels'))))})"


def make_domain(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the statement that makes a domain with its constraints."""
    create = f"CREATE DOMAIN {identity.name} AS {attributes['type']}"
    if "collation" in attributes:
        create += f" COLLATE {attributes['collation']}"
    if "default" in attributes:
        create += f" DEFAULT {attributes['default']}"
    if attributes.get("not_null"):
        create += " NOT NULL"
    yield " ".join([create, *values(attributes.get("constraints"))])


def make_composite(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the statement that makes a composite type."""
    yield f"CREATE TYPE {identity.name} AS ({', '.join(values(attributes.get('columns')))})"


def make_range(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the statement that makes a range type."""
    words = {
        "subtype": "SUBTYPE",
        "operator_class": "SUBTYPE_OPCLASS",
        "subtype_collation": "COLLATION",
        "canonical_function": "CANONICAL",
        "difference_function": "SUBTYPE_DIFF",
        "multirange_type": "MULTIRANGE_TYPE_NAME",
    }
    parts = [f"{word} = {attributes[key]}" for key, word in words.items() if key in attributes]
    yield f"CREATE TYPE {identity.name} AS RANGE ({', '.join(parts)})"
