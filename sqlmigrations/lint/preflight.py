"""Count the rows that a new constraint would refuse, and show some, before anything runs. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from sqlmigrations.database import Connection, fetch_all, fetch_row
from sqlmigrations.files.statements import parse
from sqlmigrations.files.trees import Node, Path, nodes, relation, strings
from sqlmigrations.lint.actions import Action, actions
from sqlmigrations.lint.base import RULES, Certainty, Finding, Hit, Subject, finding
from sqlmigrations.lint.catalog import Catalog, Relation, read_only
from sqlmigrations.lint.definitions import in_parentheses
from sqlmigrations.lint.linter import Source
from sqlmigrations.lint.rewriting import identifier
from sqlmigrations.messages import counted
from sqlmigrations.severity import Severity

#: How many of the rows are shown.
SHOWN = 3
_WRITES = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CopyStmt", "TruncateStmt")


@dataclass(frozen=True)
class Question:
    """One constraint that is about to be put on a table, and where the file says so."""

    source: Source
    statement: int
    line: int
    table: Path
    constraint: Node
    clause: str
    #: The line of an earlier statement of the run that changes rows of these tables; empty when there is none.
    changed: str = ""


def preflight(sources: Iterable[Source], connection: Connection) -> list[Finding]:
    """Return a finding for each pending constraint that rows are in the way of, or whose rows could not be counted.

    Each query is read-only and has a time limit. Tables and columns that are made in the same run are not asked about.
    The connection must be in autocommit.
    """
    found: list[Finding] = []
    with read_only(connection):
        catalog = Catalog(connection)
        for question in _questions(sources, catalog):
            if answer := _answer(question, catalog, connection):
                found.append(answer)
    return found


# Questions


def _questions(sources: Iterable[Source], catalog: Catalog) -> Iterator[Question]:
    """Yield what will be put on the tables that are there."""
    added: dict[tuple[str, str], tuple[Node, str]] = {}
    changed: dict[str, str] = {}
    for source in sources:
        for statement in source.statements:
            for action in actions(statement):
                if not action.runs:
                    continue
                if action.kind in _WRITES and (target := relation(action.node.get("relation"))):
                    changed.setdefault(target[-1], f"{source.name}:{action.line}")
                for table, constraint, clause in _constraints(action, added, catalog):
                    tables = (table[-1:], relation(constraint.get("pktable"))[-1:])
                    where = next((changed[name[0]] for name in tables if name and name[0] in changed), "")
                    number = action.statement.number
                    yield Question(source, number, action.line, table, constraint, clause, where)


def _constraints(
    action: Action, added: dict[tuple[str, str], tuple[Node, str]], catalog: Catalog
) -> Iterator[tuple[Path, Node, str]]:
    """Yield the constraints that an action has the server check."""
    match action.kind:
        case "AT_AddConstraint":
            constraint = action.node.get("def", {}).get("Constraint", {})
            added[action.table[-1], constraint.get("conname", "")] = constraint, action.clause
            if not constraint.get("skip_validation"):
                yield action.table, constraint, action.clause
        case "AT_ValidateConstraint":
            name = action.node.get("name", "")
            known = added.get((action.table[-1], name)) or _of_catalog(action.table, name, catalog)
            if known:
                yield action.table, *known
        case "AT_SetNotNull":
            yield action.table, {"contype": "CONSTR_NOTNULL", "keys": [_text(action.node["name"])]}, action.clause
        case "IndexStmt" if action.node.get("unique") and "whereClause" not in action.node:
            columns = [part.get("IndexElem", {}).get("name") for part in action.node.get("indexParams", [])]
            if all(columns):
                keys = [_text(column) for column in columns]
                distinct = action.node.get("nulls_not_distinct", False)
                unique = {"contype": "CONSTR_UNIQUE", "keys": keys, "nulls_not_distinct": distinct}
                yield relation(action.node["relation"]), unique, ""


def _text(value: str) -> Node:
    return {"String": {"sval": value}}


def _of_catalog(table: Path, name: str, catalog: Catalog) -> tuple[Node, str] | None:
    """Return a constraint that is there and not valid yet."""
    own = catalog.relation(table)
    for constraint in catalog.constraints(own.oid) if own else ():
        if constraint["is_own"] and constraint["name"] == name and not constraint["is_validated"]:
            clause = f"ADD CONSTRAINT {identifier((name,))} {constraint['definition']}"
            parsed = parse(f"ALTER TABLE {identifier(table)} {clause}".encode())
            command = parsed["AlterTableStmt"]["cmds"][0]["AlterTableCmd"] if parsed else {}
            return (command["def"]["Constraint"], clause) if command else None
    return None


# Answers


@dataclass(frozen=True)
class _Query:
    """What to ask: the rows that are in the way, the columns to show, and what to say of one row and of many."""

    rows: sql.Composed
    shown: tuple[str, ...]
    one: str
    many: str


def _answer(question: Question, catalog: Catalog, connection: Connection) -> Finding | None:
    """Ask one question; None when no row is in the way, or there is no such table yet."""
    table = catalog.relation(question.table)
    if table is None:
        return None
    try:
        with connection.transaction():
            asked = _query(question, table, catalog)
            if asked is None:
                return None
            counting = sql.SQL("SELECT count(*) FROM ({}) AS rows_in_the_way").format(asked.rows)
            showing = sql.SQL("SELECT * FROM ({}) AS rows_in_the_way LIMIT {}").format(asked.rows, sql.Literal(SHOWN))
            (count,) = fetch_row(connection, counting)
            rows = fetch_all(connection, showing) if count else []
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        return None  # an earlier statement of the run makes it
    except psycopg.Error as error:
        reason = (error.diag.message_primary or str(error)).strip()
        return _finding(
            question, f"The rows of {identifier(table.path)} could not be counted: {reason}.", Severity.INFO
        )
    if not count:
        return None
    examples = "; ".join(_shown(asked.shown, row) for row in rows)
    more = f", such as {examples}" if count > SHOWN else f": {examples}"
    if question.source.directives.sensitive:
        more = ""
    words = f"{counted(count, asked.one, asked.many)}{more}."
    answer = _finding(question, words, Severity.ERROR, f"{asked.rows.as_string(connection)};")
    if question.changed:
        because = f"{question.changed} changes rows before, perhaps these"
        return replace(answer, severity=Severity.INFO, certainty=Certainty.GUESS, because=because)
    return answer


def _finding(question: Question, message: str, severity: Severity, rewrite: str = "") -> Finding:
    subject = Subject(question.table)
    hit = Hit(message, f"-- Find them all:\n{rewrite}" if rewrite else "", subject, severity=severity)
    found = finding(RULES["rows-in-the-way"], hit, question.source.name, question.statement, question.line)
    return replace(found, certainty=Certainty.CONFIRMED, because="counted")


def _shown(columns: tuple[str, ...], row: tuple[Any, ...]) -> str:
    return ", ".join(f"{name} = {_value(value)}" for name, value in zip(columns, row, strict=False))


def _value(value: Any) -> str:
    text = "NULL" if value is None else repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _query(question: Question, table: Relation, catalog: Catalog) -> _Query | None:
    """Return what to ask for one constraint; None for a kind that can't be asked about."""
    keys = tuple(row["name"] for row in catalog.ask("primary_key", table=table.oid))
    constraint = question.constraint
    match constraint.get("contype"):
        case "CONSTR_FOREIGN":
            return _orphans(constraint, table, keys, catalog)
        case "CONSTR_CHECK":
            return _refused(question.clause, table, keys)
        case "CONSTR_NOTNULL":
            return _nulls(table, keys, strings(constraint["keys"]))
        case "CONSTR_UNIQUE" | "CONSTR_PRIMARY" if "keys" in constraint:
            return _doubles(constraint, table)
    return None


