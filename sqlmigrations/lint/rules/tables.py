"""Rules about whole tables."""

from __future__ import annotations

from collections.abc import Iterator

from sqlmigrations.files.trees import Node, Path, is_on, object_path, relation
from sqlmigrations.lint.actions import Action
from sqlmigrations.lint.base import Hit, Rule, Subject, declare, rule
from sqlmigrations.lint.rewriting import NEXT_FILE, allowed, identifier
from sqlmigrations.lint.scope import Scope
from sqlmigrations.messages import gettext as _
from sqlmigrations.severity import Severity


@rule(
    "drop-table",
    "DropStmt",
    title="DROP TABLE",
    why="Its data is gone, and code that still names it fails.",
    bad="DROP TABLE items;",
    safe="-- sqlmigrations: allow drop-table: exported on the 3rd, unused since 4.2\nDROP TABLE items;",
    lock="drop-table",
)
def drop_table(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a table that goes."""
    if action.node.get("removeType") == "OBJECT_TABLE":
        for part in action.node.get("objects", []):
            table = object_path(part)
            yield Hit(
                _("What {table} holds is lost, and every query fails that still names it.", table=identifier(table)),
                allowed("drop-table", action.text, "no running code names it, and its data is kept elsewhere"),
                Subject(table),
            )


@rule(
    "drop-table-locks-others",
    "DropStmt",
    title="DROP TABLE of a table with foreign keys",
    why="The tables that its foreign keys point to are locked as well: nobody can read them while it waits for its "
    "locks.",
    bad="DROP TABLE refers;",
    safe="ALTER TABLE refers DROP CONSTRAINT refers_order_fkey;\nDROP TABLE refers;",
    lock="drop-table",
    needs_database=True,
)
def drop_table_locks_others(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a table that goes, for the catalog to say which others are locked with it."""
    if action.node.get("removeType") == "OBJECT_TABLE":
        for part in action.node.get("objects", []):
            yield Hit(
                _("Tables that its foreign keys point to are locked as well."), subject=Subject(object_path(part))
            )


@rule(
    "drop-schema",
    "DropStmt",
    title="DROP SCHEMA",
    why="With CASCADE all that is in it is lost, and every table in it is locked.",
    bad="DROP SCHEMA attic CASCADE;",
    safe="-- sqlmigrations: allow drop-schema: archived, nothing reads it\nDROP SCHEMA attic CASCADE;",
)
def drop_schema(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a schema that goes with what is in it."""
    if action.node.get("removeType") == "OBJECT_SCHEMA" and action.node.get("behavior") == "DROP_CASCADE":
        for part in action.node.get("objects", []):
            yield Hit(
                _("All that is in {schema} is lost.", schema=identifier(object_path(part))),
                allowed("drop-schema", action.text, "nothing reads what is in it"),
                object=object_path(part),
            )


@rule(
    "rename-table",
    "RenameStmt",
    title="RENAME of a table",
    why="Code of before names the old table, code of after the new one: one of the two fails while both run. A view "
    "of the old name, made in the same file, keeps both going.",
    bad="ALTER TABLE items RENAME TO things;",
    safe="ALTER TABLE items RENAME TO things;\nCREATE VIEW items AS TABLE things;",
    lock="rename-table",
)
def rename_table(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a table that gets another name."""
    if action.node.get("renameType") == "OBJECT_TABLE":
        table = relation(action.node["relation"])
        new = (*table[:-1], action.node["newname"])
        yield Hit(
            _("Every query fails that still says {table}.", table=identifier(table)),
            f"{action.text};\nCREATE VIEW {identifier(table)} AS TABLE {identifier(new)};",
            Subject(table),
        )


@rule(
    "rename-schema",
    "RenameStmt",
    title="RENAME of a schema",
    why="Code, functions and search paths that name the old schema fail at once.",
    bad="ALTER SCHEMA attic RENAME TO cellar;",
    safe="-- sqlmigrations: allow rename-schema: nothing names it yet\nALTER SCHEMA attic RENAME TO cellar;",
    lock="rename-schema",
)
def rename_schema(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a schema that gets another name."""
    if action.node.get("renameType") == "OBJECT_SCHEMA":
        schema = (action.node["subname"],)
        yield Hit(
            _("All that names {schema} fails at once.", schema=identifier(schema)),
            allowed("rename-schema", action.text, "no running code names it"),
            object=schema,
        )


@rule(
    "rename-enum-value",
    "AlterEnumStmt",
    title="RENAME VALUE of an enum",
    why="Code of before writes the old value, code of after the new one: one of the two fails while both run.",
    bad="ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';",
    safe="ALTER TYPE mood ADD VALUE 'blue';",
    lock="rename-enum-value",
)
def rename_enum_value(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find an enum value that gets another name."""
    if "oldVal" in action.node:
        kind = tuple(part["String"]["sval"] for part in action.node["typeName"])
        yield Hit(
            _("Every query fails that still says '{value}'.", value=action.node["oldVal"]),
            allowed("rename-enum-value", action.text, "no running code writes it"),
            Subject(kind),
        )


_REWRITES = {
    "AT_SetLogged": "SET LOGGED",
    "AT_SetUnLogged": "SET UNLOGGED",
    "AT_SetTableSpace": "SET TABLESPACE",
    "AT_SetAccessMethod": "SET ACCESS METHOD",
}


@rule(
    "rewrite-table",
    *_REWRITES,
    title="SET LOGGED, UNLOGGED, TABLESPACE, ACCESS METHOD",
    why="The whole table is copied while nobody can read it.",
    bad="ALTER TABLE items SET UNLOGGED;",
    safe="-- sqlmigrations: allow rewrite-table: in the window on Sunday\nALTER TABLE items SET UNLOGGED;",
    lock="set-unlogged",
    slow=True,
)
def rewrite_table(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a table that is copied to be kept in another way."""
    table = identifier(action.table)
    yield Hit(
        _("All of {table} is copied, and can't be read meanwhile.", table=table),
        f"-- sqlmigrations: allow rewrite-table: few rows, or a time when nobody is there\nALTER TABLE {table} "
        f"{action.clause};",
        Subject(action.table, constraint=action.node.get("name", "")),
    )


@rule(
    "vacuum-full",
    "VacuumStmt",
    "ClusterStmt",
    title="VACUUM FULL and CLUSTER",
    why="The whole table is copied while nobody can read it.",
    bad="CLUSTER orders USING orders_pkey;",
    safe="-- sqlmigrations: transaction off\nVACUUM orders;",
    lock="cluster",
    slow=True,
)
def vacuum_full(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a table that is copied to be smaller."""
    for table in _copied(action):
        yield Hit(
            _("All of {table} is copied, and can't be read meanwhile.", table=identifier(table) or _("every table")),
            "-- The extension pg_repack does the same while others work; VACUUM alone keeps the table from growing:\n"
            f"-- sqlmigrations: transaction off\nVACUUM {identifier(table)};",
            Subject(table),
        )


def _copied(action: Action) -> list[Path]:
    if action.kind == "ClusterStmt":
        return [relation(action.node.get("relation"))]
    if not is_on("full", action.node.get("options")):
        return []
    found = [relation(part["VacuumRelation"].get("relation")) for part in action.node.get("rels", [])]
    return found or [()]


@rule(
    "truncate",
    "TruncateStmt",
    title="TRUNCATE",
    why="All rows are lost, and nobody can read the tables while it waits for its locks. With CASCADE these are all "
    "tables that point to it, too.",
    bad="TRUNCATE items;",
    safe="-- sqlmigrations: allow truncate: filled anew every night\nTRUNCATE items;",
    lock="truncate",
)
def truncate(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find tables that are emptied."""
    lost = (
        _("All rows of {table}, and of all tables that point to it are lost.")
        if action.node.get("behavior") == "DROP_CASCADE"
        else _("All rows of {table} are lost.")
    )
    for part in action.node.get("relations", []):
        table = relation(part.get("RangeVar"))
        yield Hit(
            _(lost, table=identifier(table)),
            allowed("truncate", action.text, "what is in it can be made again"),
            Subject(table),
        )


def _references(action: Action) -> Iterator[tuple[Path, Node]]:
    """Yield the tables that a CREATE TABLE or ADD COLUMN points to."""
    if action.kind == "CreateStmt":
        parts = list(action.node.get("tableElts", []))
    else:
        parts = [{"ColumnDef": action.node["def"]["ColumnDef"]}]
    for part in parts:
        found = [part] if "Constraint" in part else part.get("ColumnDef", {}).get("constraints", [])
        for constraint in (one["Constraint"] for one in found if "Constraint" in one):
            if constraint.get("contype") == "CONSTR_FOREIGN":
                yield relation(constraint["pktable"]), constraint


@rule(
    "references-locks-other",
    "CreateStmt",
    "AT_AddColumn",
    title="REFERENCES to a table in use",
    why="The table that is pointed to can't be written to while this waits for its lock, and until the file ends.",
    bad="CREATE TABLE visits (id bigint PRIMARY KEY, order_id bigint REFERENCES orders (id));",
    safe="CREATE TABLE visits (id bigint PRIMARY KEY, order_id bigint);",
    severity=Severity.INFO,
    lock="create-table-references",
)
def references_locks_other(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a table that is locked because a new one points to it."""
    own = relation(action.node["relation"]) if action.kind == "CreateStmt" else action.table
    for other in dict.fromkeys(path for path, _clause in _references(action)):
        if other[-1] != own[-1]:
            yield Hit(
                _("{other} can't be written to from here to the end of the file.", other=identifier(other)),
                f"-- Leave REFERENCES out here, and add it alone, so that its lock is short:{NEXT_FILE}"
                f"ALTER TABLE {identifier(own)} ADD FOREIGN KEY (COLUMN) REFERENCES {identifier(other)} NOT VALID;",
                Subject(other, own),
            )


declare(
    Rule(
        "several-alters",
        title="Several ALTER TABLE that each read or rewrite one table",
        why="The table is read or rewritten once for each statement. The commands of one ALTER TABLE share one pass.",
        severity=Severity.WARNING,
        bad="ALTER TABLE orders ALTER COLUMN code SET NOT NULL;\nALTER TABLE orders ALTER COLUMN amount SET NOT NULL;",
        safe="ALTER TABLE orders ALTER COLUMN code SET NOT NULL, ALTER COLUMN amount SET NOT NULL;",
        theme="tables",
        slow=True,
    )
)
