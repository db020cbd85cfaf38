"""Single statements: transaction control, autocommit, session, temporary objects, trees."""

from __future__ import annotations

import psycopg
import pytest

from sqlmigrations.files.splitter import split
from sqlmigrations.files.statements import (
    PARSED,
    Statement,
    is_session,
    makes_temporary,
    may_need_autocommit,
    needs_autocommit,
    sends_rows,
    transaction_control,
    tree,
    waits_beside_others,
)


def one(sql: str) -> Statement:
    """Split a text that is one statement."""
    (statement,) = split([sql.encode()])
    return statement


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("BEGIN", "BEGIN"),
        ("begin work isolation level serializable", "BEGIN"),
        ("/* a */ BEGIN -- b\n;", "BEGIN"),
        ("START TRANSACTION READ ONLY", "START TRANSACTION"),
        ("COMMIT", "COMMIT"),
        ("COMMIT AND CHAIN", "COMMIT"),
        ("COMMIT PREPARED 'a'", "COMMIT PREPARED"),
        ("END", "END"),
        ("END TRANSACTION;", "END"),
        ("ROLLBACK", "ROLLBACK"),
        ("ROLLBACK WORK", "ROLLBACK"),
        ("ROLLBACK AND NO CHAIN", "ROLLBACK"),
        ("ROLLBACK PREPARED 'a'", "ROLLBACK PREPARED"),
        ("ABORT", "ABORT"),
        ("PREPARE TRANSACTION 'a'", "PREPARE TRANSACTION"),
        ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SET TRANSACTION"),
        ("SET LOCAL TRANSACTION READ ONLY", "SET TRANSACTION"),
        ("SET SESSION TRANSACTION READ ONLY", "SET TRANSACTION"),
        ("SET transaction_isolation = serializable", "SET TRANSACTION"),
        ("SET LOCAL transaction_read_only TO on", "SET TRANSACTION"),
        # These stay inside the transaction.
        ("SAVEPOINT a", None),
        ("RELEASE a", None),
        ("RELEASE SAVEPOINT a", None),
        ("ROLLBACK TO a", None),
        ("ROLLBACK TO SAVEPOINT a", None),
        ("ROLLBACK WORK TO a", None),
        ("ROLLBACK TRANSACTION TO SAVEPOINT a", None),
        ("SET CONSTRAINTS ALL DEFERRED", None),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", None),
        ("SET transaction_timeout = 0", None),
        ("SET LOCAL lock_timeout = '1s'", None),
        ("PREPARE a AS SELECT 1", None),
        ("PREPARE transaction AS SELECT 1", None),
        ("PREPARE transaction (int) AS SELECT $1", None),
        ("START_IT()", None),
        ("DO $$ BEGIN COMMIT; END $$", None),
        ("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END", None),
        ('"begin"', None),
        ("CREATE TABLE begin (a int)", None),
    ],
)
def test_transaction_control(sql: str, expected: str | None) -> None:
    assert transaction_control(one(sql)) == expected


