"""What moved since a roster was made: with that alone read again, the catalog is what all of it, read again, says.

Changes are committed here, as runs commit theirs: within one transaction every row that it wrote is a new one.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from sqlmigrations.database import Connection
from sqlmigrations.schema.catalog import read_catalog
from sqlmigrations.schema.moved import Roster, read_moved, read_roster
from sqlmigrations.schema.snapshot import pack, patched
from tests.databases import new_database, session, wait_for_others
from tests.schema.conftest import EVERYTHING
from tests.schema.mutations import MUTATIONS, Mutation
from tests.schema.undoing import FOR_GOOD, fixes, run

DEPENDING = (Path(__file__).parent / "depending.sql").read_text()


@pytest.fixture(scope="module")
def everything_of_its_own() -> Iterator[Connection]:
    """Yield a session in a database of ``everything.sql`` that is changed and changed back."""
    yield from _database(EVERYTHING)


@pytest.fixture(scope="module")
def depending() -> Iterator[Connection]:
    """Yield a session in a database of ``depending.sql`` that is changed and changed back."""
    yield from _database(DEPENDING)


_numbers = itertools.count(1)


def _database(text: str) -> Iterator[Connection]:
    """Yield a session in a database of its own, the fixtures' and those of single tests alike."""
    with new_database(f"sqlm_moved_{os.getpid()}_{next(_numbers)}") as name, session(dbname=name) as connection:
        connection.execute(text.encode())
        yield connection


class Follower:
    """Follows a database change by change, and proves each time that what moved is all there is to be read again."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.catalog = read_catalog(connection)

    def follow(self, statement: str) -> frozenset[int] | None:
        """Execute a statement, and return the relations that it moved, None where all has to be read again."""
        roster = read_roster(self.connection)
        self.connection.execute(statement.encode())
        return self.caught_up(roster)

    def caught_up(self, roster: Roster) -> frozenset[int] | None:
        """Look at what moved since the roster was made, and return it."""
        moved = read_moved(self.connection, roster)
        kept, self.catalog = self.catalog, read_catalog(self.connection)
        if moved.relations is not None:
            found = read_catalog(self.connection, relations=moved.relations)
            packed, whole = patched(pack(kept).buckets, kept.counts, found, moved.names), pack(self.catalog)
            assert packed.buckets.read() == whole.buckets.read()
            assert packed.counts == whole.counts
        return moved.relations


def skip_if_unknown(connection: Connection, mutation: Mutation) -> None:
    """Skip the test where this version of PostgreSQL doesn't know the statement."""
    if connection.info.server_version // 10000 < mutation.since:
        pytest.skip(f"PostgreSQL {mutation.since} brought this statement")


@pytest.mark.parametrize(
    "mutation",
    [
        pytest.param(mutation, id=mutation.statement[:90], marks=() if number % 16 == 5 else (pytest.mark.nightly,))
        for number, mutation in enumerate(MUTATIONS)
    ],
)
def test_each_change_by_hand_and_what_undoes_it_are_followed(
    everything_of_its_own: Connection, mutation: Mutation
) -> None:
    connection = everything_of_its_own
    skip_if_unknown(connection, mutation)
    follower = Follower(connection)
    before = follower.catalog
    if mutation.statement in FOR_GOOD:
        with connection.transaction(force_rollback=True):
            follower.follow(mutation.statement)
        return
    follower.follow(mutation.statement)
    roster = read_roster(connection)
    run(connection, fixes(before, follower.catalog))
    follower.caught_up(roster)