def _orphans(constraint: Node, table: Relation, keys: Path, catalog: Catalog) -> _Query | None:
    other = catalog.relation(relation(constraint["pktable"]))
    columns = strings(constraint.get("fk_attrs"))
    if other is None:
        return None
    targets = strings(constraint.get("pk_attrs")) or tuple(
        row["name"] for row in catalog.ask("primary_key", table=other.oid)
    )
    if len(targets) != len(columns):
        return None
    shown = tuple(dict.fromkeys((*keys, *columns)))
    pairs = list(zip(columns, targets, strict=True))
    rows = sql.SQL("SELECT {} FROM {} AS own WHERE {} AND NOT EXISTS (SELECT FROM {} AS other WHERE {})").format(
        sql.SQL(", ").join(sql.Identifier("own", name) for name in shown),
        sql.Identifier(*table.path),
        sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(sql.Identifier("own", name)) for name in columns),
        sql.Identifier(*other.path),
        sql.SQL(" AND ").join(
            sql.SQL("{} = {}").format(sql.Identifier("other", target), sql.Identifier("own", name))
            for name, target in pairs
        ),
    )
    own, target = identifier(table.path), identifier(other.path)
    return _Query(
        rows, shown, f"row of {own} points to no row of {target}", f"rows of {own} point to no row of {target}"
    )