AUTOCOMMIT = [
    ("CREATE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX CONCURRENTLY"),
    ("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)", "CREATE INDEX CONCURRENTLY"),
    ("DROP INDEX CONCURRENTLY i", "DROP INDEX CONCURRENTLY"),
    ("DROP INDEX CONCURRENTLY IF EXISTS i", "DROP INDEX CONCURRENTLY"),
    ("REINDEX TABLE CONCURRENTLY t", "REINDEX CONCURRENTLY"),
    ("REINDEX (CONCURRENTLY) TABLE t", "REINDEX CONCURRENTLY"),
    ("REINDEX (VERBOSE, CONCURRENTLY true) INDEX i", "REINDEX CONCURRENTLY"),
    ("REINDEX SCHEMA public", "REINDEX SCHEMA"),
    ("REINDEX DATABASE h", "REINDEX DATABASE"),
    ("REINDEX SYSTEM h", "REINDEX SYSTEM"),
    ("VACUUM", "VACUUM"),
    ("VACUUM (ANALYZE) t", "VACUUM"),
    ("CLUSTER", "CLUSTER without a table"),
    ("CLUSTER VERBOSE", "CLUSTER without a table"),
    ("CREATE DATABASE d", "CREATE DATABASE"),
    ("DROP DATABASE IF EXISTS d", "DROP DATABASE"),
    ("CREATE TABLESPACE s LOCATION '/x'", "CREATE TABLESPACE"),
    ("DROP TABLESPACE s", "DROP TABLESPACE"),
    ("ALTER SYSTEM SET work_mem = '1MB'", "ALTER SYSTEM"),
    ("ALTER DATABASE d SET TABLESPACE s", "ALTER DATABASE ... SET TABLESPACE"),
    ('ALTER DATABASE "d" SET TABLESPACE s', "ALTER DATABASE ... SET TABLESPACE"),
    ("ALTER TABLE t DETACH PARTITION p CONCURRENTLY", "DETACH PARTITION ... CONCURRENTLY"),
    ('ALTER TABLE IF EXISTS a."t" DETACH PARTITION a.p CONCURRENTLY;', "DETACH PARTITION ... CONCURRENTLY"),
    ("DISCARD ALL", "DISCARD ALL"),
    ("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p", "CREATE SUBSCRIPTION"),
    ("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (enabled = false)", "CREATE SUBSCRIPTION"),
    ("ALTER SUBSCRIPTION s REFRESH PUBLICATION", "ALTER SUBSCRIPTION ... REFRESH PUBLICATION"),
    ("ALTER SUBSCRIPTION s SET PUBLICATION p", "ALTER SUBSCRIPTION ... PUBLICATION with refresh"),
    ("DROP SUBSCRIPTION s", "DROP SUBSCRIPTION"),
]
IN_TRANSACTION = [
    "CREATE INDEX i ON t (a)",
    'CREATE INDEX "concurrently" ON t (a)',
    "CREATE TABLE t (concurrently int)",
    "DROP INDEX i",
    "REINDEX TABLE t",
    "REINDEX (VERBOSE) INDEX i",
    "REINDEX (CONCURRENTLY false) TABLE t",
    "REINDEX (CONCURRENTLY off, VERBOSE) TABLE schema",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
    "CLUSTER t",
    "CLUSTER t USING i",
    'CLUSTER "t"',
    "CLUSTER VERBOSE t",
    "ANALYZE",
    "ALTER DATABASE d SET work_mem = '1MB'",
    "ALTER TABLE t DETACH PARTITION p",
    "ALTER TABLE t DETACH PARTITION p FINALIZE",
    "ALTER TABLE t SET TABLESPACE s",
    "ALTER TABLE t ADD COLUMN concurrently int",
    "ALTER TYPE t ADD VALUE 'x'",
    "DISCARD PLANS",
    "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false)",
    "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (create_slot = false, enabled = off)",
    "ALTER SUBSCRIPTION s SET PUBLICATION p WITH (refresh = false)",
    "ALTER SUBSCRIPTION s DISABLE",
    "CREATE DATABASE_THING",
    "SELECT 'VACUUM'",
]


@pytest.mark.parametrize(("sql", "expected"), AUTOCOMMIT)
def test_needs_autocommit(sql: str, expected: str) -> None:
    assert needs_autocommit(one(sql)) == expected
    assert may_need_autocommit(one(sql)) == expected


@pytest.mark.parametrize("sql", IN_TRANSACTION)
def test_runs_in_a_transaction(sql: str) -> None:
    assert needs_autocommit(one(sql)) is None


#: The server looks at the objects before it looks at the transaction.
LOOKS_FIRST = (
    "SUBSCRIPTION",
    "DETACH",
    "DROP INDEX",
    "REINDEX TABLE",
    "REINDEX (",
    "REINDEX DATABASE",
    "REINDEX SYSTEM",
)


@pytest.mark.parametrize("sql", [sql for sql, _ in AUTOCOMMIT if not any(part in sql for part in LOOKS_FIRST)])
def test_the_server_refuses_it_in_a_transaction(sql: str, server: psycopg.Connection) -> None:
    """25001 is what PostgreSQL answers for what can't run inside a transaction block."""
    with server.transaction(force_rollback=True), pytest.raises(psycopg.errors.ActiveSqlTransaction):
        server.execute(sql)


