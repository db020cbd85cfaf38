"""Footprints: what a file changes, reads and makes."""

from __future__ import annotations

import psycopg
import pytest
from django.db import connections

from sqlmigrations.files.footprint import Footprint, MadeObject, footprint, objects_made
from sqlmigrations.files.names import same
from sqlmigrations.files.splitter import split
from sqlmigrations.files.statements import PARSED


def of(sql: str) -> Footprint:
    return footprint(split([sql.encode()]))


def made(sql: str) -> list[tuple[str, str]]:
    return [(found.kind, found.name) for found in objects_made(split([sql.encode()]))]


# Each statement with what it changes and what else it reads, as words.
STATEMENTS: list[tuple[str, str, str]] = [
    # Tables
    ("CREATE TABLE a (b int, c other.status DEFAULT f(1))", "a", "other.status f"),
    ("CREATE TABLE s.a (id serial)", "s.a s.a_id_seq", "serial"),
    ("CREATE TABLE a (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)", "a a_id_seq a_pkey", ""),
    ("CREATE TABLE a (b int REFERENCES c, FOREIGN KEY (b) REFERENCES s.d (e))", "a", "c s.d"),
    ("CREATE TABLE a (b int UNIQUE, c int, UNIQUE (b, c), CONSTRAINT k UNIQUE (c))", "a a_b_key a_b_c_key k", ""),
    ("CREATE TABLE a (b int, EXCLUDE USING gist (b WITH =))", "a a_b_excl", "gist"),
    ("CREATE TABLE a PARTITION OF b FOR VALUES IN (1)", "a", "b"),
    ("CREATE TABLE a (LIKE b) INHERITS (c)", "a", "b c"),
    ("CREATE TABLE a AS SELECT * FROM b JOIN c USING (id)", "a", "b c"),
    ("SELECT * INTO a FROM b", "a", "b"),
    ("CREATE FOREIGN TABLE a (b int) SERVER s", "a", "'server s'"),
    ("ALTER TABLE a ADD COLUMN b int REFERENCES c, ADD CONSTRAINT k UNIQUE (b)", "a k", "c"),
    ("ALTER TABLE a ADD CONSTRAINT k UNIQUE USING INDEX i", "a i k", ""),
    ("ALTER TABLE a ADD COLUMN b bigserial", "a a_b_seq", "bigserial"),
    ("ALTER TABLE a ATTACH PARTITION b DEFAULT", "a b", ""),
    ("ALTER TABLE s.a RENAME TO b", "s.a s.b", ""),
    ("ALTER TABLE a RENAME COLUMN b TO c", "a", ""),
    ("ALTER TABLE a SET SCHEMA s", "a s.a", ""),
    ("ALTER TABLE a OWNER TO r", "a", "'role r'"),
    ("ALTER TABLE a ALTER b SET DEFAULT nextval('s.c'::regclass)", "a", "s.c nextval regclass"),
    ("DROP TABLE a, s.b CASCADE", "a s.b", ""),
    ("TRUNCATE a, b", "a b", ""),
    ('CREATE TABLE "A.b" ("C" int)', '"A.b"', ""),
    # Views, indexes, sequences, statistics
    ("CREATE OR REPLACE VIEW v AS SELECT f(x) FROM a WHERE EXISTS (SELECT 1 FROM b)", "v", "a b f"),
    ("CREATE MATERIALIZED VIEW v AS SELECT 1 FROM a", "v", "a"),
    ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", "v", ""),
    ("CREATE INDEX i ON s.a USING gin (b gin_trgm_ops) WHERE f(c)", "s.i s.a", "gin gin_trgm_ops f"),
    ("CREATE INDEX ON a (lower(b), c, (d + 1))", "a a_lower_c_expr_idx", "lower btree"),
    ("DROP INDEX s.i", "s.i", ""),
    ("ALTER INDEX i RENAME TO j", "i j", ""),
    ("ALTER INDEX i SET (fillfactor = 70)", "i", ""),
    ("REINDEX INDEX i", "", "i"),
    ("CREATE SEQUENCE s OWNED BY t.a.b", "s t.a", ""),
    ("ALTER SEQUENCE s RESTART", "s", ""),
    ("SELECT setval('a_id_seq', 1), currval('S.\"X\"')", "", 'a_id_seq s.X setval currval'),
    ("CREATE STATISTICS s ON b, c FROM a", "s a", ""),
    ("CREATE STATISTICS ON b, c FROM a", "a", ""),
    # Rows
    ("INSERT INTO a (b) SELECT c FROM d RETURNING f(b)", "a", "d f"),
    ("UPDATE a SET b = c.d FROM c", "a", "c"),
    ("DELETE FROM a USING b WHERE a.c = b.c", "a", "b"),
    ("MERGE INTO a USING b ON a.c = b.c WHEN MATCHED THEN DELETE", "a", "b"),
    ("WITH x AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM x", "a b", "x"),
    ("COPY a TO stdout", "", "a"),
    ("COPY (DELETE FROM a RETURNING *) TO stdout", "a", ""),
    ("SELECT * FROM s.a, LATERAL f(a.b)", "", "s.a f"),
    ("EXPLAIN DELETE FROM a", "", "a"),
    ("EXPLAIN ANALYZE DELETE FROM a", "a", ""),
    ("LOCK TABLE a", "", "a"),
    ("VACUUM ANALYZE a", "", "a"),
    ("SELECT count(*) FROM pg_catalog.pg_class, information_schema.tables", "", "count"),
    # Types
    ("CREATE TYPE s.t AS ENUM ('a')", "s.t", ""),
    ("CREATE TYPE t AS (a int, b u)", "t", "u"),
    ("CREATE TYPE t AS RANGE (subtype = u)", "t", "u"),
    ("ALTER TYPE t ADD VALUE 'b'", "t", ""),
    ("CREATE DOMAIN d AS text CHECK (f(value))", "d", "text f"),
    ("COMMENT ON DOMAIN d IS 'x'", "d", ""),
    ("COMMENT ON CONSTRAINT c ON DOMAIN d IS 'x'", "d", ""),
    ("CREATE CAST (a AS b) WITH FUNCTION f(a)", "a b", "f"),
    ("DROP CAST (a AS b)", "", "a b"),
    ("CREATE TRANSFORM FOR t LANGUAGE l (FROM SQL WITH FUNCTION f(u))", "t", "f u"),
    ("CREATE AGGREGATE g (int) (sfunc = f, stype = s.t)", "g", "f s.t"),
    # Functions
    ("CREATE FUNCTION f(a t, OUT b u) LANGUAGE sql AS 'SELECT * FROM c; DELETE FROM d'", "f", "t u c d"),
    ("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC INSERT INTO a SELECT 1 FROM b; SELECT 1; END", "f", "a b"),
    ("CREATE FUNCTION f() RETURNS int RETURN (SELECT 1 FROM a)", "f", "a"),
    ("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO a SELECT NEW.*; RETURN NEW; END $$",
     "f", "a trigger"),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ DECLARE x a%ROWTYPE; y s.b.c%TYPE := (SELECT 1 FROM d);"
     " BEGIN x.z := (SELECT max(e) FROM g); RETURN 1; END $$", "f", "a s.b d g max"),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = s AS 'SELECT 1 FROM a, t.b'", "f", "s.a t.b"),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'file', 'symbol'", "f", ""),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ this is no PL/pgSQL about users $$",
     "f", "this is no pl pgsql about users"),
    ("DROP FUNCTION s.f(int)", "s.f", ""),
    ("ALTER FUNCTION f(t) OWNER TO r", "f", "t 'role r'"),
    ("CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f()", "a", "f"),
    ("DROP TRIGGER t ON s.a", "s.a", ""),
    ("ALTER TRIGGER t ON a DEPENDS ON EXTENSION citext", "a", ""),
    ("SELECT 'f(int)'::regprocedure, ''::regclass", "", "f regprocedure regclass"),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT ''a'", "f", "select"),
    ("CREATE RULE r AS ON INSERT TO a DO ALSO INSERT INTO b VALUES (1)", "a", "b"),
    ("CREATE POLICY p ON a TO r USING (b = f())", "a", "f 'role r'"),
    ("DROP POLICY p ON a", "a", ""),
    # Blocks
    ("DO $$ BEGIN UPDATE a SET b = 1; PERFORM f(c.x) FROM c; END $$", "a", "c f"),
    ("DO $$ BEGIN IF EXISTS (SELECT 1 FROM a) THEN ALTER TABLE b ADD c int; END IF; END $$", "b", "a"),
    ("DO $$ BEGIN FOR r IN SELECT * FROM a LOOP DELETE FROM b; END LOOP; END $$", "", ""),
    ("DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM a LOOP DELETE FROM b; END LOOP; END $$", "b", "a"),
    ("DO $$ DECLARE r a%ROWTYPE; q s.b; BEGIN r.x := 1; SELECT 1 INTO q.y FROM c; END $$", "", "a s.b c"),
    ("DO $$ BEGIN EXECUTE 'CREATE TABLE a (b int)'; END $$", "a", ""),
    # What lies in no schema
    ("CREATE ROLE r IN ROLE s", "'role r'", "'role s'"),
    ("GRANT r TO s", "'role r' 'role s'", ""),
    ("GRANT SELECT ON a, s.b TO r", "a s.b", "'role r'"),
    ("GRANT SELECT ON ALL TABLES IN SCHEMA s TO r", "s.*", "'role r'"),
    ("GRANT USAGE ON SCHEMA s TO r", "'schema s'", "'role r'"),
    ("GRANT EXECUTE ON FUNCTION f(int) TO r", "f", "'role r'"),
    ("ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO r", "s.*", "'role r'"),
    ("CREATE SCHEMA s CREATE TABLE a (b int) CREATE VIEW v AS SELECT 1 FROM a", "s.* 'schema s' s.a s.v", ""),
    ("DROP SCHEMA s CASCADE", "s.* 'schema s'", ""),
    ("ALTER SCHEMA s RENAME TO t", "s.* t.* 'schema s' 'schema t'", ""),
    ("COMMENT ON SCHEMA s IS 'x'", "'schema s'", ""),
    ("CREATE EXTENSION IF NOT EXISTS citext", "'extension citext' citext* regexp_*", ""),
    ("ALTER EXTENSION citext UPDATE", "'extension citext' citext* regexp_*", ""),
    ("ALTER EXTENSION citext SET SCHEMA s", "'extension citext' citext* regexp_* s.citext", ""),
    ("ALTER EXTENSION citext DROP FUNCTION f(int)", "'extension citext' citext* regexp_* f", ""),
    ("COMMENT ON EXTENSION citext IS 'x'", "'extension citext' citext* regexp_*", ""),
    ("CREATE PUBLICATION p FOR TABLE a", "'publication p'", "a"),
    ("DROP PUBLICATION p", "'publication p'", ""),
    ("CREATE USER MAPPING FOR r SERVER s", "'server s'", "'role r'"),
    ("IMPORT FOREIGN SCHEMA r FROM SERVER v INTO s", "s.*", ""),
    ("CREATE SERVER s FOREIGN DATA WRAPPER w", "'server s'", ""),
    ("COMMENT ON COLUMN s.a.b IS 'x'", "s.a", ""),
    ("COMMENT ON CONSTRAINT c ON a IS 'x'", "a", ""),
    # Nothing at all
    ("SET lock_timeout = '1s'", "", ""),
    ("SAVEPOINT a", "", ""),
    ("SELECT 1", "", ""),
]  # fmt: skip


