"""Rules of style: looked for only where they are asked for."""

from __future__ import annotations

from collections.abc import Iterator

from sqlmigrations.files.trees import Node, strings
from sqlmigrations.lint.actions import Action
from sqlmigrations.lint.base import Hit, rule
from sqlmigrations.lint.scope import Scope
from sqlmigrations.messages import gettext as _
from sqlmigrations.severity import Severity


def _columns(action: Action) -> Iterator[tuple[Node, str]]:
    """Yield the columns that a statement makes, each with the name of its type."""
    if action.kind == "CreateStmt":
        found = [part["ColumnDef"] for part in action.node.get("tableElts", []) if "ColumnDef" in part]
    else:
        found = [action.node["def"]["ColumnDef"]]
    for column in found:
        names = strings(column.get("typeName", {}).get("names"))
        yield column, names[-1] if names else ""


def _of_type(action: Action, types: tuple[str, ...], message: str) -> Iterator[Hit]:
    for column, kind in _columns(action):
        if kind in types:
            yield Hit(_("{column}: {message}", column=column["colname"], message=message), object=(column["colname"],))


_KINDS = ("CreateStmt", "AT_AddColumn")


@rule(
    "prefer-jsonb",
    *_KINDS,
    title="json instead of jsonb",
    why="json has no equality, so DISTINCT and GROUP BY fail on it, and is parsed again each time it is read.",
    severity=Severity.INFO,
    bad="CREATE TABLE a (b json);",
    safe="CREATE TABLE a (b jsonb);",
    opt_in=True,
    certain=True,
)
def prefer_jsonb(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find columns of type json."""
    return _of_type(action, ("json",), _("jsonb can be compared and indexed."))


@rule(
    "prefer-identity",
    *_KINDS,
    title="serial instead of an identity",
    why="The sequence of a serial has rights and an owner of its own; GENERATED ... AS IDENTITY is one with its "
    "column.",
    severity=Severity.INFO,
    bad="CREATE TABLE a (id bigserial PRIMARY KEY);",
    safe="CREATE TABLE a (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);",
    opt_in=True,
    certain=True,
)
def prefer_identity(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find columns of a serial type."""
    serial = ("serial", "bigserial", "smallserial", "serial2", "serial4", "serial8")
    return _of_type(action, serial, _("GENERATED ALWAYS AS IDENTITY is one with its column."))


@rule(
    "prefer-bigint-key",
    *_KINDS,
    title="A primary key of type integer",
    why="It ends at 2,147,483,647, and making it larger rewrites the table.",
    severity=Severity.INFO,
    bad="CREATE TABLE a (id integer PRIMARY KEY);",
    safe="CREATE TABLE a (id bigint PRIMARY KEY);",
    opt_in=True,
    certain=True,
)
def prefer_bigint_key(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find keys that run out of numbers."""
    for column, kind in _columns(action):
        parts = [part.get("Constraint", {}).get("contype") for part in column.get("constraints", [])]
        if kind in ("int4", "int2", "serial", "serial4", "smallserial", "serial2") and "CONSTR_PRIMARY" in parts:
            yield Hit(_("{column} ends at 2,147,483,647.", column=column["colname"]), object=(column["colname"],))


@rule(
    "prefer-text",
    *_KINDS,
    title="char(n) and varchar(n) instead of text",
    why="They are no faster; char(n) pads with blanks, and a shorter limit later means a look at all rows. A CHECK "
    "can be changed without one.",
    severity=Severity.INFO,
    bad="CREATE TABLE a (b varchar(20));",
    safe="CREATE TABLE a (b text);",
    opt_in=True,
    certain=True,
)
def prefer_text(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find texts of limited length."""
    for column, kind in _columns(action):
        if kind == "bpchar" or (kind == "varchar" and "typmods" in column["typeName"]):
            yield Hit(
                _("{column}: text with a CHECK is as fast.", column=column["colname"]), object=(column["colname"],)
            )


@rule(
    "prefer-timestamptz",
    *_KINDS,
    title="timestamp instead of timestamptz",
    why="Without its zone a time means something else in every session.",
    severity=Severity.INFO,
    bad="CREATE TABLE a (b timestamp);",
    safe="CREATE TABLE a (b timestamptz);",
    opt_in=True,
    certain=True,
)
def prefer_timestamptz(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find times without a zone."""
    return _of_type(action, ("timestamp",), _("timestamptz is one moment for everybody."))
