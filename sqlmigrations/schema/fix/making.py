"""Makes objects from what the catalog says of them, each with all that belongs to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from sqlmigrations.schema.catalog import Attributes, Catalog, Identity, Value
from sqlmigrations.schema.fix.statements import (
    Statement,
    Statements,
    comment_on,
    container,
    is_partitioned,
    last_part,
    literal,
    name_of,
    owner_to,
    server_options,
    set_grants,
    split_options,
    state_of,
    target,
    values,
    word_of,
    written_options,
)

#: Kinds of relations, which have columns, indexes and the like.
RELATIONS = ("table", "foreign table", "view", "materialized view")

#: What belongs to a relation, in the order in which it is made.
_PARTS = ("constraint", "index", "statistics", "trigger", "rule", "policy")

#: What a schema holds, in the order in which it is made where nothing says otherwise.
ORDER = (
    "schema",
    "extension",
    "enum",
    "domain",
    "composite type",
    "range type",
    "sequence",
    "foreign data wrapper",
    "server",
    "function",
    "table",
    "foreign table",
    "column",
    *_PARTS,
    "view",
    "materialized view",
    "procedure",
    "aggregate",
    "event trigger",
    "publication",
    "default privileges",
)

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
            yield from beside_column(column, given)
        for part in parts_of(identity.name, catalog):
            if foreign_keys or not _is_foreign_key(part, catalog):
                yield from make(part, catalog, live, in_use=False)
        yield from _settings(identity, attributes)
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
        and identity.kind not in (*_PARTS, "column")
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
            if _is_foreign_key(part, catalog):
                yield from make(part, catalog, live, in_use=False)


def _is_foreign_key(identity: Identity, catalog: Catalog) -> bool:
    return identity.kind == "constraint" and catalog.objects[identity].get("type") == "foreign key"


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


def parts_of(relation: str, catalog: Catalog) -> Iterator[Identity]:
    """Yield what belongs to a relation, its columns aside: constraints before the foreign keys that may need them."""
    parts = [identity for identity, attributes in catalog.objects.items() if attributes.get("table") == relation]
    parts = [identity for identity in parts if identity.kind in _PARTS]

    def place(identity: Identity) -> tuple[int, bool, str]:
        is_key = catalog.objects[identity].get("type") == "foreign key"
        return _PARTS.index(identity.kind), is_key, identity.name

    return iter(sorted(parts, key=place))


def columns_of(relation: str, catalog: Catalog) -> list[tuple[Identity, Attributes]]:
    """Return the columns of a relation in their order."""
    found = [
        (identity, attributes)
        for identity, attributes in catalog.objects.items()
        if identity.kind == "column" and attributes["table"] == relation
    ]
    return sorted(found, key=lambda column: int(str(column[1].get("position", 0))))


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
        if identity.name.startswith(f"{schema}.")
        and identity.kind in ORDER
        and identity.kind not in (*_PARTS, "column")
    ]
    return [identity for identity in inner if not catalog.objects[identity].get("owned_by")]


def ordered(identities: list[Identity], catalog: Catalog) -> list[Identity]:
    """Sort objects so that each comes behind those that its definition names."""
    texts = {identity: _text(identity, catalog) for identity in identities}
    waiting = sorted(identities, key=lambda identity: (ORDER.index(identity.kind), identity.name))
    done: list[Identity] = []
    while waiting:
        free = [
            one for one in waiting if not any(mentions(texts[one], other.name) for other in waiting if other != one)
        ]
        done += free or waiting[:1]
        waiting = [one for one in waiting if one not in done]
    return done


def _needs(text: str, other: Identity) -> bool:
    return mentions(text, other.name)


def _text(identity: Identity, catalog: Catalog) -> str:
    """Return all that the catalog says of an object, and of a relation's columns and constraints."""
    texts = [
        str(value) for key, value in catalog.objects[identity].items() if key != "body" or "BEGIN ATOMIC" in str(value)
    ]
    if identity.kind in RELATIONS:
        texts += [str(dict(attributes)) for _column, attributes in columns_of(identity.name, catalog)]
        parts = [part for part in parts_of(identity.name, catalog) if not _is_foreign_key(part, catalog)]
        texts += [str(dict(catalog.objects[part])) for part in parts]
        texts = [text.replace(identity.name, "") for text in texts]
    return "\n".join(texts)


def mentions(text: str, name: str) -> bool:
    """Tell whether a text names an object."""
    plain = name.partition("(")[0]
    return plain in text and re.search(rf'(?<![\w".]){re.escape(plain)}(?![\w"])', text) is not None


def names_part(text: str, part: str) -> bool:
    """Tell whether a text has a name in it, qualified or not."""
    return re.search(rf'(?<![\w"]){re.escape(part)}(?![\w"])', text) is not None


# What any object has


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


# Relations