def words(text: str) -> frozenset[str]:
    """Read names divided by blanks; one with a blank in it stands in single quotes."""
    parts = text.split("'")
    return frozenset([*" ".join(parts[::2]).split(), *parts[1::2]])


@pytest.mark.parametrize(("sql", "changes", "reads"), STATEMENTS, ids=[sql for sql, _, _ in STATEMENTS])
def test_statements(sql: str, changes: str, reads: str) -> None:
    found = of(sql)
    if "FOR r IN" in sql and "record" not in sql:
        assert (found.opaque, found.reason) == (True, "a DO block in plpgsql that can't be read (line 1)")
        return
    assert (found.changes, found.reads - found.changes, found.reason) == (words(changes), words(reads), "")


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("DO $$ BEGIN EXECUTE 'DROP TABLE ' || x; END $$", "EXECUTE of a text that is made when it runs (line 1)"),
        ("SELECT 1;\n\nDO $$ DECLARE r record; BEGIN FOR r IN EXECUTE x LOOP END LOOP; END $$",
         "EXECUTE of a text that is made when it runs (line 3)"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE x; RETURN 1; END $$",
         "EXECUTE of a text that is made when it runs (line 1)"),
        ("DO LANGUAGE plpython3u 'x = 1'", "a DO block in plpython3u that can't be read (line 1)"),
        ("CALL p()", "CALL of p, which this file does not make (line 1)"),
        ("EXECUTE p", "EXECUTE of p, which this file does not prepare (line 1)"),
        ("CREATE EXTENSION our_own", "what the extension our_own holds is not known (line 1)"),
        ("DROP OWNED BY r", "DROP OWNED (line 1)"),
        ("CREATE SCHEMA AUTHORIZATION CURRENT_USER", "a schema that is called like whoever runs the file (line 1)"),
        ("CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION f()",
         "an event trigger acts on every statement after it (line 1)"),
        ("this is no SQL", "a statement that can't be parsed (line 1)"),
    ],
)  # fmt: skip
def test_opaque(sql: str, reason: str) -> None:
    found = of(sql)
    assert (found.opaque, found.reason) == (True, reason)


