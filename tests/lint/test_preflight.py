"""The rows that a new constraint would refuse, counted and shown before anything runs."""

from __future__ import annotations

import pytest

from sqlmigrations.lint.grammar import check_grammar
from sqlmigrations.lint.preflight import preflight
from tests.lint.conftest import Connection, Copy
from tests.lint.helpers import source

ROWS = """
CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE children (id int PRIMARY KEY, parent int, name text, age int);
INSERT INTO parents SELECT n FROM generate_series(1, 10) AS n;
INSERT INTO children SELECT n, n, 'c' || n % 90, n FROM generate_series(1, 10) AS n;
INSERT INTO children SELECT n, n, 'c' || n, -n FROM generate_series(11, 22) AS n;
INSERT INTO children VALUES (30, NULL, NULL, NULL), (31, NULL, 'c1', 5), (32, NULL, 'c1', 6);
ALTER TABLE children ADD CONSTRAINT grown CHECK (age < 10) NOT VALID;
"""
FOREIGN_KEY = "ALTER TABLE children ADD CONSTRAINT children_parent_fkey FOREIGN KEY (parent) REFERENCES parents"


def answers(copy: Copy, *texts: str) -> list[tuple[str, str, str]]:
    """Return place, severity and words of what stands in the way of these files."""
    sources = [source(text, f"{number:03}.sql") for number, text in enumerate(texts, 1)]
    with copy() as connection:
        connection.execute(ROWS)
        return [(one.where, str(one.severity), one.message) for one in preflight(sources, connection)]


ORPHANS = (
    "12 rows of public.children point to no row of public.parents, such as id = 11, parent = 11; id = 12, parent = 12; "
    "id = 13, parent = 13."
)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        pytest.param(f"{FOREIGN_KEY};", 1, ORPHANS, id="foreign key over orphans"),
        pytest.param(f"{FOREIGN_KEY} (id);", 1, ORPHANS, id="foreign key that names its target"),
        pytest.param(
            f"{FOREIGN_KEY} NOT VALID;\n\nALTER TABLE children\n    VALIDATE CONSTRAINT children_parent_fkey;",
            4,
            ORPHANS,
            id="foreign key that is validated later in the file",
        ),
        pytest.param(
            "ALTER TABLE children ALTER name SET NOT NULL;",
            1,
            "1 row of public.children has no name: id = 30, name = NULL.",
            id="NOT NULL",
        ),
        pytest.param(
            "ALTER TABLE children ADD CHECK (age > -21 OR (name = ')'));",
            1,
            "2 rows of public.children fail CHECK (age > -21 OR (name = ')')): "
            "id = 21, age = -21, name = 'c21'; id = 22, age = -22, name = 'c22'.",
            id="check",
        ),
        pytest.param(
            "ALTER TABLE children VALIDATE CONSTRAINT grown;",
            1,
            "1 row of public.children fails CHECK ((age < 10)): id = 10, age = 10.",
            id="a check that is there and not valid",
        ),
        pytest.param(
            "ALTER TABLE children ADD UNIQUE (name);",
            1,
            "1 value of (name) of public.children stands in more than one row: name = 'c1', rows = 3.",
            id="unique",
        ),
        pytest.param(
            "-- sqlmigrations: transaction off\nCREATE UNIQUE INDEX CONCURRENTLY i ON children (name);",
            2,
            "1 value of (name) of public.children stands in more than one row: name = 'c1', rows = 3.",
            id="unique index",
        ),
        pytest.param(
            "DO $$\nBEGIN\n    ALTER TABLE children ALTER name SET NOT NULL;\nEND\n$$;",
            3,
            "1 row of public.children has no name: id = 30, name = NULL.",
            id="in a DO block",
        ),
    ],
)
def test_rows_in_the_way_are_counted_and_three_are_shown(copy: Copy, text: str, line: int, words: str) -> None:
    assert answers(copy, text) == [(f"001.sql:{line}", "error", words)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{FOREIGN_KEY} NOT VALID;", id="nobody looks at the rows"),
        pytest.param("ALTER TABLE children ADD UNIQUE (id, name);", id="no doubles"),
        pytest.param("ALTER TABLE children ADD CHECK (id > 0);", id="all rows pass"),
        pytest.param("ALTER TABLE nowhere ADD CHECK (id > 0);", id="no such table yet"),
        pytest.param("ALTER TABLE children ADD CHECK (coming > 0);", id="no such column yet"),
        pytest.param("CREATE UNIQUE INDEX ON children (name) WHERE id < 1;", id="a part of the rows"),
        pytest.param("CREATE UNIQUE INDEX ON children (lower(name));", id="an expression"),
        pytest.param("ALTER TABLE children VALIDATE CONSTRAINT nobody_knows;", id="no such constraint"),
        pytest.param("ALTER TABLE nowhere VALIDATE CONSTRAINT grown;", id="no such table to validate"),
        pytest.param("ALTER TABLE children ADD EXCLUDE USING btree (name WITH =);", id="an exclusion is not counted"),
        pytest.param("ALTER TABLE children ADD FOREIGN KEY (parent) REFERENCES nowhere;", id="no such target yet"),
        pytest.param(
            "ALTER TABLE children ADD FOREIGN KEY (parent, age) REFERENCES parents;", id="keys that don't fit"
        ),
        pytest.param(
            "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS\n"
            "$$ BEGIN ALTER TABLE children ALTER name SET NOT NULL; END $$;",
            id="nothing calls the function yet",
        ),
    ],
)
def test_nothing_is_in_the_way(copy: Copy, text: str) -> None:
    assert answers(copy, text) == []


