"""A statement that runs in batches: which rows it walks, and how it is narrowed to those between two keys.

Each batch changes what the statement would have changed of the rows in one range of keys, so all of them together must
do what the statement does at once. What can't promise that is refused, by its tree. The text is narrowed by a condition
of its own, and read again: the tree must be that of before in everything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlmigrations.exceptions import Problem
from sqlmigrations.files.statements import Statement, parse, tree
from sqlmigrations.files.tokens import Token, code
from sqlmigrations.files.trees import Node, Path, named, relation
from sqlmigrations.messages import gettext as _

#: What of a SELECT needs all rows at once, and its words.
_WHOLE = {
    "distinctClause": "DISTINCT",
    "groupClause": "GROUP BY",
    "havingClause": "HAVING",
    "windowClause": "WINDOW",
    "sortClause": "ORDER BY",
    "limitCount": "LIMIT",
    "limitOffset": "OFFSET",
    "lockingClause": "FOR UPDATE",
    "withClause": "WITH",
}
_KINDS = {"UpdateStmt": "UPDATE", "DeleteStmt": "DELETE", "InsertStmt": "INSERT"}


@dataclass(frozen=True)
class Batched:
    """A statement that can run in batches.

    ``table`` is the one whose rows are walked, ``reference`` what its columns are qualified with; ``only`` leaves out
    the tables that inherit from it. ``sets`` are the columns that it changes, ``calls`` the functions that would be
    computed over all rows if they were aggregates.
    """

    statement: Statement
    table: Path
    reference: str
    only: bool
    sets: frozenset[str]
    calls: tuple[Path, ...]
    head: bytes
    tail: bytes

    def within(self, condition: bytes) -> bytes:
        """Return the statement for those rows alone for which ``condition`` is true."""
        return self.head + condition + self.tail


class Unbatchable(Exception):
    """A statement can't run in batches; ``problem`` says why, and where."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


def batched(statement: Statement, name: str) -> Batched:
    """Return how a statement of the file ``name`` runs in batches.

    Raises:
        Unbatchable: all batches together would not do what it does at once, or nobody can tell.
    """
    found = tree(statement)
    unreadable = _refused(statement, name, _("it can't be read"), _("Write it more simply, or without `batch`."))
    if found is None:
        raise unreadable
    try:
        return _batched(statement, name, found)
    except RecursionError as error:
        raise unreadable from error


def _batched(statement: Statement, name: str, found: Node) -> Batched:
    kind, node = next(iter(found.items()))
    for why, instead in _obstacles(kind, node):
        raise _refused(statement, name, why, instead)
    walked = _walked(kind, node)
    table = relation(walked)
    alias = walked.get("alias", {}).get("aliasname")
    head, tail = _narrowed(statement, kind, node)
    if not _is_same(found, parse(head + b"TRUE" + tail), kind):
        raise _refused(statement, name, _("its WHERE can't be found"), _("Write SELECT without parentheses around it."))
    return Batched(
        statement,
        table,
        alias or table[-1],
        only=not walked.get("inh", False),
        sets=frozenset(part["ResTarget"]["name"] for part in node.get("targetList", []))
        if kind == "UpdateStmt"
        else frozenset(),
        calls=tuple(_called(node["selectStmt"]["SelectStmt"]["targetList"])) if kind == "InsertStmt" else (),
        head=head,
        tail=tail,
    )


def _refused(statement: Statement, name: str, why: str, instead: str) -> Unbatchable:
    return Unbatchable(Problem(_("the statement can't run in batches: {why}", why=why), name, statement.line, instead))


def _obstacles(kind: str, node: Node) -> Iterator[tuple[str, str]]:
    """Yield why a statement can't run in batches, each with what to do instead."""
    if kind not in _KINDS:
        yield _("it is no UPDATE, DELETE or INSERT ... SELECT"), _("Remove `batch`, or put it into a file of its own.")
        return
    if "withClause" in node:
        yield _("WITH would be computed for each batch anew"), _("Write it without WITH, as a subquery or a table.")
    if "returningList" in node:
        yield _("what RETURNING returns goes nowhere"), _("Remove RETURNING.")
    if "CurrentOfExpr" in node.get("whereClause", {}):
        yield _("there is no cursor"), _("Write WHERE with a condition.")
    if kind == "InsertStmt":
        yield from _select_obstacles(node.get("selectStmt", {}).get("SelectStmt", {}))
    changed = relation(node["relation"])
    rest = [part for key, part in node.items() if key != "relation"]
    if any(what == "read" and _is_one(changed, path) for what, path in named(rest)):
        yield (
            _(
                "it reads {table}, which it changes: each batch would see what those before it did",
                table=".".join(changed),
            ),
            _("Read from a table that holds what has to be known, made in an earlier file."),
        )


