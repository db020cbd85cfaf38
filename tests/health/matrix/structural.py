"""The catalog's checks, asked in transactions of which nothing stays."""

from __future__ import annotations

from sqlmigrations.health.structural.constraints import (
    ForeignKeyEnforcementOff,
    ForeignKeyViolations,
    NotValidConstraints,
)
from sqlmigrations.health.structural.indexes import DuplicateIndex, InvalidIndex, OverlappingIndex
from sqlmigrations.health.structural.keys import (
    DuplicateForeignKey,
    ForeignKeyTypeMismatch,
    ForeignKeyWithoutIndex,
    IntegerPrimaryKey,
    MissingForeignKey,
    NoPrimaryKey,
    ReplicaIdentityMissing,
)
from sqlmigrations.health.structural.sequences import SequenceExhaustion
from sqlmigrations.health.structural.upkeep import (
    AutovacuumOff,
    CollationVersion,
    ExtensionVersion,
    MaterializedViewUnpopulated,
    NameTruncation,
    NeverAnalyzed,
    PublicSchemaCreate,
)
from tests.health.matrix.case import Case

PARENT = "CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);"
FAMILY = f"{PARENT} CREATE TABLE child (p_id int CONSTRAINT child_fk REFERENCES parent); INSERT INTO child VALUES (1);"

LOADED = "CREATE TABLE t (x text); INSERT INTO t SELECT repeat('x', 1000) FROM generate_series(1, 2000)"
LOADED_IN_PARTS = """
CREATE TABLE t (n int, x text) PARTITION BY RANGE (n);
CREATE TABLE t_low PARTITION OF t FOR VALUES FROM (1) TO (1001);
CREATE TABLE t_rest PARTITION OF t FOR VALUES FROM (1001) TO (2001) PARTITION BY RANGE (n);
CREATE TABLE t_high PARTITION OF t_rest FOR VALUES FROM (1001) TO (2001);
CREATE TABLE empty (n int) PARTITION BY RANGE (n);
INSERT INTO t SELECT n, repeat('x', 1000) FROM generate_series(1, 2000) AS n"""

# Whatever the operating system brings, ICU is built in on Debian, and the builtin provider is there from 17 on.
COLLATED = """
DO $$ BEGIN
    EXECUTE format(
        'CREATE COLLATION c (provider = %s, locale = %L)',
        CASE WHEN current_setting('server_version_num')::int >= 170000 THEN 'builtin' ELSE 'icu' END, 'C.UTF-8'
    );
END $$;
CREATE TABLE t (x text COLLATE c)
"""

