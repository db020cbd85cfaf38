"""Confirm, clear or sharpen findings by what the live catalog says. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import psycopg

from sqlmigrations.database import Connection
from sqlmigrations.files.trees import Node, Path, strings
from sqlmigrations.lint.base import Certainty, Finding, Severity
from sqlmigrations.lint.catalog import LIVED_IN, MANY, Catalog, Relation, Row, read_only
from sqlmigrations.lint.linter import PERHAPS
from sqlmigrations.lint.words import TRANSACTION_OFF, identifier
from sqlmigrations.messages import gettext as _
from sqlmigrations.messages import joined


@dataclass(frozen=True)
class Verdict:
    """What the catalog says to one finding; empty words leave those of the finding."""

    certainty: Certainty
    because: str
    message: str = ""
    rewrite: str = ""
    severity: Severity | None = None


Judge = Callable[[Finding, Catalog], Verdict]


def confirm(found: Iterable[Finding], connection: Connection) -> list[Finding]:
    """Return the findings with what the catalog says to each. The connection must be in autocommit."""
    with read_only(connection):
        catalog = Catalog(connection)
        return [_asked(one, catalog, connection) for one in found]


def _asked(one: Finding, catalog: Catalog, connection: Connection) -> Finding:
    """Return a finding with what the catalog says; a guess, with the reason, where it can't be asked."""
    try:
        with connection.transaction():
            return _confirmed(one, catalog)
    except psycopg.Error as error:
        if connection.closed:
            raise
        return replace(one, because=f"the catalog can't be asked: {(error.diag.message_primary or str(error)).strip()}")


def _confirmed(one: Finding, catalog: Catalog) -> Finding:
    if one.certainty is Certainty.CLEARED:
        if one.because != PERHAPS or catalog.relation(one.subject.table) is None:
            return one
        one = replace(one, certainty=Certainty.GUESS, because="")
    if one.rule.certain or one.source != "sqlmigrations":
        return one
    verdict = _JUDGES.get(one.rule.id, _by_size if one.rule.slow else _by_traffic)(one, catalog)
    return replace(
        one,
        certainty=verdict.certainty,
        because=verdict.because,
        message=verdict.message or one.message,
        rewrite=verdict.rewrite or one.rewrite,
        severity=verdict.severity or one.severity,
    )


def _cleared(because: str) -> Verdict:
    return Verdict(Certainty.CLEARED, because)


def _sure(because: str, message: str = "", rewrite: str = "", severity: Severity | None = None) -> Verdict:
    return Verdict(Certainty.CONFIRMED, because, message, rewrite, severity)


def _absent(path: Path) -> Verdict:
    return Verdict(Certainty.GUESS, f"{identifier(path) or 'it'} is not in this database yet")


def _small(relation: Relation, because: str) -> Verdict:
    """Clear what is no danger with few rows; it stays a guess where the database says little of production."""
    if relation.is_telling:
        return _cleared(because)
    little = f"no table here has {LIVED_IN:,} rows, so that says little of production"
    return Verdict(Certainty.GUESS, f"{because}, but {little}")


def _by_size(one: Finding, catalog: Catalog) -> Verdict:
    """Judge slow work by how much there is to do, and by who waits meanwhile."""
    return _sized(catalog.relation(one.subject.table), one.subject.table)


def _sized(relation: Relation | None, path: Path) -> Verdict:
    if relation is None:
        return _absent(path)
    if relation.is_small:
        return _small(relation, str(relation))
    worse = relation.is_busy or relation.rows >= MANY
    return Verdict(Certainty.WORSE if worse else Certainty.CONFIRMED, str(relation))


def _by_traffic(one: Finding, catalog: Catalog) -> Verdict:
    """Judge a brief lock, or a loss, by who comes by: it stays with few rows too, but is worse where many are."""
    return _visited(catalog.relation(one.subject.table), one.subject.table)


def _visited(relation: Relation | None, path: Path) -> Verdict:
    if relation is None:
        return _absent(path)
    return Verdict(Certainty.WORSE if relation.is_busy else Certainty.CONFIRMED, str(relation))