@pytest.mark.parametrize("sql", ["REFRESH MATERIALIZED VIEW CONCURRENTLY v", "CLUSTER t", "ANALYZE", "DISCARD PLANS"])
def test_the_server_takes_it_in_a_transaction(sql: str, server: psycopg.Connection) -> None:
    """It fails, if at all, because there is no such table."""
    with server.transaction(force_rollback=True):
        try:
            server.execute(sql)
        except psycopg.errors.UndefinedTable:
            return


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CALL p()", "CALL"),
        ("DO $$ BEGIN COMMIT; END $$", "DO with COMMIT or ROLLBACK"),
        ("DO $$ BEGIN rollback; END $$", "DO with COMMIT or ROLLBACK"),
        ("DO $$ BEGIN PERFORM 'commit'; END $$", None),
        ("REINDEX TABLE t", "REINDEX"),
        ("CLUSTER t", "CLUSTER"),
        ("ALTER SUBSCRIPTION s DISABLE", "ALTER SUBSCRIPTION"),
        ("SELECT 1", None),
    ],
)
def test_may_need_autocommit(sql: str, expected: str | None) -> None:
    assert may_need_autocommit(one(sql)) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SET search_path = a", True),
        ("SET SESSION work_mem = '1MB'", True),
        ("SET ROLE r", True),
        ("SET SESSION AUTHORIZATION r", True),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", True),
        ("SET TIME ZONE 'UTC'", True),
        ("SET NAMES 'UTF8'", True),
        ("RESET ALL", True),
        ("SELECT pg_catalog.set_config('search_path', '', false)", True),
        ("SELECT pg_advisory_lock(1)", True),
        ("PREPARE p AS SELECT 1", True),
        ("LOAD 'auto_explain'", True),
        ("LISTEN a", True),
        ("SET LOCAL work_mem = '1MB'", False),
        ("SET TRANSACTION READ ONLY", False),
        ("SET CONSTRAINTS ALL IMMEDIATE", False),
        ("PREPARE TRANSACTION 'x'", False),
        ("SELECT 'set_config'", False),
        ("SELECT 1", False),
        ("UPDATE t SET a = 1", False),
    ],
)
def test_is_session(sql: str, expected: bool) -> None:
    assert is_session(one(sql)) is expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE TEMP TABLE t (a int)", True),
        ("CREATE TEMPORARY TABLE t AS SELECT 1", True),
        ("CREATE LOCAL TEMP TABLE t (a int)", True),
        ("CREATE OR REPLACE TEMP VIEW v AS SELECT 1", True),
        ("CREATE TEMP SEQUENCE s", True),
        ("CREATE TABLE pg_temp.t (a int)", True),
        ("CREATE FUNCTION pg_temp.f() RETURNS int RETURN 1", True),
        ("SELECT 1 AS a INTO TEMP t", True),
        ("WITH w AS (SELECT 1) SELECT * INTO TEMPORARY t FROM w", True),
        ("CREATE TABLE temp (a int)", False),
        ("CREATE TABLE t (temp int)", False),
        ("CREATE UNLOGGED TABLE t (a int)", False),
        ("SELECT a INTO t FROM temp", False),
    ],
)
def test_makes_temporary(sql: str, expected: bool) -> None:
    assert makes_temporary(one(sql)) is expected


def test_tree() -> None:
    """The tree of one statement, by the kind of its node."""
    parsed = tree(one("CREATE TABLE é (a int); -- x"))
    assert parsed is not None
    assert parsed["CreateStmt"]["relation"]["relname"] == "é"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a) VIRTUAL)",
        "this is no SQL",
        "SELECT " + "+".join("1" for _ in range(20_000)),
        "SELECT " + "(" * 10_000 + "1" + ")" * 10_000,
        "SELECT '" + "x" * PARSED + "'",
    ],
    ids=["newer grammar", "nonsense", "long expression", "deep parentheses", "large"],
)
def test_unparsed(sql: str) -> None:
    """What can't be parsed is no error."""
    assert tree(one(sql)) is None


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (a)", True),
        ("CREATE INDEX i ON t (a)", False),
        ("DROP INDEX CONCURRENTLY i", True),
        ("REINDEX (VERBOSE) TABLE CONCURRENTLY t", True),
        ("REINDEX TABLE t", False),
        ("REINDEX SCHEMA public", False),
        ("ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY", True),
        ("ALTER TABLE p DETACH PARTITION p1", False),
        ("ALTER TABLE t VALIDATE CONSTRAINT c", True),
        ("ALTER TABLE t VALIDATE CONSTRAINT c, ADD COLUMN a int", False),
        ("ALTER TABLE validate ADD CONSTRAINT c CHECK (a > 0)", False),
        ("ALTER DOMAIN d VALIDATE CONSTRAINT c", False),
        ("VACUUM t", True),
        ("VACUUM (ANALYZE, VERBOSE) t", True),
        ("VACUUM FULL t", False),
        ("VACUUM (FULL) t", False),
        ("ANALYZE t", True),
        ("CLUSTER", False),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY m", False),
        ("INSERT INTO t VALUES (1)", False),
        ("CALL p()", False),
    ],
)
def test_what_waits_beside_others(sql: str, expected: bool) -> None:
    assert waits_beside_others(one(sql)) is expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("COPY a TO stdout", True),
        ("COPY s.a (b, c) TO STDOUT WITH (FORMAT csv)", True),
        ("COPY (SELECT 1) TO stdout", True),
        ('COPY "to" TO stdin', True),
        ("COPY BINARY a TO stdout", True),
        ("COPY a TO '/tmp/stdout'", False),
        ("COPY a TO PROGRAM 'cat'", False),
        ("COPY stdout TO '/tmp/a'", False),
        ("COPY a FROM '/tmp/a'", False),
        ("SELECT 1 AS to, stdout", False),
    ],
)
def test_sends_rows(sql: str, expected: bool) -> None:
    assert sends_rows(one(sql)) is expected