@pytest.mark.parametrize(
    ("sql", "changes", "reads"),
    [
        ("SET search_path TO app, public; CREATE TABLE a (b int REFERENCES c)", "app.a", "public.a app.c public.c"),
        ("SET search_path = app; ALTER TABLE a ADD b int; DROP VIEW v", "app.a app.v", ""),
        ("SELECT pg_catalog.set_config('search_path', 'app, \"My\"', false); DELETE FROM a", "app.a My.a", ""),
        ("SELECT pg_catalog.set_config('search_path', '', false); CREATE TABLE s.a (b int); DROP TABLE c", "s.a c", ""),
        ("SET search_path = app; RESET search_path; DROP TABLE a", "a", ""),
        ("SET search_path = app; SET search_path TO DEFAULT; DROP TABLE a", "a", ""),
        ("SET search_path = app; RESET ALL; DROP TABLE a", "a", ""),
        ('SET search_path = "$user", app; DROP TABLE a', "a", ""),
        ("SET LOCAL search_path = app; CREATE INDEX i ON a (b)", "app.a app.i", "app.btree"),
        ("CREATE INDEX i ON s.a (b); DROP INDEX s.i", "s.a s.i", "btree"),
        ("CREATE INDEX i ON s.a (b); ALTER INDEX s.i RENAME TO j", "s.a s.i s.j", "btree"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'DELETE FROM a; SELECT g()';"
         "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'DELETE FROM b; SELECT 1'; SELECT f()", "f g a b", ""),
        ("CREATE PROCEDURE p() BEGIN ATOMIC DELETE FROM a; END; CALL p()", "p a", ""),
        ("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM a; RETURN NULL; END $$;"
         "CREATE TRIGGER t AFTER INSERT ON b EXECUTE FUNCTION f()", "f a b", "trigger"),
        ("PREPARE p AS DELETE FROM a; EXECUTE p", "a", ""),
        ("COPY a (b) FROM stdin;\nDROP TABLE c;\n\\.\nDROP TABLE d", "a d", ""),
    ],
)  # fmt: skip
def test_files(sql: str, changes: str, reads: str) -> None:
    """What one statement says counts for those after it."""
    found = of(sql)
    assert (found.changes, found.reads - found.changes, found.reason) == (words(changes), words(reads), "")