def _brief(one: Finding, catalog: Catalog) -> Verdict:
    """Judge a brief lock on another relation: a note, but a warning where many come by."""
    relation = catalog.relation(one.subject.table)
    if relation is None:
        return _absent(one.subject.table)
    if relation.is_small:
        return _small(relation, str(relation))
    verdict = _visited(relation, one.subject.table)
    return replace(verdict, severity=Severity.WARNING) if verdict.certainty is Certainty.WORSE else verdict


# Indexes


def _create_index(one: Finding, catalog: Catalog) -> Verdict:
    relation = catalog.relation(one.subject.table)
    verdict = _sized(relation, one.subject.table)
    if relation is None or relation.kind != "p" or verdict.certainty is Certainty.CLEARED:
        return verdict
    index, table = identifier(one.subject.index or ("NAME",)), identifier(one.subject.table)
    rewrite = (
        f"-- CONCURRENTLY is refused on a partitioned table. Make the index on the parent alone:\n"
        f"CREATE INDEX {index} ON ONLY {table} (...);\n"
        f"-- then, with `transaction off`, CONCURRENTLY on each partition, and for each:\n"
        f"ALTER INDEX {index} ATTACH PARTITION NAME_OF_ITS_INDEX;"
    )
    return replace(verdict, because=f"{verdict.because}; it is partitioned", rewrite=rewrite)


def _drop_index(one: Finding, catalog: Catalog) -> Verdict:
    index = catalog.index(one.subject.index)
    if index is None:
        return _absent(one.subject.index)
    if index["constraint"] or index["foreign_keys"]:
        return _cleared("PostgreSQL refuses it: a constraint needs it")
    return _visited(catalog.relation((index["schema"], index["table"])), one.subject.index)


_KINDS = {"p": _("primary key"), "u": _("unique constraint"), "x": _("exclusion constraint")}


def _index_of_constraint(one: Finding, catalog: Catalog) -> Verdict:
    index = catalog.index(one.subject.index)
    if index is None or not index["constraint"] or index["constraint"] in one.subject.gone:
        return _cleared("no constraint needs it")
    table = identifier((index["schema"], index["table"]))
    constraint, kind = identifier((index["constraint"],)), _KINDS[index["constraint_type"]]
    return _sure(
        f"pg_constraint.conindid of {constraint}",
        _(
            "PostgreSQL refuses to drop {index}: it backs the {kind} {constraint} of {table}.",
            index=identifier(one.subject.index),
            kind=kind,
            constraint=constraint,
            table=table,
        ),
        f"ALTER TABLE {table} DROP CONSTRAINT {constraint};",
    )


def _index_of_foreign_key(one: Finding, catalog: Catalog) -> Verdict:
    index = catalog.index(one.subject.index)
    needing = (index or {}).get("foreign_keys") or ()
    keys = [((schema, table), name) for schema, table, name in needing if name not in one.subject.gone]
    if index is None or not keys or index["constraint"]:
        return _cleared("no foreign key needs it")
    named = [_("{key} of {table}", key=identifier((name,)), table=identifier(table)) for table, name in keys]
    drops = "\n".join(f"ALTER TABLE {identifier(table)} DROP CONSTRAINT {identifier((name,))};" for table, name in keys)
    return _sure(
        "pg_constraint.conindid",
        _(
            "PostgreSQL refuses to drop {index}: the foreign key {named} needs it.",
            index=identifier(one.subject.index),
            named=joined(", ", named),
        ),
        f"{drops}\nDROP INDEX {identifier(one.subject.index)};",
    )


def _if_not_exists(one: Finding, catalog: Catalog) -> Verdict:
    index = catalog.index(one.subject.index)
    if index is None:
        return _cleared("no index of this name is there")
    if index["is_valid"]:
        return _cleared("the index is there, and valid")
    name = identifier(one.subject.index)
    message = _(
        "{name} is there and INVALID, left from a build that failed: this skips it, and no query ever uses it.",
        name=name,
    )
    return _sure("pg_index.indisvalid is false", message, severity=Severity.ERROR)


