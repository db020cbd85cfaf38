"""The DDL log as tests install, show and read it."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import connections

from tests.helpers import Ran, manage, rows

#: A database with an object to change of each kind.
OBJECTS = """
CREATE SCHEMA app;
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text DEFAULT '', n int CHECK (n > 0));
CREATE INDEX users_n_idx ON users (n);
CREATE VIEW people AS SELECT email FROM users;
CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM users;
CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
CREATE POLICY own ON users;
CREATE TYPE mood AS ENUM ('ok');
CREATE DOMAIN positive AS integer CONSTRAINT positive_check CHECK (VALUE > 0);
CREATE SEQUENCE numbers;
CREATE STATISTICS users_stat ON email, n FROM users;
CREATE FOREIGN DATA WRAPPER far;
CREATE SERVER away FOREIGN DATA WRAPPER far;
"""


def install() -> Ran:
    return manage("validateschema", "--ddl-log", "install")


def remove() -> Ran:
    return manage("validateschema", "--ddl-log", "remove")


def show(*arguments: str) -> Ran:
    return manage("validateschema", "--ddl-log", "show", *arguments)


def logged(columns: str = "tag, kind, object, dropped") -> list[tuple[Any, ...]]:
    return rows(f"SELECT {columns} FROM sqlmigrations_schemachange ORDER BY id")


def as_role(name: str, **options: Any) -> psycopg.Connection[Any]:
    """Open a session as another role."""
    given = connections["default"].settings_dict
    return psycopg.connect(
        dbname=given["NAME"],
        user=name,
        host=given["HOST"] or None,
        port=given["PORT"] or None,
        autocommit=True,
        **options,
    )
