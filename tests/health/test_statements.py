"""Checks of pg_stat_statements, in its several versions, and of what it says of JSONB columns."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sqlmigrations.health.base import Check, Subject
from sqlmigrations.health.cumulative.jsonb import MissingGinIndex, operators_on
from sqlmigrations.health.cumulative.statements import SlowQueries, StatementStatistics
from sqlmigrations.output.health import sql_lines
from tests.health.asking import Answered, Patient, fixes, said
from tests.health.others import Roles

MB = 1024**2

EXTENDED = """
CREATE SCHEMA "Its schema";
GRANT USAGE ON SCHEMA "Its schema" TO PUBLIC;
CREATE EXTENSION pg_stat_statements SCHEMA "Its schema"
"""

#: Forgets the statements of this database, not of others on the server.
FORGET = 'SELECT "Its schema".pg_stat_statements_reset(0, oid, 0) FROM pg_database WHERE datname = current_database()'

SLOW = SlowQueries(warning_seconds=0.005)


@pytest.fixture
def watched(own_patient: Patient) -> Patient:
    """Make a database with pg_stat_statements, in a schema that must be quoted."""
    preloaded = own_patient.connection.execute("SHOW shared_preload_libraries").fetchall()
    if "pg_stat_statements" not in preloaded[0][0]:
        pytest.skip("the server was started without pg_stat_statements in shared_preload_libraries")
    own_patient.run(EXTENDED)
    own_patient.run(FORGET)
    return own_patient


@pytest.mark.parametrize("check", [SlowQueries(), StatementStatistics(), MissingGinIndex()], ids=lambda check: check.id)
def test_sql_can_be_pasted_wherever_the_extension_is(watched: Patient, check: Check) -> None:
    watched.run("\n".join(sql_lines(check)))


def sleep(patient: Patient) -> None:
    """Run a slow statement often enough to be told."""
    for _ in range(10):
        patient.run("SELECT  *\nFROM t, pg_sleep(0.01)")


def test_slow_queries(watched: Patient, asking: Roles) -> None:
    watched.run("CREATE TABLE t (id int); INSERT INTO t SELECT n FROM generate_series(1, 5) AS n")
    assert watched.ask(SLOW).status == "ok"
    sleep(watched)
    for role in ("", asking.monitor):
        result = watched.ask(SLOW, role=role)
        (found,) = [each for each in result.findings if each.severity != "info"]
        assert (result.status, str(found.severity)) == ("warning", "warning")
        assert re.fullmatch(r"query -?\d+", str(found.subject))
        assert re.fullmatch(r"\d+ ms on average, 10 calls, \d+\.\d % of all time", found.observed)
        assert found.details[0] == (f"statement of {watched.connection.info.user}: SELECT * FROM t, pg_sleep($1)")
    assert result.window is not None


def test_the_plan_of_ones_own_statement(watched: Patient, asking: Roles) -> None:
    """In the search path that the application has; a statement of another role may do anything when it is planned."""
    watched.run("CREATE TABLE t (id int); INSERT INTO t SELECT n FROM generate_series(1, 5) AS n")
    sleep(watched)
    (found,) = [each for each in watched.ask(SLOW).findings if each.severity != "info"]
    if watched.connection.info.server_version >= 160000:
        plan = [line.partition("  (")[0] for line in found.details[1:] if "Disabled" not in line]
        assert plan[0] == "plan: Nested Loop"
        assert sorted(plan[1:]) == ["plan:   ->  Function Scan on pg_sleep", "plan:   ->  Seq Scan on t"]
    else:
        assert found.details[1:] == ()
    (of_other,) = [each for each in watched.ask(SLOW, role=asking.monitor).findings if each.severity != "info"]
    assert of_other.details[1:] == ()


def test_a_schema_that_may_not_be_used(watched: Patient, asking: Roles) -> None:
    watched.run('REVOKE USAGE ON SCHEMA "Its schema" FROM PUBLIC')
    for check in (SLOW, StatementStatistics()):
        assert said(watched.ask(check, role=asking.monitor)) == Answered(
            "skipped",
            reason=f"pg_stat_statements is in a schema that {asking.monitor} may not use",
            remedy=f'GRANT USAGE ON SCHEMA "Its schema" TO "{asking.monitor}";',
        )


@pytest.mark.parametrize("version", ["1.4", "1.7", "1.8", "1.10"])
def test_any_version_of_the_extension_is_read(own_patient: Patient, version: str) -> None:
    """A server that was upgraded keeps the extension's old version until somebody updates it."""
    own_patient.run(f"CREATE TABLE t (id int); CREATE EXTENSION pg_stat_statements VERSION '{version}'")
    sleep(own_patient)
    (found,) = [each for each in own_patient.ask(SLOW).findings if each.severity != "info"]
    assert "on average, 10 calls, " in found.observed
    health = own_patient.ask(StatementStatistics())
    if version == "1.10":
        assert (health.examined, health.reason) == (1, "")
    else:
        assert said(health) == Answered(
            "skipped",
            reason=f"pg_stat_statements {version} doesn't tell what it forgets",
            remedy="ALTER EXTENSION pg_stat_statements UPDATE;",
        )


