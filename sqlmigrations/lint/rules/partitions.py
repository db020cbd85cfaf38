"""Rules about partitions."""

from __future__ import annotations

from collections.abc import Iterator

from sqlmigrations.files.trees import relation
from sqlmigrations.lint.actions import Action
from sqlmigrations.lint.base import Hit, Subject, rule
from sqlmigrations.lint.rewriting import TRANSACTION_OFF, identifier
from sqlmigrations.lint.scope import Scope
from sqlmigrations.messages import gettext as _


@rule(
    "create-partition-of",
    "CreateStmt",
    title="CREATE TABLE ... PARTITION OF",
    why="Nobody can read the parent, and so any of its partitions through it, while this waits for its lock and until "
    "the file ends. ATTACH PARTITION of a table made before lets readers and writers go on.",
    bad="CREATE TABLE parts_4 PARTITION OF parts FOR VALUES FROM (300) TO (400);",
    safe="CREATE TABLE parts_4 (LIKE parts INCLUDING ALL);\nALTER TABLE parts_4 ADD CHECK (a >= 300 AND a < 400);\n"
    "ALTER TABLE parts ATTACH PARTITION parts_4 FOR VALUES FROM (300) TO (400);",
    lock="create-partition-of",
)
def create_partition_of(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a partition that is made in its place."""
    if "partbound" not in action.node:
        return
    parent = relation(action.node["inhRelations"][0].get("RangeVar"))
    own = relation(action.node["relation"])
    text = " ".join(action.text.split())
    bound = text[place:] if (place := text.upper().find(" FOR VALUES ")) > 0 else " DEFAULT"
    yield Hit(
        _("{parent} can't be read from here to the end of the file.", parent=identifier(parent)),
        f"CREATE TABLE {identifier(own)} (LIKE {identifier(parent)} INCLUDING ALL);\n"
        f"ALTER TABLE {identifier(parent)} ATTACH PARTITION {identifier(own)}{bound};",
        Subject(parent, own),
    )


@rule(
    "attach-partition",
    "AT_AttachPartition",
    title="ATTACH PARTITION of a table with rows",
    why="The table is read to see whether its rows belong there, and a DEFAULT partition to see that none does, "
    "unless a valid CHECK proves it; nobody can read these meanwhile.",
    bad="ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES FROM (100) TO (200);",
    safe="CREATE TABLE parts_5 (LIKE parts INCLUDING ALL);\n"
    "ALTER TABLE parts ATTACH PARTITION parts_5 FOR VALUES FROM (400) TO (500);",
    lock="attach-partition",
    slow=True,
)
def attach_partition(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a partition whose rows are looked at."""
    child = relation(action.node["def"]["PartitionCmd"]["name"])
    table = identifier(child)
    yield Hit(
        _("All of {table} is read, and nobody else can read it meanwhile.", table=table),
        "-- Before it, a CHECK that says what the partition's bounds say, with NOT NULL:\n"
        f"ALTER TABLE {table} ADD CONSTRAINT {identifier((child[-1] + '_bounds',))} CHECK (...) NOT VALID;\n"
        f"-- In files of their own: VALIDATE CONSTRAINT, then ATTACH PARTITION, which takes it as proof.",
        Subject(child, action.table),
    )


@rule(
    "detach-partition",
    "AT_DetachPartition",
    title="DETACH PARTITION without CONCURRENTLY",
    why="Nobody can read the parent, and so any of its partitions through it, while this waits for its lock.",
    bad="ALTER TABLE parts DETACH PARTITION parts_1;",
    safe="-- sqlmigrations: transaction off\nALTER TABLE parts DETACH PARTITION parts_1 CONCURRENTLY;",
    lock="detach-partition",
)
def detach_partition(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a partition that is taken out while readers wait."""
    command = action.node["def"]["PartitionCmd"]
    if not command.get("concurrent"):
        parent, child = identifier(action.table), identifier(relation(command["name"]))
        yield Hit(
            _("{parent} can't be read while this waits for its lock.", parent=parent),
            f"{TRANSACTION_OFF}ALTER TABLE {parent} DETACH PARTITION {child} CONCURRENTLY;",
            Subject(action.table, relation(command["name"])),
        )
