"""What the catalog says to findings about columns."""

from __future__ import annotations

from dataclasses import replace

from sqlmigrations.files.trees import Node, strings
from sqlmigrations.lint.base import Certainty, Finding
from sqlmigrations.lint.catalog import Catalog, Row
from sqlmigrations.lint.live.verdicts import Verdict, absent, cleared, rewritten, sized, small, sure
from sqlmigrations.lint.rewriting import identifier
from sqlmigrations.messages import gettext as _
from sqlmigrations.severity import Severity


def set_not_null(one: Finding, catalog: Catalog) -> Verdict:
    """Judge SET NOT NULL: a valid CHECK spares the reading of the table."""
    relation = catalog.relation(one.subject.table)
    if relation is None:
        return absent(one.subject.table)
    column = catalog.column(relation.oid, one.subject.column)
    if column is not None and column["is_not_null"]:
        return cleared("the column is NOT NULL already")
    if column is not None and column["is_proven"]:
        return cleared("a valid CHECK proves it: nothing is read")
    return sized(relation, one.subject.table)


def change_type(one: Finding, catalog: Catalog) -> Verdict:
    """Judge another type of a column: some are stored alike."""
    relation = catalog.relation(one.subject.table)
    if relation is None:
        return absent(one.subject.table)
    column = catalog.column(relation.oid, one.subject.column)
    if column is None or one.subject.node is None:
        return sized(relation, one.subject.table)
    change = f"from {column['type']}"
    if _is_stored_alike(column, one.subject.node, catalog):
        if "collClause" in one.subject.node and column["is_indexed"]:
            return replace(sized(relation, one.subject.table), message=_("The indexes of the column are built anew."))
        return cleared(f"{change} nothing has to be rewritten")
    verdict = sized(relation, one.subject.table)
    if verdict.certainty is Certainty.CLEARED:
        return verdict
    because = f"{verdict.because}; {change} every value is stored anew"
    return replace(verdict, because=because, message=rewritten(one))


def _is_stored_alike(column: Row, definition: Node, catalog: Catalog) -> bool:
    """Say whether the values of a column can stay as they are when its type is changed."""
    names = strings(definition["typeName"].get("names"))
    target = next(iter(catalog.ask("cast", source=column["type_oid"], target=identifier(names))), {})
    given = definition.get("raw_default")
    if given is not None and "ColumnRef" not in given.get("TypeCast", {}).get("arg", {}):
        return False
    if "arrayBounds" in definition["typeName"]:
        return False
    new = [_number(part) for part in definition["typeName"].get("typmods", [])]
    old = [int(part) for part in column["type"].partition("(")[2].partition(")")[0].split(",") if part.strip()]
    if target.get("type_oid") == column["type_oid"]:
        return _holds_all(column["type_name"], old, new)
    return target.get("method") == "b" and not new


def _holds_all(kind: str, old: list[int], new: list[int]) -> bool:
    """Say whether a type with other limits holds every value of before as it is stored."""
    if not new or old == new:
        return True
    if not old:
        return False
    if kind == "numeric":
        (precision, scale), (wider, places) = (*old, 0)[:2], (*new, 0)[:2]
        return scale == places and wider >= precision
    return kind in ("varchar", "varbit", "timestamp", "timestamptz", "time", "timetz") and new[0] >= old[0]


def _number(node: Node) -> int:
    return int(node.get("A_Const", {}).get("ival", {}).get("ival", 0))


def timestamp(one: Finding, catalog: Catalog) -> Verdict:
    """Judge the change from timestamp to timestamptz by the server's time zone."""
    relation = catalog.relation(one.subject.table)
    if relation is None:
        return absent(one.subject.table)
    column = catalog.column(relation.oid, one.subject.column)
    zone = catalog.timezone()
    if column is not None and column["type_name"] == "timestamptz":
        return cleared("it is timestamptz already")
    if column is not None and column["type_name"] == "timestamp" and zone.upper() in ("UTC", "ETC/UTC", "GMT"):
        return cleared(f"TimeZone is {zone} here: nothing is rewritten")
    verdict = sized(relation, one.subject.table)
    return replace(verdict, because=f"{verdict.because}; TimeZone is {zone}", message=rewritten(one))


def viewed(one: Finding, catalog: Catalog) -> Verdict:
    """Say which views show a column whose type is changed."""
    relation = catalog.relation(one.subject.table)
    views = catalog.ask("views_on_column", table=relation.oid, column=one.subject.column) if relation else []
    views = [view for view in views if view["name"] not in one.subject.gone]
    if not views:
        return cleared("no view shows it")
    named = [identifier((view["schema"], view["name"])) for view in views]
    kinds = ["MATERIALIZED VIEW" if view["kind"] == "m" else "VIEW" for view in views]
    drops = "".join(f"DROP {kind} {name};\n" for kind, name in zip(kinds, named, strict=True))
    makes = "".join(
        f"\nCREATE {kind} {name} AS\n{view['definition']}" for kind, name, view in zip(kinds, named, views, strict=True)
    )
    column = identifier((one.subject.column,))
    return sure(
        "pg_depend",
        _("PostgreSQL refuses it: {views} shows {column}.", views=", ".join(named), column=column),
        f"{drops}ALTER TABLE {identifier(one.subject.table)} ALTER COLUMN {column} TYPE ...;{makes}",
    )


def volatile_default(one: Finding, catalog: Catalog) -> Verdict:
    """Judge a new column's default by the volatility of its functions."""
    known = {function: catalog.volatility(function) for function in one.subject.functions}
    volatile = [function for function, volatility in known.items() if volatility == "v"]
    if volatile:
        verdict = sized(catalog.relation(one.subject.table), one.subject.table)
        because = f"{verdict.because}; {identifier(volatile[0])}() is VOLATILE"
        return replace(verdict, because=because, message=rewritten(one), severity=Severity.WARNING)
    if None in known.values():
        return absent(next(function for function, volatility in known.items() if volatility is None))
    return cleared("the function is not VOLATILE: its value is kept once")


def not_null_without_default(one: Finding, catalog: Catalog) -> Verdict:
    """Say whether a table has rows, for which a new column would have no value."""
    relation = catalog.relation(one.subject.table)
    if relation is None:
        return absent(one.subject.table)
    has_rows = catalog.has_rows(relation.path)
    if has_rows is None:
        return Verdict(Certainty.GUESS, "the role can't read the table")
    return sure("the table has rows") if has_rows else small(relation, "the table is empty")
