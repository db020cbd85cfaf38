"""What is found where: bodies, commands of one ALTER TABLE, what the same run makes, what a file allows."""

from __future__ import annotations

import pytest

from project.env import BASE_DIR
from sqlmigrations.files.discovery import Folder, discover
from sqlmigrations.lint.base import Certainty
from sqlmigrations.lint.linter import Source, lint, tell
from tests.lint.helpers import look, told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "ALTER TABLE orders\n    ADD COLUMN a int,\n    DROP COLUMN b,\n    ALTER COLUMN c\n        SET NOT NULL;",
            ["001.sql:3 drop-column", "001.sql:4 set-not-null"],
            id="commands of one ALTER TABLE have lines of their own",
        ),
        pytest.param(
            "-- why\nDO $$\nDECLARE\n    a int;\nBEGIN\n    IF a > 1 THEN\n        CREATE INDEX i\n            ON "
            "orders (code);\n"
            "    END IF;\n    ALTER TABLE orders\n        DROP COLUMN code;\nEND\n$$;",
            ["001.sql:7 create-index-blocking", "001.sql:11 drop-column"],
            id="a DO block is read into",
        ),
        pytest.param(
            "DO LANGUAGE plpgsql\n\n$x$\n\nBEGIN\n    EXECUTE 'TRUNCATE items';\nEND $x$;",
            ["001.sql:6 truncate"],
            id="EXECUTE of a constant is the statement that it is",
        ),
        pytest.param(
            "DO $$\nBEGIN\n    FOR r IN SELECT 1 LOOP\n        DROP INDEX orders_code_idx;\n    END LOOP;\nEND $$;",
            ["001.sql:1 unparsed", "001.sql:4 drop-index-blocking"],
            id="a body that can't be parsed is looked at by its keywords",
        ),
        pytest.param(
            "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n    TRUNCATE items;\nEND $$;",
            ["001.sql:3 truncate"],
            id="a function's body is read into",
        ),
        pytest.param(
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END;\n"
            "CREATE FUNCTION g() RETURNS int LANGUAGE sql RETURN 1;",
            [],
            id="a body without AS",
        ),
        pytest.param(
            "ALTER TABLE orders ADD COLUMN b int GENERATED ALWAYS AS (id * 2) VIRTUAL;",
            [],
            id="a virtual column costs nothing",
        ),
        pytest.param(
            "ALTER TABLE orders ADD CONSTRAINT n NOT NULL code;",
            ["001.sql:1 set-not-null"],
            id="NOT NULL of PostgreSQL 18",
        ),
        pytest.param("ALTER TABLE orders ADD CONSTRAINT n NOT NULL code NOT VALID;", [], id="NOT NULL NOT VALID"),
        pytest.param(
            "ALTER TABLE refers ADD CONSTRAINT f FOREIGN KEY (item) REFERENCES items (id) NOT ENFORCED;",
            [],
            id="NOT ENFORCED looks at no row",
        ),
        pytest.param(
            "ALTER TABLE orders FROBNICATE, DROP COLUMN code;",
            ["001.sql:1 unparsed", "001.sql:1 drop-column"],
            id="what can't be parsed is looked at by its keywords",
        ),
        pytest.param(
            "ALTER TABLE orders ADD COLUMN a timestamptz DEFAULT now() NOT NULL;", [], id="now() is kept once"
        ),
        pytest.param("ALTER TABLE orders ADD COLUMN a text[] DEFAULT ARRAY[]::text[];", [], id="a constant array"),
        pytest.param(
            "ALTER TABLE orders ADD COLUMN a text DEFAULT own();",
            ["001.sql:1 add-column-volatile-default"],
            id="a function that nobody knows",
        ),
        pytest.param("ALTER TABLE orders ADD COLUMN a int REFERENCES orders (id);", [], id="a table's own key"),
        pytest.param(
            "EXPLAIN ANALYZE DELETE FROM items;", ["001.sql:1 delete-without-where"], id="EXPLAIN ANALYZE runs"
        ),
        pytest.param("COMMENT ON TABLE orders IS 'all of them';", [], id="a comment"),
        pytest.param("ALTER TABLE orders ALTER COLUMN code SET STATISTICS 500;", [], id="a lock that stops nobody"),
        pytest.param(
            "ALTER TABLE orders ADD NOT NULL code,\n    ADD CHECK (id > 0) ENFORCED;",
            ["001.sql:1 set-not-null", "001.sql:2 add-check"],
            id="NOT NULL without a name, ENFORCED as is the default",
        ),
        pytest.param(
            "ALTER TABLE orders ADD CONSTRAINT o UNIQUE (id, placed WITHOUT OVERLAPS);\n"
            "ALTER TABLE refers ADD FOREIGN KEY (order_id, PERIOD at) REFERENCES orders (id, PERIOD placed);",
            [
                "001.sql:1 add-unique",
                "001.sql:2 add-foreign-key",
            ],
            id="temporal keys of PostgreSQL 18",
        ),
        pytest.param("ALTER TABLE orders ADD b numeric(10) VIRTUAL;", [], id="VIRTUAL without an expression"),
        pytest.param(
            "ALTER TABLE IF EXISTS public.orders *\n    DROP COLUMN code,\n    ADD CHECK (id > 0);",
            ["001.sql:2 drop-column", "001.sql:3 add-check"],
            id="all that may stand about a table's name",
        ),
        pytest.param(
            "DO LANGUAGE plpython3u $$ plpy.execute('...') $$;",
            ["001.sql:1 unparsed"],
            id="a DO block in another language",
        ),
        pytest.param(
            "DO $$\nBEGIN\n    FOR r IN SELECT 1 LOOP\n    END LOOP;\n" + 2000 * "    PERFORM 1;\n" + "END $$;",
            ["001.sql:1 unparsed"],
            id="a body that can't be parsed, and is too long to be looked at",
        ),
        pytest.param(
            "-- sqlmigrations: transaction off\nVACUUM FULL;\nVACUUM (FULL) items;\nVACUUM (FULL off, ANALYZE) orders;",
            ["001.sql:2 vacuum-full", "001.sql:3 vacuum-full"],
            id="an option that is given as off",
        ),
        pytest.param("EXPLAIN (ANALYZE 0) DELETE FROM items;", [], id="EXPLAIN alone runs nothing"),
        pytest.param("SELECT * INTO archive FROM orders;\nDROP TABLE archive;", [], id="a table by SELECT INTO"),
        pytest.param("CREATE DOMAIN a AS int;\nALTER DOMAIN a ADD CHECK (VALUE > 0);", [], id="a new domain"),
        pytest.param(
            "LOCK TABLE orders;\nCREATE INDEX i ON items (cost);",
            ["001.sql:2 create-index-blocking", "001.sql:2 work-under-lock"],
            id="a lock by LOCK",
        ),
        pytest.param(
            "LOCK TABLE orders IN ROW SHARE MODE;\nCREATE INDEX i ON items (cost);",
            ["001.sql:2 create-index-blocking"],
            id="a lock by LOCK that keeps nobody out",
        ),
        pytest.param(
            "DROP TRIGGER t ON orders;\nCREATE INDEX i ON items (cost);",
            ["001.sql:2 create-index-blocking", "001.sql:2 work-under-lock"],
            id="a lock by the drop of a trigger",
        ),
        pytest.param(
            "-- sqlmigrations: transaction off\nCREATE TEMP TABLE a AS SELECT 1;\nSELECT 2;",
            ["001.sql:2 not-resumable"],
            id="a temporary table in a file that may stop half-way",
        ),
        pytest.param(
            "SET lock_timeout = '10min';\nSET lock_timeout TO DEFAULT;\nSET lock_timeout = 500;",
            ["001.sql:1 lock-timeout"],
            id="the runner's lock_timeout is taken back",
        ),
        pytest.param(
            "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'a' || b; END $$;",
            [],
            id="dynamic SQL that nothing runs yet",
        ),
        pytest.param(
            "ALTER TABLE orders ADD COLUMN n bigserial NOT NULL;",
            ["001.sql:1 add-column-serial"],
            id="a serial column has a value for each row",
        ),
        pytest.param(
            "-- sqlmigrations: allow squawk-ban-drop-table: nobody reads it any more\nSELECT 1;",
            [],
            id="a rule of squawk, whose rules come and go with its versions",
        ),
    ],
)
def test_found(text: str, expected: list[str]) -> None:
    assert told(text) == expected