# Columns


def _set_not_null(one: Finding, catalog: Catalog) -> Verdict:
    relation = catalog.relation(one.subject.table)
    if relation is None:
        return _absent(one.subject.table)
    column = catalog.column(relation.oid, one.subject.column)
    if column is not None and column["is_not_null"]:
        return _cleared("the column is NOT NULL already")
    if column is not None and column["is_proven"]:
        return _cleared("a valid CHECK proves it: nothing is read")
    return _sized(relation, one.subject.table)


def _change_type(one: Finding, catalog: Catalog) -> Verdict:
    relation = catalog.relation(one.subject.table)
    if relation is None:
        return _absent(one.subject.table)
    column = catalog.column(relation.oid, one.subject.column)
    if column is None or one.subject.node is None:
        return _sized(relation, one.subject.table)
    change = f"from {column['type']}"
    if _is_stored_alike(column, one.subject.node, catalog):
        if "collClause" in one.subject.node and column["is_indexed"]:
            return replace(_sized(relation, one.subject.table), message=_("The indexes of the column are built anew."))
        return _cleared(f"{change} nothing has to be rewritten")
    verdict = _sized(relation, one.subject.table)
    if verdict.certainty is Certainty.CLEARED:
        return verdict
    because = f"{verdict.because}; {change} every value is stored anew"
    return replace(verdict, because=because, message=_rewritten(one))


def _rewritten(one: Finding) -> str:
    """Say without an if what the text alone could not be sure of."""
    return _("All of {table} is rewritten, and can't be read meanwhile.", table=identifier(one.subject.table))


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


def _timestamp(one: Finding, catalog: Catalog) -> Verdict:
    relation = catalog.relation(one.subject.table)
    if relation is None:
        return _absent(one.subject.table)
    column = catalog.column(relation.oid, one.subject.column)
    zone = catalog.timezone()
    if column is not None and column["type_name"] == "timestamptz":
        return _cleared("it is timestamptz already")
    if column is not None and column["type_name"] == "timestamp" and zone.upper() in ("UTC", "ETC/UTC", "GMT"):
        return _cleared(f"TimeZone is {zone} here: nothing is rewritten")
    verdict = _sized(relation, one.subject.table)
    return replace(verdict, because=f"{verdict.because}; TimeZone is {zone}", message=_rewritten(one))


def _viewed(one: Finding, catalog: Catalog) -> Verdict:
    relation = catalog.relation(one.subject.table)
    views = catalog.ask("views_on_column", table=relation.oid, column=one.subject.column) if relation else []
    views = [view for view in views if view["name"] not in one.subject.gone]
    if not views:
        return _cleared("no view shows it")
    named = [identifier((view["schema"], view["name"])) for view in views]
    kinds = ["MATERIALIZED VIEW" if view["kind"] == "m" else "VIEW" for view in views]
    drops = "".join(f"DROP {kind} {name};\n" for kind, name in zip(kinds, named, strict=True))
    makes = "".join(
        f"\nCREATE {kind} {name} AS\n{view['definition']}" for kind, name, view in zip(kinds, named, views, strict=True)
    )
    column = identifier((one.subject.column,))
    return _sure(
        "pg_depend",
        _("PostgreSQL refuses it: {views} shows {column}.", views=", ".join(named), column=column),
        f"{drops}ALTER TABLE {identifier(one.subject.table)} ALTER COLUMN {column} TYPE ...;{makes}",
    )


def _volatile_default(one: Finding, catalog: Catalog) -> Verdict:
    known = {function: catalog.volatility(function) for function in one.subject.functions}
    volatile = [function for function, volatility in known.items() if volatility == "v"]
    if volatile:
        verdict = _sized(catalog.relation(one.subject.table), one.subject.table)
        because = f"{verdict.because}; {identifier(volatile[0])}() is VOLATILE"
        return replace(verdict, because=because, message=_rewritten(one), severity=Severity.WARNING)
    if None in known.values():
        return _absent(next(function for function, volatility in known.items() if volatility is None))
    return _cleared("the function is not VOLATILE: its value is kept once")


