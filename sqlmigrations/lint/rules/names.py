"""Rules about names."""

from __future__ import annotations

from collections.abc import Iterator

from sqlmigrations.files.tokens import TokenKind, code
from sqlmigrations.lint.actions import Action
from sqlmigrations.lint.base import Hit, rule
from sqlmigrations.lint.scope import Scope
from sqlmigrations.messages import gettext as _
from sqlmigrations.severity import Severity

#: Bytes of a name that PostgreSQL keeps (NAMEDATALEN - 1).
_KEPT = 63


@rule(
    "name-too-long",
    "*",
    title="A name of more than 63 bytes",
    why="PostgreSQL cuts it off without an error: the object is called otherwise than the file says, and two long "
    "names may become one.",
    bad="CREATE TABLE the_table_of_all_the_things_that_somebody_somewhere_may_one_day_want_to_know (id int);",
    safe="CREATE TABLE things_somebody_may_want_to_know (id int);",
    certain=True,
)
def name_too_long(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find names that will be cut."""
    if len(action.sql) <= _KEPT or len(action.sql) > 65536 or action.table or action.inside:
        return
    if not _has_long_word(action.sql):
        return
    for token in code(action.sql):
        if token.kind in (TokenKind.WORD, TokenKind.QUOTED_NAME) and len(token.identifier.encode()) > _KEPT:
            kept = token.identifier.encode()[:_KEPT].decode(errors="ignore")
            yield Hit(
                _(
                    "The name has {bytes} bytes; PostgreSQL keeps {kept}.",
                    bytes=len(token.identifier.encode()),
                    kept=_KEPT,
                ),
                f"-- what PostgreSQL would make of it: {kept}",
                object=(token.identifier,),
                line=action.line + action.sql.count(b"\n", 0, token.start),
            )


def _has_long_word(sql: bytes) -> bool:
    """Say quickly whether there may be a long name."""
    return b'"' in sql or max(map(len, sql.replace(b".", b" ").replace(b"(", b" ").split()), default=0) > _KEPT


@rule(
    "column-set-twice",
    "UpdateStmt",
    title="An UPDATE that sets one column twice",
    why="PostgreSQL refuses it.",
    severity=Severity.ERROR,
    bad="UPDATE orders SET code = 'a', code = 'b' WHERE id = 1;",
    safe="UPDATE orders SET code = 'b' WHERE id = 1;",
    certain=True,
)
def column_set_twice(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a column that gets two values."""
    targets = [part.get("ResTarget", {}) for part in action.node.get("targetList", [])]
    plain = [target.get("name", "") for target in targets if "indirection" not in target]
    for name in dict.fromkeys(name for name in plain if plain.count(name) > 1):
        yield Hit(_("{name} is set twice; PostgreSQL refuses that.", name=name), object=(name,))