def test_a_function_only_hints_until_it_runs() -> None:
    body = "$$ BEGIN TRUNCATE items; END $$"
    (found,) = look(f"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS {body};")
    assert (found.severity, found.message) == ("info", "When f() runs: All rows of items are lost.")
    (found,) = look(f"DO {body};")
    assert (found.severity, found.message) == ("warning", "In a DO block: All rows of items are lost.")


# The same run

MADE = "CREATE TABLE orders (id int, code text);"


@pytest.mark.parametrize(
    "later",
    [
        "CREATE INDEX i ON orders (code);",
        "CREATE INDEX i ON public.orders (code);",
        "ALTER TABLE orders ALTER COLUMN code SET NOT NULL;",
        "UPDATE orders SET code = 'a';",
        "DROP TABLE orders;",
        "CREATE INDEX i ON orders (code);\nDROP INDEX i;",
        "ALTER TABLE orders RENAME TO archive;\nALTER TABLE archive DROP COLUMN code;",
        "CREATE TABLE other (id int REFERENCES orders);",
    ],
)
def test_what_the_same_run_made_is_no_danger(later: str) -> None:
    assert told(MADE + later) == []
    assert told(MADE, later) == []
    assert told(later) != []
    assert {found.because for found in look(MADE, later)} == {"it is made in the same run"}