@pytest.mark.parametrize("check", [SLOW, MissingGinIndex()], ids=["slow", "gin"])
def test_without_the_extension_nothing_is_known(patient: Patient, check: Check) -> None:
    patient.run("CREATE TABLE t (data jsonb)")
    assert said(patient.ask(check)) == Answered(
        "skipped",
        reason="pg_stat_statements is not installed in this database",
        remedy="CREATE EXTENSION pg_stat_statements; with shared_preload_libraries = 'pg_stat_statements'",
    )


def test_that_the_extension_is_missing_is_told(patient: Patient, asking: Roles) -> None:
    missing = (
        "pg_stat_statements",
        "info",
        "not installed in this database: nobody can tell which statements take long",
    )
    for role in ("", asking.bare):
        assert said(patient.ask(StatementStatistics(), role=role)) == Answered("ok", 1, (missing,))


@pytest.mark.parametrize(
    ("evictions", "expected"),
    [
        (0, None),
        (239, None),
        (240, "had no room 24 times a day, and forgot statements each time"),
    ],
)
def test_evictions(evictions: int, expected: str | None) -> None:
    found = StatementStatistics().judge({"evictions": evictions, "seconds": 864_000.0})
    assert (found and found.observed) == expected


def _query(**changes: Any) -> dict[str, Any]:
    return {
        "name": "7", "role": "app", "is_own": True, "query": "SELECT 1", "is_hidden": False, "calls": 100, "rows": 1,
        "seconds": 1.0, "mean_seconds": 0.01,
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("row", "severity"),
    [
        (_query(), None),
        (_query(mean_seconds=0.999, seconds=99.9), None),
        (_query(mean_seconds=1.0, seconds=100.0), "warning"),
        (_query(mean_seconds=10.0, seconds=1000.0), "critical"),
        (_query(mean_seconds=10.0, seconds=90.0, calls=9), None),
        (_query(mean_seconds=0.02, seconds=800.0, calls=40_000), "info"),
        (_query(mean_seconds=10.0, seconds=1000.0, is_hidden=True), None),
    ],
    ids=["quick", "nearly", "slow", "very slow", "seldom", "much", "hidden"],
)
def test_what_is_slow(row: dict[str, Any], severity: str | None) -> None:
    others = _query(name="8", seconds=1500.0, calls=9)
    found = SlowQueries().judge([row, others], None).findings
    assert [str(each.severity) for each in found] == ([severity] if severity else [])


# JSONB


@pytest.mark.parametrize(
    ("statement", "operators"),
    [
        ('SELECT * FROM "shop_item" WHERE "shop_item"."data" @> $1', {"@>"}),
        ("SELECT count(*) FROM shop_item i WHERE i.data ? $1 OR data ?| $2", {"?", "?|"}),
        ("SELECT * FROM shop_item WHERE data::jsonb @? $1 AND (data) @@ $2", {"@?", "@@"}),
        ("SELECT * FROM shop_item WHERE data -> $1 @> $2", set()),
        ("SELECT * FROM shop_item WHERE metadata @> $1", set()),
        ("SELECT * FROM shop_items WHERE data @> $1", set()),
        ("SELECT data FROM shop_item", set()),
    ],
)
def test_operators_on_a_column(statement: str, operators: set[str]) -> None:
    assert operators_on(Subject("column", "public", "shop_item", columns=("data",)), statement) == operators


def search(patient: Patient, statement: str) -> None:
    """Search so often that a busy server doesn't forget the statement, which it does with the least called ones."""
    for _ in range(20):
        patient.run(statement)


def test_missing_gin_jsonb(watched: Patient, asking: Roles) -> None:
    check = MissingGinIndex(min_bytes=0, min_calls=20)
    watched.run("CREATE TABLE item (id int, data jsonb, more jsonb)")
    assert said(watched.ask(check)) == Answered("ok", 2)
    search(watched, "SELECT * FROM item WHERE data @> '{}'")
    told = "searched with @> in 20 calls, 8.0 kB, without a GIN index"
    for role in ("", asking.monitor):
        result = watched.ask(check, role=role)
        assert said(result) == Answered("warning", 2, (("public.item.data", "warning", told),))
    assert fixes(result) == [
        ("sql", 'CREATE INDEX CONCURRENTLY ON "public"."item" USING gin ("data" "jsonb_path_ops");')
    ]
    watched.run(fixes(result)[0][1])
    assert said(watched.ask(check)) == Answered("ok", 2)
    search(watched, "SELECT * FROM item WHERE data ? 'a'")
    result = watched.ask(check)
    assert said(result).findings[0][2] == "searched with ? in 20 calls, 8.0 kB, without a GIN index"
    assert fixes(result) == [("sql", 'CREATE INDEX CONCURRENTLY ON "public"."item" USING gin ("data" "jsonb_ops");')]
