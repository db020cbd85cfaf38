"""What statements about objects of any kind change and make: DROP, RENAME, COMMENT, CREATE EXTENSION and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmigrations.files.extensions import MADE_BY
from sqlmigrations.files.names import beyond_schemas, everything_in, name
from sqlmigrations.files.trees import Node, Path, object_path, relation, strings
from sqlmigrations.messages import gettext as _

if TYPE_CHECKING:
    from sqlmigrations.files.effects import Collector

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


def drop(collector: Collector, node: Node) -> None:
    """Take DROP of anything but roles and databases."""
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
        change_object(collector, kind, target)
        if kind not in _IN_NO_SCHEMA and target:
            collector.forget(target)


def change_object(collector: Collector, kind: str, target: Path) -> None:
    """Note an object of any kind as changed."""
    if not target:
        return
    if kind in MEMBERS:
        collector.change(target[:-1])
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
        collector.hide(_("what the extension {extension} holds is not known", extension=extension))
    else:
        collector.changes.update(made.split())


def create_extension(collector: Collector, node: Node) -> None:
    """Take CREATE EXTENSION."""
    _change_extension(collector, node["extname"])
    collector.make("extension", name(node["extname"]))


def alter_extension(collector: Collector, node: Node) -> None:
    """Take ALTER EXTENSION, also with ADD and DROP."""
    _change_extension(collector, node["extname"])
    if "object" in node:
        change_object(collector, node["objtype"], object_path(node["object"]))


def create_schema(collector: Collector, node: Node) -> None:
    """Take CREATE SCHEMA with the statements in it."""
    schema = node.get("schemaname") or node.get("authrole", {}).get("rolename", "")
    if not schema:
        collector.hide(_("a schema that is called like whoever runs the file"))
        return
    change_object(collector, "OBJECT_SCHEMA", (schema,))
    collector.make("schema", name(schema))
    outer, collector.search_path = collector.search_path, (schema,)
    for element in node.get("schemaElts", []):
        collector.run(element)
    collector.search_path = outer


def of_object(collector: Collector, node: Node) -> None:
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
        change_object(collector, kind, target)


def rename(collector: Collector, node: Node) -> None:
    """Take ALTER ... RENAME."""
    kind = node["renameType"]
    target = relation(node.get("relation")) or object_path(node.get("object"))
    if kind in _IN_NO_SCHEMA or kind == "OBJECT_SCHEMA":
        old = node.get("subname") or (target[-1] if target else "")
        change_object(collector, kind, (old,))
        change_object(collector, kind, (node["newname"],))
    elif kind in (*MEMBERS, "OBJECT_ATTRIBUTE", "OBJECT_DOMCONSTRAINT"):
        collector.change(target)
    else:
        change_object(collector, kind, target)
        collector.rename(target, (*target[:-1], node["newname"]))


def move(collector: Collector, node: Node) -> None:
    """Take ALTER ... SET SCHEMA."""
    target = relation(node.get("relation")) or object_path(node.get("object"))
    change_object(collector, node["objectType"], target)
    if target and node["objectType"] not in _IN_NO_SCHEMA:
        collector.rename(target, (node["newschema"], target[-1]))


def create_function(collector: Collector, node: Node) -> None:
    """Take CREATE FUNCTION and CREATE PROCEDURE."""
    collector.create("procedure" if node.get("is_procedure") else "function", strings(node["funcname"]))


def define(collector: Collector, node: Node) -> None:
    """Take CREATE AGGREGATE, OPERATOR, COLLATION, TYPE, TEXT SEARCH."""
    kind = node["kind"].removeprefix("OBJECT_").lower().replace("_", " ")
    collector.create(kind, strings(node["defnames"]))


def create_cast(collector: Collector, node: Node) -> None:
    """Take CREATE CAST."""
    for key in ("sourcetype", "targettype"):
        collector.change(strings(node[key].get("names")))


def create_transform(collector: Collector, node: Node) -> None:
    """Take CREATE TRANSFORM."""
    collector.change(strings(node["type_name"].get("names")))


def event_trigger(collector: Collector, node: Node) -> None:
    """Take CREATE EVENT TRIGGER."""
    collector.make("event trigger", name(node["trigname"]))
    collector.hide(_("an event trigger acts on every statement after it"))


def import_schema(collector: Collector, node: Node) -> None:
    """Take IMPORT FOREIGN SCHEMA."""
    collector.changes.add(everything_in(node["local_schema"]))
