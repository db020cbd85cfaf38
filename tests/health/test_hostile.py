"""A database that makes catalog queries of other tools fail, or answer about the wrong things."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sqlmigrations.health.base import Check, Evidence
from sqlmigrations.health.registry import BUILT_IN
from tests.databases import session
from tests.health.asking import Patient, fixes

LONG = "n" * 50

#: intarray (dblinter's query dies of its operators), a schema and names that must be quoted, names of 63 bytes, and a
#: search path in which functions, operators and tables of others have the names of the catalog's.
HOSTILE = f'''
CREATE EXTENSION intarray;
CREATE EXTENSION amcheck;
CREATE EXTENSION pg_stat_statements;
CREATE SCHEMA "Se la; --";
SET LOCAL search_path = "Se la; --", public, pg_catalog;
CREATE FUNCTION count(text) RETURNS int LANGUAGE sql AS 'SELECT 1 / 0';
CREATE FUNCTION coalesce_all(anyelement) RETURNS int LANGUAGE sql AS 'SELECT 1 / 0';
CREATE FUNCTION same(name, name) RETURNS bool LANGUAGE sql AS 'SELECT 1 / 0 = 1';
CREATE OPERATOR = (LEFTARG = name, RIGHTARG = name, FUNCTION = same);
CREATE TABLE pg_stat_activity (pid int PRIMARY KEY);
CREATE TABLE pg_stat_statements_info (dealloc int PRIMARY KEY);
CREATE TABLE pg_class (oid int PRIMARY KEY, "%s {{}} '""" int);
CREATE TABLE "{LONG}""1" (id serial PRIMARY KEY, "a AND b" int REFERENCES pg_class, "%" int, "data?" jsonb);
CREATE TABLE "{LONG}""2" (x int, y int REFERENCES "{LONG}""1");
INSERT INTO pg_class VALUES (1, 1);
INSERT INTO "{LONG}""1" VALUES (1, 1, 1, '{{}}');
INSERT INTO "{LONG}""2" VALUES (1, 1);
CREATE INDEX ON "{LONG}""1" ("a AND b") WHERE "a AND b" IS NOT NULL;
CREATE INDEX "{LONG}""3" ON "{LONG}""1" ("%");
CREATE INDEX "{LONG}""4" ON "{LONG}""1" ("%");
CREATE MATERIALIZED VIEW "m'" AS SELECT 1 AS x WITH NO DATA;
CREATE PUBLICATION "p;" FOR TABLE pg_class
'''


def lowest(check: type[Check]) -> Check:
    """Return the check with thresholds that judge whatever there is, and so word it."""
    given: dict[str, Any] = {
        name: 0
        for name in check.thresholds()
        if name.startswith(("min_", "warning_")) and not name.endswith("left_seconds")
    }
    return check(**given)


@pytest.fixture(scope="module")
def hostile(empty_database: str) -> Iterator[Patient]:
    """Make the database in a transaction, once for all checks."""
    with session(dbname=empty_database) as connection, connection.transaction(force_rollback=True):
        patient = Patient(connection)
        patient.run(HOSTILE)
        yield patient


@pytest.mark.parametrize("check", BUILT_IN, ids=lambda check: check.id)
def test_every_check_answers_and_its_fixes_name_the_right_thing(hostile: Patient, check: type[Check]) -> None:
    result = hostile.ask(lowest(check))
    assert not result.reason.startswith("it failed"), result.reason
    if check.evidence is not Evidence.CUMULATIVE and check.id != "backup_age":
        assert not result.is_blind, result.reason
    with hostile.connection.transaction(force_rollback=True):
        for kind, text in fixes(result):
            is_ours = text.startswith(("ALTER TABLE", "CREATE INDEX", "REFRESH", "ANALYZE", "DROP INDEX"))
            if kind == "sql" and is_ours and "..." not in text:
                hostile.run(text.replace(" CONCURRENTLY", ""))
