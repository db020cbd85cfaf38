"""What the catalog says to findings about tables and views."""

from __future__ import annotations

from dataclasses import replace

from sqlmigrations.lint.base import Certainty, Finding
from sqlmigrations.lint.catalog import Catalog
from sqlmigrations.lint.live.verdicts import Verdict, absent, cleared, sized
from sqlmigrations.lint.rewriting import TRANSACTION_OFF, identifier
from sqlmigrations.messages import gettext as _


def attach(one: Finding, catalog: Catalog) -> Verdict:
    """Judge ATTACH PARTITION by the rows of the table, and of the DEFAULT partition."""
    child, parent = catalog.relation(one.subject.table), catalog.relation(one.subject.other)
    if child is None or parent is None:
        return absent(one.subject.table if child is None else one.subject.other)
    for default in catalog.ask("partitions", table=parent.oid):
        relation = catalog.relation((default["schema"], default["name"]))
        if relation is not None and not relation.is_small:
            message = _(
                "All of the DEFAULT partition {partition} is read too, and locked meanwhile.",
                partition=identifier(relation.path),
            )
            return Verdict(Certainty.WORSE, str(relation), message)
    return sized(child, one.subject.table)


def tablespace(one: Finding, catalog: Catalog) -> Verdict:
    """Judge a rewrite of a table, which another tablespace is only if it is another."""
    relation = catalog.relation(one.subject.table)
    if relation is not None and relation.tablespace == one.subject.constraint:
        return cleared("it is there already")
    return sized(relation, one.subject.table)


def refresh(one: Finding, catalog: Catalog) -> Verdict:
    """Judge a REFRESH; CONCURRENTLY needs a unique index."""
    relation = catalog.relation(one.subject.table)
    if relation is None:
        return absent(one.subject.table)
    if not relation.is_populated:
        return cleared("it was never filled, so nobody can read it anyway")
    verdict = sized(relation, one.subject.table)
    if catalog.ask("unique_index", table=relation.oid)[0]["is_there"]:
        return verdict
    view = identifier(one.subject.table)
    rewrite = (
        f"{TRANSACTION_OFF}-- CONCURRENTLY needs a unique index:\n"
        f"CREATE UNIQUE INDEX CONCURRENTLY ON {view} (...);\nREFRESH MATERIALIZED VIEW CONCURRENTLY {view};"
    )
    return replace(verdict, because=f"{verdict.because}; it has no unique index", rewrite=rewrite)


def work(one: Finding, catalog: Catalog) -> Verdict:
    """Judge slow work done under a lock on another table."""
    locked = catalog.relation(one.subject.table)
    verdict = sized(catalog.relation(one.subject.other), one.subject.other)
    if locked is not None and locked.is_busy and verdict.certainty is Certainty.CONFIRMED:
        return replace(verdict, certainty=Certainty.WORSE, because=f"{verdict.because}; {locked}")
    return verdict