#: What brings others to be read again, or might; most undo what the one before did, and the last ones take all away.
RENAMED_AND_MOVED = (
    "ALTER TABLE one.base RENAME a TO renamed",
    "ALTER TABLE one.base RENAME renamed TO a",
    # Names change places: the same ones are there before and after.
    "ALTER TABLE one.far RENAME id TO x; ALTER TABLE one.far RENAME base_id TO id;"
    "ALTER TABLE one.far RENAME x TO base_id",
    "ALTER TABLE one.far RENAME id TO x; ALTER TABLE one.far RENAME base_id TO id;"
    "ALTER TABLE one.far RENAME x TO base_id",
    "ALTER TABLE one.far RENAME TO x; ALTER TABLE one.counted RENAME TO far; ALTER TABLE one.x RENAME TO counted",
    "ALTER TABLE one.far RENAME TO x; ALTER TABLE one.counted RENAME TO far; ALTER TABLE one.x RENAME TO counted",
    "ALTER INDEX one.third_view_a RENAME TO x; ALTER INDEX one.base_function RENAME TO third_view_a;"
    "ALTER INDEX one.x RENAME TO base_function",
    "ALTER INDEX one.third_view_a RENAME TO x; ALTER INDEX one.base_function RENAME TO third_view_a;"
    "ALTER INDEX one.x RENAME TO base_function",
    "ALTER TABLE one.base RENAME TO renamed",
    "ALTER TABLE one.renamed RENAME TO base",
    "ALTER TABLE one.base RENAME CONSTRAINT base_pkey TO renamed",
    "ALTER TABLE one.base RENAME CONSTRAINT renamed TO base_pkey",
    "ALTER TABLE one.base SET SCHEMA two",
    "ALTER TABLE two.base SET SCHEMA one",
    "ALTER VIEW one.first_view RENAME a TO renamed",
    "ALTER VIEW one.first_view RENAME renamed TO a",
    "ALTER VIEW one.first_view SET SCHEMA two",
    "ALTER VIEW two.first_view SET SCHEMA one",
    "ALTER SEQUENCE one.numbers RENAME TO renamed",
    "ALTER SEQUENCE one.renamed RENAME TO numbers",
    "ALTER SEQUENCE one.numbers SET SCHEMA two",
    "ALTER SEQUENCE two.numbers SET SCHEMA one",
    "ALTER SEQUENCE one.numbers OWNED BY one.base.number",
    "ALTER SEQUENCE one.numbers OWNED BY NONE",
    "ALTER SEQUENCE one.counted_id_seq OWNED BY NONE",
    "ALTER SEQUENCE one.counted_id_seq OWNED BY one.counted.id",
    "ALTER SEQUENCE one.counted_up_seq RENAME TO renamed",
    "ALTER SEQUENCE one.renamed RENAME TO counted_up_seq",
    "ALTER TABLE one.counted ALTER up SET INCREMENT 5",
    "ALTER TABLE one.counted RENAME id TO renamed",
    "ALTER TABLE one.counted RENAME renamed TO id",
    "ALTER SCHEMA one RENAME TO renamed",
    "ALTER SCHEMA renamed RENAME TO one",
    "ALTER TYPE one.mood RENAME TO renamed",
    "ALTER TYPE one.renamed RENAME TO mood",
    "ALTER TYPE one.mood RENAME VALUE 'sad' TO 'renamed'",
    "ALTER TYPE one.mood RENAME VALUE 'renamed' TO 'sad'",
    "ALTER TYPE one.mood ADD VALUE 'more'",
    "ALTER TYPE one.mood SET SCHEMA two",
    "ALTER TYPE two.mood SET SCHEMA one",
    "ALTER TYPE one.pair RENAME TO renamed",
    "ALTER TYPE one.renamed RENAME TO pair",
    "ALTER TYPE one.pair RENAME ATTRIBUTE x TO renamed CASCADE",
    "ALTER TYPE one.pair RENAME ATTRIBUTE renamed TO x CASCADE",
    "ALTER TYPE one.pair ADD ATTRIBUTE more integer CASCADE",
    "ALTER TYPE one.pair DROP ATTRIBUTE more CASCADE",
    "ALTER DOMAIN one.positive RENAME TO renamed",
    "ALTER DOMAIN one.renamed RENAME TO positive",
    "ALTER DOMAIN one.positive ADD CONSTRAINT more CHECK (VALUE < 9) NOT VALID",
    "ALTER DOMAIN one.positive DROP CONSTRAINT more",
    "ALTER FUNCTION one.first() RENAME TO renamed",
    "ALTER FUNCTION one.renamed() RENAME TO first",
    "ALTER FUNCTION one.fits(integer) SET SCHEMA two",
    "ALTER FUNCTION two.fits(integer) SET SCHEMA one",
    "ALTER FUNCTION one.touch() RENAME TO renamed",
    "ALTER FUNCTION one.renamed() RENAME TO touch",
    "CREATE OR REPLACE FUNCTION one.first() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 2'",
    "CREATE FUNCTION one.fits(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'",
    "DROP FUNCTION one.fits(text)",
    "CREATE FUNCTION pg_catalog.count(one.mood) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1'",
    "DROP FUNCTION pg_catalog.count(one.mood)",
    "ALTER TABLE one.base ADD base_id integer",
    "ALTER TABLE one.base DROP base_id",
    "ALTER TABLE one.far ADD a integer, ADD c integer DEFAULT one.first()",
    "ALTER TABLE one.far DROP a, DROP c",
    "ALTER TABLE one.parent ADD more text DEFAULT ''",
    "ALTER TABLE one.parent ALTER more SET DEFAULT 'x'",
    "ALTER TABLE one.child ALTER more SET DEFAULT 'y'",
    "ALTER TABLE one.child ALTER more SET DEFAULT 'x'",
    "ALTER TABLE one.parent ALTER more SET NOT NULL",
    "ALTER TABLE one.parent ALTER more DROP NOT NULL",
    "ALTER TABLE one.parent ALTER more SET STATISTICS 7",
    "GRANT SELECT (more) ON one.parent TO pg_monitor",
    "REVOKE SELECT (more) ON one.parent FROM pg_monitor",
    "ALTER TABLE one.parent RENAME more TO renamed",
    "ALTER TABLE one.parent DROP renamed",
    "ALTER TABLE one.parent RENAME TO renamed",
    "ALTER TABLE one.renamed RENAME TO parent",
    "ALTER TABLE one.parent DROP CONSTRAINT parent_x",
    "ALTER TABLE one.parent ADD CONSTRAINT parent_x CHECK (x > 0)",
    "ALTER TABLE one.stray INHERIT one.parent",
    "ALTER TABLE one.stray NO INHERIT one.parent",
    "ALTER TABLE one.stray ADD z integer; ALTER TABLE one.stray INHERIT one.child",
    "ALTER TABLE one.parts ATTACH PARTITION one.parts_2 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    "ALTER TABLE one.parts ADD PRIMARY KEY (at)",
    "ALTER TABLE one.parts DROP CONSTRAINT parts_pkey",
    "ALTER TABLE one.parts ADD FOREIGN KEY (kind) REFERENCES one.base (id)",
    "ALTER TABLE one.parts DETACH PARTITION one.parts_2",
    "ALTER TABLE one.parts RENAME at TO renamed",
    "ALTER TABLE one.parts RENAME renamed TO at",
    "ALTER TABLE one.parts RENAME TO renamed",
    "ALTER TABLE one.renamed RENAME TO parts",
    "CREATE INDEX parts_at ON one.parts (at)",
    "DROP INDEX one.parts_at",
    "CREATE SCHEMA three CREATE TABLE more (id integer PRIMARY KEY, base_id integer REFERENCES one.base)"
    " CREATE VIEW more_view AS SELECT * FROM more",
    "DROP SCHEMA three CASCADE",
    "CREATE UNIQUE INDEX made ON one.far (id)",
    "ALTER TABLE one.far ADD CONSTRAINT made UNIQUE USING INDEX made",
    "ALTER TABLE one.far ALTER id SET NOT NULL",
    "ALTER TABLE one.far REPLICA IDENTITY USING INDEX made",
    "ALTER TABLE one.far RENAME CONSTRAINT made TO renamed",
    "ALTER TABLE one.far DROP CONSTRAINT renamed",
    "CREATE ROLE {role}",
    "GRANT SELECT ON one.base TO {role}; CREATE POLICY of_role ON one.far TO {role} USING (true)",
    "ALTER ROLE {role} RENAME TO {role}_renamed",
    "DROP POLICY of_role ON one.far; REVOKE SELECT ON one.base FROM {role}_renamed",
    "DROP ROLE {role}_renamed",
    "COMMENT ON TABLE one.base IS NULL",
    "COMMENT ON COLUMN one.base.a IS NULL",
    "COMMENT ON CONSTRAINT base_a ON one.base IS NULL",
    "COMMENT ON INDEX one.base_expression IS NULL",
    "COMMENT ON TRIGGER base_touch ON one.base IS NULL",
    "COMMENT ON RULE far_insert ON one.far IS NULL",
    "COMMENT ON POLICY base_own ON one.base IS NULL",
    "COMMENT ON STATISTICS one.base_statistics IS NULL",
    "COMMENT ON SEQUENCE one.numbers IS NULL",
    "COMMENT ON VIEW one.first_view IS NULL",
    "COMMENT ON RULE far_insert ON one.far IS 'another'",
    "COMMENT ON STATISTICS one.base_statistics IS 'other ones'",
    "ALTER TABLE one.parent SET (toast.autovacuum_enabled = off)",
    "ALTER TABLE one.holding SET (toast.autovacuum_enabled = off)",
    "ALTER TABLE one.holding RESET (toast.autovacuum_enabled)",
    "CREATE EXTENSION pg_trgm SCHEMA two",
    "ALTER EXTENSION pg_trgm ADD TABLE one.counted",
    "ALTER EXTENSION pg_trgm DROP TABLE one.counted",
    "DROP EXTENSION pg_trgm",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA one GRANT SELECT ON TABLES TO pg_monitor",
    "CREATE TABLE one.granted (id integer)",
    "CREATE OPERATOR two.+ (leftarg = text, rightarg = text, function = textcat)",
    "DROP OPERATOR two.+ (text, text)",
    "TRUNCATE one.far; REINDEX TABLE one.far; ANALYZE one.far",
    "REFRESH MATERIALIZED VIEW one.third_view",
    "ALTER TABLE one.base DROP CONSTRAINT base_b CASCADE; ALTER TABLE one.base ADD CONSTRAINT base_b UNIQUE (b)",
    "DROP VIEW one.first_view, one.whole, one.grouped CASCADE; DROP POLICY base_own ON one.base;"
    "DROP TABLE one.holding; ALTER TABLE one.base ALTER b TYPE varchar(9);"
    "CREATE VIEW one.grouped AS SELECT id, b FROM one.base",
    "DROP SEQUENCE one.numbers CASCADE",
    "DROP FUNCTION one.fits(integer) CASCADE",
    "DROP TYPE one.mood CASCADE",
    "DROP TABLE one.base CASCADE",
    "DROP TABLE one.parts, one.parent CASCADE",
    "DROP SCHEMA one CASCADE",
)


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.nightly)])
def test_what_says_the_names_of_what_changed_is_read_again(every: int) -> None:
    """Statement by statement, from a new database to one in which all is gone; every third is followed by default."""
    role = f"sqlm_mover_{os.getpid()}"
    for connection in _database(DEPENDING):
        for number, statement in enumerate(RENAMED_AND_MOVED):
            if number % every == 0:
                Follower(connection).follow(statement.format(role=role))
            else:
                connection.execute(statement.format(role=role).encode())


