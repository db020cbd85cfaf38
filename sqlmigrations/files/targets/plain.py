"""Handlers of statements that name what they change or make under one key of their node."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlmigrations.files.names import beyond_schemas, name
from sqlmigrations.files.trees import Node, relation, strings

if TYPE_CHECKING:
    from sqlmigrations.files.effects import Collector

Handler = Callable[["Collector", Node], None]


def nothing(_collector: Collector, _node: Node) -> None:
    """Take a statement that changes no object."""


def opaque(reason: str) -> Handler:
    """Return the handler of a statement whose changes can't be known, for this reason."""

    def handle(collector: Collector, _node: Node) -> None:
        collector.hide(reason)

    return handle


def changes_relation(key: str) -> Handler:
    """Return the handler of a statement that changes the relation under ``key``."""

    def handle(collector: Collector, node: Node) -> None:
        collector.change(relation(node.get(key)))

    return handle


def changes_name(key: str) -> Handler:
    """Return the handler of a statement that changes the object that ``key`` names."""

    def handle(collector: Collector, node: Node) -> None:
        found = node.get(key)
        collector.change(strings(found.get("objname")) if isinstance(found, dict) else strings(found))

    return handle


def changes_global(kind: str, key: str) -> Handler:
    """Return the handler of a statement that changes what lies in no schema."""

    def handle(collector: Collector, node: Node) -> None:
        found = node.get(key)
        written = found.get("rolename") if isinstance(found, dict) else found
        if written:
            collector.changes.add(beyond_schemas(kind, written))

    return handle


def makes_global(kind: str, key: str) -> Handler:
    """Return the handler of a statement that makes what lies in no schema."""

    def handle(collector: Collector, node: Node) -> None:
        made = beyond_schemas(kind, node[key])
        collector.changes.add(made)
        collector.make(kind, name(node[key]))

    return handle


def makes_name(kind: str, key: str) -> Handler:
    """Return the handler of a statement that makes the object that ``key`` names."""

    def handle(collector: Collector, node: Node) -> None:
        collector.create(kind, strings(node[key]))

    return handle


def makes_relation(kind: str, key: str) -> Handler:
    """Return the handler of a statement that makes the relation under ``key``."""

    def handle(collector: Collector, node: Node) -> None:
        make_relation(collector, kind, node[key])

    return handle


def make_relation(collector: Collector, kind: str, node: Node) -> None:
    """Note a relation as made; a temporary one ends with the session."""
    target = relation(node)
    if node.get("relpersistence") == "t" or target[:-1] == ("pg_temp",):
        collector.changes.add(collector.creation(target))
    else:
        collector.create(kind, target)


def makes_on_table(kind: str, key: str, table: str = "relation") -> Handler:
    """Return the handler of a statement that makes what belongs to a table, as a policy does."""

    def handle(collector: Collector, node: Node) -> None:
        target = relation(node[table])
        collector.change(target)
        collector.make(kind, f"{name(node[key])} on {collector.resolve(target)[0]}")

    return handle
