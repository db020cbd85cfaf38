"""The catalog reader and the comparison: every change by hand is seen, once, as what it is."""

from __future__ import annotations

import pytest

from sqlmigrations.database import Connection
from sqlmigrations.schema.catalog import Catalog, Identity, read_catalog, read_fingerprint
from sqlmigrations.schema.compare import compare
from sqlmigrations.schema.difference import Source
from tests.databases import session
from tests.schema.mutations import MUTATIONS, Mutation
from tests.schema.undoing import FOR_GOOD, WRITTEN, fixes, run


def test_nothing_differs_where_nothing_changed(everything: Connection, everything_catalog: Catalog) -> None:
    assert compare(everything_catalog, read_catalog(everything), source=Source.SNAPSHOT) == ()


def test_the_servers_own_number_is_no_option_of_a_column(everything: Connection, everything_catalog: Catalog) -> None:
    """PostgreSQL 15.20 keeps one with each column, and counts it up when the table is rewritten."""
    place = "WHERE attrelid = 'shop.customers'::regclass AND attname"
    everything.execute(f"UPDATE pg_attribute SET attoptions = '{{pg_attver=7}}' {place} IN ('name', 'active')")
    assert not compare(everything_catalog, read_catalog(everything), source=Source.SNAPSHOT)
    everything.execute(f"UPDATE pg_attribute SET attoptions = '{{pg_attver=7,n_distinct=5}}' {place} = 'city'")
    found = compare(everything_catalog, read_catalog(everything), source=Source.SNAPSHOT)
    assert [(each.object, each.attribute, each.found) for each in found] == [
        ("shop.customers.city", "options", "n_distinct=5")
    ]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.statement[:90])
def test_each_change_by_hand_is_one_difference(
    everything: Connection, everything_catalog: Catalog, mutation: Mutation
) -> None:
    """PostgreSQL takes the scripts that undo it and make it again; ``test_fix`` looks at what comes of them."""
    if everything.info.server_version // 10000 < mutation.since:
        pytest.skip(f"PostgreSQL {mutation.since} brought this statement")
    before = read_fingerprint(everything)
    everything.execute(mutation.statement.encode())
    changed = read_catalog(everything)
    there = compare(everything_catalog, changed, source=Source.SNAPSHOT)
    back = compare(changed, everything_catalog, source=Source.SNAPSHOT)
    assert [(each.kind, each.object, each.attribute) for each in there] == [
        (mutation.kind, mutation.object, mutation.attribute)
    ]
    assert [(each.expected, each.found) for each in back] == [(there[0].found, there[0].expected)]
    assert read_fingerprint(everything) != before
    if mutation.statement not in FOR_GOOD:
        run(everything, fixes(everything_catalog, changed), concurrently=False)
        if not mutation.statement.startswith(WRITTEN):
            run(everything, fixes(changed, everything_catalog), concurrently=False)


def test_the_session_is_left_as_it_was(everything_name: str) -> None:
    with session(dbname=everything_name) as connection:
        connection.execute("SET search_path = shop")
        read_catalog(connection)
        (path,) = connection.execute("SHOW search_path").fetchone() or ("",)
        assert path == "shop"
        assert connection.info.transaction_status == 0


def test_only_the_schemas_that_were_asked_for_are_read(everything: Connection) -> None:
    everything.execute("CREATE SCHEMA attic CREATE TABLE chest (id integer PRIMARY KEY)")
    found = read_catalog(everything, schemas=["attic"])
    assert sorted(found.objects) == [
        Identity("column", "attic.chest.id"),
        Identity("constraint", "attic.chest.chest_pkey"),
        Identity("schema", "attic"),
        Identity("table", "attic.chest"),
    ]


def test_what_is_not_read_is_counted(everything: Connection) -> None:
    everything.execute("CREATE TEXT SEARCH CONFIGURATION shop.plain (COPY = simple)")
    everything.execute("CREATE USER MAPPING FOR CURRENT_USER SERVER warehouse")
    everything.execute("CREATE COLLATION shop.plain (locale = 'C')")
    assert read_catalog(everything).not_covered == {"collation": 1, "text search configuration": 1, "user mapping": 1}


@pytest.mark.parametrize(
    "statement",
    [
        "ANALYZE shop.customers",
        "INSERT INTO shop.animals VALUES ('cat', 4)",
        "CREATE TEMPORARY TABLE passing (id serial PRIMARY KEY)",
        "SELECT nextval('shop.invoice_numbers')",
        "CREATE ROLE sqlm_of_another_database",
    ],
)
def test_what_changes_no_object_leaves_the_fingerprint(everything: Connection, statement: str) -> None:
    before = read_fingerprint(everything)
    everything.execute(statement.encode())
    assert read_fingerprint(everything) == before


@pytest.mark.parametrize(
    "use",
    [
        "ALTER TABLE shop.customers OWNER TO sqlm_user",
        "GRANT SELECT (id) ON shop.customers TO sqlm_user",
        "CREATE POLICY own ON shop.customers TO sqlm_user",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO sqlm_user",
    ],
)
def test_another_name_of_a_role_that_is_named_here_changes_the_fingerprint(everything: Connection, use: str) -> None:
    everything.execute("CREATE ROLE sqlm_user")
    everything.execute(use.encode())
    before = read_fingerprint(everything)
    everything.execute("ALTER ROLE sqlm_user RENAME TO sqlm_person")
    assert read_fingerprint(everything) != before


def test_a_role_without_any_right_reads_the_same(everything: Connection, everything_catalog: Catalog) -> None:
    everything.execute("CREATE ROLE sqlm_nobody")
    everything.execute("SET LOCAL ROLE sqlm_nobody")
    assert read_catalog(everything) == everything_catalog
