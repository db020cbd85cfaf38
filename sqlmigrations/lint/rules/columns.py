"""Rules about columns that a table has."""

from __future__ import annotations

from collections.abc import Iterator

from sqlmigrations.files.trees import relation
from sqlmigrations.lint.actions import Action
from sqlmigrations.lint.base import Hit, Subject, rule
from sqlmigrations.lint.definitions import definition, new_type, type_of
from sqlmigrations.lint.rewriting import NEXT_FILE, allowed, constraint_name, identifier
from sqlmigrations.lint.scope import Scope
from sqlmigrations.messages import gettext as _
from sqlmigrations.severity import Severity


@rule(
    "set-not-null",
    "AT_SetNotNull",
    title="SET NOT NULL",
    why="The whole table is read while nobody else can read it, unless a valid CHECK (column IS NOT NULL) proves it.",
    bad="ALTER TABLE orders ALTER COLUMN code SET NOT NULL;",
    safe="ALTER TABLE orders ADD CONSTRAINT orders_code_not_null CHECK (code IS NOT NULL) NOT VALID;",
    lock="set-not-null",
    slow=True,
)
def set_not_null(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a column whose values are all looked at."""
    table, column = identifier(action.table), identifier((action.node["name"],))
    constraint = identifier((constraint_name(action.table, (action.node["name"],), "not_null"),))
    yield Hit(
        _("All of {table} is read for NULLs, and nobody else can read it meanwhile.", table=table),
        f"ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK ({column} IS NOT NULL) NOT VALID;"
        f"{NEXT_FILE}ALTER TABLE {table} VALIDATE CONSTRAINT {constraint};"
        f"{NEXT_FILE}-- sqlmigrations: allow set-not-null: {constraint} proves it, so nothing is read\n"
        f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL, DROP CONSTRAINT {constraint};",
        Subject(action.table, column=action.node["name"], node=action.node),
    )


@rule(
    "change-column-type",
    "AT_AlterColumnType",
    title="ALTER COLUMN ... TYPE",
    why="Most changes rewrite the whole table and its indexes while nobody can read it. Some cost nothing: varchar to "
    "a longer one or to text, numeric to more digits before the point.",
    bad="ALTER TABLE orders ALTER COLUMN id TYPE bigint;",
    safe="ALTER TABLE orders ADD COLUMN id_new bigint;",
    lock="change-column-type",
    slow=True,
)
def change_column_type(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a column that gets another type."""
    kind = type_of(action)
    if kind == "timestamptz" or (kind == "timestamp" and "with time zone" in action.clause.lower()):
        return
    table, column = identifier(action.table), action.node["name"]
    new, old = identifier((f"{column}_new",)), identifier((column,))
    yield Hit(
        _(
            "Unless its old type is stored alike, all of {table} is rewritten, and can't be read meanwhile.",
            table=table,
        ),
        f"ALTER TABLE {table} ADD COLUMN {new} {new_type(action)};\n"
        f"-- Write both columns, fill the new one a few thousand rows at a time, then read it instead of {old}.",
        Subject(action.table, column=column, node=definition(action)),
    )


@rule(
    "timestamp-to-timestamptz",
    "AT_AlterColumnType",
    title="timestamp to timestamptz",
    why="With TimeZone at UTC nothing is rewritten; with any other the whole table is, while nobody can read it. The "
    "values mean something else, too: they are taken as times of that zone.",
    bad="ALTER TABLE orders ALTER COLUMN placed TYPE timestamptz;",
    safe="SET LOCAL timezone = 'UTC';\nALTER TABLE orders ALTER COLUMN placed TYPE timestamptz;",
    lock="timestamp-to-timestamptz",
    slow=True,
)
def timestamp_to_timestamptz(action: Action, scope: Scope) -> Iterator[Hit]:
    """Find a change to timestamptz in a session whose time zone isn't said."""
    kind = type_of(action)
    if kind == "timestamptz" and scope.file.timezone.upper() not in ("UTC", "GMT", "ETC/UTC"):
        table = identifier(action.table)
        yield Hit(
            _("Unless TimeZone is UTC, all of {table} is rewritten, and can't be read meanwhile.", table=table),
            f"SET LOCAL timezone = 'UTC';\n{action.text};",
            Subject(action.table, column=action.node["name"], node=definition(action)),
        )


@rule(
    "change-type-of-viewed-column",
    "AT_AlterColumnType",
    title="ALTER COLUMN ... TYPE of a column that a view shows",
    why="PostgreSQL refuses it: the view has to be dropped before and made again after.",
    severity=Severity.ERROR,
    bad="ALTER TABLE viewed ALTER COLUMN a TYPE bigint;",
    safe="DROP VIEW viewed_v;\nALTER TABLE viewed ALTER COLUMN a TYPE bigint;\nCREATE VIEW viewed_v AS SELECT a FROM "
    "viewed;",
    needs_database=True,
)
def change_type_of_viewed_column(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a column that gets another type, for the catalog to say which views show it."""
    yield Hit(
        _("A view may show {column}.", column=identifier((action.node["name"],))),
        subject=Subject(action.table, column=action.node["name"]),
    )


@rule(
    "change-type-locks-others",
    "AT_AlterColumnType",
    title="ALTER COLUMN ... TYPE of a column of a foreign key",
    why="The foreign key is made again: the table at its other end is locked as well, and all rows are compared again.",
    bad="ALTER TABLE refers ALTER COLUMN order_id TYPE bigint;",
    safe="ALTER TABLE refers ADD COLUMN order_id_new bigint;",
    lock="change-column-type-referenced",
    needs_database=True,
)
def change_type_locks_others(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a column that gets another type, for the catalog to say which tables are locked with it."""
    yield Hit(
        _("Tables at the other end of its foreign keys are locked as well."),
        subject=Subject(action.table, column=action.node["name"]),
    )


@rule(
    "drop-column",
    "AT_DropColumn",
    title="DROP COLUMN",
    why="Its data is gone, and code that still names the column fails: until the last old server is replaced, Django's "
    "queries name every column of a model.",
    bad="ALTER TABLE orders DROP COLUMN note;",
    safe="-- sqlmigrations: allow drop-column: no release has read it since 4.2\nALTER TABLE orders DROP COLUMN note;",
    lock="drop-column",
)
def drop_column(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a column that goes."""
    table, column = identifier(action.table), identifier((action.node["name"],))
    yield Hit(
        _("What {column} holds is lost, and every query fails that still names it.", column=column),
        allowed("drop-column", f"ALTER TABLE {table} {action.clause}", "no running code names it any more"),
        Subject(action.table, column=action.node["name"]),
    )


@rule(
    "rename-column",
    "RenameStmt",
    title="RENAME COLUMN",
    why="Code of before names the old column, code of after the new one: one of the two fails while both run.",
    bad="ALTER TABLE orders RENAME COLUMN note TO remark;",
    safe="ALTER TABLE orders ADD COLUMN remark text;",
    lock="rename-column",
)
def rename_column(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a column that gets another name."""
    if action.node.get("renameType") == "OBJECT_COLUMN" and action.node.get("relationType") == "OBJECT_TABLE":
        table = relation(action.node["relation"])
        yield Hit(
            _("Every query fails that still says {column}.", column=action.node["subname"]),
            allowed("rename-column", action.text, "no running code names it"),
            Subject(table, column=action.node["subname"]),
        )