@pytest.mark.parametrize(
    ("sql", "changes"),
    [
        ("CREATE TABLE s.a (b int, c int GENERATED ALWAYS AS (b) VIRTUAL)", "s.a"),
        ("ALTER TABLE ONLY a ADD CONSTRAINT k NOT NULL b NOT VALID", "a"),
        ("ALTER TABLE IF EXISTS a ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES c NOT ENFORCED", "a"),
        ("INSERT INTO a (b) VALUES (1) RETURNING WITH (OLD AS o) o.b", "a"),
        ("UPDATE ONLY a SET b = 1 RETURNING WITH (NEW AS n) n.b", "a"),
        ("VACUUM ONLY a", ""),
        ("INSERT INTO s.a VALUES ('" + "x" * PARSED + "')", "s.a"),
        ("COPY a FROM 'file' WITH (reject_limit 3, on_error ignore, something_new)", "a"),
    ],
)  # fmt: skip
def test_by_keywords(sql: str, changes: str) -> None:
    """What can't be parsed is told by its leading words; every other name counts as read."""
    found = of(sql)
    assert (found.changes, found.reason) == (words(changes), "")
    if "REFERENCES c" in sql:
        assert "c" in found.reads


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("CREATE TABLE a (b int)", "CREATE TABLE c (d int)", None),
        ("CREATE TABLE a (b int)", "CREATE TABLE public.a (b int)", "a"),
        ("CREATE TABLE s.a (b int)", "CREATE TABLE t.a (b int)", None),
        ("CREATE TABLE a (b int)", "CREATE VIEW v AS SELECT * FROM a", "a"),
        ("SELECT * FROM a", "CREATE VIEW v AS SELECT * FROM a", None),
        ("CREATE TABLE a (b int)", "CREATE TABLE c (d int REFERENCES a)", "a"),
        ("CREATE SCHEMA s", "CREATE TABLE s.a (b int)", "s.*"),
        ("CREATE SCHEMA s", "GRANT USAGE ON SCHEMA s TO r", "schema s"),
        ("CREATE TABLE s.a (b int)", "GRANT SELECT ON ALL TABLES IN SCHEMA s TO r", "s.a"),
        ("CREATE TABLE s.a (b int)", "GRANT USAGE ON SCHEMA s TO r", None),
        ("CREATE ROLE r", "GRANT SELECT ON a TO r", "role r"),
        ("CREATE EXTENSION pgcrypto", "UPDATE a SET b = crypt(b, gen_salt('bf'))", "crypt"),
        ("CREATE EXTENSION citext", "CREATE TABLE a (b citext)", "citext*"),
        ("CREATE EXTENSION btree_gist", "CREATE TABLE a (b int, EXCLUDE USING gist (b WITH =))", "gist"),
        ("CREATE EXTENSION postgis", "CREATE TABLE a (b geometry(point))", "geometry*"),
        ("CREATE EXTENSION postgis", "CREATE TABLE a (b int)", None),
        ("CREATE INDEX i ON a (b)", "DROP INDEX i", "i"),
        ("CREATE TABLE a (id serial PRIMARY KEY)", "ALTER SEQUENCE a_id_seq RESTART", "a_id_seq"),
        ("CREATE TABLE a (id serial PRIMARY KEY)", "ALTER INDEX a_pkey RENAME TO b", "a_pkey"),
        ("CREATE TYPE status AS ENUM ('x')", "ALTER TABLE a ALTER b TYPE status USING b::status", "status"),
        ("CREATE FUNCTION f() RETURNS int RETURN 1", "CREATE TABLE a (b int DEFAULT f())", "f"),
        ("INSERT INTO a VALUES (1)", "CREATE INDEX i ON a (b)", "a"),
    ],
)
def test_shared(one: str, other: str, shared: str | None) -> None:
    first, second = of(one), of(other)
    assert first.shared(second) == shared
    assert (second.shared(first) is None) is (shared is None)


