"""What statements do, one action at a time: a whole statement, or one command of an ALTER TABLE.

DO blocks and the bodies of functions in PL/pgSQL are read into: what they hold are actions of their own.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlmigrations.files import plpgsql
from sqlmigrations.files.statements import Statement, parse
from sqlmigrations.files.tokens import Token, code
from sqlmigrations.files.trees import Node, Path, is_on, options_of, relation, string, strings
from sqlmigrations.lint.newer_grammar import parse_newer
from sqlmigrations.messages import gettext as _

#: The kinds of actions that are no nodes of pgparse's trees.
UNPARSED = "unparsed"
COMMIT = "COMMIT in a body"
DYNAMIC = "EXECUTE in a body"
UNREADABLE = "a body that can't be read"


@dataclass(frozen=True)
class Action:
    """One thing that a statement does.

    ``kind`` is that of its node, such as ``IndexStmt``, or of one command, such as ``AT_AddColumn``; ``command`` counts
    the commands of an ALTER TABLE from 0. ``sql`` is the text of the statement that holds it: for what stands in a
    body, that of the inner one, and ``inside`` says in what. ``runs`` is false in a function that is only defined.
    """

    kind: str
    node: Node
    statement: Statement
    sql: bytes
    starts: int
    table: Path = ()
    command: int = 0
    inside: str = ""
    runs: bool = True
    #: It is the only command of its ALTER TABLE.
    is_only: bool = False

    @property
    def clause(self) -> str:
        """The text of one command of ALTER TABLE: ``ADD COLUMN a int``."""
        return self._place[1]

    @functools.cached_property
    def line(self) -> int:
        """The line of the file where it begins."""
        if not self.table or b"\n" not in self.sql:
            return self.starts
        return self.starts + self.sql.count(b"\n", 0, self._place[0])

    @functools.cached_property
    def _place(self) -> tuple[int, str]:
        """Where one command of ALTER TABLE begins in its statement, and its text."""
        if self.is_only and (only := _only_command.match(self.sql)):
            return only.start(1), only[1].decode(errors="replace")
        found = clauses(self.sql)
        return found[self.command] if self.command < len(found) else (0, "")

    @property
    def text(self) -> str:
        """The statement's text without its semicolon."""
        return self.sql.decode(errors="replace").rstrip().rstrip(";").rstrip()


#: An ALTER TABLE of plain words, without comments: what stands behind the table's name.
_only_command = re.compile(
    rb"ALTER\s++TABLE\s++(?:IF\s++EXISTS\s++)?(?:ONLY\s++)?[a-z_][a-z0-9_]*+(?:\.[a-z_][a-z0-9_]*+)?\s++"
    rb"((?:(?!--|/\*)[^;])*[^;\s])\s*+;?\Z",
    re.IGNORECASE,
)


@functools.lru_cache(maxsize=64)
def clauses(sql: bytes) -> list[tuple[int, str]]:
    """Return the commands of an ALTER TABLE, each with the byte where it begins."""
    found = [token for token in code(sql) if token.text != b";"]
    start = _after_name(found)
    edges: list[list[Token]] = [[]]
    depth = 0
    for token in found[start:]:
        depth += (token.text in (b"(", b"[")) - (token.text in (b")", b"]"))
        if token.text == b"," and not depth:
            edges.append([])
        else:
            edges[-1].append(token)
    return [
        (part[0].start, sql[part[0].start : part[-1].start + len(part[-1].text)].decode(errors="replace"))
        for part in edges
        if part
    ]


def _after_name(found: list[Token]) -> int:
    """Return the place of the first token after ``ALTER TABLE IF EXISTS ONLY schema.name *``."""
    place = 2
    while place < len(found) and found[place].word in ("IF", "EXISTS", "ONLY", "TABLE"):
        place += 1
    place += 1
    while place + 1 < len(found) and found[place].text == b".":
        place += 2
    return place + 1 if place < len(found) and found[place].text == b"*" else place


def actions(statement: Statement) -> Iterator[Action]:
    """Yield what one statement of a file does."""
    yield from _of_sql(statement, statement.sql, statement.line)


def _of_sql(statement: Statement, sql: bytes, line: int) -> Iterator[Action]:
    parsed = parse(sql) or parse_newer(sql)
    if parsed is None:
        yield Action(UNPARSED, {}, statement, sql, line)
        return
    yield from _of_tree(statement, parsed, sql, line)


def _of_tree(statement: Statement, parsed: Node, sql: bytes, line: int) -> Iterator[Action]:
    kind, node = next(iter(parsed.items()))
    whole = Action(kind, node, statement, sql, line)
    if kind == "AlterTableStmt" and node.get("objtype") == "OBJECT_TABLE":
        table = relation(node["relation"])
        commands = [part.get("AlterTableCmd", {}) for part in node.get("cmds", [])]
        for number, command in enumerate(commands):
            subtype = command.get("subtype", "")
            yield Action(subtype, command, statement, sql, line, table, number, is_only=len(commands) == 1)
    yield whole
    if kind == "DoStmt":
        options = options_of(node.get("args"))
        if (string(options.get("language")) or "plpgsql") == "plpgsql":
            yield from _of_body(statement, sql, line, _("a DO block"), runs=True)
        else:
            yield replace(whole, kind=UNREADABLE, node={}, inside=_("a DO block"))
    elif kind == "CreateFunctionStmt":
        options = options_of(node.get("options"))
        if string(options.get("language")).lower() == "plpgsql" and "as" in options:
            yield from _of_body(statement, sql, line, f"{'.'.join(strings(node['funcname']))}()", runs=False)
    elif kind == "ExplainStmt" and is_on("analyze", node.get("options")):
        yield from _of_tree(statement, node["query"], sql, line)


def _of_body(statement: Statement, sql: bytes, line: int, inside: str, *, runs: bool) -> Iterator[Action]:
    """Yield what a body in PL/pgSQL does, and what keeps one from knowing it."""
    body_line = line + _lines_before_body(sql)
    here = Action("", {}, statement, sql, line, inside=inside, runs=runs)
    steps = plpgsql.steps(sql.decode(errors="replace"))
    if steps is None:
        yield replace(here, kind=UNREADABLE)
        return
    for step in steps:
        at = body_line + step.line - 1 if step.line else line
        if step.sql:
            inner = step.sql.encode()
            yield from (
                replace(action, inside=action.inside or inside, runs=runs) for action in _of_sql(statement, inner, at)
            )
        else:
            kind = COMMIT if step.ends_transaction else DYNAMIC
            yield replace(here, kind=kind, starts=at)


def _lines_before_body(sql: bytes) -> int:
    """Return how many lines stand before the body's opening quote."""
    bodies = [token for token in code(sql) if token.string and (token.text.startswith(b"$") or b"\n" in token.text)]
    bodies = bodies or [token for token in code(sql) if token.string]
    return sql.count(b"\n", 0, bodies[-1].start) if bodies else 0