def test_rows_that_the_run_may_mend_are_told_but_stop_nothing(copy: Copy) -> None:
    assert answers(copy, "DELETE FROM children WHERE parent > 10;", f"{FOREIGN_KEY};") == [
        ("002.sql:1", "info", ORPHANS)
    ]


def test_what_could_not_be_counted_says_so(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlmigrations.lint.catalog.STATEMENT_TIMEOUT", "1s")
    check = "ALTER TABLE children ADD CHECK (id + 0 * length(pg_sleep(30)::text) > 0);"
    assert answers(copy, check) == [
        (
            "001.sql:1",
            "info",
            "The rows of public.children could not be counted: canceling statement due to statement timeout.",
        )
    ]


def test_a_check_can_change_nothing(copy: Copy) -> None:
    """The file's expression runs, but in a read-only transaction."""
    check = "ALTER TABLE children ADD CHECK (nextval('s') > 0);"
    sources = [source(check)]
    with copy() as connection:
        connection.execute(f"{ROWS}CREATE SEQUENCE s;")
        (found,) = preflight(sources, connection)
        assert found.message.endswith("could not be counted: cannot execute nextval() in a read-only transaction.")
        assert connection.execute("SELECT is_called FROM s").fetchall() == [(False,)]


# The server's grammar


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "SELECT 1;\nALTER TABLE orders\n    FROBNICATE;",
            [("001.sql:3", 'The server says: syntax error at or near "FROBNICATE".')],
        ),
        ("ALTER TABLE nowhere ADD COLUMN a int;\nINSERT INTO nowhere VALUES (1);\nSELECT nothing FROM orders;", []),
        ("INSERT INTO items VALUES (1, 2, 3, 4);", []),
        ("DROP TABLE items;\nVACUUM;", []),
    ],
)
def test_the_server_reads_every_statement_and_runs_none(
    live: Connection, text: str, expected: list[tuple[str, str]]
) -> None:
    found = check_grammar([source(text)], live)
    assert [(one.where, one.message) for one in found] == expected
    assert live.execute("SELECT count(*) FROM items").fetchall() == [(10,)]


def test_the_server_is_not_asked_within_a_transaction(live: Connection) -> None:
    with live.transaction():
        assert check_grammar([source("FROBNICATE;")], live) == []


def test_rows_of_a_sensitive_file_are_counted_and_not_shown(copy: Copy) -> None:
    assert answers(copy, f"-- sqlmigrations: sensitive\n{FOREIGN_KEY};") == [
        ("001.sql:2", "error", "12 rows of public.children point to no row of public.parents.")
    ]
