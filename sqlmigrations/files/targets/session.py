"""What statements change that set the search path, or run what was written elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmigrations.files.names import path
from sqlmigrations.files.targets.plain import make_relation
from sqlmigrations.files.trees import Node, Path, constant, is_on, known_schemas, search_path, strings
from sqlmigrations.messages import gettext as _

if TYPE_CHECKING:
    from sqlmigrations.files.effects import Collector


def select(collector: Collector, node: Node) -> None:
    """Take SELECT: one that makes a table, or sets the search path."""
    if "intoClause" in node:
        make_relation(collector, "table", node["intoClause"]["rel"])
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


def set(collector: Collector, node: Node) -> None:
    """Take SET and RESET."""
    if node.get("name") == "search_path":
        collector.search_path = search_path(node)
    elif node.get("kind") == "VAR_RESET_ALL":
        collector.search_path = None


def explain(collector: Collector, node: Node) -> None:
    """Take EXPLAIN, which runs its query if it is to ANALYZE it."""
    if is_on("analyze", node.get("options")):
        collector.run(node["query"])


def call(collector: Collector, node: Node) -> None:
    """Take CALL."""
    called = collector.resolve(strings(node["funccall"]["funcname"]))
    if not collector.knows_routine(called):
        collector.hide(_("CALL of {routine}, which this file does not make", routine=called[0]))


def prepare(collector: Collector, node: Node) -> None:
    """Take PREPARE."""
    collector.prepared[node["name"]] = node["query"]


def execute(collector: Collector, node: Node) -> None:
    """Take EXECUTE, which runs what was prepared."""
    query = collector.prepared.get(node["name"])
    if query is None:
        collector.hide(_("EXECUTE of {name}, which this file does not prepare", name=node["name"]))
    else:
        collector.run(query)