def _not_null_without_default(one: Finding, catalog: Catalog) -> Verdict:
    relation = catalog.relation(one.subject.table)
    if relation is None:
        return _absent(one.subject.table)
    has_rows = catalog.has_rows(relation.path)
    if has_rows is None:
        return Verdict(Certainty.GUESS, "the role can't read the table")
    return _sure("the table has rows") if has_rows else _small(relation, "the table is empty")


# Constraints


def _primary_key(one: Finding, catalog: Catalog) -> Verdict:
    index = catalog.index(one.subject.index)
    relation = catalog.relation(one.subject.table)
    if index is None or relation is None:
        return _absent(one.subject.index)
    proven = [catalog.column(relation.oid, name) for name in index["nullable"] or ()]
    nullable = [
        name
        for name, column in zip(index["nullable"] or (), proven, strict=True)
        if not (column or {}).get("is_proven")
    ]
    if not nullable:
        return _cleared("its columns are NOT NULL")
    verdict = _sized(relation, one.subject.table)
    table, column = identifier(one.subject.table), identifier((nullable[0],))
    constraint = identifier((f"{one.subject.table[-1]}_{nullable[0]}_not_null",))
    rewrite = (
        f"ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK ({column} IS NOT NULL) NOT VALID;\n"
        f"-- In files of their own: ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}; then the primary key."
    )
    return replace(verdict, because=f"{verdict.because}; {', '.join(nullable)} may be NULL", rewrite=rewrite)


def _dropped_foreign_key(one: Finding, catalog: Catalog) -> Verdict:
    relation = catalog.relation(one.subject.table)
    if relation is None:
        return _cleared("it is not in this database yet")
    for constraint in catalog.constraints(relation.oid):
        if constraint["is_own"] and constraint["name"] == one.subject.constraint and constraint["type"] == "f":
            other = (constraint["other_schema"], constraint["other"])
            target = catalog.relation(other)
            name = identifier(other)
            message = _(
                "{name} can't be read either while this waits for its locks, and until the file ends.", name=name
            )
            busy = target is not None and target.is_busy
            return _sure(str(target or name), message, severity=Severity.WARNING if busy else Severity.INFO)
    return _cleared("it is no foreign key")


def _drop_locks_others(one: Finding, catalog: Catalog) -> Verdict:
    relation = catalog.relation(one.subject.table)
    if relation is None:
        return _cleared("it is not in this database yet")
    keys = [key for key in catalog.constraints(relation.oid) if key["is_own"] and key["type"] == "f"]
    keys = [key for key in keys if key["name"] not in one.subject.gone]
    others = {(key["other_schema"], key["other"]): key["name"] for key in keys if key["other"] != relation.path[-1]}
    if not others:
        return _cleared("it has no foreign keys")
    named = ", ".join(identifier(other) for other in others)
    table = identifier(one.subject.table)
    drops = "".join(f"ALTER TABLE {table} DROP CONSTRAINT {identifier((key,))};\n" for key in others.values())
    return _sure(
        "pg_constraint.confrelid",
        _(
            "{named} can't be read either while this waits for its locks: foreign keys of {table} point there.",
            named=named,
            table=table,
        ),
        f"-- One file for each, so that each waits for two locks only:\n{drops}DROP TABLE {table};",
    )


def _unindexed(one: Finding, catalog: Catalog) -> Verdict:
    relation = catalog.relation(one.subject.table)
    if relation is None:
        return _cleared("the table is not in this database yet")
    asked = catalog.ask("index_on_columns", table=relation.oid, columns=list(one.subject.columns))
    return _cleared("an index begins with them") if asked[0]["is_indexed"] else _sized(relation, one.subject.table)


def _deferred(one: Finding, catalog: Catalog) -> Verdict:
    relation = catalog.relation(one.subject.table)
    deferred = [key["name"] for key in catalog.constraints(relation.oid) if key["is_deferred"]] if relation else []
    return _sure(f"{', '.join(deferred)} is deferred") if deferred else _cleared("it has no deferred constraints")


