"""What statements about tables, their indexes and their sequences change and make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmigrations.files.names import name
from sqlmigrations.files.targets.plain import make_relation, makes_on_table
from sqlmigrations.files.trees import Node, Path, options_of, relation, strings

if TYPE_CHECKING:
    from sqlmigrations.files.effects import Collector


def create_table(collector: Collector, node: Node) -> None:
    """Take CREATE TABLE and CREATE FOREIGN TABLE."""
    base = node.get("base", node)
    make_relation(collector, "foreign table" if "base" in node else "table", base["relation"])
    table = relation(base["relation"])
    for element in base.get("tableElts", []):
        if "ColumnDef" in element:
            _column(collector, table, element["ColumnDef"])
        elif "Constraint" in element:
            _constraint(collector, table, element["Constraint"], ())


#: The types of columns that bring a sequence with them.
_SERIAL = tuple((type,) for type in ("serial", "bigserial", "smallserial", "serial4", "serial8"))


def _column(collector: Collector, table: Path, column: Node) -> None:
    """Note what a column brings with it: the sequence of a serial or identity, the index of a key."""
    constraints = [part["Constraint"] for part in column.get("constraints", ()) if "Constraint" in part]
    kinds = [constraint.get("contype") for constraint in constraints]
    if "CONSTR_IDENTITY" in kinds or strings(column.get("typeName", {}).get("names"))[-1:] in _SERIAL:
        sequence = (*table[:-1], f"{table[-1]}_{column['colname']}_seq")
        collector.changes.add(collector.creation(sequence))
    for constraint in constraints:
        _constraint(collector, table, constraint, (column["colname"],))


def _constraint(collector: Collector, table: Path, constraint: Node, columns: Path) -> None:
    """Note the index that a constraint makes, named as PostgreSQL names it."""
    if "indexname" in constraint:
        # ADD CONSTRAINT ... USING INDEX takes the index over and gives it the constraint's name.
        collector.change_index((*table[:-1], constraint["indexname"]))
    match constraint.get("contype"):
        case "CONSTR_PRIMARY":
            usual = f"{table[-1]}_pkey"
        case "CONSTR_UNIQUE":
            usual = "_".join((table[-1], *(strings(constraint.get("keys")) or columns), "key"))
        case "CONSTR_EXCLUSION":
            elements = [part["List"]["items"][0]["IndexElem"] for part in constraint.get("exclusions", [])]
            usual = "_".join((table[-1], *(_column_name(element) for element in elements), "excl"))
        case _:
            return
    collector.index(table, constraint.get("conname") or usual)


def create_index(collector: Collector, node: Node) -> None:
    """Take CREATE INDEX."""
    table = relation(node["relation"])
    collector.change(table)
    elements = [_column_name(part["IndexElem"]) for part in node.get("indexParams", [])]
    collector.index(table, node.get("idxname") or "_".join((table[-1], *elements, "idx")))


def _column_name(element: Node) -> str:
    """Return what PostgreSQL calls one element of an index: its column, its function, or ``expr``."""
    function = strings(element.get("expr", {}).get("FuncCall", {}).get("funcname"))
    return str(element.get("name") or (function[-1] if function else "expr"))


def alter_table(collector: Collector, node: Node) -> None:
    """Take ALTER TABLE, and ALTER of other relations."""
    table = relation(node["relation"])
    if node.get("objtype") == "OBJECT_INDEX":
        collector.change_index(table)
    else:
        collector.change(table)
    for command in (part["AlterTableCmd"] for part in node.get("cmds", []) if "AlterTableCmd" in part):
        _alter_command(collector, table, command)


def _alter_command(collector: Collector, table: Path, command: Node) -> None:
    """Note what one command of ALTER TABLE does beyond changing the table."""
    kind, definition = command["subtype"], command.get("def", {})
    written = collector.resolve(table)[0]
    if kind in ("AT_AttachPartition", "AT_DetachPartition"):
        collector.change(relation(definition.get("PartitionCmd", {}).get("name")))
    elif kind == "AT_AddColumn" and "ColumnDef" in definition:
        collector.make("column", f"{written}.{name(definition['ColumnDef']['colname'])}")
        _column(collector, table, definition["ColumnDef"])
    elif kind == "AT_AddConstraint" and "Constraint" in definition:
        if constraint := definition["Constraint"].get("conname"):
            collector.make("constraint", f"{name(constraint)} on {written}")
        _constraint(collector, table, definition["Constraint"], ())


def create_as(collector: Collector, node: Node) -> None:
    """Take CREATE TABLE AS and CREATE MATERIALIZED VIEW."""
    kind = "materialized view" if node.get("objtype") == "OBJECT_MATVIEW" else "table"
    make_relation(collector, kind, node["into"]["rel"])


def truncate(collector: Collector, node: Node) -> None:
    """Take TRUNCATE."""
    for part in node.get("relations", []):
        collector.change(relation(part.get("RangeVar")))


def copy(collector: Collector, node: Node) -> None:
    """Take COPY, which changes a table when it reads."""
    if node.get("is_from"):
        collector.change(relation(node.get("relation")))


def create_sequence(collector: Collector, node: Node) -> None:
    """Take CREATE SEQUENCE."""
    if "base" not in node and "sequence" in node:
        if "ownerId" not in node:
            make_relation(collector, "sequence", node["sequence"])
        _change_owner_of_sequence(collector, node)


def alter_sequence(collector: Collector, node: Node) -> None:
    """Take ALTER SEQUENCE."""
    collector.change(relation(node["sequence"]))
    _change_owner_of_sequence(collector, node)


def _change_owner_of_sequence(collector: Collector, node: Node) -> None:
    owner = strings(options_of(node.get("options")).get("owned_by"))
    if len(owner) > 1:
        collector.change(owner[:-1])


def create_statistics(collector: Collector, node: Node) -> None:
    """Take CREATE STATISTICS."""
    if "defnames" in node:
        collector.create("statistics", strings(node["defnames"]))
    for part in node.get("relations", []):
        collector.change(relation(part.get("RangeVar")))


def trigger(collector: Collector, node: Node) -> None:
    """Take CREATE TRIGGER."""
    makes_on_table("trigger", "trigname")(collector, node)
    # The function may run as soon as the file writes to the table.
    collector.calls.update(collector.resolve(strings(node["funcname"])))
