"""Which statements can run in batches, and how they are narrowed to the rows of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlmigrations.files.batches import Unbatchable, batched
from sqlmigrations.files.reading import examine
from sqlmigrations.files.scripts import Script
from sqlmigrations.files.splitter import split

DIRECTIVE = "-- sqlmigrations: batch 5000\n"


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Return a script whose text is yet to be written."""
    return Script("001.sql", tmp_path / "001.sql")


@pytest.mark.parametrize(
    ("statement", "narrowed", "walks"),
    [
        ("UPDATE t SET a = 1", "UPDATE t SET a = 1 WHERE TRUE", "t"),
        ("UPDATE t SET a = 1 -- all\n;", "UPDATE t SET a = 1 WHERE TRUE -- all\n;", "t"),
        ("UPDATE t SET a = 1 WHERE b OR c;", "UPDATE t SET a = 1 WHERE(b OR c) AND TRUE;", "t"),
        ("UPDATE t SET a = 1 WHERE\nb AND c;", "UPDATE t SET a = 1 WHERE(\nb AND c) AND TRUE;", "t"),
        (
            "UPDATE ONLY s.t AS x SET a = (SELECT 1 WHERE b) FROM u WHERE(x.id = u.id /* WHERE */);",
            "UPDATE ONLY s.t AS x SET a = (SELECT 1 WHERE b) FROM u WHERE((x.id = u.id /* WHERE */)) AND TRUE;",
            "x",
        ),
        ("DELETE FROM t USING u;", "DELETE FROM t USING u WHERE TRUE;", "t"),
        (
            "INSERT INTO t (a) SELECT 'WHERE' FROM (u JOIN v ON conflict) LEFT JOIN w USING (b), x "
            "ON CONFLICT (a) WHERE a > 0 DO UPDATE SET a = 1 WHERE t.a > 1;",
            "INSERT INTO t (a) SELECT 'WHERE' FROM (u JOIN v ON conflict) LEFT JOIN w USING (b), x "
            "WHERE TRUE ON CONFLICT (a) WHERE a > 0 DO UPDATE SET a = 1 WHERE t.a > 1;",
            "u",
        ),
        (
            'INSERT INTO t SELECT (SELECT max(c) FROM w) FROM u "U" WHERE a[1] ON CONFLICT DO NOTHING',
            'INSERT INTO t SELECT (SELECT max(c) FROM w) FROM u "U" WHERE(a[1]) AND TRUE ON CONFLICT DO NOTHING',
            "U",
        ),
    ],
)
def test_a_statement_is_narrowed(statement: str, narrowed: str, walks: str, script: Script) -> None:
    script.path.write_text(DIRECTIVE + statement)
    assert examine(script) == []
    found = batched(next(iter(script.read())), "001.sql")
    assert (found.within(b"TRUE").decode(), found.reference) == (narrowed, walks)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("CREATE TABLE u ();", "it is no UPDATE, DELETE or INSERT ... SELECT"),
        (
            "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE;",
            "it is no UPDATE, DELETE or INSERT ... SELECT",
        ),
        ("UPDATE t SET FROBNICATE;", "it can't be read"),
        ("WITH u AS (SELECT 1) UPDATE t SET n = 1;", "WITH would be computed for each batch anew"),
        ("DELETE FROM t RETURNING id;", "what RETURNING returns goes nowhere"),
        ("DELETE FROM t WHERE CURRENT OF c;", "there is no cursor"),
        ("DELETE FROM t USING public.t AS o WHERE o.id < t.id;", "it reads t, which it changes: each batch would see"),
        ("INSERT INTO t SELECT * FROM t;", "it reads t, which it changes: each batch would see"),
        ("INSERT INTO t VALUES (1);", "it has no SELECT"),
        ("INSERT INTO t DEFAULT VALUES;", "it has no SELECT"),
        ("INSERT INTO t SELECT 1;", "its FROM does not begin with a table"),
        ("INSERT INTO t SELECT 1 FROM (SELECT 1) u;", "its FROM does not begin with a table"),
        ("INSERT INTO t SELECT 1 FROM u TABLESAMPLE system (1);", "its FROM does not begin with a table"),
        ("INSERT INTO t SELECT 1 FROM u AS u (a, b);", "its FROM gives the table's columns other names"),
        ("INSERT INTO t SELECT 1 FROM u RIGHT JOIN v USING (id);", "of a RIGHT or FULL JOIN, rows without a partner"),
        ("INSERT INTO t SELECT id FROM (u JOIN v USING (id)) AS w;", "its join has a name of its own"),
        ("INSERT INTO t SELECT 1 FROM u UNION SELECT 2;", "UNION, INTERSECT and EXCEPT need all rows at once"),
        ("INSERT INTO t SELECT count(*) FROM u;", "aggregates need all rows at once"),
        ("INSERT INTO t SELECT rank() OVER (ORDER BY n) FROM u;", "aggregates need all rows at once"),
        ("INSERT INTO t SELECT DISTINCT id FROM u;", "DISTINCT needs all rows at once"),
        ("INSERT INTO t SELECT id FROM u GROUP BY id;", "GROUP BY needs all rows at once"),
        ("INSERT INTO t SELECT id FROM u ORDER BY id;", "ORDER BY needs all rows at once"),
        ("INSERT INTO t SELECT id FROM u LIMIT 5;", "LIMIT needs all rows at once"),
        ("INSERT INTO t SELECT id FROM u FOR UPDATE;", "FOR UPDATE needs all rows at once"),
        ("INSERT INTO t (SELECT id FROM u);", "its WHERE can't be found"),
        ("INSERT INTO t TABLE u;", "its WHERE can't be found"),
    ],
)
def test_what_would_not_be_the_same_in_batches_is_refused(statement: str, why: str, script: Script) -> None:
    script.path.write_text(f"{DIRECTIVE}\n{statement}")
    (problem,) = examine(script)
    assert problem.where == "001.sql:3"
    assert problem.message.startswith(f"the statement can't run in batches: {why}")
    assert problem.hint


def test_a_second_statement_is_refused(script: Script) -> None:
    script.path.write_text(f"{DIRECTIVE}UPDATE t SET n = 1;\nUPDATE t SET n = 2;")
    assert [(problem.where, problem.message) for problem in examine(script)] == [
        ("001.sql:3", "a second statement in a file with 'batch'")
    ]


def test_a_statement_of_too_many_levels_is_refused() -> None:
    (statement,) = split([b"UPDATE t SET a = 1 WHERE b = " + b" + ".join([b"c"] * 2_000)])
    with pytest.raises(Unbatchable, match="it can't be read"):
        batched(statement, "001.sql")