def _select_obstacles(select: Node) -> Iterator[tuple[str, str]]:
    """Yield why an INSERT can't run in batches."""
    if "valuesLists" in select or "targetList" not in select:
        united = select.get("op", "SETOP_NONE") != "SETOP_NONE"
        yield (
            _("UNION, INTERSECT and EXCEPT need all rows at once") if united else _("it has no SELECT"),
            _("Write INSERT INTO ... SELECT ... FROM a table, one for each file."),
        )
        return
    for key, words in _WHOLE.items():
        if key in select:
            yield (
                _("{words} needs all rows at once", words=words),
                _("Write the SELECT without it, or the file without `batch`."),
            )
    if any("over" in call or call.keys() & {"agg_star", "agg_order", "agg_filter"} for call in _calls(select)):
        yield _("aggregates need all rows at once"), _("Write the SELECT without it, or the file without `batch`.")
    first = select.get("fromClause", [{}])[0]
    while "JoinExpr" in first:
        join = first["JoinExpr"]
        if join["jointype"] not in ("JOIN_INNER", "JOIN_LEFT"):
            yield _("of a RIGHT or FULL JOIN, rows without a partner have no key"), _("Turn it round: a LEFT JOIN.")
        if "alias" in join:
            yield _("its join has a name of its own"), _("Write the join without it.")
        first = join["larg"]
    if "RangeVar" not in first:
        yield _("its FROM does not begin with a table"), _("Name the table whose rows are walked first in FROM.")
    elif "colnames" in first["RangeVar"].get("alias", {}):
        yield _("its FROM gives the table's columns other names"), _("Use the columns' own names.")


def _walked(kind: str, node: Node) -> Node:
    """Return the node of the table whose rows are walked."""
    if kind != "InsertStmt":
        found: Node = node["relation"]
        return found
    first = node["selectStmt"]["SelectStmt"]["fromClause"][0]
    while "JoinExpr" in first:
        first = first["JoinExpr"]["larg"]
    found = first["RangeVar"]
    return found


def _is_one(one: Path, other: Path) -> bool:
    """Say whether two names may be those of one table."""
    return one[-1:] == other[-1:] and (len(one) == 1 or len(other) == 1 or one == other)


def _calls(node: Any) -> Iterator[Node]:
    """Yield the function calls of a tree, those within subqueries aside."""
    if isinstance(node, list):
        for part in node:
            yield from _calls(part)
    elif isinstance(node, dict):
        if isinstance(node.get("FuncCall"), dict):
            yield node["FuncCall"]
        for key, part in node.items():
            if key not in ("SubLink", "RangeSubselect"):
                yield from _calls(part)


def _called(node: Any) -> Iterator[Path]:
    for call in _calls(node):
        yield tuple(part["String"]["sval"] for part in call["funcname"])


def _narrowed(statement: Statement, kind: str, node: Node) -> tuple[bytes, bytes]:
    """Return the statement's text before and behind the place of one more condition."""
    sql = statement.sql
    conflict = node.get("onConflictClause", {}).get("location", len(sql))
    clauses = [token for token in _top_level(sql) if token.start < conflict and token.text != b";"]
    end = clauses[-1].start + len(clauses[-1].text)
    selected = node["selectStmt"]["SelectStmt"] if kind == "InsertStmt" else node
    if "whereClause" not in selected:
        return sql[:end] + b" WHERE ", sql[end:]
    where = next((token for token in clauses if token.word == "WHERE"), clauses[-1])
    start = where.start + len(where.text)
    # The parenthesis takes the place of a blank, so that a column that an error names stays where it is.
    inner = sql[start + 1 : end] if sql[start : start + 1] in (b" ", b"\t") else sql[start:end]
    return sql[:start] + b"(" + inner + b") AND ", sql[end:]


def _top_level(sql: bytes) -> Iterator[Token]:
    """Yield the tokens outside parentheses, and the closing ones."""
    depth = 0
    for token in code(sql):
        depth += token.text in (b"(", b"[")
        depth -= token.text in (b")", b"]")
        if not depth:
            yield token


def _is_same(before: Node, after: Node | None, kind: str) -> bool:
    """Say whether a tree is that of before but for one more condition, TRUE, behind all others."""
    if after is None or next(iter(after)) != kind:
        return False
    old, new = _without_places(before[kind]), _without_places(after[kind])
    holders = [each["selectStmt"]["SelectStmt"] if kind == "InsertStmt" else each for each in (old, new)]
    condition, narrowed = (each.pop("whereClause", None) for each in holders)
    true = {"A_Const": {"boolval": {"boolval": True}}}
    if condition is None:
        return bool(narrowed == true and old == new)
    parts = (narrowed or {}).get("BoolExpr", {})
    inside = condition["BoolExpr"]["args"] if condition.get("BoolExpr", {}).get("boolop") == "AND_EXPR" else [condition]
    return bool(parts.get("boolop") == "AND_EXPR" and parts["args"] == [*inside, true] and old == new)


def _without_places(node: Any) -> Any:
    """Return a tree without the places of its parts in the text."""
    if isinstance(node, list):
        return [_without_places(part) for part in node]
    if isinstance(node, dict):
        return {key: _without_places(part) for key, part in node.items() if key != "location"}
    return node
