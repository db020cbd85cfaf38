"""Rules about making, dropping and rebuilding indexes."""

from __future__ import annotations

from collections.abc import Iterator

from sqlmigrations.files.trees import Path, is_on, object_path, relation
from sqlmigrations.lint.actions import Action
from sqlmigrations.lint.base import Hit, Subject, rule
from sqlmigrations.lint.rewriting import TRANSACTION_OFF, identifier, insert_after
from sqlmigrations.lint.scope import Scope
from sqlmigrations.messages import gettext as _
from sqlmigrations.severity import Severity


@rule(
    "create-index-blocking",
    "IndexStmt",
    title="CREATE INDEX without CONCURRENTLY",
    why="Nobody can write to the table until the index is built, which takes minutes on a large one.",
    bad="CREATE INDEX orders_code_new ON orders (code);",
    safe="-- sqlmigrations: transaction off\nCREATE INDEX CONCURRENTLY orders_code_new ON orders (code);",
    lock="create-index",
    slow=True,
)
def create_index(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find an index that is built while writers wait."""
    if not action.node.get("concurrent"):
        table = relation(action.node["relation"])
        yield Hit(
            _("{table} can't be written to until the index is built.", table=identifier(table)),
            f"{TRANSACTION_OFF}{insert_after(action.text, 'INDEX', 'CONCURRENTLY')};",
            Subject(table, index=_index_of(action, table)),
        )


def _index_of(action: Action, table: Path) -> Path:
    written = action.node.get("idxname")
    return (*table[:-1], written) if written else ()


def _dropped(action: Action) -> list[Path]:
    if action.node.get("removeType") != "OBJECT_INDEX":
        return []
    return [object_path(part) for part in action.node.get("objects", [])]


@rule(
    "drop-index-blocking",
    "DropStmt",
    title="DROP INDEX without CONCURRENTLY",
    why="It is quick, but it needs a lock on the table that every query conflicts with: it waits for the longest one "
    "that runs, and all others queue behind it.",
    bad="DROP INDEX orders_code_idx;",
    safe="-- sqlmigrations: transaction off\nDROP INDEX CONCURRENTLY orders_code_idx;",
    lock="drop-index",
)
def drop_index(action: Action, scope: Scope) -> Iterator[Hit]:
    """Find an index that is dropped under a lock on its table."""
    if action.node.get("concurrent"):
        return
    exists = "IF EXISTS " if action.node.get("missing_ok") else ""
    for index in _dropped(action):
        table = scope.table_of_index(index)
        yield Hit(
            _(
                "The table of {index} can be neither read nor written while this waits for its lock.",
                index=identifier(index),
            ),
            f"{TRANSACTION_OFF}DROP INDEX CONCURRENTLY {exists}{identifier(index)};",
            Subject(index if scope.is_new(index) else table, index=index),
            object=index,
        )


@rule(
    "drop-index-of-constraint",
    "DropStmt",
    title="DROP INDEX of an index that backs a constraint",
    why="PostgreSQL refuses it, CONCURRENTLY or not: the index of a PRIMARY KEY, UNIQUE or EXCLUDE goes with its "
    "constraint.",
    severity=Severity.ERROR,
    bad="DROP INDEX orders_code_key;",
    safe="ALTER TABLE orders DROP CONSTRAINT orders_code_key;",
    needs_database=True,
)
def drop_index_of_constraint(action: Action, scope: Scope) -> Iterator[Hit]:
    """Find each index that is dropped, for the catalog to say whether a constraint needs it."""
    for index in _dropped(action):
        yield Hit(
            _("{index} may belong to a constraint.", index=identifier(index)),
            subject=Subject(index if scope.is_new(index) else (), index=index),
            object=index,
        )


@rule(
    "drop-index-of-foreign-key",
    "DropStmt",
    title="DROP INDEX of an index that a foreign key points to",
    why="PostgreSQL refuses it: a foreign key of another table needs this unique index.",
    severity=Severity.ERROR,
    bad="DROP INDEX orders_id_uq;",
    safe="ALTER TABLE refers DROP CONSTRAINT refers_order_fkey;\nDROP INDEX orders_id_uq;",
    needs_database=True,
)
def drop_index_of_foreign_key(action: Action, scope: Scope) -> Iterator[Hit]:
    """Find each index that is dropped, for the catalog to say whether a foreign key needs it."""
    for index in _dropped(action):
        yield Hit(
            _("A foreign key may need {index}.", index=identifier(index)),
            subject=Subject(index if scope.is_new(index) else (), index=index),
            object=index,
        )


@rule(
    "concurrently-under-lock-timeout",
    "IndexStmt",
    "ReindexStmt",
    title="CONCURRENTLY under a short lock_timeout",
    why="It waits for every transaction that is older than itself, whatever that works on. When lock_timeout ends the "
    "wait, an INVALID index is left behind.",
    bad="-- sqlmigrations: transaction off\n-- sqlmigrations: lock_timeout 2s\n"
    "CREATE INDEX CONCURRENTLY orders_code_new ON orders (code);",
    safe="-- sqlmigrations: transaction off\nCREATE INDEX CONCURRENTLY orders_code_new ON orders (code);",
    certain=True,
)
def concurrently_under_lock_timeout(action: Action, scope: Scope) -> Iterator[Hit]:
    """Find a concurrent build whose patience is limited."""
    concurrent = action.node.get("concurrent") or is_on("concurrently", action.node.get("params"))
    timeout = scope.file.lock_timeout or scope.file.directives.lock_timeout
    if concurrent and timeout and not _is_zero(timeout):
        table = relation(action.node.get("relation"))
        yield Hit(
            _(
                "lock_timeout is {timeout} here: when it ends the wait for older transactions, an INVALID index stays.",
                timeout=timeout,
            ),
            f"{TRANSACTION_OFF}SET lock_timeout = 0;\n{action.text};",
            Subject(table),
        )


def _is_zero(timeout: str) -> bool:
    return not timeout.rstrip("abcdefghijklmnopqrstuvwxyz ").strip("0.")


@rule(
    "concurrently-if-not-exists",
    "IndexStmt",
    title="CREATE INDEX CONCURRENTLY IF NOT EXISTS",
    why="IF NOT EXISTS only looks at the name. After a build that failed, an INVALID index has it: the statement says "
    "that all is well, and no query ever uses the index.",
    bad="-- sqlmigrations: transaction off\nCREATE INDEX CONCURRENTLY IF NOT EXISTS orders_broken_idx ON orders "
    "(code);",
    safe="-- sqlmigrations: transaction off\nDROP INDEX CONCURRENTLY IF EXISTS orders_broken_idx;\n"
    "CREATE INDEX CONCURRENTLY orders_broken_idx ON orders (code);",
)
def concurrently_if_not_exists(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a concurrent build that steps over an INVALID index."""
    if action.node.get("concurrent") and action.node.get("if_not_exists"):
        table = relation(action.node["relation"])
        index = _index_of(action, table)
        again = " ".join(action.text.split()).replace("IF NOT EXISTS ", "").replace("if not exists ", "")
        yield Hit(
            _(
                "If an INVALID {index} is left from a build that failed, this skips it and succeeds.",
                index=identifier(index),
            ),
            f"{TRANSACTION_OFF}DROP INDEX CONCURRENTLY IF EXISTS {identifier(index)};\n{again};",
            Subject(table, index=index),
            object=index,
        )


@rule(
    "reindex-blocking",
    "ReindexStmt",
    title="REINDEX without CONCURRENTLY",
    why="Nobody can write to the table, and no query can use the index, until it is built anew.",
    bad="REINDEX TABLE orders;",
    safe="-- sqlmigrations: transaction off\nREINDEX TABLE CONCURRENTLY orders;",
    lock="reindex-table",
    slow=True,
)
def reindex(action: Action, scope: Scope) -> Iterator[Hit]:
    """Find an index that is rebuilt while writers wait."""
    kind = str(action.node.get("kind", "")).rpartition("_")[2]
    if is_on("concurrently", action.node.get("params")) or kind == "SYSTEM":
        return
    target = relation(action.node.get("relation")) or (action.node.get("name", ""),)
    table = scope.table_of_index(target) if kind == "INDEX" else target
    yield Hit(
        _("{target} can't be written to, nor its indexes used, until they are built anew.", target=identifier(target)),
        f"{TRANSACTION_OFF}REINDEX {kind} CONCURRENTLY {identifier(target)};",
        Subject(table, index=target if kind == "INDEX" else ()),
        object=target,
    )
