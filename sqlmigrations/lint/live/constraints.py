"""What the catalog says to findings about constraints."""

from __future__ import annotations

from dataclasses import replace

from sqlmigrations.lint.base import Finding
from sqlmigrations.lint.catalog import Catalog
from sqlmigrations.lint.live.verdicts import Verdict, absent, cleared, sized, sure
from sqlmigrations.lint.rewriting import identifier
from sqlmigrations.messages import gettext as _
from sqlmigrations.severity import Severity


def primary_key(one: Finding, catalog: Catalog) -> Verdict:
    """Judge a primary key over an index whose columns may be NULL."""
    index = catalog.index(one.subject.index)
    relation = catalog.relation(one.subject.table)
    if index is None or relation is None:
        return absent(one.subject.index)
    proven = [catalog.column(relation.oid, name) for name in index["nullable"] or ()]
    nullable = [
        name
        for name, column in zip(index["nullable"] or (), proven, strict=True)
        if not (column or {}).get("is_proven")
    ]
    if not nullable:
        return cleared("its columns are NOT NULL")
    verdict = sized(relation, one.subject.table)
    table, column = identifier(one.subject.table), identifier((nullable[0],))
    constraint = identifier((f"{one.subject.table[-1]}_{nullable[0]}_not_null",))
    rewrite = (
        f"ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK ({column} IS NOT NULL) NOT VALID;\n"
        f"-- In files of their own: ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}; then the primary key."
    )
    return replace(verdict, because=f"{verdict.because}; {', '.join(nullable)} may be NULL", rewrite=rewrite)


def dropped_foreign_key(one: Finding, catalog: Catalog) -> Verdict:
    """Say which other table the drop of a foreign key locks."""
    relation = catalog.relation(one.subject.table)
    if relation is None:
        return cleared("it is not in this database yet")
    for constraint in catalog.constraints(relation.oid):
        if constraint["is_own"] and constraint["name"] == one.subject.constraint and constraint["type"] == "f":
            other = (constraint["other_schema"], constraint["other"])
            target = catalog.relation(other)
            name = identifier(other)
            message = _(
                "{name} can't be read either while this waits for its locks, and until the file ends.", name=name
            )
            busy = target is not None and target.is_busy
            return sure(str(target or name), message, severity=Severity.WARNING if busy else Severity.INFO)
    return cleared("it is no foreign key")


def change_type_locks_others(one: Finding, catalog: Catalog) -> Verdict:
    """Say which other tables another type of a column locks."""
    relation = catalog.relation(one.subject.table)
    if relation is None:
        return absent(one.subject.table)
    others = catalog.ask("other_ends", table=relation.oid, column=one.subject.column)
    if not others:
        return cleared("it has no foreign keys")
    return sure(
        "pg_constraint.confrelid",
        _(
            "{named} can't be read either until this is committed: foreign keys of {column} are made again.",
            named=", ".join(identifier((other["schema"], other["name"])) for other in others),
            column=identifier((one.subject.column,)),
        ),
    )


def drop_locks_others(one: Finding, catalog: Catalog) -> Verdict:
    """Say which other tables the drop of a table locks."""
    relation = catalog.relation(one.subject.table)
    if relation is None:
        return cleared("it is not in this database yet")
    keys = [key for key in catalog.constraints(relation.oid) if key["is_own"] and key["type"] == "f"]
    keys = [key for key in keys if key["name"] not in one.subject.gone]
    others = {(key["other_schema"], key["other"]): key["name"] for key in keys if key["other"] != relation.path[-1]}
    if not others:
        return cleared("it has no foreign keys")
    named = ", ".join(identifier(other) for other in others)
    table = identifier(one.subject.table)
    drops = "".join(f"ALTER TABLE {table} DROP CONSTRAINT {identifier((key,))};\n" for key in others.values())
    return sure(
        "pg_constraint.confrelid",
        _(
            "{named} can't be read either while this waits for its locks: foreign keys of {table} point there.",
            named=named,
            table=table,
        ),
        f"-- One file for each, so that each waits for two locks only:\n{drops}DROP TABLE {table};",
    )


def unindexed(one: Finding, catalog: Catalog) -> Verdict:
    """Judge a foreign key by whether an index begins with its columns."""
    relation = catalog.relation(one.subject.table)
    if relation is None:
        return cleared("the table is not in this database yet")
    asked = catalog.ask("index_on_columns", table=relation.oid, columns=list(one.subject.columns))
    return cleared("an index begins with them") if asked[0]["is_indexed"] else sized(relation, one.subject.table)


def deferred(one: Finding, catalog: Catalog) -> Verdict:
    """Say which constraints of a table are deferred."""
    relation = catalog.relation(one.subject.table)
    deferred = [key["name"] for key in catalog.constraints(relation.oid) if key["is_deferred"]] if relation else []
    return sure(f"{', '.join(deferred)} is deferred") if deferred else cleared("it has no deferred constraints")


def domain(one: Finding, catalog: Catalog) -> Verdict:
    """Judge a domain's constraint by the largest table that has a column of it."""
    path = one.subject.table
    tables = catalog.ask("domain_tables", schema=path[-2] if len(path) > 1 else "", name=path[-1])
    relations = [catalog.relation((table["schema"], table["name"])) for table in tables]
    largest = max((relation for relation in relations if relation), key=lambda relation: relation.rows, default=None)
    return sized(largest, path) if largest else cleared("no table has a column of it")
