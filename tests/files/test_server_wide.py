"""Tests of statements that reach beyond their database."""

from __future__ import annotations

import pytest

from sqlmigrations.files.server_wide import without_server_wide


@pytest.mark.parametrize(
    ("statement", "command"),
    [
        ("CREATE ROLE a", "CREATE ROLE"),
        ("ALTER USER a PASSWORD 'x'", "ALTER USER"),
        ("DROP GROUP a", "DROP GROUP"),
        ("ALTER SYSTEM SET work_mem = '1MB'", "ALTER SYSTEM"),
        ("ALTER DATABASE shop SET work_mem = '1MB'", "ALTER DATABASE"),
        ("CREATE TABLESPACE t LOCATION '/x'", "CREATE TABLESPACE"),
        ("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p", "CREATE SUBSCRIPTION"),
        ("COMMENT ON DATABASE shop IS 'x'", "COMMENT ON DATABASE"),
        ("SECURITY LABEL FOR x ON ROLE a IS 'y'", "SECURITY LABEL"),
        ("REASSIGN OWNED BY a TO b", "REASSIGN OWNED"),
        ("DROP OWNED BY a", "DROP OWNED"),
        ("GRANT a TO b", "GRANT of a role"),
        ('GRANT "a", b TO c WITH ADMIN OPTION', "GRANT of a role"),
        ("REVOKE ADMIN OPTION FOR a FROM b", "REVOKE of a role"),
        ("REVOKE SET OPTION FOR a FROM b", "REVOKE of a role"),
        ("GRANT CONNECT, TEMP ON DATABASE shop TO a", "GRANT ON DATABASE"),
        ("REVOKE GRANT OPTION FOR ALL ON TABLESPACE t FROM a", "REVOKE ON TABLESPACE"),
        ("GRANT ALTER SYSTEM ON PARAMETER work_mem TO a", "GRANT ON PARAMETER"),
        ("CREATE USER MAPPING FOR a SERVER s", None),
        ("GRANT SELECT (a), UPDATE ON t TO a", None),
        ("GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER, MAINTAIN ON t TO a", None),
        ("REVOKE GRANT OPTION FOR SELECT ON t FROM a", None),
        ("GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA public TO a", None),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE a GRANT SELECT ON TABLES TO b", None),
        ("COMMENT ON TABLE t IS 'CREATE ROLE a'", None),
        ("ALTER TABLE t OWNER TO a", None),
        ("CREATE TABLE role (id int)", None),
        ("DO $$ BEGIN CREATE ROLE a; END $$", None),
    ],
)
def test_statements_that_reach_beyond_their_database(statement: str, command: str | None) -> None:
    text, left_out = without_server_wide(f"{statement};".encode())
    assert left_out == ([(1, command)] if command else [])
    assert text.decode() == (" " * (len(statement) + 1) if command else f"{statement};")


def test_lines_keep_their_numbers() -> None:
    text = b"CREATE TABLE a ();\nCREATE ROLE b\n  LOGIN;\nCREATE TABLE c ();\n"
    assert without_server_wide(text) == (
        b"CREATE TABLE a ();\n             \n        \nCREATE TABLE c ();\n",
        [(2, "CREATE ROLE")],
    )