def _domain(one: Finding, catalog: Catalog) -> Verdict:
    path = one.subject.table
    tables = catalog.ask("domain_tables", schema=path[-2] if len(path) > 1 else "", name=path[-1])
    relations = [catalog.relation((table["schema"], table["name"])) for table in tables]
    largest = max((relation for relation in relations if relation), key=lambda relation: relation.rows, default=None)
    return _sized(largest, path) if largest else _cleared("no table has a column of it")


# Tables


def _attach(one: Finding, catalog: Catalog) -> Verdict:
    child, parent = catalog.relation(one.subject.table), catalog.relation(one.subject.other)
    if child is None or parent is None:
        return _absent(one.subject.table if child is None else one.subject.other)
    for default in catalog.ask("partitions", table=parent.oid):
        relation = catalog.relation((default["schema"], default["name"]))
        if relation is not None and not relation.is_small:
            message = _(
                "All of the DEFAULT partition {partition} is read too, and locked meanwhile.",
                partition=identifier(relation.path),
            )
            return Verdict(Certainty.WORSE, str(relation), message)
    return _sized(child, one.subject.table)


def _tablespace(one: Finding, catalog: Catalog) -> Verdict:
    relation = catalog.relation(one.subject.table)
    if relation is not None and relation.tablespace == one.subject.constraint:
        return _cleared("it is there already")
    return _sized(relation, one.subject.table)


def _refresh(one: Finding, catalog: Catalog) -> Verdict:
    relation = catalog.relation(one.subject.table)
    if relation is None:
        return _absent(one.subject.table)
    if not relation.is_populated:
        return _cleared("it was never filled, so nobody can read it anyway")
    verdict = _sized(relation, one.subject.table)
    if catalog.ask("unique_index", table=relation.oid)[0]["is_there"]:
        return verdict
    view = identifier(one.subject.table)
    rewrite = (
        f"{TRANSACTION_OFF}-- CONCURRENTLY needs a unique index:\n"
        f"CREATE UNIQUE INDEX CONCURRENTLY ON {view} (...);\nREFRESH MATERIALIZED VIEW CONCURRENTLY {view};"
    )
    return replace(verdict, because=f"{verdict.because}; it has no unique index", rewrite=rewrite)


def _work(one: Finding, catalog: Catalog) -> Verdict:
    locked = catalog.relation(one.subject.table)
    verdict = _sized(catalog.relation(one.subject.other), one.subject.other)
    if locked is not None and locked.is_busy and verdict.certainty is Certainty.CONFIRMED:
        return replace(verdict, certainty=Certainty.WORSE, because=f"{verdict.because}; {locked}")
    return verdict


def _as_it_is(one: Finding, catalog: Catalog) -> Verdict:
    return Verdict(one.certainty, one.because)


_JUDGES: dict[str, Judge] = {
    "create-index-blocking": _create_index,
    "drop-index-blocking": _drop_index,
    "drop-index-of-constraint": _index_of_constraint,
    "drop-index-of-foreign-key": _index_of_foreign_key,
    "concurrently-if-not-exists": _if_not_exists,
    "set-not-null": _set_not_null,
    "change-column-type": _change_type,
    "timestamp-to-timestamptz": _timestamp,
    "change-type-of-viewed-column": _viewed,
    "add-column-volatile-default": _volatile_default,
    "add-column-not-null": _not_null_without_default,
    "primary-key-reads-table": _primary_key,
    "drop-foreign-key": _dropped_foreign_key,
    "drop-table-locks-others": _drop_locks_others,
    "foreign-key-without-index": _unindexed,
    "alter-after-write": _deferred,
    "alter-domain-constraint": _domain,
    "attach-partition": _attach,
    "rewrite-table": _tablespace,
    "refresh-blocking": _refresh,
    "work-under-lock": _work,
    "references-locks-other": _brief,
    "create-partition-of": _brief,
    "detach-partition": _brief,
    "unguarded-lock": _brief,
    "rename-enum-value": _as_it_is,
    "drop-schema": _as_it_is,
    "rename-schema": _as_it_is,
}