def _table(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    name = identity.name
    yield from _own_sequences(name, catalog)
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
    for sequence in _owned_sequences(name, catalog):
        yield f"ALTER SEQUENCE {sequence.name} OWNED BY {catalog.objects[sequence]['owned_by']}"
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


def _column(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    table = str(attributes["table"])
    owning = [
        sequence for sequence in _owned_sequences(table, catalog) if _owned_by(sequence, catalog) == identity.name
    ]
    for sequence in owning:
        yield from _sequence(sequence, {**catalog.objects[sequence], "owned_by": ""}, catalog, in_use)
    word = "FOREIGN TABLE" if Identity("foreign table", table) in catalog.objects else "TABLE"
    yield f"ALTER {word} {table} ADD COLUMN {column_definition(last_part(identity.name), attributes)}"
    for sequence in owning:
        yield f"ALTER SEQUENCE {sequence.name} OWNED BY {identity.name}"
    yield from column_settings(identity, attributes)


def _owned_by(sequence: Identity, catalog: Catalog) -> str:
    return str(catalog.objects[sequence].get("owned_by", ""))


def _owned_sequences(table: str, catalog: Catalog) -> list[Identity]:
    return [
        identity
        for identity in catalog.objects
        if identity.kind == "sequence" and container(_owned_by(identity, catalog) or "..") == table
    ]


def _own_sequences(table: str, catalog: Catalog) -> Statements:
    for sequence in _owned_sequences(table, catalog):
        yield from _sequence(sequence, {**catalog.objects[sequence], "owned_by": ""}, catalog, False)


def _settings(identity: Identity, attributes: Attributes) -> Statements:
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


def _view(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
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


# What belongs to a relation

_KEY = re.compile(
    r"^(UNIQUE|PRIMARY KEY)( NULLS NOT DISTINCT)? (\((?:[^()\"]|\"[^\"]*\")*\))( INCLUDE \([^()]*\))?(.*)$"
)


def _constraint(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
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


def _index(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
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


def _defined(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the definition that the catalog has, and whether a trigger or a rule is enabled."""
    yield str(attributes["definition"]).rstrip().rstrip(";")
    if attributes.get("state", "enabled") != "enabled":
        yield state_of(str(attributes["table"]), identity.kind, last_part(identity.name), attributes["state"])


def _statistics(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    yield str(attributes["definition"])
    if "target" in attributes:
        yield f"ALTER STATISTICS {identity.name} SET STATISTICS {attributes['target']}"


def _policy(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    create = f"CREATE POLICY {last_part(identity.name)} ON {attributes['table']}"
    create += f" AS {attributes['type']} FOR {attributes['command']} TO {', '.join(values(attributes['roles']))}"
    if "using" in attributes:
        create += f" USING ({attributes['using']})"
    if "with_check" in attributes:
        create += f" WITH CHECK ({attributes['with_check']})"
    yield create


# What lies in a schema


def _schema(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    yield f"CREATE SCHEMA {identity.name}"


def _sequence(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    unlogged = "UNLOGGED " if attributes.get("persistence") == "unlogged" else ""
    yield (
        f"CREATE {unlogged}SEQUENCE {identity.name} AS {attributes['type']} INCREMENT BY {attributes['increment']} "
        f"MINVALUE {attributes['minimum']} MAXVALUE {attributes['maximum']} START WITH {attributes['start']} "
        f"CACHE {attributes['cache']}{' CYCLE' if attributes.get('cycle') else ''}"
    )
    if attributes.get("owned_by"):
        yield f"ALTER SEQUENCE {identity.name} OWNED BY {attributes['owned_by']}"


def _function(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    yield str(attributes["definition"]).rstrip()


#: The parts of an aggregate: how CREATE AGGREGATE calls them, and whether they are constants.
_AGGREGATE = {
    "state_function": "SFUNC",
    "state_type": "STYPE",
    "state_size": "SSPACE",
    "final_function": "FINALFUNC",
    "combine_function": "COMBINEFUNC",
    "serial_function": "SERIALFUNC",
    "deserial_function": "DESERIALFUNC",
    "initial_state": "INITCOND",
    "moving_state_function": "MSFUNC",
    "moving_inverse_function": "MINVFUNC",
    "moving_state_type": "MSTYPE",
    "moving_state_size": "MSSPACE",
    "moving_final_function": "MFINALFUNC",
    "moving_initial_state": "MINITCOND",
}
_FINAL_MODIFY = {"r": "READ_ONLY", "s": "SHAREABLE", "w": "READ_WRITE"}


def aggregate_definition(identity: Identity, attributes: Attributes) -> str:
    """Write an aggregate, of which PostgreSQL deparses no definition."""
    parts = []
    for key, word in _AGGREGATE.items():
        if key in attributes:
            value = str(attributes[key])
            value = value.partition("(")[0] if key.endswith("_function") else value
            parts.append(f"{word} = {literal(value) if key.endswith('initial_state') else value}")
    if attributes.get("final_extra"):
        parts.append("FINALFUNC_EXTRA")
    if "final_function" in attributes:
        parts.append(f"FINALFUNC_MODIFY = {_FINAL_MODIFY[str(attributes['final_modify'])]}")
    if "sort_operator" in attributes:
        parts.append(f"SORTOP = OPERATOR({str(attributes['sort_operator']).partition('(')[0]})")
    if attributes.get("type") == "hypothetical-set":
        parts.append("HYPOTHETICAL")
    parts.append(f"PARALLEL = {str(attributes['parallel']).upper()}")
    name = identity.name.partition("(")[0]
    return f"CREATE OR REPLACE AGGREGATE {name}({attributes['arguments'] or '*'}) ({', '.join(parts)})"


def _aggregate(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    yield aggregate_definition(identity, attributes)


def _enum(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    yield f"CREATE TYPE {identity.name} AS ENUM ({', '.join(map(literal, values(attributes.get('labels'))))})"


def _domain(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    create = f"CREATE DOMAIN {identity.name} AS {attributes['type']}"
    if "collation" in attributes:
        create += f" COLLATE {attributes['collation']}"
    if "default" in attributes:
        create += f" DEFAULT {attributes['default']}"
    if attributes.get("not_null"):
        create += " NOT NULL"
    yield " ".join([create, *values(attributes.get("constraints"))])


def _composite(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    yield f"CREATE TYPE {identity.name} AS ({', '.join(values(attributes.get('columns')))})"


def _range(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
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


# What belongs to the database


def _extension(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    yield (
        f"CREATE EXTENSION {identity.name} WITH SCHEMA {attributes['schema']} "
        f"VERSION {literal(str(attributes['version']))}"
    )


def _event_trigger(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    tags = ", ".join(map(literal, values(attributes.get("tags"))))
    when = f" WHEN TAG IN ({tags})" if tags else ""
    yield (
        f"CREATE EVENT TRIGGER {identity.name} ON {attributes['event']}{when} EXECUTE FUNCTION {attributes['function']}"
    )
    if attributes["state"] != "enabled":
        yield event_trigger_state(identity.name, attributes["state"])


def event_trigger_state(name: str, state: Value | None) -> str:
    """Write the statement that enables or disables an event trigger."""
    verb = {"disabled": "DISABLE", "on replicas only": "ENABLE REPLICA", "always": "ENABLE ALWAYS"}
    return f"ALTER EVENT TRIGGER {name} {verb.get(str(state), 'ENABLE')}"


def _publication(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    what = "ALL TABLES" if attributes.get("all_tables") else published(attributes)
    yield f"CREATE PUBLICATION {identity.name}{f' FOR {what}' if what else ''} WITH ({publication_options(attributes)})"


def published(attributes: Attributes) -> str:
    """Write the tables and schemas of a publication."""
    tables = []
    for entry in values(attributes.get("tables")):
        table, where, condition = entry.partition(" WHERE ")
        tables.append(f"TABLE {table}" + (f" WHERE ({condition})" if where else ""))
    schemas = [f"TABLES IN SCHEMA {schema}" for schema in values(attributes.get("schemas"))]
    return ", ".join([*tables, *schemas])


def publication_options(attributes: Attributes) -> str:
    """Write the options of a publication."""
    options = [f"publish = {literal(', '.join(values(attributes.get('operations'))))}"]
    options.append(f"publish_via_partition_root = {'true' if attributes.get('via_root') else 'false'}")
    if "generated_columns" in attributes:
        options.append(f"publish_generated_columns = {attributes['generated_columns']}")
    return ", ".join(options)


def _server(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    type = f" TYPE {literal(str(attributes['type']))}" if "type" in attributes else ""
    version = f" VERSION {literal(str(attributes['version']))}" if "version" in attributes else ""
    options = server_options(attributes.get("options"))
    yield f"CREATE SERVER {identity.name}{type}{version} FOREIGN DATA WRAPPER {attributes['wrapper']}{options}"


def _wrapper(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    handler = f" HANDLER {attributes['handler']}" if "handler" in attributes else ""
    validator = f" VALIDATOR {attributes['validator']}" if "validator" in attributes else ""
    options = server_options(attributes.get("options"))
    yield f"CREATE FOREIGN DATA WRAPPER {identity.name}{handler}{validator}{options}"


def _default_privileges(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    yield from set_grants(identity, values(attributes.get("grants")), ())


_Maker = Callable[[Identity, Attributes, Catalog, bool], Statements]

_MAKERS: Mapping[str, _Maker] = {
    "schema": _schema,
    "table": _table,
    "foreign table": _table,
    "view": _view,
    "materialized view": _view,
    "column": _column,
    "constraint": _constraint,
    "index": _index,
    "sequence": _sequence,
    "function": _function,
    "procedure": _function,
    "aggregate": _aggregate,
    "trigger": _defined,
    "rule": _defined,
    "policy": _policy,
    "statistics": _statistics,
    "enum": _enum,
    "domain": _domain,
    "composite type": _composite,
    "range type": _range,
    "extension": _extension,
    "event trigger": _event_trigger,
    "publication": _publication,
    "server": _server,
    "foreign data wrapper": _wrapper,
    "default privileges": _default_privileges,
}
