"""Read the definition of a column: from its tree, and from its text what the tree doesn't have as it is written."""

from __future__ import annotations

from sqlmigrations.files.tokens import code
from sqlmigrations.files.trees import Node, strings
from sqlmigrations.lint.actions import Action


def definition(action: Action) -> Node:
    """Return the definition of the column that is added, or that gets another type."""
    column: Node = action.node["def"]["ColumnDef"]
    return column


def constraints(column: Node) -> dict[str, Node]:
    """Return a column's constraints by their kind, without the prefix."""
    parts = [part["Constraint"] for part in column.get("constraints", []) if "Constraint" in part]
    return {str(part.get("contype", "")).removeprefix("CONSTR_"): part for part in parts}


def type_of(action: Action) -> str:
    """Return the last part of the name of the column's type, as the parser names it."""
    names = strings(definition(action).get("typeName", {}).get("names"))
    return names[-1] if names else ""


def written_type(action: Action, column: str) -> str:
    """Return the text between the column's name and its first constraint."""
    text = action.clause.encode()
    found = list(code(text))
    start = next((index for index, token in enumerate(found) if token.identifier == column and index), 0)
    stops = ("NOT", "NULL", "DEFAULT", "CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "REFERENCES", "GENERATED", "COLLATE")
    end = next((token.start for token in found[start + 1 :] if token.word in stops), len(text))
    return text[found[start].start + len(found[start].text) : end].decode().strip() if found else ""


def new_type(action: Action) -> str:
    """Return the type as ALTER COLUMN ... TYPE writes it."""
    upper = action.clause.upper()
    start = upper.find(" TYPE ") + len(" TYPE ")
    end = upper.find(" USING ", start)
    return " ".join(action.clause[start : end if end > 0 else None].split())


def in_parentheses(text: str, word: str) -> str:
    """Return what stands in the parentheses after a word, with them."""
    raw, depth, begin = text.encode(), 0, -1
    seen = False
    for token in code(raw):
        seen = seen or token.word == word
        if not seen:
            continue
        if token.text == b"(":
            begin = token.start if not depth else begin
            depth += 1
        elif token.text == b")":
            depth -= 1
            if not depth:
                return raw[begin : token.start + 1].decode()
    return "(true)"
