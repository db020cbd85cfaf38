"""Rules about rows and values."""

from __future__ import annotations

from collections.abc import Iterator

from sqlmigrations.files.trees import Node, constant, nodes, relation
from sqlmigrations.lint.actions import Action
from sqlmigrations.lint.base import Hit, Rule, Subject, declare, rule
from sqlmigrations.lint.rewriting import BATCH, NEXT_FILE, TRANSACTION_OFF, identifier
from sqlmigrations.lint.scope import Scope
from sqlmigrations.messages import gettext as _
from sqlmigrations.severity import Severity


@rule(
    "update-without-where",
    "UpdateStmt",
    title="UPDATE of all rows at once",
    why="Every row is locked until the file ends, and the table grows to twice its size. In batches, each in a "
    "transaction of its own, nobody has to wait for long.",
    bad="UPDATE orders SET code = 'none';",
    safe="-- sqlmigrations: batch 5000\nUPDATE orders SET code = 'none';",
    lock="update-all",
    slow=True,
)
def update_without_where(action: Action, scope: Scope) -> Iterator[Hit]:
    """Find an UPDATE that takes every row."""
    if "whereClause" not in action.node and scope.file.directives.batch is None:
        table = relation(action.node["relation"])
        yield Hit(
            _("Every row of {table} is locked until the file ends, and written once more.", table=identifier(table)),
            f"-- In a file of its own:\n{BATCH}{action.text};",
            Subject(table),
        )


@rule(
    "delete-without-where",
    "DeleteStmt",
    title="DELETE of all rows at once",
    why="All rows are lost, and locked until the file ends.",
    bad="DELETE FROM items;",
    safe="-- sqlmigrations: batch 5000\nDELETE FROM items;",
    lock="delete-all",
    slow=True,
)
def delete_without_where(action: Action, scope: Scope) -> Iterator[Hit]:
    """Find a DELETE that takes every row."""
    if "whereClause" not in action.node and scope.file.directives.batch is None:
        table = relation(action.node["relation"])
        yield Hit(
            _("All rows of {table} are lost.", table=identifier(table)),
            f"-- In a file of its own:\n{BATCH}{action.text};",
            Subject(table),
        )


@rule(
    "refresh-blocking",
    "RefreshMatViewStmt",
    title="REFRESH MATERIALIZED VIEW without CONCURRENTLY",
    why="Nobody can read the view until its query has run. CONCURRENTLY needs a unique index on the view.",
    bad="REFRESH MATERIALIZED VIEW totals;",
    safe="REFRESH MATERIALIZED VIEW CONCURRENTLY totals;",
    lock="refresh",
    slow=True,
)
def refresh(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a materialized view that is filled while readers wait."""
    view = relation(action.node["relation"])
    if not action.node.get("concurrent") and not action.node.get("skipData"):
        yield Hit(
            _("{view} can't be read until its query has run.", view=identifier(view)),
            f"REFRESH MATERIALIZED VIEW CONCURRENTLY {identifier(view)};",
            Subject(view),
        )


@rule(
    "new-enum-value-used",
    "*",
    title="A new enum value that is used in the same transaction",
    why="PostgreSQL refuses it: a value that ALTER TYPE has added can be used once that is committed.",
    severity=Severity.ERROR,
    bad="ALTER TYPE mood ADD VALUE 'meh';\nINSERT INTO moods (feeling) VALUES ('meh');",
    safe="ALTER TYPE mood ADD VALUE 'meh';",
    certain=True,
)
def new_enum_value_used(action: Action, scope: Scope) -> Iterator[Hit]:
    """Find a constant that is the name of a value added before."""
    if not scope.file.new_values or not scope.in_transaction or action.table or action.kind == "CommentStmt":
        return
    for value in dict.fromkeys(_constants(action.node)):
        if (line := scope.file.new_values.get(value)) and line != action.line:
            yield Hit(
                _(
                    "'{value}' was added on line {line}, and can't be used before that is committed.",
                    value=value,
                    line=line,
                ),
                f"-- What uses it goes into a file of its own:{NEXT_FILE}{action.text};",
                object=(value,),
            )


def _constants(node: Node) -> Iterator[str]:
    """Yield all string constants of a tree."""
    return filter(None, map(constant, nodes(node)))


declare(
    Rule(
        "work-under-lock",
        title="Slow work while a lock of before is held",
        why="The locks of a file are held until it ends: what comes after a lock that keeps others out makes them wait "
        "longer.",
        severity=Severity.WARNING,
        bad="ALTER TABLE items ADD COLUMN note text;\nCREATE INDEX orders_code_new ON orders (code);",
        safe="ALTER TABLE items ADD COLUMN note text;\nALTER TABLE orders ADD COLUMN note2 text;",
        theme="data",
    )
)


@rule(
    "commit-in-block",
    "COMMIT in a body",
    title="COMMIT or ROLLBACK in a DO block of an ordinary file",
    why="PostgreSQL refuses it: the file runs in a transaction that the block did not begin.",
    severity=Severity.ERROR,
    bad="DO $$\nBEGIN\n    UPDATE orders SET code = 'a' WHERE id = 1;\n    COMMIT;\nEND\n$$;",
    safe="-- sqlmigrations: transaction off\n"
    "DO $$\nBEGIN\n    UPDATE orders SET code = 'a' WHERE id = 1;\n    COMMIT;\nEND\n$$;",
    certain=True,
)
def commit_in_block(action: Action, scope: Scope) -> Iterator[Hit]:
    """Find a block that ends a transaction which is not its own."""
    if scope.in_transaction and action.runs:
        yield Hit(
            _("The file runs in a transaction, which a DO block can't end."),
            f"{TRANSACTION_OFF}{action.text};",
        )


@rule(
    "dynamic-sql",
    "EXECUTE in a body",
    title="EXECUTE of a text that is made when it runs",
    why="Nobody can tell before what it does, which tables it locks and for how long.",
    severity=Severity.INFO,
    bad="DO $$\nBEGIN\n    EXECUTE 'DROP INDEX ' || current_setting('app.index');\nEND\n$$;",
    safe="DO $$\nBEGIN\n    EXECUTE 'ANALYZE orders';\nEND\n$$;",
    certain=True,
)
def dynamic_sql(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a statement that is put together at run time."""
    if action.runs:
        yield Hit(_("What this runs is put together when it runs: nothing of it was looked at."))
