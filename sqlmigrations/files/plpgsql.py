"""Read PL/pgSQL bodies: which SQL they hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlmigrations.files.statements import PARSED, parse
from sqlmigrations.files.tokens import code
from sqlmigrations.messages import gettext as _

_type_end = re.compile(r"%|\[|\(")
#: How many row variables of one body are tried again as records.
_ROW_VARIABLES = 20
_TYPE_NAME = r'(?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))*'
_unknown_field = re.compile(r'"(\w+)\.\w+" is not a known variable')
#: Keys under which a statement holds SQL text that is made when it runs.
_DYNAMIC = {"PLpgSQL_stmt_dynexecute": "query", "PLpgSQL_stmt_dynfors": "query"}


@dataclass
class Body:
    """The SQL of one body: trees of its statements and expressions, and the names of its variables' types."""

    trees: list[dict[str, Any]] = field(default_factory=list)
    types: set[str] = field(default_factory=set)
    #: Why what it does can't be known; empty when it can.
    opaque: str = ""


def read(sql: str) -> Body | None:
    """Read a DO block, or a CREATE FUNCTION whose body is in PL/pgSQL and follows AS; None when it can't be read.

    Never call it for a function without AS: pgparse ends the whole process then.
    """
    if len(sql) > PARSED or "\0" in sql:
        return None
    body = Body()
    functions = _parse(sql, body)
    if functions is None:
        return None
    for kind, content in _nodes(functions):
        if kind in _DYNAMIC:
            _read_dynamic(content.get(_DYNAMIC[kind]), body)
        elif "dynquery" in content:
            _read_dynamic(content["dynquery"], body)
        elif kind == "PLpgSQL_expr":
            _read_expression(content, body)
        elif kind == "PLpgSQL_type":
            body.types.add(_type_end.split(str(content.get("typname", "")))[0].strip())
    return body


def _parse(sql: str, body: Body) -> Any:
    """Return pgparse's tree, or None.

    Without a catalog pgparse knows no field of a variable whose type is a table's row or a composite type. Such a
    variable is tried again as a record, its type taken down in ``body``.
    """
    import pgparse

    for _attempt in range(_ROW_VARIABLES):
        try:
            return pgparse.parse_pgsql(sql)
        except pgparse.PGQueryError as error:
            unknown = _unknown_field.search(str(error))
            declared = unknown and re.search(
                rf"(\b{unknown[1]}\s+)({_TYPE_NAME})(?:\s*%\s*ROWTYPE)?", sql, re.IGNORECASE
            )
            if not declared or declared[2].lower() == "record":
                return None
            body.types.add(declared[2])
            sql = f"{sql[: declared.end(1)]}record{sql[declared.end() :]}"
        except (RecursionError, ValueError):
            return None
    return None


def _nodes(found: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each node with its kind, from the outside in."""
    if isinstance(found, list):
        for part in found:
            yield from _nodes(part)
    elif isinstance(found, dict):
        for key, part in found.items():
            if key.startswith("PLpgSQL_") and isinstance(part, dict):
                yield key, part
            yield from _nodes(part)


def _read_dynamic(expression: Any, body: Body) -> None:
    """Take EXECUTE of a constant as the statement that it is; the texts of all others are not known."""
    tree = _expression_tree(expression["PLpgSQL_expr"]) if expression else None
    constant = _constant(tree)
    statement = parse(constant.encode()) if constant is not None else None
    if statement is None:
        body.opaque = body.opaque or _("EXECUTE of a text that is made when it runs")
    else:
        body.trees.append(statement)


def _constant(tree: dict[str, Any] | None) -> str | None:
    """Return the text of ``SELECT 'text'``."""
    if tree is None:
        return None
    try:
        found = tree["SelectStmt"]["targetList"][0]["ResTarget"]["val"]["A_Const"]["sval"]["sval"]
    except (KeyError, IndexError, TypeError):
        return None
    return found if isinstance(found, str) else None


def _read_expression(expression: dict[str, Any], body: Body) -> None:
    tree = _expression_tree(expression)
    if tree is None:
        body.opaque = body.opaque or _("{text} can't be parsed", text=repr(expression.get("query", "")[:40]))
    else:
        body.trees.append(tree)


#: How PL/pgSQL parses the text of an expression (``RawParseMode`` of the server).
_STATEMENT, _TYPE, _EXPRESSION = 0, 1, 2


def _expression_tree(expression: dict[str, Any]) -> dict[str, Any] | None:
    query = str(expression.get("query", ""))
    mode = expression.get("parseMode", _STATEMENT)
    if mode == _STATEMENT:
        return parse(query.encode())
    if mode == _EXPRESSION:
        return parse(f"SELECT {query}".encode())
    # An assignment: what stands right of the first := or =.
    text = query.encode()
    for token in code(text):
        if token.text in (b":=", b"="):
            return parse(b"SELECT " + text[token.start + len(token.text) :])
    return None


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a body; ``line`` counts from the line of the body's opening quote, which is 1.

    ``sql`` is empty for COMMIT and ROLLBACK, and for EXECUTE of a text that is made when it runs.
    """

    line: int
    sql: str = ""
    ends_transaction: bool = False


def steps(sql: str) -> list[Step] | None:
    """Return the statements of a body in the order in which they stand there; None when it can't be read.

    As ``read``, never call it for a function without AS.
    """
    if len(sql) > PARSED or "\0" in sql:
        return None
    functions = _parse(sql, Body())
    if functions is None:
        return None
    return [
        step for kind, content in _nodes(functions) if kind.startswith("PLpgSQL_stmt_") for step in _step(kind, content)
    ]


def _step(kind: str, content: dict[str, Any]) -> Iterator[Step]:
    """Yield the step that a node is, if it is one."""
    line = int(content.get("lineno", 0))
    dynamic = content.get(_DYNAMIC.get(kind, "dynquery"))
    if kind in ("PLpgSQL_stmt_commit", "PLpgSQL_stmt_rollback"):
        yield Step(line, ends_transaction=True)
    elif dynamic:
        yield Step(line, _constant(_expression_tree(dynamic["PLpgSQL_expr"])) or "")
    else:
        for part in content.values():
            expression = part.get("PLpgSQL_expr", {}) if isinstance(part, dict) else {}
            if expression.get("query") and expression.get("parseMode", _STATEMENT) == _STATEMENT:
                yield Step(line, expression["query"])