def _refused(clause: str, table: Relation, keys: Path) -> _Query | None:
    """Ask with the file's own expression, after making sure that it is one expression and no more."""
    expression = in_parentheses(clause, "CHECK")
    parsed = parse(f"SELECT {expression}".encode())
    select = (parsed or {}).get("SelectStmt", {})
    if set(select) - {"targetList", "limitOption", "op"} or len(select.get("targetList", [])) != 1:
        return None
    columns = tuple(dict.fromkeys((*keys, *_columns(select))))
    shown = sql.SQL(", ").join(sql.Identifier(name) for name in columns) if columns else sql.SQL("*")
    rows = sql.SQL("SELECT {} FROM {} WHERE NOT {}").format(shown, sql.Identifier(*table.path), sql.SQL(expression))
    name = identifier(table.path)
    return _Query(rows, columns, f"row of {name} fails CHECK {expression}", f"rows of {name} fail CHECK {expression}")


def _columns(expression: Node) -> Iterator[str]:
    """Yield the columns that an expression names."""
    for node in nodes(expression):
        if "ColumnRef" in node:
            yield from strings(node["ColumnRef"].get("fields"))[-1:]


def _nulls(table: Relation, keys: Path, columns: Path) -> _Query:
    shown = tuple(dict.fromkeys((*keys, *columns)))
    rows = sql.SQL("SELECT {} FROM {} WHERE {}").format(
        sql.SQL(", ").join(map(sql.Identifier, shown)),
        sql.Identifier(*table.path),
        sql.SQL(" OR ").join(sql.SQL("{} IS NULL").format(sql.Identifier(name)) for name in columns),
    )
    name, missing = identifier(table.path), " and no ".join(columns)
    return _Query(rows, shown, f"row of {name} has no {missing}", f"rows of {name} have no {missing}")


def _doubles(constraint: Node, table: Relation) -> _Query:
    columns = strings(constraint["keys"])
    named = sql.SQL(", ").join(map(sql.Identifier, columns))
    given = sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(sql.Identifier(name)) for name in columns)
    where = sql.SQL("") if constraint.get("nulls_not_distinct") else sql.SQL("WHERE {} ").format(given)
    rows = sql.SQL("SELECT {}, count(*) AS rows FROM {} {}GROUP BY {} HAVING count(*) > 1").format(
        named, sql.Identifier(*table.path), where, named
    )
    where_found = f"({', '.join(columns)}) of {identifier(table.path)}"
    one, many = (f"value of {where_found} stands", f"values of {where_found} stand")
    return _Query(rows, (*columns, "rows"), f"{one} in more than one row", f"{many} in more than one row")