CASES = (
    Case(
        check=ForeignKeyViolations(),
        no="skipped, structural: there are no foreign keys to examine",
        well=FAMILY,
        hidden="""
            skipped, structural: none of the 1 foreign keys' tables may be read
              GRANT "pg_read_all_data" TO "<role>";
        """,
        hidden_from=("monitor", "bare"),
        ok="ok, structural: 1 foreign keys",
        ill=f"{FAMILY} RESET ROLE; SET LOCAL session_replication_role = replica; INSERT INTO child VALUES (7), (8); "
        "SET LOCAL session_replication_role = origin",
        bad="""
            critical, structural: 1 foreign keys
            critical public.child.child_fk: 2 rows without a parent in public.parent, though the constraint is
                valid; should be: none
              sql: SELECT c.* FROM "public"."child" AS c WHERE (c."p_id" IS NOT NULL) AND NOT EXISTS (SELECT
                  FROM "public"."parent" AS p WHERE p."id" OPERATOR("pg_catalog".=) c."p_id");
        """,
        mends=(),
    ),
    Case(
        check=NotValidConstraints(),
        no="skipped, structural: there are no constraints to examine",
        well="CREATE TABLE t (x int CONSTRAINT positive CHECK (x > 0))",
        ok="ok, structural: 1 constraints",
        ill="CREATE TABLE t (x int); ALTER TABLE t ADD CONSTRAINT positive CHECK (x > 0) NOT VALID",
        bad="""
            warning, structural: 1 constraints
            warning public.t.positive: NOT VALID: rows older than it may break it; should be: validated
              sql: ALTER TABLE "public"."t" VALIDATE CONSTRAINT "positive";
        """,
    ),
    Case(
        check=NotValidConstraints(),
        name="of a domain",
        no="skipped, structural: there are no constraints to examine",
        well="CREATE DOMAIN rate AS int CONSTRAINT positive CHECK (VALUE > 0)",
        ok="ok, structural: 1 constraints",
        ill="CREATE DOMAIN rate AS int; ALTER DOMAIN rate ADD CONSTRAINT positive CHECK (VALUE > 0) NOT VALID",
        bad="""
            warning, structural: 1 constraints
            warning public.rate.positive: NOT VALID: rows older than it may break it; should be: validated
              sql: ALTER DOMAIN "public"."rate" VALIDATE CONSTRAINT "positive";
        """,
    ),
    Case(
        check=NotValidConstraints(),
        name="not enforced",
        since=18,
        no="skipped, structural: there are no constraints to examine",
        well=FAMILY,
        ok="ok, structural: 2 constraints",
        ill=f"{FAMILY} ALTER TABLE child ALTER CONSTRAINT child_fk NOT ENFORCED; "
        "ALTER TABLE child ADD CONSTRAINT filled NOT NULL p_id NOT VALID",
        bad="""
            warning, structural: 3 constraints
            warning public.child.child_fk: NOT ENFORCED; should be: enforced
              sql: ALTER TABLE "public"."child" ALTER CONSTRAINT "child_fk" ENFORCED;
            warning public.child.filled: NOT VALID: rows older than it may break it; should be: validated
              sql: ALTER TABLE "public"."child" VALIDATE CONSTRAINT "filled";
        """,
    ),
    Case(
        check=ForeignKeyEnforcementOff(),
        no="ok, structural: 1 triggers",
        well=FAMILY,
        ok="ok, structural: 3 triggers",
        ill=f"{FAMILY} CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
        "CREATE TRIGGER own BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION f(); "
        "RESET ROLE; ALTER TABLE child DISABLE TRIGGER ALL; "
        "ALTER ROLE bare SET session_replication_role = replica",
        bad="""
            critical, structural: 5 triggers
            critical bare: session_replication_role is replica: no foreign key is kept, no trigger fires; should
                be: origin
              sql: ALTER ROLE "bare" RESET session_replication_role;
            critical public.child.child_fk: its trigger is disabled; should be: enabled
              sql: ALTER TABLE "public"."child" ENABLE TRIGGER ALL;
            warning public.child.own: disabled; should be: enabled
              sql: ALTER TABLE "public"."child" ENABLE TRIGGER "own";
        """,
    ),
    Case(
        check=NoPrimaryKey(),
        no="skipped, structural: there are no tables to examine",
        well="CREATE TABLE good (id int PRIMARY KEY)",
        ok="ok, structural: 1 tables",
        ill="CREATE TABLE good (id int PRIMARY KEY); CREATE TABLE bad (x int); "
        'CREATE TABLE indexed (x int NOT NULL); CREATE UNIQUE INDEX "Its index" ON indexed (x)',
        bad="""
            warning, structural: 3 tables
            warning public.bad: no primary key; should be: a primary key
              sql: ALTER TABLE "public"."bad" ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
            warning public.indexed: no primary key; should be: a primary key
              sql: ALTER TABLE "public"."indexed" ADD PRIMARY KEY USING INDEX "Its index";
        """,
    ),
    Case(
        check=ReplicaIdentityMissing(),
        no="skipped, structural: there are no published tables to examine",
        well="CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE whole (x int); "
        "ALTER TABLE whole REPLICA IDENTITY FULL; CREATE PUBLICATION p FOR TABLE t, whole",
        ok="ok, structural: 2 published tables",
        ill="CREATE TABLE t (x int); CREATE TABLE u (id int); CREATE PUBLICATION p FOR TABLE t, u",
        bad="""
            critical, structural: 2 published tables
            critical public.t: UPDATE and DELETE fail: published by p without a replica identity; should be: a
                replica identity
              sql: ALTER TABLE "public"."t" ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
              sql: ALTER TABLE "public"."t" REPLICA IDENTITY FULL;
            critical public.u: UPDATE and DELETE fail: published by p without a replica identity; should be: a
                replica identity
              sql: ALTER TABLE "public"."u" ADD PRIMARY KEY (id);
              sql: ALTER TABLE "public"."u" REPLICA IDENTITY FULL;
        """,
    ),
    Case(
        check=ForeignKeyWithoutIndex(),
        no="skipped, structural: there are no foreign keys to examine",
        well=f"{FAMILY} CREATE INDEX ON child (p_id)",
        ok="ok, structural: 1 foreign keys",
        ill=FAMILY,
        bad="""
            warning, structural: 1 foreign keys
            warning public.child.p_id: no index for the key to public.parent; should be: an index that its
                columns lead
              sql: CREATE INDEX CONCURRENTLY ON "public"."child" ("p_id");
        """,
    ),
    Case(
        check=ForeignKeyTypeMismatch(),
        no="skipped, structural: there are no columns of foreign keys to examine",
        well=FAMILY,
        ok="ok, structural: 1 columns of foreign keys",
        ill="CREATE TABLE parent (id bigint PRIMARY KEY, n varchar UNIQUE); "
        "CREATE TABLE child (p_id int REFERENCES parent, n text REFERENCES parent (n))",
        bad="""
            warning, structural: 2 columns of foreign keys
            warning public.child.p_id: integer, but public.parent.id is bigint; should be: bigint
              sql: ALTER TABLE "public"."child" ALTER COLUMN "p_id" TYPE bigint;
            info public.child.n: text, but public.parent.n is character varying; should be: character varying
              sql: ALTER TABLE "public"."child" ALTER COLUMN "n" TYPE character varying;
        """,
    ),
    Case(
        check=DuplicateForeignKey(),
        no="skipped, structural: there are no foreign keys to examine",
        well=FAMILY,
        ok="ok, structural: 1 foreign keys",
        ill=f"{FAMILY} ALTER TABLE child ADD CONSTRAINT again FOREIGN KEY (p_id) REFERENCES parent",
        bad="""
            warning, structural: 2 foreign keys
            warning public.child.again: says the same as child_fk; should be: one foreign key
              sql: ALTER TABLE "public"."child" DROP CONSTRAINT "again";
        """,
    ),
    Case(
        check=MissingForeignKey(),
        no="skipped, structural: there are no columns that point at other tables to examine",
        well=f"{PARENT} CREATE TABLE child (parent_id int REFERENCES parent)",
        ok="ok, structural: 1 columns that point at other tables",
        ill=f"{PARENT} CREATE TABLE child (parent_id int)",
        bad="""
            ok, structural: 1 columns that point at other tables
            info public.child.parent_id: points at public.parent without a foreign key (its name says so); should
                be: a foreign key
              sql: ALTER TABLE "public"."child" ADD CONSTRAINT "child_parent_id_fk" FOREIGN KEY ("parent_id")
                  REFERENCES "public"."parent" ("id") NOT VALID;
        """,
    ),
    Case(
        check=IntegerPrimaryKey(),
        nothing="CREATE TABLE t (id bigserial PRIMARY KEY)",
        no="skipped, structural: there are no primary keys narrower than bigint to examine",
        well="CREATE TABLE t (id serial PRIMARY KEY); SELECT nextval('t_id_seq')",
        hidden="""
            skipped, structural: of 1 of 1 key the sequence can't be read
              GRANT "pg_read_all_data" TO "<role>";
        """,
        hidden_from=("monitor", "bare"),
        ok="ok, structural: 1 primary keys narrower than bigint",
        ill="CREATE TABLE t (id serial PRIMARY KEY); SELECT setval('t_id_seq', 1200000000)",
        bad="""
            warning, structural: 1 primary keys narrower than bigint
            warning public.t.id: integer, 55.9 % used; should be: below 50 %
              sql: ALTER TABLE "public"."t" ALTER COLUMN "id" TYPE bigint;
        """,
    ),
    Case(
        check=SequenceExhaustion(),
        no="skipped, structural: there are no sequences to examine",
        well="CREATE TABLE t (id serial PRIMARY KEY)",
        hidden="""
            skipped, structural: 1 of 1 sequence can't be read
              GRANT "pg_read_all_data" TO "<role>";
        """,
        hidden_from=("monitor", "bare"),
        ok="ok, structural: 1 sequences",
        ill="CREATE TABLE t (id serial PRIMARY KEY); SELECT setval('t_id_seq', 2100000000)",
        bad="""
            critical, structural: 1 sequences
            critical public.t_id_seq: 97.8 % used, 47,483,647 values left for public.t.id; should be: below 70 %
              sql: ALTER TABLE "public"."t" ALTER COLUMN "id" TYPE bigint;
              sql: ALTER SEQUENCE "public"."t_id_seq" AS bigint;
        """,
        mends=(0, 1),
    ),
    Case(
        check=InvalidIndex(),
        no="skipped, structural: there are no indexes to examine",
        well="CREATE TABLE t (id int PRIMARY KEY)",
        ok="ok, structural: 1 indexes",
        ill="CREATE TABLE t (id int PRIMARY KEY, x int); CREATE INDEX broken ON t (x); RESET ROLE; "
        "UPDATE pg_index SET indisvalid = false, indisready = false WHERE indexrelid = 'broken'::regclass; "
        "CREATE TABLE whole (id int) PARTITION BY RANGE (id); "
        "CREATE TABLE part PARTITION OF whole FOR VALUES FROM (0) TO (9); CREATE INDEX whole_id ON ONLY whole (id)",
        bad="""
            warning, structural: 3 indexes
            warning public.broken: INVALID: its building failed; should be: valid
              sql: REINDEX INDEX CONCURRENTLY "public"."broken";
              sql: DROP INDEX CONCURRENTLY "public"."broken";
            warning public.whole_id: INVALID: no index attached for public.part; should be: valid
              sql: ALTER INDEX "public"."whole_id" ATTACH PARTITION ...;
        """,
        mends=(),
    ),
    Case(
        check=DuplicateIndex(),
        no="skipped, structural: there are no indexes to examine",
        well="CREATE TABLE t (id int PRIMARY KEY, x int); CREATE INDEX one ON t (x)",
        ok="ok, structural: 2 indexes",
        ill="CREATE TABLE t (id int PRIMARY KEY, x int); CREATE INDEX one ON t (x); CREATE INDEX two ON t (x)",
        bad="""
            warning, structural: 3 indexes
            warning public.two: does the same as one (8.0 kB); should be: one index
              sql: DROP INDEX CONCURRENTLY "public"."two";
        """,
    ),
    Case(
        check=OverlappingIndex(warning_bytes=8192),
        no="skipped, structural: there are no B-tree indexes to examine",
        well="CREATE TABLE t (a int, b int); CREATE INDEX one ON t (a); CREATE INDEX two ON t (b, a)",
        ok="ok, structural: 2 B-tree indexes",
        ill="CREATE TABLE t (a int, b int); CREATE INDEX one ON t (a); CREATE INDEX two ON t (a, b)",
        bad="""
            warning, structural: 2 B-tree indexes
            warning public.one: two begins with its columns (8.0 kB); should be: below 8.0 kB
              sql: DROP INDEX CONCURRENTLY "public"."one";
        """,
    ),
    Case(
        check=MaterializedViewUnpopulated(),
        no="skipped, structural: there are no materialized views to examine",
        well="CREATE MATERIALIZED VIEW m AS SELECT 1 AS x; CREATE UNIQUE INDEX ON m (x)",
        ok="ok, structural: 1 materialized views",
        ill="CREATE MATERIALIZED VIEW m AS SELECT 1 AS x WITH NO DATA; CREATE MATERIALIZED VIEW n AS SELECT 1 AS x",
        bad="""
            warning, structural: 2 materialized views
            warning public.m: never filled: every query of it fails; should be: filled
              sql: REFRESH MATERIALIZED VIEW "public"."m";
            info public.n: no unique index: a REFRESH keeps readers out (8.0 kB); should be: a unique index over
                plain columns
              sql: CREATE UNIQUE INDEX CONCURRENTLY ON "public"."n" (...);
        """,
    ),
    Case(
        check=ExtensionVersion(),
        nothing="RESET ROLE; DROP EXTENSION plpgsql",
        no="skipped, structural: there are no extensions to examine",
        well="CREATE EXTENSION hstore",
        ok="ok, structural: 2 extensions",
        ill="CREATE EXTENSION hstore VERSION '1.7'",
        bad="""
            warning, structural: 2 extensions
            warning hstore: 1.7; should be: 1.8
              sql: ALTER EXTENSION "hstore" UPDATE;
        """,
    ),
    Case(
        check=CollationVersion(),
        no="skipped, structural: there are no collations in use that have a version to examine",
        well=COLLATED,
        ok="ok, structural: 1 collations in use that have a version",
        ill=f"{COLLATED}; RESET ROLE; UPDATE pg_collation SET collversion = '0' WHERE collname = 'c'",
        bad="""
            critical, structural: 1 collations in use that have a version
            critical public.c: made with version 0, sorted by <version>: indexes over texts may be wrong; should
                be: 0
              sql: REINDEX INDEX CONCURRENTLY ...;
              sql: ALTER COLLATION "public"."c" REFRESH VERSION;
        """,
        mends=(1,),
    ),
    Case(
        check=AutovacuumOff(),
        no="ok, structural: 2 settings and tables",
        well="CREATE TABLE t (x text)",
        ok="ok, structural: 3 settings and tables",
        ill="CREATE TABLE t (x text) WITH (autovacuum_enabled = false, toast.autovacuum_enabled = off)",
        bad="""
            warning, structural: 4 settings and tables
            warning public.t: autovacuum_enabled is false; should be: true
              sql: ALTER TABLE "public"."t" RESET (autovacuum_enabled);
            warning public.t: toast.autovacuum_enabled is false; should be: true
              sql: ALTER TABLE "public"."t" RESET (toast.autovacuum_enabled);
        """,
    ),
    Case(
        check=NeverAnalyzed(),
        no="skipped, structural: there are no tables to examine",
        well=f"{LOADED}; ANALYZE t",
        ok="ok, structural: 1 tables",
        ill=LOADED,
        bad="""
            warning, structural: 1 tables
            warning public.t: never analysed, 2.2 MB; should be: analysed
              sql: ANALYZE "public"."t";
        """,
    ),
    Case(
        check=NeverAnalyzed(),
        name="partitioned",
        no="skipped, structural: there are no tables to examine",
        well=f"{LOADED_IN_PARTS}; ANALYZE t",
        ok="ok, structural: 4 tables",
        ill=f"{LOADED_IN_PARTS}; ANALYZE t_low; ANALYZE t_high",
        bad="""
            warning, structural: 4 tables
            warning public.t: never analysed, 2.2 MB: autovacuum analyses its partitions alone; should be: analysed
              sql: ANALYZE "public"."t";
        """,
    ),
    Case(
        check=NameTruncation(),
        no="skipped, structural: there are no names to examine",
        well="CREATE TABLE t (id int)",
        ok="ok, structural: 2 names",
        ill=f"CREATE TABLE t (id int, {'ä' * 31}x int, CONSTRAINT {'d' * 46}_0123abcd_fk_p_id CHECK (id > 0)); "
        f"CREATE VIEW {'v' * 64} AS SELECT 1 AS x",
        bad="""
            ok, structural: 6 names
            info public.t.äääääääääääääääääääääääääääääääx: the column's name is as long as a name can be, and
                was perhaps cut; should be: a shorter name
            info public.vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv: the view's name is as
                long as a name can be, and was perhaps cut; should be: a shorter name
        """,
        mends=(),
    ),
    Case(
        check=PublicSchemaCreate(),
        nothing="DROP SCHEMA public",
        no="skipped, structural: there are no schemas to examine",
        well="CREATE SCHEMA own",
        ok="ok, structural: 2 schemas",
        ill="GRANT CREATE ON SCHEMA public TO PUBLIC",
        bad="""
            warning, structural: 1 schemas
            warning public: everybody may create objects in it; should be: roles by name
              sql: REVOKE CREATE ON SCHEMA "public" FROM PUBLIC;
        """,
    ),
)
