"""What is said of a fix that was run on a copy of the schema, and did not do what it should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connections

from sqlmigrations.database import raw
from sqlmigrations.schema.catalog import Catalog, read_catalog
from sqlmigrations.schema.compare import compare
from sqlmigrations.schema.difference import Source
from sqlmigrations.schema.fix import Fix, Statement, fix_of
from sqlmigrations.service.fixes import fix_text
from sqlmigrations.service.prove import Proof, prove
from tests.helpers import run_sql

UNDONE = "ALTER TABLE public.users ALTER COLUMN name TYPE character varying(50)"


@pytest.fixture
def changed(fresh_database: str) -> tuple[Fix, Catalog, Catalog]:
    """Change a table by hand; return what undoes that, the schema before, and the schema as it is."""
    wrapper = connections["default"]
    wrapper.ensure_connection()
    run_sql("CREATE TABLE users (id integer, name varchar(50))")
    before = read_catalog(raw(wrapper))
    run_sql("ALTER TABLE users ALTER name TYPE varchar(60)")
    found = read_catalog(raw(wrapper))
    (difference,) = compare(before, found, source=Source.SNAPSHOT)
    return fix_of(difference, before, found), before, found


def with_statements(*statements: str) -> Callable[[Fix], Fix]:
    """Return what puts other statements into a fix."""
    given = tuple(Statement(each) for each in statements)
    return lambda fix: replace(fix, statements=given, text=f"{fix.text}\n" + "\n".join(statements))


def of_another(fix: Fix) -> Fix:
    """Return a fix of a difference that nobody has seen."""
    return replace(fix, difference=replace(fix.difference, object="public.users.nickname"))


@pytest.mark.parametrize(
    ("alter", "printed"),
    [
        (lambda fix: fix, f"{UNDONE};"),
        (
            with_statements("SELECT 1/0"),
            "-- unproven: it failed on a copy of the schema: division by zero\nSELECT 1/0;",
        ),
        (
            with_statements("SELECT 1"),
            "-- unproven: the difference was still there on a copy of the schema\nSELECT 1;",
        ),
        (
            with_statements(UNDONE, "CREATE INDEX by_fix ON public.users (name) -- public.by_fix"),
            "-- unproven: on a copy it left another difference: index public.by_fix, presence\n"
            f"{UNDONE};\nCREATE INDEX by_fix ON public.users (name) -- public.by_fix;",
        ),
        (of_another, f"-- unproven: a copy of the schema doesn't show this difference\n{UNDONE};"),
        (
            lambda fix: replace(fix, statements=(), note="Nothing changes that."),
            "-- Nothing changes that.",
        ),
    ],
    ids=["works", "fails", "does nothing", "does more", "was not needed", "no statement"],
)
def test_what_is_printed(changed: tuple[Fix, Catalog, Catalog], alter: Callable[[Fix], Fix], printed: str) -> None:
    fix, expected, found = changed
    (proof,) = prove(connections["default"], (alter(fix),), expected, found, lambda copy: copy)
    assert fix_text(proof) == printed


def test_without_pg_dump_the_copy_is_made_as_the_catalog_has_it(
    changed: tuple[Fix, Catalog, Catalog], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where it fails."""
    monkeypatch.setattr("sqlmigrations.service.prove.find", lambda program, version: Path("/bin/false"))
    fix, expected, found = changed
    assert prove(connections["default"], (fix,), expected, found, lambda copy: copy) == (Proof(fix),)