@pytest.mark.parametrize(
    ("statement", "moved"),
    [
        ("CREATE TABLE one.more (id integer PRIMARY KEY)", {"one.more"}),
        ("CREATE TABLE one.more (id integer REFERENCES one.base)", {"one.more", "one.base"}),
        ("CREATE INDEX ON one.far (id)", {"one.far"}),
        ("DROP INDEX one.third_view_a", {"one.third_view"}),
        ("CREATE OR REPLACE FUNCTION one.first() RETURNS integer LANGUAGE sql AS 'SELECT 2'", set()),
        ("ALTER TABLE one.counted ALTER up SET INCREMENT 5", {"one.counted", "one.counted_up_seq"}),
        ("COMMENT ON TRIGGER base_touch ON one.base IS NULL", {"one.base"}),
        ("ALTER VIEW one.second_view RENAME a TO b", {"one.second_view", "one.third_view"}),
        ("ALTER TABLE one.child ALTER x SET DEFAULT 2", {"one.child", "one.grandchild"}),
        ("ALTER TYPE one.mood ADD VALUE 'more'", set()),
        ("ALTER TYPE one.mood RENAME VALUE 'ok' TO 'more'", None),
        ("ALTER FUNCTION one.first() RENAME TO more", None),
        ("ALTER SCHEMA two RENAME TO more", None),
        ("CREATE EXTENSION pg_trgm", None),
        ("CREATE OPERATOR two.+ (leftarg = text, rightarg = text, function = textcat)", None),
    ],
)
def test_no_more_is_read_again_than_can_have_moved(
    depending: Connection, statement: str, moved: set[str] | None
) -> None:
    wait_for_others(depending)
    with depending.transaction(force_rollback=True):
        roster = read_roster(depending)
        depending.execute(statement.encode())
        found = read_moved(depending, roster).relations
        names = None if found is None else {_name(depending, oid) for oid in found}
    assert names == moved


def _name(connection: Connection, oid: int) -> str:
    [(name,)] = connection.execute("SELECT %s::regclass::text", [oid]).fetchall()
    return str(name)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(5))
def test_changes_in_any_order_are_followed(seed: int) -> None:
    """Those that another one has made impossible are left out."""
    chosen = random.Random(seed)  # noqa: S311 - dice that fall the same way each time
    for connection in _database(EVERYTHING):
        known = [each for each in MUTATIONS if each.since <= connection.info.server_version // 10000]
        follower = Follower(connection)
        for mutation in chosen.sample(known, 60):
            with suppress(psycopg.Error):
                follower.follow(mutation.statement)