# Objects that a file makes


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE TABLE a (b int PRIMARY KEY)", [("table", "a"), ("index", "a_pkey")]),
        ("CREATE INDEX i ON s.a (b)", [("index", "s.i")]),
        ("CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f()", [("trigger", "t on a")]),
        ("CREATE POLICY p ON s.a", [("policy", "p on s.a")]),
        ("CREATE FUNCTION f() RETURNS int RETURN 1", [("function", "f")]),
        ("CREATE PROCEDURE p() BEGIN ATOMIC END", [("procedure", "p")]),
        ("CREATE TYPE t AS ENUM ('a'); CREATE DOMAIN d AS t", [("type", "t"), ("domain", "d")]),
        ("CREATE AGGREGATE g (int) (sfunc = f, stype = int)", [("aggregate", "g")]),
        ("CREATE EXTENSION citext; CREATE SCHEMA s", [("extension", "citext"), ("schema", "s")]),
        ("CREATE ROLE r", [("role", "r")]),
        ("ALTER TABLE a ADD b int, ADD CONSTRAINT c CHECK (b > 0)", [("column", "a.b"), ("constraint", "c on a")]),
        ("CREATE TABLE a (b int); DROP TABLE a", []),
        ("CREATE TABLE a (b int UNIQUE); CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f(); DROP TABLE a", []),
        ("CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f(); DROP TRIGGER t ON a", []),
        ("CREATE TABLE a (b int); ALTER TABLE a RENAME TO c", [("table", "c")]),
        ("CREATE TEMP TABLE a (b int)", []),
        ("CREATE TABLE a (b int); CREATE TABLE IF NOT EXISTS a (b int)", [("table", "a")]),
        ("DO $$ BEGIN CREATE TABLE a (b int); END $$", [("table", "a")]),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'CREATE TABLE a (b int); SELECT 1'", [("function", "f")]),
        ("INSERT INTO a VALUES (1)", []),
    ],
)  # fmt: skip
def test_objects_made(sql: str, expected: list[tuple[str, str]]) -> None:
    assert made(sql) == expected


