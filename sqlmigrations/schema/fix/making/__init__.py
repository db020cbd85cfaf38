"""Makes objects from what the catalog says of them, each with all that belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sqlmigrations.schema.catalog import RELATIONS, Attributes, Catalog, Identity, container, last_part
from sqlmigrations.schema.fix.making import columns, database, parts, routines, sequences, tables, types, views
from sqlmigrations.schema.fix.order import ORDER, PARTS, columns_of, is_foreign_key, ordered, parts_of
from sqlmigrations.schema.fix.statements import (
    Statement,
    Statements,
    comment_on,
    owner_to,
    set_grants,
    target,
    values,
)

_Maker = Callable[[Identity, Attributes, Catalog, bool], Statements]

_MAKERS: Mapping[str, _Maker] = {
    "schema": database.make_schema,
    "table": tables.make_table,
    "foreign table": tables.make_table,
    "view": views.make_view,
    "materialized view": views.make_view,
    "column": columns.make_column,
    "constraint": parts.make_constraint,
    "index": parts.make_index,
    "sequence": sequences.make_sequence,
    "function": routines.make_function,
    "procedure": routines.make_function,
    "aggregate": routines.make_aggregate,
    "trigger": parts.make_defined,
    "rule": parts.make_defined,
    "policy": parts.make_policy,
    "statistics": parts.make_statistics,
    "enum": types.make_enum,
    "domain": types.make_domain,
    "composite type": types.make_composite,
    "range type": types.make_range,
    "extension": database.make_extension,
    "event trigger": database.make_event_trigger,
    "publication": database.make_publication,
    "server": database.make_server,
    "foreign data wrapper": database.make_wrapper,
    "default privileges": database.make_default_privileges,
}


def make(
    identity: Identity, catalog: Catalog, live: Catalog, *, in_use: bool = True, foreign_keys: bool = True
) -> Statements:
    """Yield the statements that make an object of ``catalog`` in the database that ``live`` is of.

    Where the table is ``in_use``, indexes are built and constraints validated without locking it for long. Without
    ``foreign_keys``, those of a new table are left to whoever makes the tables that they point to.
    """
    attributes = catalog.objects[identity]
    maker = _MAKERS.get(identity.kind)
    if maker is None:
        return
    yield from maker(identity, attributes, catalog, in_use)
    yield from _beside(identity, attributes, live)
    if identity.kind in RELATIONS:
        for column, given in columns_of(identity.name, catalog):  # a REVOKE on the whole table takes theirs, too
            yield from columns.beside_column(column, given)
        for part in parts_of(identity.name, catalog):
            if foreign_keys or not is_foreign_key(part, catalog):
                yield from make(part, catalog, live, in_use=False)
        yield from tables.table_settings(identity, attributes)
    elif identity.kind == "schema":
        yield from _make_all(_within(identity.name, catalog), catalog, live)
    elif identity.kind == "column":
        for part in _following(identity, attributes, catalog):
            yield from make(part, catalog, live, in_use=in_use)


def make_everything(catalog: Catalog) -> Statements:
    """Yield the statements that make all objects of a catalog in a new database."""
    nothing = Catalog()
    public, plpgsql = Identity("schema", "public"), Identity("extension", "plpgsql")  # a new database has them
    if public in catalog.objects:
        yield from _beside(public, catalog.objects[public], nothing)
    wanted = [
        identity
        for identity in catalog.objects
        if identity.kind in ORDER
        and identity.kind not in (*PARTS, "column")
        and identity not in (public, plpgsql)
        and not catalog.objects[identity].get("owned_by")
    ]
    for schema in [identity for identity in wanted if identity.kind == "schema"]:
        yield f"CREATE SCHEMA {schema.name}"
        yield from _beside(schema, catalog.objects[schema], nothing)
    last = [identity for identity in wanted if identity.kind in ("event trigger", "default privileges")]
    yield from _make_all([each for each in wanted if each.kind != "schema" and each not in last], catalog, nothing)
    for identity in last:  # they change what is made after them
        yield from make(identity, catalog, nothing)


def _make_all(identities: list[Identity], catalog: Catalog, live: Catalog) -> Statements:
    """Yield the statements that make several objects, foreign keys last."""
    chosen = ordered(identities, catalog)
    for identity in chosen:
        yield from make(identity, catalog, live, in_use=False, foreign_keys=False)
    for identity in chosen:
        for part in parts_of(identity.name, catalog) if identity.kind in RELATIONS else ():
            if is_foreign_key(part, catalog):
                yield from make(part, catalog, live, in_use=False)


def _following(identity: Identity, attributes: Attributes, catalog: Catalog) -> Iterator[Identity]:
    """Yield the constraints, indexes and statistics over a column: they went with it."""
    column = last_part(identity.name)
    for part in parts_of(str(attributes["table"]), catalog):
        if column in values(catalog.objects[part].get("columns")):
            yield part


def _within(schema: str, catalog: Catalog) -> list[Identity]:
    """Return what a schema holds."""
    inner = [
        identity
        for identity in catalog.objects
        if identity.name.startswith(f"{schema}.") and identity.kind in ORDER and identity.kind not in (*PARTS, "column")
    ]
    return [identity for identity in inner if not catalog.objects[identity].get("owned_by")]


def drop(identity: Identity, attributes: Attributes) -> Statement:
    """Return the statement that drops an object; what holds data with it is destructive."""
    kind, name = identity
    match kind:
        case "column":
            return Statement(f"ALTER TABLE {container(name)} DROP COLUMN {last_part(name)}", destructive=True)
        case "constraint":
            return Statement(f"ALTER TABLE {attributes['table']} DROP CONSTRAINT {last_part(name)}")
        case "index":
            partitioned = "ON ONLY" in str(attributes.get("definition", ""))
            return Statement(f"DROP INDEX {'' if partitioned else 'CONCURRENTLY '}{name}", alone=not partitioned)
        case "schema":
            return Statement(f"DROP SCHEMA {name} CASCADE", destructive=True)
    return Statement(f"DROP {target(identity)}", destructive=kind in ("table", "sequence", "extension"))


# What any object has

#: Default privileges by the kinds that they are for.
_DEFAULTS_FOR = {
    "table": "TABLES",
    "foreign table": "TABLES",
    "view": "TABLES",
    "materialized view": "TABLES",
    "sequence": "SEQUENCES",
    "function": "FUNCTIONS",
    "procedure": "FUNCTIONS",
    "aggregate": "FUNCTIONS",
    "enum": "TYPES",
    "domain": "TYPES",
    "composite type": "TYPES",
    "range type": "TYPES",
    "schema": "SCHEMAS",
}


def _beside(identity: Identity, attributes: Attributes, live: Catalog) -> Statements:
    """Yield the statements for the owner, the privileges and the comment of a new object."""
    if identity.kind == "default privileges" or (identity.kind == "column" and "type" not in attributes):
        return
    if "owner" in attributes and identity.kind != "extension":
        yield owner_to(identity, attributes["owner"])
    present = given_by_default(identity, live)
    yield from set_grants(identity, values(attributes.get("grants")), present)
    if "comment" in attributes:
        yield comment_on(identity, attributes["comment"], table=str(attributes.get("table", "")))


def given_by_default(identity: Identity, live: Catalog) -> list[str]:
    """Return the privileges that a new object may get by default privileges."""
    objects = _DEFAULTS_FOR.get(identity.kind)
    schema = identity.name.partition(".")[0]
    found: list[str] = []
    for other, attributes in live.objects.items():
        if other.kind != "default privileges" or not other.name.endswith(f" ON {objects}"):
            continue
        if " IN SCHEMA " not in other.name or f" IN SCHEMA {schema} ON" in other.name:
            found += values(attributes.get("grants"))
    return found
