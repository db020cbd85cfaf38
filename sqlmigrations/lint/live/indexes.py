"""What the catalog says to findings about indexes."""

from __future__ import annotations

from dataclasses import replace

from sqlmigrations.lint.base import Certainty, Finding
from sqlmigrations.lint.catalog import Catalog
from sqlmigrations.lint.live.verdicts import Verdict, absent, cleared, sized, sure, visited
from sqlmigrations.lint.rewriting import identifier
from sqlmigrations.messages import gettext as _
from sqlmigrations.messages import joined
from sqlmigrations.severity import Severity


def create_index(one: Finding, catalog: Catalog) -> Verdict:
    """Judge the build of an index; say how it is done on a partitioned table."""
    relation = catalog.relation(one.subject.table)
    verdict = sized(relation, one.subject.table)
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


def drop_index(one: Finding, catalog: Catalog) -> Verdict:
    """Judge the drop of an index by the traffic on its table."""
    index = catalog.index(one.subject.index)
    if index is None:
        return absent(one.subject.index)
    if index["constraint"] or index["foreign_keys"]:
        return cleared("PostgreSQL refuses it: a constraint needs it")
    return visited(catalog.relation((index["schema"], index["table"])), one.subject.index)


_KINDS = {"p": _("primary key"), "u": _("unique constraint"), "x": _("exclusion constraint")}


def index_of_constraint(one: Finding, catalog: Catalog) -> Verdict:
    """Say which constraint needs an index that is dropped."""
    index = catalog.index(one.subject.index)
    if index is None or not index["constraint"] or index["constraint"] in one.subject.gone:
        return cleared("no constraint needs it")
    table = identifier((index["schema"], index["table"]))
    constraint, kind = identifier((index["constraint"],)), _KINDS[index["constraint_type"]]
    return sure(
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


def index_of_foreign_key(one: Finding, catalog: Catalog) -> Verdict:
    """Say which foreign keys need an index that is dropped."""
    index = catalog.index(one.subject.index)
    needing = (index or {}).get("foreign_keys") or ()
    keys = [((schema, table), name) for schema, table, name in needing if name not in one.subject.gone]
    if index is None or not keys or index["constraint"]:
        return cleared("no foreign key needs it")
    named = [_("{key} of {table}", key=identifier((name,)), table=identifier(table)) for table, name in keys]
    drops = "\n".join(f"ALTER TABLE {identifier(table)} DROP CONSTRAINT {identifier((name,))};" for table, name in keys)
    return sure(
        "pg_constraint.conindid",
        _(
            "PostgreSQL refuses to drop {index}: the foreign key {named} needs it.",
            index=identifier(one.subject.index),
            named=joined(", ", named),
        ),
        f"{drops}\nDROP INDEX {identifier(one.subject.index)};",
    )


def if_not_exists(one: Finding, catalog: Catalog) -> Verdict:
    """Say whether IF NOT EXISTS would skip over an INVALID index."""
    index = catalog.index(one.subject.index)
    if index is None:
        return cleared("no index of this name is there")
    if index["is_valid"]:
        return cleared("the index is there, and valid")
    name = identifier(one.subject.index)
    message = _(
        "{name} is there and INVALID, left from a build that failed: this skips it, and no query ever uses it.",
        name=name,
    )
    return sure("pg_index.indisvalid is false", message, severity=Severity.ERROR)
