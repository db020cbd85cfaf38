"""What each kind of statement changes and makes, by the kind of its node in pgparse's tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlmigrations.files.extensions import MADE_BY
from sqlmigrations.files.names import beyond_schemas, everything_in, name, path
from sqlmigrations.files.trees import (
    Node,
    Path,
    constant,
    known_schemas,
    object_path,
    options_of,
    relation,
    search_path,
    string,
    strings,
)

if TYPE_CHECKING:
    from sqlmigrations.files.effects import Collector

Handler = Callable[["Collector", Node], None]

MEMBERS = ("OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE", "OBJECT_TABCONSTRAINT", "OBJECT_COLUMN")
_IN_NO_SCHEMA = {
    "OBJECT_ACCESS_METHOD": "access method",
    "OBJECT_DATABASE": "database",
    "OBJECT_EVENT_TRIGGER": "event trigger",
    "OBJECT_FDW": "foreign data wrapper",
    "OBJECT_FOREIGN_SERVER": "server",
    "OBJECT_LANGUAGE": "language",
    "OBJECT_LARGEOBJECT": "large object",
    "OBJECT_PARAMETER_ACL": "parameter",
    "OBJECT_PUBLICATION": "publication",
    "OBJECT_ROLE": "role",
    "OBJECT_SUBSCRIPTION": "subscription",
    "OBJECT_TABLESPACE": "tablespace",
}


def _nothing(_collector: Collector, _node: Node) -> None:
    """Take a statement that changes no object."""


def _opaque(reason: str) -> Handler:
    def handle(collector: Collector, _node: Node) -> None:
        collector.hide(reason)

    return handle


def _changes_relation(key: str) -> Handler:
    def handle(collector: Collector, node: Node) -> None:
        collector.change(relation(node.get(key)))

    return handle


def _changes_name(key: str) -> Handler:
    def handle(collector: Collector, node: Node) -> None:
        found = node.get(key)
        collector.change(strings(found.get("objname")) if isinstance(found, dict) else strings(found))

    return handle


def _changes_global(kind: str, key: str) -> Handler:
    def handle(collector: Collector, node: Node) -> None:
        found = node.get(key)
        written = found.get("rolename") if isinstance(found, dict) else found
        if written:
            collector.changes.add(beyond_schemas(kind, written))

    return handle


def _makes_global(kind: str, key: str) -> Handler:
    def handle(collector: Collector, node: Node) -> None:
        made = beyond_schemas(kind, node[key])
        collector.changes.add(made)
        collector.make(kind, name(node[key]))

    return handle


def _makes_name(kind: str, key: str) -> Handler:
    def handle(collector: Collector, node: Node) -> None:
        collector.create(kind, strings(node[key]))

    return handle


def _makes_relation(kind: str, key: str) -> Handler:
    def handle(collector: Collector, node: Node) -> None:
        _make_relation(collector, kind, node[key])

    return handle


def _make_relation(collector: Collector, kind: str, node: Node) -> None:
    target = relation(node)
    if node.get("relpersistence") == "t" or target[:-1] == ("pg_temp",):
        collector.changes.add(collector.creation(target))
    else:
        collector.create(kind, target)


def _makes_on_table(kind: str, key: str, table: str = "relation") -> Handler:
    def handle(collector: Collector, node: Node) -> None:
        target = relation(node[table])
        collector.change(target)
        collector.make(kind, f"{name(node[key])} on {collector.resolve(target)[0]}")

    return handle


def _create_table(collector: Collector, node: Node) -> None:
    base = node.get("base", node)
    _make_relation(collector, "foreign table" if "base" in node else "table", base["relation"])
    table = relation(base["relation"])
    for element in base.get("tableElts", []):
        if "ColumnDef" in element:
            _column(collector, table, element["ColumnDef"])
        elif "Constraint" in element:
            _constraint(collector, table, element["Constraint"], ())


def _column(collector: Collector, table: Path, column: Node) -> None:
    """Note what a column brings with it: the sequence of a serial or identity, the index of a key."""
    types = strings(column.get("typeName", {}).get("names"))
    constraints = [part["Constraint"] for part in column.get("constraints", []) if "Constraint" in part]
    identity = any(constraint.get("contype") == "CONSTR_IDENTITY" for constraint in constraints)
    if identity or types[-1:] in (("serial",), ("bigserial",), ("smallserial",), ("serial4",), ("serial8",)):
        sequence = (*table[:-1], f"{table[-1]}_{column['colname']}_seq")
        collector.changes.add(collector.creation(sequence))
    for constraint in constraints:
        _constraint(collector, table, constraint, (column["colname"],))


def _constraint(collector: Collector, table: Path, constraint: Node, columns: Path) -> None:
    """Note the index that a constraint makes, named as PostgreSQL names it."""
    columns = strings(constraint.get("keys")) or columns
    if "indexname" in constraint:
        # ADD CONSTRAINT ... USING INDEX takes the index over and gives it the constraint's name.
        collector.change_index((*table[:-1], constraint["indexname"]))
    match constraint.get("contype"):
        case "CONSTR_PRIMARY":
            usual = f"{table[-1]}_pkey"
        case "CONSTR_UNIQUE":
            usual = "_".join((table[-1], *columns, "key"))
        case "CONSTR_EXCLUSION":
            elements = [part["List"]["items"][0]["IndexElem"] for part in constraint.get("exclusions", [])]
            usual = "_".join((table[-1], *(_column_name(element) for element in elements), "excl"))
        case _:
            return
    collector.index(table, constraint.get("conname") or usual)


def _create_index(collector: Collector, node: Node) -> None:
    table = relation(node["relation"])
    collector.change(table)
    elements = [_column_name(part["IndexElem"]) for part in node.get("indexParams", [])]
    collector.index(table, node.get("idxname") or "_".join((table[-1], *elements, "idx")))


def _column_name(element: Node) -> str:
    """Return what PostgreSQL calls one element of an index: its column, its function, or ``expr``."""
    function = strings(element.get("expr", {}).get("FuncCall", {}).get("funcname"))
    return str(element.get("name") or (function[-1] if function else "expr"))


def _alter_table(collector: Collector, node: Node) -> None:
    table = relation(node["relation"])
    if node.get("objtype") == "OBJECT_INDEX":
        collector.change_index(table)
    else:
        collector.change(table)
    for command in (part["AlterTableCmd"] for part in node.get("cmds", []) if "AlterTableCmd" in part):
        definition = command.get("def", {})
        written = collector.resolve(table)[0]
        if command["subtype"] in ("AT_AttachPartition", "AT_DetachPartition"):
            collector.change(relation(definition.get("PartitionCmd", {}).get("name")))
        elif "ColumnDef" in definition and command["subtype"] == "AT_AddColumn":
            collector.make("column", f"{written}.{name(definition['ColumnDef']['colname'])}")
            _column(collector, table, definition["ColumnDef"])
        elif "Constraint" in definition and command["subtype"] == "AT_AddConstraint":
            if constraint := definition["Constraint"].get("conname"):
                collector.make("constraint", f"{name(constraint)} on {written}")
            _constraint(collector, table, definition["Constraint"], ())


def _create_as(collector: Collector, node: Node) -> None:
    kind = "materialized view" if node.get("objtype") == "OBJECT_MATVIEW" else "table"
    _make_relation(collector, kind, node["into"]["rel"])


def _select(collector: Collector, node: Node) -> None:
    if "intoClause" in node:
        _make_relation(collector, "table", node["intoClause"]["rel"])
    if paths := _set_config(node):
        collector.search_path = paths[0]


def _set_config(node: Node) -> list[Path | None]:
    """Return the path that ``SELECT set_config('search_path', ...)`` sets, as a list of one."""
    for target in node.get("targetList", []):
        call = target.get("ResTarget", {}).get("val", {}).get("FuncCall", {})
        if strings(call.get("funcname"))[-1:] == ("set_config",):
            arguments = [constant(argument) for argument in call.get("args", [])]
            if arguments[:1] == ["search_path"]:
                return [known_schemas([".".join(path(part)) for part in arguments[1].split(",")])]
    return []


def _set(collector: Collector, node: Node) -> None:
    if node.get("name") == "search_path":
        collector.search_path = search_path(node)
    elif node.get("kind") == "VAR_RESET_ALL":
        collector.search_path = None


def _drop(collector: Collector, node: Node) -> None:
    kind = node["removeType"]
    for part in node["objects"]:
        target = object_path(part)
        if kind in MEMBERS:
            collector.change(target[:-1])
            table = collector.resolve(target[:-1])[0] if target[:-1] else ""
            collector.forget_written(f"{name(target[-1])} on {table}")
            continue
        if kind == "OBJECT_CAST":
            continue
        _change_object(collector, kind, target)
        if kind not in _IN_NO_SCHEMA and target:
            collector.forget(target)


def _change_object(collector: Collector, kind: str, target: Path) -> None:
    """Note an object of any kind as changed."""
    if not target:
        return
    if kind in MEMBERS:
        collector.change(target[:-1])
    elif kind == "OBJECT_DOMCONSTRAINT":
        collector.change(target)
    elif kind == "OBJECT_SCHEMA":
        collector.changes |= {everything_in(target[-1]), beyond_schemas("schema", target[-1])}
    elif kind == "OBJECT_EXTENSION":
        _change_extension(collector, target[-1])
    elif kind in _IN_NO_SCHEMA:
        collector.changes.add(beyond_schemas(_IN_NO_SCHEMA[kind], target[-1]))
    elif kind == "OBJECT_INDEX":
        collector.change_index(target)
    else:
        collector.change(target)


def _change_extension(collector: Collector, extension: str) -> None:
    collector.changes.add(beyond_schemas("extension", extension))
    made = MADE_BY.get(extension)
    if made is None:
        collector.hide(f"what the extension {extension} holds is not known")
    else:
        collector.changes.update(made.split())


def _create_extension(collector: Collector, node: Node) -> None:
    _change_extension(collector, node["extname"])
    collector.make("extension", name(node["extname"]))


def _alter_extension(collector: Collector, node: Node) -> None:
    _change_extension(collector, node["extname"])
    if "object" in node:
        _change_object(collector, node["objtype"], object_path(node["object"]))


def _create_schema(collector: Collector, node: Node) -> None:
    schema = node.get("schemaname") or node.get("authrole", {}).get("rolename", "")
    if not schema:
        collector.hide("a schema that is called like whoever runs the file")
        return
    _change_object(collector, "OBJECT_SCHEMA", (schema,))
    collector.make("schema", name(schema))
    outer, collector.search_path = collector.search_path, (schema,)
    for element in node.get("schemaElts", []):
        collector.run(element)
    collector.search_path = outer


def _of_object(collector: Collector, node: Node) -> None:
    """Take a statement about an object of any kind: COMMENT, ALTER ... OWNER, SECURITY LABEL."""
    kind = node.get("objtype") or node.get("objectType") or ""
    target = relation(node.get("relation")) or object_path(node.get("object"))
    if kind == "OBJECT_DOMCONSTRAINT":
        target = object_path(node["object"]["List"]["items"][0])
    if "relation" in node and kind != "OBJECT_INDEX":
        collector.change(target)
    elif kind == "OBJECT_SCHEMA":
        # A comment on a schema, or another owner, changes nothing that is in it.
        collector.changes.add(beyond_schemas("schema", target[-1]))
    else:
        _change_object(collector, kind, target)


def _rename(collector: Collector, node: Node) -> None:
    kind = node["renameType"]
    target = relation(node.get("relation")) or object_path(node.get("object"))
    if kind in _IN_NO_SCHEMA or kind == "OBJECT_SCHEMA":
        old = node.get("subname") or (target[-1] if target else "")
        _change_object(collector, kind, (old,))
        _change_object(collector, kind, (node["newname"],))
    elif kind in (*MEMBERS, "OBJECT_ATTRIBUTE", "OBJECT_DOMCONSTRAINT"):
        collector.change(target)
    else:
        _change_object(collector, kind, target)
        collector.rename(target, (*target[:-1], node["newname"]))


def _move(collector: Collector, node: Node) -> None:
    """Take ALTER ... SET SCHEMA."""
    target = relation(node.get("relation")) or object_path(node.get("object"))
    _change_object(collector, node["objectType"], target)
    if target and node["objectType"] not in _IN_NO_SCHEMA:
        collector.rename(target, (node["newschema"], target[-1]))


def _grant(collector: Collector, node: Node) -> None:
    if node.get("targtype") == "ACL_TARGET_ALL_IN_SCHEMA":
        collector.changes |= {everything_in(schema) for schema in strings(node.get("objects"))}
        return
    for part in node.get("objects", []):
        if "RangeVar" in part:
            collector.change(relation(part["RangeVar"]))
        elif node["objtype"] == "OBJECT_SCHEMA":
            # The right to look into a schema changes nothing that is in it.
            collector.changes.add(beyond_schemas("schema", string(part)))
        else:
            _change_object(collector, node["objtype"], object_path(part))


def _default_privileges(collector: Collector, node: Node) -> None:
    schemas = strings(options_of(node.get("options")).get("schemas"))
    collector.changes |= {everything_in(schema) for schema in schemas} or {"default privileges"}


def _grant_role(collector: Collector, node: Node) -> None:
    granted = [part["AccessPriv"]["priv_name"] for part in node.get("granted_roles", []) if "AccessPriv" in part]
    grantees = [part["RoleSpec"].get("rolename", "") for part in node.get("grantee_roles", []) if "RoleSpec" in part]
    collector.changes |= {beyond_schemas("role", role) for role in (*granted, *grantees) if role}


def _drop_roles(collector: Collector, node: Node) -> None:
    roles = [part["RoleSpec"].get("rolename", "") for part in node.get("roles", []) if "RoleSpec" in part]
    collector.changes |= {beyond_schemas("role", role) for role in roles if role}


def _truncate(collector: Collector, node: Node) -> None:
    for part in node.get("relations", []):
        collector.change(relation(part.get("RangeVar")))


def _copy(collector: Collector, node: Node) -> None:
    if node.get("is_from"):
        collector.change(relation(node.get("relation")))


def _create_function(collector: Collector, node: Node) -> None:
    collector.create("procedure" if node.get("is_procedure") else "function", strings(node["funcname"]))


def _define(collector: Collector, node: Node) -> None:
    """Take CREATE AGGREGATE, OPERATOR, COLLATION, TYPE, TEXT SEARCH."""
    kind = node["kind"].removeprefix("OBJECT_").lower().replace("_", " ")
    collector.create(kind, strings(node["defnames"]))


def _create_sequence(collector: Collector, node: Node) -> None:
    if "base" not in node and "sequence" in node:
        if "ownerId" not in node:
            _make_relation(collector, "sequence", node["sequence"])
        _change_owner_of_sequence(collector, node)


def _alter_sequence(collector: Collector, node: Node) -> None:
    collector.change(relation(node["sequence"]))
    _change_owner_of_sequence(collector, node)


def _change_owner_of_sequence(collector: Collector, node: Node) -> None:
    owner = strings(options_of(node.get("options")).get("owned_by"))
    if len(owner) > 1:
        collector.change(owner[:-1])


def _create_statistics(collector: Collector, node: Node) -> None:
    if "defnames" in node:
        collector.create("statistics", strings(node["defnames"]))
    for part in node.get("relations", []):
        collector.change(relation(part.get("RangeVar")))


def _create_cast(collector: Collector, node: Node) -> None:
    for key in ("sourcetype", "targettype"):
        collector.change(strings(node[key].get("names")))


def _create_transform(collector: Collector, node: Node) -> None:
    collector.change(strings(node["type_name"].get("names")))


def _event_trigger(collector: Collector, node: Node) -> None:
    collector.make("event trigger", name(node["trigname"]))
    collector.hide("an event trigger acts on every statement after it")


def _import_schema(collector: Collector, node: Node) -> None:
    collector.changes.add(everything_in(node["local_schema"]))


def _trigger(collector: Collector, node: Node) -> None:
    _makes_on_table("trigger", "trigname")(collector, node)
    # The function may run as soon as the file writes to the table.
    collector.calls.update(collector.resolve(strings(node["funcname"])))


def _explain(collector: Collector, node: Node) -> None:
    if "analyze" in options_of(node.get("options")):
        collector.run(node["query"])


def _call(collector: Collector, node: Node) -> None:
    called = collector.resolve(strings(node["funccall"]["funcname"]))
    if not collector.knows_routine(called):
        collector.hide(f"CALL of {called[0]}, which this file does not make")


def _prepare(collector: Collector, node: Node) -> None:
    collector.prepared[node["name"]] = node["query"]


def _execute(collector: Collector, node: Node) -> None:
    query = collector.prepared.get(node["name"])
    if query is None:
        collector.hide(f"EXECUTE of {node['name']}, which this file does not prepare")
    else:
        collector.run(query)


#: Statements that define something: what they contain does not run now.
ONLY_DEFINES = ("RuleStmt", "ViewStmt", "PrepareStmt", "ExplainStmt", "DeclareCursorStmt")

HANDLERS: dict[str, Handler] = {
    "AlterCollationStmt": _changes_name("collname"),
    "AlterDatabaseRefreshCollStmt": _changes_global("database", "dbname"),
    "AlterDatabaseSetStmt": _changes_global("database", "dbname"),
    "AlterDatabaseStmt": _changes_global("database", "dbname"),
    "AlterDefaultPrivilegesStmt": _default_privileges,
    "AlterDomainStmt": _changes_name("typeName"),
    "AlterEnumStmt": _changes_name("typeName"),
    "AlterEventTrigStmt": _changes_global("event trigger", "trigname"),
    "AlterExtensionContentsStmt": _alter_extension,
    "AlterExtensionStmt": _alter_extension,
    "AlterFdwStmt": _changes_global("foreign data wrapper", "fdwname"),
    "AlterForeignServerStmt": _changes_global("server", "servername"),
    "AlterFunctionStmt": _changes_name("func"),
    "AlterObjectDependsStmt": _of_object,
    "AlterObjectSchemaStmt": _move,
    "AlterOpFamilyStmt": _changes_name("opfamilyname"),
    "AlterOperatorStmt": _changes_name("opername"),
    "AlterOwnerStmt": _of_object,
    "AlterPolicyStmt": _changes_relation("table"),
    "AlterPublicationStmt": _changes_global("publication", "pubname"),
    "AlterRoleSetStmt": _changes_global("role", "role"),
    "AlterRoleStmt": _changes_global("role", "role"),
    "AlterSeqStmt": _alter_sequence,
    "AlterStatsStmt": _changes_name("defnames"),
    "AlterSubscriptionStmt": _changes_global("subscription", "subname"),
    "AlterSystemStmt": _changes_global("server configuration", "-"),
    "AlterTSConfigurationStmt": _changes_name("cfgname"),
    "AlterTSDictionaryStmt": _changes_name("dictname"),
    "AlterTableMoveAllStmt": _opaque("ALTER ... ALL IN TABLESPACE"),
    "AlterTableSpaceOptionsStmt": _changes_global("tablespace", "tablespacename"),
    "AlterTableStmt": _alter_table,
    "AlterTypeStmt": _changes_name("typeName"),
    "AlterUserMappingStmt": _changes_global("server", "servername"),
    "CallStmt": _call,
    "CheckPointStmt": _nothing,
    "ClosePortalStmt": _nothing,
    "ClusterStmt": _changes_relation("relation"),
    "CommentStmt": _of_object,
    "CompositeTypeStmt": _makes_relation("type", "typevar"),
    "ConstraintsSetStmt": _nothing,
    "CopyStmt": _copy,
    "CreateAmStmt": _makes_global("access method", "amname"),
    "CreateCastStmt": _create_cast,
    "CreateConversionStmt": _makes_name("conversion", "conversion_name"),
    "CreateDomainStmt": _makes_name("domain", "domainname"),
    "CreateEnumStmt": _makes_name("type", "typeName"),
    "CreateEventTrigStmt": _event_trigger,
    "CreateExtensionStmt": _create_extension,
    "CreateFdwStmt": _makes_global("foreign data wrapper", "fdwname"),
    "CreateForeignServerStmt": _makes_global("server", "servername"),
    "CreateForeignTableStmt": lambda collector, node: _create_table(collector, {"base": node["base"]}),
    "CreateFunctionStmt": _create_function,
    "CreateOpClassStmt": _makes_name("operator class", "opclassname"),
    "CreateOpFamilyStmt": _makes_name("operator family", "opfamilyname"),
    "CreatePLangStmt": _makes_global("language", "plname"),
    "CreatePolicyStmt": _makes_on_table("policy", "policy_name", "table"),
    "CreatePublicationStmt": _makes_global("publication", "pubname"),
    "CreateRangeStmt": _makes_name("type", "typeName"),
    "CreateRoleStmt": _makes_global("role", "role"),
    "CreateSchemaStmt": _create_schema,
    "CreateSeqStmt": _create_sequence,
    "CreateStatsStmt": _create_statistics,
    "CreateStmt": _create_table,
    "CreateSubscriptionStmt": _makes_global("subscription", "subname"),
    "CreateTableAsStmt": _create_as,
    "CreateTableSpaceStmt": _makes_global("tablespace", "tablespacename"),
    "CreateTransformStmt": _create_transform,
    "CreateTrigStmt": _trigger,
    "CreateUserMappingStmt": _changes_global("server", "servername"),
    "CreatedbStmt": _makes_global("database", "dbname"),
    "DeallocateStmt": _nothing,
    "DeclareCursorStmt": _nothing,
    "DefineStmt": _define,
    "DeleteStmt": _changes_relation("relation"),
    "DiscardStmt": _nothing,
    "DoStmt": _nothing,
    "DropOwnedStmt": _opaque("DROP OWNED"),
    "DropRoleStmt": _drop_roles,
    "DropStmt": _drop,
    "DropSubscriptionStmt": _changes_global("subscription", "subname"),
    "DropTableSpaceStmt": _changes_global("tablespace", "tablespacename"),
    "DropUserMappingStmt": _changes_global("server", "servername"),
    "DropdbStmt": _changes_global("database", "dbname"),
    "ExecuteStmt": _execute,
    "ExplainStmt": _explain,
    "FetchStmt": _nothing,
    "GrantRoleStmt": _grant_role,
    "GrantStmt": _grant,
    "ImportForeignSchemaStmt": _import_schema,
    "IndexStmt": _create_index,
    "InsertStmt": _changes_relation("relation"),
    "ListenStmt": _nothing,
    "LoadStmt": _nothing,
    "LockStmt": _nothing,
    "MergeStmt": _changes_relation("relation"),
    "NotifyStmt": _nothing,
    "PrepareStmt": _prepare,
    "ReassignOwnedStmt": _opaque("REASSIGN OWNED"),
    "RefreshMatViewStmt": _changes_relation("relation"),
    "ReindexStmt": _nothing,
    "RenameStmt": _rename,
    "ReturnStmt": _nothing,
    "RuleStmt": _makes_on_table("rule", "rulename"),
    "SecLabelStmt": _of_object,
    "SelectStmt": _select,
    "TransactionStmt": _nothing,
    "TruncateStmt": _truncate,
    "UnlistenStmt": _nothing,
    "UpdateStmt": _changes_relation("relation"),
    "VacuumStmt": _nothing,
    "VariableSetStmt": _set,
    "VariableShowStmt": _nothing,
    "ViewStmt": _makes_relation("view", "view"),
}
