"""Rules about transactions, timeouts and what can be resumed."""

from __future__ import annotations

from collections.abc import Iterator

from sqlmigrations.files.directives import milliseconds
from sqlmigrations.files.statements import makes_temporary, may_need_autocommit, needs_autocommit, transaction_control
from sqlmigrations.lint.actions import Action
from sqlmigrations.lint.base import Hit, Rule, declare, rule
from sqlmigrations.lint.rewriting import TRANSACTION_OFF
from sqlmigrations.lint.scope import Scope
from sqlmigrations.messages import gettext as _
from sqlmigrations.severity import Severity

#: A longer wait for a lock, in milliseconds, is one that a site feels.
_LONG = 10_000.0


@rule(
    "needs-transaction-off",
    "*",
    title="A statement that can't run in a transaction",
    why="PostgreSQL refuses it in a transaction block, and every file without the directive runs in one.",
    severity=Severity.ERROR,
    bad="CREATE INDEX CONCURRENTLY orders_code_new ON orders (code);",
    safe="-- sqlmigrations: transaction off\nCREATE INDEX CONCURRENTLY orders_code_new ON orders (code);",
    certain=True,
)
def needs_transaction_off(action: Action, scope: Scope) -> Iterator[Hit]:
    """Find a statement that wants the directive."""
    if action.table or action.inside or not scope.in_transaction:
        return
    if command := needs_autocommit(action.statement):
        yield Hit(_("{command} cannot run inside a transaction.", command=command), f"{TRANSACTION_OFF}{action.text};")


