"""The DDL log sees who changed the schema, when, from what and with which statement, and is never in anybody's way."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.databases import session
from tests.helpers import applysql, manage, put, role, rows, run_sql, value
from tests.schema.logged_ddl import as_role, install, logged, show

#: Statements, and what the log has of each: command, kind, object, whether it was dropped.
LOGGED = [
    ("CREATE SCHEMA other", [("CREATE SCHEMA", "schema", "other", False)]),
    ("CREATE TABLE app.t (n int)", [("CREATE TABLE", "table", "app.t", False)]),
    ("CREATE TABLE app.copy AS SELECT 1 AS n", [("CREATE TABLE AS", "table", "app.copy", False)]),
    ("SELECT 1 AS n INTO app.copy", [("SELECT INTO", "table", "app.copy", False)]),
    ("ALTER TABLE users ADD COLUMN age int", [("ALTER TABLE", "table", "public.users", False)]),
    ("ALTER TABLE users RENAME COLUMN n TO m", [("ALTER TABLE", "table column", "public.users.m", False)]),
    ("ALTER TABLE users RENAME TO people2", [("ALTER TABLE", "table", "public.people2", False)]),
    ("ALTER TABLE users SET SCHEMA app", [("ALTER TABLE", "table", "app.users", False)]),
    ("ALTER TABLE users OWNER TO CURRENT_USER", [("ALTER TABLE", "table", "public.users", False)]),
    ("ALTER TABLE users ENABLE ROW LEVEL SECURITY", [("ALTER TABLE", "table", "public.users", False)]),
    ("ALTER TABLE users DISABLE TRIGGER touched", [("ALTER TABLE", "table", "public.users", False)]),
    ("ALTER TABLE users REPLICA IDENTITY FULL", [("ALTER TABLE", "table", "public.users", False)]),
    (
        "ALTER TABLE users DROP COLUMN n",
        [
            ("ALTER TABLE", "table column", "public.users.n", True),
            ("ALTER TABLE", "table constraint", "users_n_check on public.users", True),
            ("ALTER TABLE", "index", "public.users_n_idx", True),
            ("ALTER TABLE", "statistics object", "public.users_stat", True),
            ("ALTER TABLE", "table", "public.users", False),
        ],
    ),
    (
        "ALTER TABLE users DROP CONSTRAINT users_n_check",
        [
            ("ALTER TABLE", "table constraint", "users_n_check on public.users", True),
            ("ALTER TABLE", "table", "public.users", False),
        ],
    ),
    ("CREATE INDEX i ON users (email)", [("CREATE INDEX", "index", "public.i", False)]),
    ("ALTER INDEX users_n_idx RENAME TO i", [("ALTER INDEX", "index", "public.i", False)]),
    ("DROP INDEX users_n_idx", [("DROP INDEX", "index", "public.users_n_idx", True)]),
    (
        "CREATE OR REPLACE VIEW people AS SELECT email FROM users WHERE n > 1",
        [("CREATE VIEW", "view", "public.people", False)],
    ),
    ("ALTER VIEW people SET (security_barrier)", [("ALTER VIEW", "view", "public.people", False)]),
    (
        "DROP VIEW people",
        [("DROP VIEW", "view", "public.people", True), ("DROP VIEW", "rule", '"_RETURN" on public.people', True)],
    ),
    (
        "REFRESH MATERIALIZED VIEW totals WITH NO DATA",
        [("REFRESH MATERIALIZED VIEW", "materialized view", "public.totals", False)],
    ),
    ("ALTER FUNCTION twice STRICT", [("ALTER FUNCTION", "function", "public.twice(integer)", False)]),
    ("DROP FUNCTION twice", [("DROP FUNCTION", "function", "public.twice(integer)", True)]),
    ("CREATE PROCEDURE p() LANGUAGE sql AS ''", [("CREATE PROCEDURE", "procedure", "public.p()", False)]),
    (
        "CREATE AGGREGATE total(integer) (sfunc = int4pl, stype = integer)",
        [("CREATE AGGREGATE", "aggregate", "public.total(integer)", False)],
    ),
    ("DROP TRIGGER touched ON users", [("DROP TRIGGER", "trigger", "touched on public.users", True)]),
    (
        "CREATE RULE r AS ON INSERT TO users DO ALSO NOTHING",
        [("CREATE RULE", "rule", "r on public.users", False)],
    ),
    ("ALTER POLICY own ON users TO CURRENT_USER", [("ALTER POLICY", "policy", "own on public.users", False)]),
    ("DROP POLICY own ON users", [("DROP POLICY", "policy", "own on public.users", True)]),
    ("ALTER TYPE mood ADD VALUE 'sad'", [("ALTER TYPE", "type", "public.mood", False)]),
    (
        "ALTER DOMAIN positive DROP CONSTRAINT positive_check",
        [
            ("ALTER DOMAIN", "domain constraint", "positive_check on public.positive", True),
            ("ALTER DOMAIN", "type", "public.positive", False),
        ],
    ),
    ("CREATE TYPE pair AS (a int, b int)", [("CREATE TYPE", "type", "public.pair", False)]),
    ("CREATE TYPE span AS RANGE (subtype = float8)", [("CREATE TYPE", "type", "public.span", False)]),
    ("ALTER SEQUENCE numbers INCREMENT 5", [("ALTER SEQUENCE", "sequence", "public.numbers", False)]),
    ("CREATE EXTENSION citext", [("CREATE EXTENSION", "extension", "citext", False)]),
    ("DROP STATISTICS users_stat", [("DROP STATISTICS", "statistics object", "public.users_stat", True)]),
    ("CREATE PUBLICATION news FOR TABLE users", [("CREATE PUBLICATION", "publication", "news", False)]),
    ("ALTER SERVER away OPTIONS (ADD host 'x')", [("ALTER SERVER", "server", "away", False)]),
    ("DROP SERVER away", [("DROP SERVER", "server", "away", True)]),
    (
        "CREATE FOREIGN TABLE there (n int) SERVER away",
        [("CREATE FOREIGN TABLE", "foreign table", "public.there", False)],
    ),
    ("GRANT SELECT ON users TO PUBLIC", [("GRANT", "table", "", False)]),
    ("GRANT SELECT (n) ON users TO PUBLIC", [("GRANT", "table", "", False)]),
    ("REVOKE EXECUTE ON FUNCTION twice FROM PUBLIC", [("REVOKE", "function", "", False)]),
    (
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
        [("ALTER DEFAULT PRIVILEGES", "tables", "", False)],
    ),
    ("COMMENT ON TABLE users IS 'who'", [("COMMENT", "table", "public.users", False)]),
    ("COMMENT ON COLUMN users.n IS 'what'", [("COMMENT", "table column", "public.users.n", False)]),
    ('ALTER SCHEMA app RENAME TO "My App"', [("ALTER SCHEMA", "schema", '"My App"', False)]),
]

#: What changes nothing that lasts, or goes without saying.
NOT_LOGGED = [
    "CREATE TEMPORARY TABLE t (n int PRIMARY KEY); CREATE INDEX ON t (n); ALTER TABLE t ADD m int; DROP TABLE t",
    "CREATE TEMPORARY TABLE t (n int); CREATE POLICY p ON t; DROP POLICY p ON t",
    "REFRESH MATERIALIZED VIEW totals",
    "INSERT INTO users (n) VALUES (1); TRUNCATE users; ANALYZE users",
]


def test_each_kind_of_change_is_logged(log: None) -> None:
    seen = "SELECT tag, kind, object, dropped FROM sqlmigrations_schemachange WHERE statement = %s ORDER BY id"
    found = {}
    with session() as connection:
        for statement, _ in LOGGED:
            with connection.transaction(force_rollback=True):
                connection.execute(statement.encode())
                found[statement] = connection.execute(seen, [statement]).fetchall()
    assert found == dict(LOGGED)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("CREATE INDEX CONCURRENTLY i ON users (email)", ("CREATE INDEX", "index", "public.i", False)),
        ("DROP INDEX CONCURRENTLY users_n_idx", ("DROP INDEX", "index", "public.users_n_idx", True)),
    ],
)
def test_what_runs_outside_a_transaction_is_logged(
    log: None, statement: str, expected: tuple[str, str, str, bool]
) -> None:
    run_sql(statement)
    assert expected in logged()


@pytest.mark.parametrize("statement", NOT_LOGGED)
def test_what_does_not_last_is_not_logged(log: None, statement: str) -> None:
    run_sql(statement)
    assert logged() == []


def test_the_members_of_an_extension_are_not_logged(log: None) -> None:
    run_sql("CREATE EXTENSION hstore")
    run_sql("DROP EXTENSION hstore CASCADE")
    assert logged() == [
        ("CREATE EXTENSION", "extension", "hstore", False),
        ("DROP EXTENSION", "extension", "hstore", True),
    ]


def test_what_goes_with_an_extension_is_logged(log: None) -> None:
    run_sql("CREATE EXTENSION citext")
    run_sql("ALTER TABLE users ADD COLUMN nick citext")
    run_sql("DROP EXTENSION citext CASCADE")
    assert logged()[2:] == [
        ("DROP EXTENSION", "extension", "citext", True),
        ("DROP EXTENSION", "table column", "public.users.nick", True),
    ]


def test_who_did_it_and_from_what(log: None) -> None:
    run_sql("GRANT CREATE ON SCHEMA public TO PUBLIC")
    with role("LOGIN") as group, role("LOGIN", f"IN ROLE {group}") as person:
        ((before, address),) = rows("SELECT clock_timestamp(), host(inet_client_addr())")
        with as_role(person, application_name="bench") as connection:
            connection.execute("CREATE TABLE first (n int)")
            connection.execute(f"SET ROLE {group}".encode())
            connection.execute("CREATE TABLE second (n int)")
            pid = connection.info.backend_pid
        found = logged("role, assumed_role, application_name, client_address, backend_pid, filename, object")[1:]
        after = value("SELECT clock_timestamp()")
        assert found == [
            (person, "", "bench", address or "", pid, "", "public.first"),
            (person, group, "bench", address or "", pid, "", "public.second"),
        ]
        assert before < logged("at")[1][0] < logged("at")[2][0] < after
        run_sql("DROP TABLE first, second")


def test_changes_of_one_transaction_share_its_id(log: None) -> None:
    with session() as connection, connection.transaction():
        connection.execute("CREATE TABLE one ()")
        with connection.transaction():
            connection.execute("CREATE TABLE two ()")
        ((xid,),) = connection.execute("SELECT pg_current_xact_id()::text::bigint").fetchall()
    assert logged("xid, object") == [(xid, "public.one"), (xid, "public.two")]


FUNCTION = "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS"


def test_what_is_rolled_back_is_not_logged(log: None) -> None:
    with session() as connection, connection.transaction(force_rollback=True):
        connection.execute("CREATE TABLE one ()")
    assert logged() == []


def test_the_statement_within_a_block_is_told_apart_from_what_was_sent(log: None) -> None:
    run_sql("DO $$ BEGIN EXECUTE 'CREATE INDEX i ON users (n)'; END $$")
    sent = "DO $$ BEGIN EXECUTE 'CREATE INDEX i ON users (n)'; END $$"
    assert logged("statement, query") == [("CREATE INDEX i ON users (n)", sent)]


@pytest.mark.parametrize("language", ["C", "de_DE.UTF-8", "fr_FR.UTF-8"])
def test_the_statement_is_found_in_whatever_language_the_server_speaks(log: None, language: str) -> None:
    statement = 'CREATE VIEW v AS\nSELECT \'»x« "y"\' AS "a\nb"'
    run_sql(f"""
        CREATE FUNCTION inner_one() RETURNS int LANGUAGE plpgsql AS $f$ BEGIN {statement}; RETURN 1; END $f$;
        CREATE FUNCTION outer_one() RETURNS void LANGUAGE plpgsql AS $f$ BEGIN PERFORM inner_one(); END $f$;
    """)
    with session() as connection:
        try:
            connection.execute(f"SET lc_messages = '{language}'".encode())
        except psycopg.errors.InvalidParameterValue:
            pytest.skip(f"the server's system has no locale {language}")
        connection.execute("SELECT outer_one()")
    assert logged("statement, query")[-1] == (statement, "SELECT outer_one()")


def test_sessions_that_play_a_replica_are_logged(log: None) -> None:
    run_sql("SET session_replication_role = replica; CREATE TABLE t ()")
    assert logged() == [("CREATE TABLE", "table", "public.t", False)]


@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        ("CREATE USER MAPPING FOR PUBLIC SERVER away OPTIONS (password 'it''s')", "(password '********')"),
        ("CREATE USER MAPPING FOR PUBLIC SERVER away OPTIONS (\"password\" E'x')", "(\"password\" E'********')"),
        (
            "DO $$ BEGIN EXECUTE 'CREATE USER MAPPING FOR PUBLIC SERVER away OPTIONS (password ''hush'')'; END $$",
            "OPTIONS (password '********')",
        ),
        (
            "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT 'user=a password=hush port=1' $$",
            "password=******** p",
        ),
        ("CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT 'postgres://a:hush@b' $$", "//a:********@b'"),
        (
            "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT 'PASSWORD ''hush'' ' $$",
            "PASSWORD ''********'' ",
        ),
    ],
)
def test_passwords_are_hidden(log: None, statement: str, kept: str) -> None:
    run_sql(statement)
    ((ran, sent),) = logged("statement, query")
    assert kept in ran
    for secret in ("hush", "it''s", "E'x'"):
        assert secret not in ran + sent


def test_a_password_whose_end_is_cut_off_is_hidden(log: None) -> None:
    comment = "x" * 4900
    run_sql(f"CREATE USER MAPPING FOR PUBLIC SERVER away OPTIONS (user '{comment}', password '{'hush' * 100}')")
    ((ran,),) = logged("statement")
    assert ran.endswith("', password '********'")


def test_long_statements_are_cut(log: None) -> None:
    run_sql(f"CREATE TABLE t () /* {'x' * 10_000} */")
    ((ran,),) = logged("statement")
    assert len(ran) == 5000


# Which SQL file it was

OFF = "-- sqlmigrations: transaction off"


def test_the_file_that_a_run_applies_is_known_whatever_it_does_to_its_session(log: None, folder: Path) -> None:
    reset = "RESET ALL; SET application_name = 'me'; SELECT pg_advisory_unlock_all(); SET search_path = app;"
    put(
        folder,
        {
            "001.sql": f"CREATE TABLE one (id int);\n{reset}\nCREATE TABLE app.late (id int);",
            "002.sql": f"{OFF}\nCREATE INDEX CONCURRENTLY i ON one (id);\nCREATE TABLE two ();",
            "002.down.sql": "DROP TABLE two;",
            "003.sql": "-- sqlmigrations: isolation serializable\nCREATE TABLE three (id int);",
        },
    )
    assert applysql().code == 0
    run_sql("CREATE TABLE mine ()")
    assert manage("revertsql", "002.sql", "--noinput").code == 0
    run_sql("CREATE TABLE mine_too ()")
    assert logged("filename, object") == [
        ("001.sql", "public.one"),
        ("001.sql", "app.late"),
        ("002.sql", "public.i"),
        ("002.sql", "public.two"),
        ("003.sql", "public.three"),
        ("", "public.mine"),
        ("002.sql", "public.two"),
        ("", "public.mine_too"),
    ]


def test_a_change_beside_a_running_file_is_not_the_files(log: None, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE EXTENSION dblink;\nCREATE TABLE own ();\n" + _beside()})
    assert applysql().code == 0
    assert logged("filename, object") == [
        ("001.sql", "dblink"),
        ("001.sql", "public.own"),
        ("", "public.beside"),
    ]


def _beside() -> str:
    """Return a statement that changes the schema over a connection of its own."""
    with session() as connection:
        info = connection.info
        reach = make_conninfo(host=info.host, port=info.port, dbname=info.dbname, user=info.user)
    return f"SELECT dblink_exec('{reach}', 'CREATE TABLE beside ()');"


# Never in the way

BREAKAGES = {
    "its table is gone": "DROP TABLE sqlmigrations_schemachange",
    "its table has another shape": "ALTER TABLE sqlmigrations_schemachange DROP COLUMN tag",
    "its table refuses the row": "ALTER TABLE sqlmigrations_schemachange ADD CHECK (false) NOT VALID",
    "a trigger on its table fails": """
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        CREATE TRIGGER fail BEFORE INSERT ON sqlmigrations_schemachange FOR EACH ROW EXECUTE FUNCTION fail();
    """,
    "the history is gone": "DROP TABLE sqlmigrations_migrationevent",
}


@pytest.mark.parametrize("breakage", BREAKAGES.values(), ids=BREAKAGES.keys())
def test_a_log_that_can_not_write_blocks_nobody(log: None, breakage: str) -> None:
    run_sql(breakage)
    run_sql("CREATE TABLE t (n int); CREATE INDEX i ON t (n); DROP TABLE t")


def test_a_log_whose_owner_lost_its_rights_blocks_nobody(log: None) -> None:
    with role() as owner:
        run_sql(f"ALTER FUNCTION sqlmigrations_log_ddl() OWNER TO {owner}; TRUNCATE sqlmigrations_schemachange")
        run_sql("CREATE TABLE t (n int); DROP TABLE t")
        assert logged() == []
        assert show().out.splitlines()[1:] == [
            f"  the role {owner}, which owns the function, may not write to the log's table",
            "  Mend it with: manage.py validateschema --ddl-log install",
        ]
        assert install().code == 0
        run_sql("CREATE TABLE t (n int)")
        assert logged() == [("CREATE TABLE", "table", "public.t", False)]


def test_a_role_without_any_right_is_logged(log: None) -> None:
    """The log writes with its owner's rights, and nobody can slip it objects along the search_path."""
    with role("LOGIN") as person:
        run_sql(f"CREATE SCHEMA theirs AUTHORIZATION {person}; TRUNCATE sqlmigrations_schemachange")
        with as_role(person) as connection:
            connection.execute("CREATE TABLE theirs.sqlmigrations_schemachange (n int)")
            connection.execute("CREATE FUNCTION theirs.left(text, int) RETURNS text LANGUAGE sql AS 'SELECT $1'")
            connection.execute("SET search_path = theirs, pg_catalog")
            connection.execute("CREATE TABLE t (n int)")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT * FROM public.sqlmigrations_schemachange")
        assert logged("role, object")[-1] == (person, "theirs.t")


def test_a_locked_log_is_not_waited_for(log: None) -> None:
    with session() as holder, holder.transaction():
        holder.execute("LOCK TABLE sqlmigrations_schemachange")
        run_sql("CREATE TABLE t (n int)")
    run_sql("CREATE TABLE u (n int)")
    assert [name for (name,) in logged("object")] == ["public.u"]