def test_lines_of_objects() -> None:
    """Each has the line of the statement that makes it."""
    sql = "-- x\nCREATE TABLE a (b int);\n\nSET search_path = s;\nCREATE VIEW v AS\nSELECT 1;"
    assert objects_made(split([sql.encode()])) == (MadeObject("table", "a", 2), MadeObject("view", "s.v", 5))


# Compared with a server

SCHEMA = """
CREATE SCHEMA app CREATE TABLE within (a int PRIMARY KEY);
SET search_path = app, public;
CREATE TYPE status AS ENUM ('new', 'done');
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE TABLE users (id bigserial PRIMARY KEY, email text UNIQUE, name text, status status, UNIQUE (name, status));
CREATE TABLE public.orders (id int GENERATED ALWAYS AS IDENTITY, user_id bigint REFERENCES users, total positive,
    CONSTRAINT orders_key PRIMARY KEY (id), EXCLUDE (total WITH =));
CREATE INDEX ON users (lower(email), name);
CREATE INDEX by_name ON users (name);
CREATE UNIQUE INDEX ON users (name DESC, (id + 1));
CREATE SEQUENCE numbers;
CREATE VIEW active AS SELECT * FROM users;
CREATE MATERIALIZED VIEW totals AS SELECT sum(total) FROM public.orders;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE PROCEDURE nothing() BEGIN ATOMIC SELECT 1; END;
CREATE TRIGGER touched BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
CREATE POLICY own ON users USING (true);
ALTER TABLE users ADD COLUMN age int, ADD COLUMN serial_number serial, ADD CONSTRAINT old CHECK (age > 0);
CREATE STATISTICS correlated ON name, status FROM users;
CREATE TABLE parts (a int) PARTITION BY LIST (a);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE copied AS SELECT * FROM users;
"""

CATALOG = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('app', 'public') AND c.relkind <> 'c'
UNION ALL
SELECT n.nspname, p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname IN ('app', 'public')
UNION ALL
SELECT n.nspname, t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname IN ('app', 'public') AND t.typtype IN ('e', 'd')
UNION ALL
SELECT n.nspname, s.stxname FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
"""


def test_every_object_of_the_catalog_is_in_the_footprint(fresh_database: str) -> None:
    """Indexes and sequences that nobody named among them: the names are those that the server gives."""
    parameters = connections["default"].get_connection_params()
    with psycopg.connect(
        **{key: parameters[key] for key in parameters if key in ("host", "port", "user", "dbname")}
    ) as own:
        own.execute(SCHEMA.encode())
        catalog = {f"{schema}.{found}" for schema, found in own.execute(CATALOG)}
    found = of(SCHEMA)
    assert catalog - found.changes == set()
    listed = {name for kind, name in made(SCHEMA) if kind not in ("schema", "column") and " on " not in name}
    assert listed <= catalog
    # Only the sequences behind columns are not listed: they come and go with their table.
    assert catalog - listed == {"app.users_id_seq", "public.orders_id_seq", "app.users_serial_number_seq"}


def test_same_tells_the_object() -> None:
    """The name in a message is that of the first footprint's own text."""
    assert same(of("DROP TABLE public.a").changes, of("DROP TABLE a").changes) == "public.a"


@pytest.mark.parametrize("depth", [100, 300, 450, 900, 3_000])
def test_a_statement_of_many_levels_is_read_or_unparsed_and_no_error(depth: int) -> None:
    """How deep a tree Python reads differs between its versions."""
    found = of("CREATE TABLE a AS SELECT c FROM b" + " UNION ALL SELECT 1" * depth)
    assert found.changes == {"a"}
    assert found.reads >= {"a", "b"}
    assert not found.opaque
