"""Read what pgparse's trees hold: names, options, constants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlmigrations.files.names import beyond_schemas, path

Node = dict[str, Any]
Path = tuple[str, ...]

#: What comes of a tree of another shape than those of the grammars that its readers were written for, or of one with
#: more levels than Python lets a function call itself.
NOT_UNDERSTOOD = (KeyError, IndexError, TypeError, AttributeError, RecursionError)

#: Keys of the nodes that hold a name themselves.
_HOLD_NAMES = frozenset(
    {
        *("relname", "names", "rolename", "servername", "accessMethod", "access_method"),
        *("objname", "opclass", "collname", "funcname", "typeName"),
    }
)
_MODIFYING = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})
#: Functions that take the name of an object as text, and types that make such a text an object.
_TAKES_NAME = ("nextval", "currval", "setval", "to_regclass", "pg_get_serial_sequence", "to_regtype", "to_regproc")
_NAME_TYPES = ("regclass", "regproc", "regprocedure", "regtype")


def nodes(tree: Any) -> Iterator[Node]:
    """Yield all nodes of a tree in the order of the text, however deep it is."""
    rest = [tree]
    while rest:
        part = rest.pop()
        if isinstance(part, dict):
            yield part
            part = part.values()
        elif not isinstance(part, list):  # as most parts of a tree
            continue
        rest.extend(reversed(part))


def named(tree: Any) -> Iterator[tuple[str, Path]]:
    """Yield every name in a tree, with what the tree does to it.

    That is ``read``, ``called`` (the name of a function) or ``changed`` (the table of a modifying statement); for what
    lies in no schema it is ``global``, and the path is one written name.
    """
    for node in nodes(tree):
        if not _HOLD_NAMES.isdisjoint(node):
            yield from _named_here(node)
        for kind in _MODIFYING & node.keys():
            yield "changed", relation(node[kind]["relation"])


def _named_here(node: Node) -> Iterator[tuple[str, Path]]:
    """Yield the names that a node holds itself."""
    if "relname" in node:
        yield "read", relation(node)
    if "names" in node and "typemod" in node:
        yield "read", strings(node["names"])
    if "rolename" in node:
        yield "global", (beyond_schemas("role", node["rolename"]),)
    if isinstance(node.get("servername"), str):
        yield "global", (beyond_schemas("server", node["servername"]),)
    for key in ("accessMethod", "access_method"):
        if isinstance(node.get(key), str):
            yield "read", (node[key],)
    for key in ("objname", "opclass", "collname"):
        if isinstance(node.get(key), list):
            yield "read", strings(node[key])
    if isinstance(node.get("funcname"), list):
        function = strings(node["funcname"])
        yield "called", function
        if function[-1:] and function[-1] in _TAKES_NAME and (target := path(constant(node.get("args", [None])[0]))):
            yield "read", target
    if isinstance(node.get("typeName"), dict) and strings(node["typeName"].get("names"))[-1:] in _ENDINGS:
        target = path(constant(node.get("arg")).partition("(")[0])
        if target:
            yield "read", target


_ENDINGS = tuple((kind,) for kind in _NAME_TYPES)


def constant(node: Any) -> str:
    """Return the text of a string constant; empty for anything else."""
    try:
        found = node["A_Const"]["sval"]["sval"]
    except (KeyError, TypeError):
        return ""
    return found if isinstance(found, str) else ""


def relation(node: Node | None) -> Path:
    """Return the path of a table, view or the like; empty when there is none."""
    if not node:
        return ()
    schema = node.get("schemaname")
    return (schema, node["relname"]) if schema else (node["relname"],)


def strings(nodes: Any) -> Path:
    """Return the texts of String nodes: of a list of them, a List node, or a single one."""
    if isinstance(nodes, dict):
        nodes = nodes["List"].get("items", []) if "List" in nodes else [nodes]
    return tuple(part["String"].get("sval", "") for part in nodes or () if isinstance(part, dict) and "String" in part)


def string(node: Any) -> str:
    """Return the text of a String node; empty when there is none."""
    return next(iter(strings(node)), "")


def options_of(nodes: Any) -> Node:
    """Return a statement's options (DefElem nodes) by name."""
    elements = [node["DefElem"] for node in nodes or () if "DefElem" in node]
    return {element["defname"]: element.get("arg") or {} for element in elements}


def is_on(name: str, nodes: Any) -> bool:
    """Say whether an option is among a statement's options, and not given as false, off or 0 (``defGetBoolean``)."""
    options = options_of(nodes)
    value = options.get(name, {})
    given_as_zero = "Integer" in value and not value["Integer"].get("ival")
    return name in options and not given_as_zero and string(value).lower() not in ("false", "off")


def object_path(node: Any) -> Path:
    """Return the path of an object as DROP, COMMENT, ALTER ... OWNER and others hold it."""
    if not isinstance(node, dict):
        return ()
    if "ObjectWithArgs" in node:
        return strings(node["ObjectWithArgs"].get("objname"))
    if "TypeName" in node:
        return strings(node["TypeName"].get("names"))
    return strings(node)


def search_path(setting: Node) -> Path | None:
    """Return the schemas of ``SET search_path``; None when they are not known."""
    if setting.get("kind") != "VAR_SET_VALUE":
        return None
    return known_schemas([constant(argument) for argument in setting.get("args", [])])


def known_schemas(written: list[str]) -> Path | None:
    """Return the schemas of a search path; None when they depend on who runs the file."""
    if "$user" in written:
        return None
    return tuple(schema for schema in written if schema and schema not in ("pg_catalog", "pg_temp"))
