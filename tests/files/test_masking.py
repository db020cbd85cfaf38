"""Passwords don't get into what is kept."""

from __future__ import annotations

import pytest

from sqlmigrations.files.masking import mask
from sqlmigrations.files.splitter import split


@pytest.mark.parametrize(
    ("sql", "masked"),
    [
        ("CREATE ROLE a LOGIN PASSWORD 'secret' VALID UNTIL '2030-01-01'",
         "CREATE ROLE a LOGIN PASSWORD '********' VALID UNTIL '2030-01-01'"),
        ("ALTER USER a WITH ENCRYPTED PASSWORD E'sec\\'ret;'", "ALTER USER a WITH ENCRYPTED PASSWORD '********'"),
        ("alter role a password /* x */ $$secret$$", "alter role a password /* x */ '********'"),
        ("ALTER ROLE a PASSWORD NULL", "ALTER ROLE a PASSWORD NULL"),
        ("CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'u', password 'secret', sslpassword 'secret')",
         "CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'u', password '********', sslpassword '********')"),
        ("CREATE USER MAPPING FOR a SERVER s OPTIONS (scram_client_key 'secret', SCRAM_SERVER_KEY 'secret')",
         "CREATE USER MAPPING FOR a SERVER s OPTIONS (scram_client_key '********', SCRAM_SERVER_KEY '********')"),
        ("ALTER USER MAPPING FOR a SERVER s OPTIONS (SET \"password\" 'secret')",
         "ALTER USER MAPPING FOR a SERVER s OPTIONS (SET \"password\" '********')"),
        ("CREATE SUBSCRIPTION s CONNECTION 'host=h password=secret dbname=d' PUBLICATION p",
         "CREATE SUBSCRIPTION s CONNECTION 'host=h password=******** dbname=d' PUBLICATION p"),
        ("CREATE SUBSCRIPTION s CONNECTION 'host=h password = ''se cret'' dbname=d' PUBLICATION p",
         "CREATE SUBSCRIPTION s CONNECTION 'host=h password = ******** dbname=d' PUBLICATION p"),
        ("CREATE SUBSCRIPTION s CONNECTION 'postgres://u:secret@h/d?sslmode=require' PUBLICATION p",
         "CREATE SUBSCRIPTION s CONNECTION 'postgres://u:********@h/d?sslmode=require' PUBLICATION p"),
        ("SELECT dblink_connect('host=h password=secret')", "SELECT dblink_connect('host=h password=********')"),
        ("DO $$ BEGIN EXECUTE 'CREATE ROLE a PASSWORD ''secret'''; CREATE ROLE b PASSWORD 'secret'; END $$",
         "DO $$ BEGIN EXECUTE 'CREATE ROLE a PASSWORD ''********'''; CREATE ROLE b PASSWORD '********'; END $$"),
        ("SELECT f($x$ALTER ROLE a PASSWORD 'it''s secret' LOGIN$x$, 'b')",
         "SELECT f($x$ALTER ROLE a PASSWORD '********' LOGIN$x$, 'b')"),
        # What is no password stays.
        ("CREATE TABLE users (password text DEFAULT 'x')", "CREATE TABLE users (password text DEFAULT 'x')"),
        ("UPDATE users SET password = crypt('x', 'y')", "UPDATE users SET password = crypt('x', 'y')"),
        ("COMMENT ON COLUMN users.password IS 'never empty'", "COMMENT ON COLUMN users.password IS 'never empty'"),
        ("SELECT 'http://example.com/a:b@c'", "SELECT 'http://example.com/a:b@c'"),
        ("INSERT INTO t VALUES ('password', 'x')", "INSERT INTO t VALUES ('password', 'x')"),
    ],
)  # fmt: skip
def test_mask(sql: str, masked: str) -> None:
    (statement,) = split([sql.encode()])
    assert mask(statement).decode() == masked