@rule(
    "transaction-control",
    "TransactionStmt",
    title="BEGIN, COMMIT or ROLLBACK in a file",
    why="Each file runs in a transaction of its own, together with its record: ending it by hand would part the two.",
    severity=Severity.ERROR,
    bad="CREATE TABLE a (id int);\nCOMMIT;\nCREATE TABLE b (id int);",
    safe="CREATE TABLE a (id int);\nCREATE TABLE b (id int);",
    certain=True,
)
def control(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find what would end the file's transaction."""
    if not action.inside and (command := transaction_control(action.statement)):
        yield Hit(_("{command} would part the file from its record. Remove it.", command=command), "-- (nothing)")


@rule(
    "lock-timeout",
    "VariableSetStmt",
    title="lock_timeout that is off or long",
    why="A statement that waits for a lock lets everybody else queue behind it, also those who only read. A short "
    "wait, tried "
    "again, keeps the queue short.",
    bad="SET lock_timeout = 0;\nALTER TABLE orders ADD COLUMN note2 text;",
    safe="SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN note2 text;",
    certain=True,
)
def lock_timeout(action: Action, scope: Scope) -> Iterator[Hit]:
    """Find a file of one transaction that waits for long."""
    if action.node.get("name") != "lock_timeout" or not scope.in_transaction:
        return
    scope.note(action)
    if is_long(scope.file.lock_timeout):
        yield Hit(
            _(
                "lock_timeout is {timeout} from here on: others queue behind each statement that waits.",
                timeout=scope.file.lock_timeout or _("off"),
            ),
            "-- sqlmigrations: lock_timeout 2s",
        )


def is_long(timeout: str | None) -> bool:
    """Say whether a timeout is off, or longer than a site can bear."""
    if timeout is None:
        return False
    found = milliseconds(timeout)
    return not found or found > _LONG


declare(
    Rule(
        "unguarded-lock",
        title="A lock without a lock_timeout, in a file with `transaction off`",
        why="Such a file has no lock_timeout of its own, for the sake of CONCURRENTLY. A statement that keeps others "
        "out then waits without end, and everybody queues behind it, also those who only read.",
        severity=Severity.WARNING,
        bad="-- sqlmigrations: transaction off\nCREATE TRIGGER orders_t BEFORE INSERT ON orders FOR EACH ROW EXECUTE "
        "FUNCTION noop();",
        safe="CREATE TRIGGER orders_t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION noop();",
        theme="transactions",
    )
)


@rule(
    "not-resumable",
    "*",
    title="A statement in a `transaction off` file that can't be taken up again",
    why="When the run is cut off there, nobody can tell from the catalog whether it was done, and the file is in "
    "doubt.",
    bad="-- sqlmigrations: transaction off\nINSERT INTO items (id) VALUES (1);\nCALL purge();",
    safe="-- sqlmigrations: transaction off\nCALL purge();",
    certain=True,
)
def not_resumable(action: Action, scope: Scope) -> Iterator[Hit]:
    """Find what runs bare among other statements, and leaves no trace in the catalog."""
    if scope.in_transaction or action.table or action.inside:
        return
    statement = action.statement
    alone = _("Give it a file of its own: then it is all that has to be looked at.")
    if makes_temporary(statement):
        yield Hit(
            _("A temporary table ends with the session: a file that stopped half-way can't be taken up again."),
            f"-- An ordinary table, dropped at the end:\n{action.text.replace('TEMPORARY ', '').replace('TEMP ', '')};",
        )
    elif scope.file.statements > 1 and (command := may_need_autocommit(statement)) in _TRACELESS:
        yield Hit(
            _("Cut off in {command}, nobody can tell whether it was done. {alone}", command=command, alone=alone),
            f"{TRANSACTION_OFF}{action.text};",
        )


_TRACELESS = ("CALL", "DO with COMMIT or ROLLBACK")


@rule(
    "unparsed",
    "unparsed",
    "a body that can't be read",
    title="A statement that could not be read",
    why="It is too large, or written in a grammar that is newer than ours. Its keywords were looked at, no more.",
    severity=Severity.INFO,
    bad="ALTER TABLE orders FROBNICATE;",
    safe="ALTER TABLE orders ADD COLUMN note2 text;",
    certain=True,
)
def unparsed(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find what nothing is known of."""
    if action.statement.keywords[:1] not in (("INSERT",), ("COPY",)) and action.runs:
        yield Hit(_("This could not be read: only its keywords were looked at."))


declare(
    Rule(
        "syntax-error",
        title="A statement that the server can't read",
        why="The server was given the statement to parse, and nothing more: it would be refused when the file runs.",
        severity=Severity.ERROR,
        bad="ALTER TABLE orders FROBNICATE;",
        safe="ALTER TABLE orders ADD COLUMN note2 text;",
        theme="transactions",
        needs_database=True,
    )
)


declare(
    Rule(
        "rows-in-the-way",
        title="Rows that a new constraint refuses",
        why="The rows were counted: the statement fails when the file runs.",
        severity=Severity.ERROR,
        bad="ALTER TABLE refers ADD CONSTRAINT refers_item_fkey FOREIGN KEY (item) REFERENCES items (id) NOT VALID;\n"
        "ALTER TABLE refers VALIDATE CONSTRAINT refers_item_fkey;",
        safe="DELETE FROM refers WHERE NOT EXISTS (SELECT FROM items WHERE items.id = refers.item);",
        theme="transactions",
        needs_database=True,
    )
)


declare(
    Rule(
        "unknown-rule",
        title="`allow` of a rule that does not exist",
        why="It silences nothing; most often it is a slip of the pen, or a rule of another linter.",
        severity=Severity.ERROR,
        bad="-- sqlmigrations: allow create-index-blockin: a slip of the pen\nSELECT 1;",
        safe="SELECT 1;",
        theme="transactions",
        certain=True,
    )
)


declare(
    Rule(
        "nothing-to-allow",
        title="`allow` of a rule that finds nothing in the file",
        why="What is silenced has gone; the directive would hide the next one that comes.",
        severity=Severity.ERROR,
        bad="-- sqlmigrations: allow drop-column: the column is gone already\nSELECT 1;",
        safe="SELECT 1;",
        theme="transactions",
        certain=True,
    )
)