def test_a_new_table_does_not_excuse_the_lock_on_another() -> None:
    assert told("CREATE TABLE visits (id int REFERENCES orders);") == ["001.sql:1 references-locks-other"]
    assert told("CREATE TABLE parts_4 PARTITION OF parts DEFAULT;") == ["001.sql:1 create-partition-of"]


def test_a_table_of_another_schema_is_another_table() -> None:
    assert told("CREATE TABLE attic.orders (id int);", "DROP TABLE public.orders;") == ["002.sql:1 drop-table"]


def test_a_dropped_table_is_not_new_any_more() -> None:
    assert told(f"{MADE}\nDROP TABLE orders;", "DROP TABLE orders;") == ["002.sql:1 drop-table"]


# Locks that are held

LOCKED = "ALTER TABLE items ADD COLUMN a int;"


def test_slow_work_under_a_lock_of_before() -> None:
    found = told(f"{LOCKED}\nCREATE INDEX i ON orders (code);")
    assert found == ["001.sql:2 create-index-blocking", "001.sql:2 work-under-lock"]
    assert told(LOCKED, "CREATE INDEX i ON orders (code);") == ["002.sql:1 create-index-blocking"]
    own = "-- sqlmigrations: transaction off\n-- sqlmigrations: lock_timeout 1s\n"
    assert "work-under-lock" not in str(told(f"{own}{LOCKED}\nCREATE INDEX i ON orders (code);"))


# What a file allows


def test_a_file_allows_a_rule_with_a_reason() -> None:
    assert told("-- sqlmigrations: allow drop-column: nobody reads it\nALTER TABLE orders DROP COLUMN code;") == []


def test_other_rules_stay() -> None:
    text = "-- sqlmigrations: allow drop-column: nobody reads it\nALTER TABLE orders DROP COLUMN code;\nTRUNCATE items;"
    assert told(text) == ["001.sql:3 truncate"]


def test_what_is_allowed_without_need_or_unknown_is_an_error() -> None:
    text = "-- sqlmigrations: tags a\n-- sqlmigrations: allow truncate: is gone\n-- sqlmigrations: allow dorp: a slip\n"
    found = look(f"{text}SELECT 1;")
    assert [(one.line, one.rule.id, one.severity, one.certainty, one.message) for one in found] == [
        (
            2,
            "nothing-to-allow",
            "error",
            Certainty.CONFIRMED,
            "truncate finds nothing in this file. Remove the directive.",
        ),
        (3, "unknown-rule", "error", Certainty.CONFIRMED, "No rule is called dorp."),
    ]


def test_what_is_cleared_may_be_allowed_too() -> None:
    """A file is linted alone before it is merged, and after others when a database is made from nothing."""
    assert told(MADE, "-- sqlmigrations: allow truncate: filled every night\nTRUNCATE orders;") == []


# The example


def test_the_example_has_no_findings() -> None:
    found = discover([Folder(BASE_DIR / "migrations_sql")])
    sources = []
    for file in found.files:
        reading = file.read()
        sources.append(Source(file.name, reading.directives, tuple(reading)))
    assert tell(lint(sources)) == []
    assert sum(len(source.statements) for source in sources) > 150


# What is shown


def test_passwords_are_never_shown() -> None:
    (found,) = look("CREATE SUBSCRIPTION s CONNECTION 'host=a password=hunter2' PUBLICATION p;")
    assert found.rule.id == "needs-transaction-off"
    assert "hunter2" not in found.rewrite
    assert "password=********" in found.rewrite


def test_nothing_of_a_sensitive_file_is_shown() -> None:
    (found,) = look("-- sqlmigrations: sensitive\nDELETE FROM items;")
    assert (found.rule.id, found.rewrite) == ("delete-without-where", "")


@pytest.mark.parametrize("depth", [100, 450, 3_000])
def test_a_statement_of_many_levels_is_no_error(depth: int) -> None:
    """How deep a tree Python reads differs between its versions."""
    sums, unions = " + ".join(["f(1)"] * depth), " UNION ALL SELECT 1" * depth
    found = told(
        f"ALTER TABLE orders ADD CHECK ({sums} > 0);\nALTER TABLE orders ADD a int DEFAULT {sums};\n"
        f"INSERT INTO orders SELECT 1{unions};\nDO $$ BEGIN PERFORM 1{unions}; END $$;"
    )
    of_the_text = {"add-check", "add-column-volatile-default", "several-alters"}
    assert {line.partition(" ")[2] for line in found} - {"unparsed"} <= of_the_text
    assert "001.sql:1 add-check" in found or "001.sql:1 unparsed" in found
