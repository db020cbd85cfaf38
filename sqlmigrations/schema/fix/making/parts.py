"""Makes what belongs to a relation: constraints, indexes, triggers, rules, policies, statistics."""

from __future__ import annotations

import re

from sqlmigrations.schema.catalog import Attributes, Catalog, Identity, Value, container, last_part
from sqlmigrations.schema.fix.statements import (
    Statement,
    Statements,
    is_partitioned,
    split_options,
    state_of,
    values,
    written_options,
)

_KEY = re.compile(
    r"^(UNIQUE|PRIMARY KEY)( NULLS NOT DISTINCT)? (\((?:[^()\"]|\"[^\"]*\")*\))( INCLUDE \([^()]*\))?(.*)$"
)


def make_constraint(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the statements that add a constraint; ``in_use``, a key by its index, and what can wait NOT VALID first."""
    table, name, definition = str(attributes["table"]), last_part(identity.name), str(attributes["definition"])
    add = f"ALTER TABLE {table} ADD CONSTRAINT {name}"
    relation = catalog.objects.get(Identity("table", table), {})
    type = attributes.get("type")
    key = _KEY.match(definition)
    if in_use and key and not is_partitioned(relation) and "WITHOUT OVERLAPS" not in definition:
        kind, nulls, columns, include, rest = key.groups("")
        options = split_options(values(attributes.get("index_options")))
        storage = f" WITH ({written_options(options)})" if options else ""
        index = f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} {columns}{include}{nulls}{storage}"
        yield Statement(index, alone=True)
        yield f"{add} {kind} USING INDEX {name}{rest}"
    elif in_use and type in ("foreign key", "check") and _can_wait(definition, relation, type):
        yield f"{add} {definition} NOT VALID"
        yield f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"
    else:
        yield f"{add} {definition}"
        index = f"{container(table)}.{name}"
        if options := split_options(values(attributes.get("index_options"))):
            yield f"ALTER INDEX {index} SET ({written_options(options)})"
    if attributes.get("clustered"):
        yield f"ALTER TABLE {table} CLUSTER ON {name}"


def _can_wait(definition: str, relation: Attributes, type: Value) -> bool:
    if definition.endswith((" NOT VALID", " NOT ENFORCED")):
        return False
    return type == "check" or not is_partitioned(relation)


def make_index(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the statements that build an index."""
    yield index_definition(attributes, in_use=in_use)
    yield from index_settings(identity.name, attributes)


def index_definition(attributes: Attributes, *, in_use: bool, name: str = "") -> Statement:
    """Return the statement that builds an index, under another name if one is given."""
    definition = str(attributes["definition"])
    partitioned = " ON ONLY " in definition
    head, _, rest = definition.partition(" ON ")
    rest = rest.removeprefix("ONLY ")
    create, _, own = head.partition(" INDEX ")
    concurrently = "CONCURRENTLY " if in_use and not partitioned else ""
    return Statement(f"{create} INDEX {concurrently}{name or own} ON {rest}", alone=bool(concurrently))


def index_settings(name: str, attributes: Attributes) -> Statements:
    """Yield what an index has beyond its definition."""
    for entry in values(attributes.get("statistics_targets")):
        place, _, number = entry.partition(": ")
        yield f"ALTER INDEX {name} ALTER COLUMN {place} SET STATISTICS {number}"
    if attributes.get("clustered"):
        yield f"ALTER TABLE {attributes['table']} CLUSTER ON {last_part(name)}"


def make_defined(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the definition that the catalog has, and whether a trigger or a rule is enabled."""
    yield str(attributes["definition"]).rstrip().rstrip(";")
    if attributes.get("state", "enabled") != "enabled":
        yield state_of(str(attributes["table"]), identity.kind, last_part(identity.name), attributes["state"])


def make_statistics(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the statements that make extended statistics."""
    yield str(attributes["definition"])
    if "target" in attributes:
        yield f"ALTER STATISTICS {identity.name} SET STATISTICS {attributes['target']}"


def make_policy(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the statement that makes a policy."""
    create = f"CREATE POLICY {last_part(identity.name)} ON {attributes['table']}"
    create += f" AS {attributes['type']} FOR {attributes['command']} TO {', '.join(values(attributes['roles']))}"
    if "using" in attributes:
        create += f" USING ({attributes['using']})"
    if "with_check" in attributes:
        create += f" WITH CHECK ({attributes['with_check']})"
    yield create
