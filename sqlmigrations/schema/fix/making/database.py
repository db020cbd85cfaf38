"""Makes what lies in no schema: schemas themselves, extensions, publications, what is foreign."""

from __future__ import annotations

from sqlmigrations.schema.catalog import Attributes, Catalog, Identity
from sqlmigrations.schema.fix.statements import (
    Statements,
    event_trigger_state,
    literal,
    server_options,
    set_grants,
    values,
)


def make_schema(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the statement that makes a schema, empty."""
    yield f"CREATE SCHEMA {identity.name}"


def make_extension(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the statement that makes an extension, in its version."""
    yield (
        f"CREATE EXTENSION {identity.name} WITH SCHEMA {attributes['schema']} "
        f"VERSION {literal(str(attributes['version']))}"
    )


def make_event_trigger(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the statements that make an event trigger, enabled as it should be."""
    tags = ", ".join(map(literal, values(attributes.get("tags"))))
    when = f" WHEN TAG IN ({tags})" if tags else ""
    yield (
        f"CREATE EVENT TRIGGER {identity.name} ON {attributes['event']}{when} EXECUTE FUNCTION {attributes['function']}"
    )
    if attributes["state"] != "enabled":
        yield event_trigger_state(identity.name, attributes["state"])


def make_publication(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the statement that makes a publication."""
    what = "ALL TABLES" if attributes.get("all_tables") else published(attributes)
    yield f"CREATE PUBLICATION {identity.name}{f' FOR {what}' if what else ''} WITH ({publication_options(attributes)})"


def published(attributes: Attributes) -> str:
    """Write the tables and schemas of a publication."""
    tables = []
    for entry in values(attributes.get("tables")):
        table, where, condition = entry.partition(" WHERE ")
        tables.append(table + (f" WHERE ({condition})" if where else ""))
    # One TABLE before all of them: PostgreSQL 14 takes no second one.
    listed = [f"TABLE {', '.join(tables)}"] if tables else []
    schemas = [f"TABLES IN SCHEMA {schema}" for schema in values(attributes.get("schemas"))]
    return ", ".join([*listed, *schemas])


def publication_options(attributes: Attributes) -> str:
    """Write the options of a publication."""
    options = [f"publish = {literal(', '.join(values(attributes.get('operations'))))}"]
    options.append(f"publish_via_partition_root = {'true' if attributes.get('via_root') else 'false'}")
    if "generated_columns" in attributes:
        options.append(f"publish_generated_columns = {attributes['generated_columns']}")
    return ", ".join(options)


def make_server(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the statement that makes a foreign server."""
    type = f" TYPE {literal(str(attributes['type']))}" if "type" in attributes else ""
    version = f" VERSION {literal(str(attributes['version']))}" if "version" in attributes else ""
    options = server_options(attributes.get("options"))
    yield f"CREATE SERVER {identity.name}{type}{version} FOREIGN DATA WRAPPER {attributes['wrapper']}{options}"


def make_wrapper(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the statement that makes a foreign data wrapper."""
    handler = f" HANDLER {attributes['handler']}" if "handler" in attributes else ""
    validator = f" VALIDATOR {attributes['validator']}" if "validator" in attributes else ""
    options = server_options(attributes.get("options"))
    yield f"CREATE FOREIGN DATA WRAPPER {identity.name}{handler}{validator}{options}"


def make_default_privileges(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the statements that grant default privileges."""
    yield from set_grants(identity, values(attributes.get("grants")), ())
