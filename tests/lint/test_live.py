"""What the live catalog says: confirmed, cleared, worse; each on the server at hand."""

from __future__ import annotations

import psycopg
import pytest

from sqlmigrations.lint import catalog as catalog_module
from sqlmigrations.lint.base import RULES, Certainty, Finding, Rule
from sqlmigrations.lint.linter import tell
from sqlmigrations.lint.live import confirm
from sqlmigrations.severity import Severity
from tests.databases import session
from tests.helpers import Settings, role
from tests.lint.conftest import Connection, Copy
from tests.lint.helpers import look, source

BY_THE_SERVER = {"syntax-error", "rows-in-the-way"}
LOOKED_FOR = [rule for rule in RULES.values() if rule.id not in BY_THE_SERVER and not rule.opt_in]


@pytest.fixture(autouse=True)
def production(settings: Settings) -> None:
    """Take what is small here for small."""
    settings.SQLMIGRATIONS_PRODUCTION = True


@pytest.fixture
def every_table_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take tables of two rows for large ones."""
    monkeypatch.setattr(catalog_module, "FEW", 2)


def confirmed(connection: Connection, *texts: str) -> list[Finding]:
    """Return what is told of these files with the database."""
    return tell(confirm(look(*texts), connection))


def short(found: list[Finding]) -> list[tuple[str, Certainty, str]]:
    """Return rule, certainty and reason of each."""
    return [(one.rule.id, one.certainty, one.because) for one in found]


@pytest.mark.usefixtures("every_table_counts")
@pytest.mark.parametrize("rule", LOOKED_FOR, ids=lambda rule: rule.id)
def test_the_bad_form_is_confirmed(rule: Rule, live: Connection) -> None:
    found = [one.certainty for one in confirmed(live, rule.bad) if one.rule is rule]
    if rule.id in ("drop-schema", "rename-schema", "rename-enum-value"):
        assert found == [Certainty.GUESS]
    else:
        assert found == [Certainty.CONFIRMED]


@pytest.mark.usefixtures("every_table_counts")
@pytest.mark.parametrize("rule", [rule for rule in LOOKED_FOR if rule.needs_database], ids=lambda rule: rule.id)
def test_the_safe_form_is_cleared(rule: Rule, live: Connection) -> None:
    assert [one.message for one in confirmed(live, rule.safe) if one.rule is rule] == []


def run(connection: Connection, text: str) -> None:
    """Run a text as the runner would, and roll it back where it is one transaction."""
    file = source(text)
    if not file.directives.transaction:
        for statement in file.statements:
            connection.execute(statement.sql)
        return
    with connection.transaction(force_rollback=True):
        for statement in file.statements:
            connection.execute(statement.sql)
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")


RUNNABLE = [rule for rule in LOOKED_FOR if rule.safe != "SELECT 1;"]


@pytest.mark.parametrize(
    "rule", [rule for rule in RUNNABLE if source(rule.safe).directives.transaction], ids=lambda rule: rule.id
)
def test_the_safe_form_runs(rule: Rule, live: Connection) -> None:
    run(live, rule.safe)


@pytest.mark.parametrize(
    "rule", [rule for rule in RUNNABLE if not source(rule.safe).directives.transaction], ids=lambda rule: rule.id
)
def test_the_safe_form_runs_outside_a_transaction(rule: Rule, copy: Copy) -> None:
    with copy() as connection:
        run(connection, rule.safe)


#: Rules whose bad form does not come through at all.
HARM_ONLY = {"transaction-control", "unknown-rule", "nothing-to-allow"}
FAIL = [rule for rule in LOOKED_FOR if rule.severity is Severity.ERROR and rule.id not in HARM_ONLY]


@pytest.mark.parametrize("rule", FAIL, ids=lambda rule: rule.id)
def test_what_is_an_error_fails(rule: Rule, live: Connection) -> None:
    with pytest.raises((psycopg.Error, psycopg.ProgrammingError)):
        run(live, rule.bad)


# What clears a finding, and what makes it worse


def judged(connection: Connection, text: str) -> list[tuple[str, str, str]]:
    """Return rule, certainty and reason of all that was found in a text, cleared or not."""
    return [(one.rule.id, str(one.certainty), one.because) for one in confirm(look(text), connection)]


ORDERS = "public.orders has about 1,000 rows"


@pytest.mark.parametrize(
    ("change", "certainty", "because"),
    [
        ("orders ALTER code TYPE varchar(30)", "cleared", "from character varying(20) nothing has to be rewritten"),
        ("orders ALTER code TYPE text", "cleared", "from character varying(20) nothing has to be rewritten"),
        ("orders ALTER code TYPE varchar", "cleared", "from character varying(20) nothing has to be rewritten"),
        ("orders ALTER amount TYPE numeric(12, 2)", "cleared", "from numeric(10,2) nothing has to be rewritten"),
        ("orders ALTER amount TYPE numeric", "cleared", "from numeric(10,2) nothing has to be rewritten"),
        (
            "orders ALTER code TYPE varchar(10)",
            "confirmed",
            f"{ORDERS}; from character varying(20) every value is stored anew",
        ),
        (
            "orders ALTER amount TYPE numeric(12, 4)",
            "confirmed",
            f"{ORDERS}; from numeric(10,2) every value is stored anew",
        ),
        ("orders ALTER id TYPE bigint", "confirmed", f"{ORDERS}; from integer every value is stored anew"),
        (
            "orders ALTER code TYPE text USING upper(code)",
            "confirmed",
            f"{ORDERS}; from character varying(20) every value is stored anew",
        ),
        ("items ALTER id TYPE int", "cleared", "public.items has about 10 rows"),
        ("nowhere ALTER id TYPE int", "guess", "nowhere is not in this database yet"),
        ("orders ALTER nothing TYPE int", "confirmed", ORDERS),
        ('orders ALTER code TYPE text COLLATE "C"', "confirmed", ORDERS),
        (
            "orders ALTER note TYPE text[] USING ARRAY[note]",
            "confirmed",
            f"{ORDERS}; from text every value is stored anew",
        ),
        ("orders ALTER id TYPE int[]", "confirmed", f"{ORDERS}; from integer every value is stored anew"),
        (
            "orders ALTER placed TYPE timestamp(3)",
            "confirmed",
            f"{ORDERS}; from timestamp without time zone every value is stored anew",
        ),
    ],
)
def test_the_old_type_decides(live: Connection, change: str, certainty: str, because: str) -> None:
    found = [one for one in judged(live, f"ALTER TABLE {change};") if one[0] == "change-column-type"]
    assert found == [("change-column-type", certainty, because)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "ALTER TABLE orders ALTER placed TYPE timestamptz;",
            ("timestamp-to-timestamptz", "confirmed", f"{ORDERS}; TimeZone is Europe/Paris"),
        ),
        ("ALTER TABLE orders ALTER id SET NOT NULL;", ("set-not-null", "cleared", "the column is NOT NULL already")),
        (
            "ALTER TABLE proven ALTER a SET NOT NULL;",
            ("set-not-null", "cleared", "a valid CHECK proves it: nothing is read"),
        ),
        ("ALTER TABLE items ADD note text NOT NULL;", ("add-column-not-null", "confirmed", "the table has rows")),
        (
            "ALTER TABLE orders ADD a text DEFAULT own();",
            ("add-column-volatile-default", "guess", "own is not in this database yet"),
        ),
        (
            "ALTER TABLE orders ADD a text DEFAULT format('%s', 1);",
            ("add-column-volatile-default", "cleared", "the function is not VOLATILE: its value is kept once"),
        ),
        (
            "DROP INDEX orders_pkey;",
            ("drop-index-blocking", "cleared", "PostgreSQL refuses it: a constraint needs it"),
        ),
        ("CREATE INDEX ON items (cost);", ("create-index-blocking", "cleared", "public.items has about 10 rows")),
        (
            "CREATE INDEX ON attic.old (id);",
            ("create-index-blocking", "cleared", "attic.old has about 10 rows"),
        ),
        (
            "CREATE TABLE IF NOT EXISTS orders (id int);\nTRUNCATE orders;",
            ("truncate", "confirmed", ORDERS),
        ),
        (
            "CREATE TABLE IF NOT EXISTS other (id int);\nTRUNCATE other;",
            ("truncate", "cleared", "it is made in the same run, unless it is there already"),
        ),
        (
            "ALTER TABLE items SET TABLESPACE pg_default;",
            ("rewrite-table", "cleared", "it is there already"),
        ),
        (
            "REFRESH MATERIALIZED VIEW unfilled;",
            ("refresh-blocking", "cleared", "it was never filled, so nobody can read it anyway"),
        ),
        (
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_code_idx ON orders (code);",
            ("concurrently-if-not-exists", "cleared", "the index is there, and valid"),
        ),
        (
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON orders (code);",
            ("concurrently-if-not-exists", "cleared", "no index of this name is there"),
        ),
        (
            "ALTER TABLE orders ADD PRIMARY KEY USING INDEX orders_id_uq;",
            ("primary-key-reads-table", "cleared", "its columns are NOT NULL"),
        ),
        (
            "UPDATE deferring SET parent = 1;\nSET CONSTRAINTS ALL DEFERRED;\nALTER TABLE deferring ADD note text;",
            ("alter-after-write", "confirmed", "deferring_parent_fkey is deferred"),
        ),
        (
            "ALTER TABLE logs ATTACH PARTITION logs_1 FOR VALUES IN (1);",
            ("attach-partition", "worse", "public.logs_rest has about 1,000 rows"),
        ),
    ],
)
def test_what_the_catalog_says(live: Connection, text: str, expected: tuple[str, str, str]) -> None:
    assert expected in judged(live, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ALTER TABLE nowhere ALTER a SET NOT NULL;", ["set-not-null"]),
        ("ALTER TABLE nowhere ALTER a TYPE timestamptz;", ["timestamp-to-timestamptz"]),
        ("ALTER TABLE nowhere ADD a int NOT NULL;", ["add-column-not-null"]),
        ("ALTER TABLE nowhere ADD PRIMARY KEY USING INDEX nowhere_idx;", []),
        ("ALTER TABLE nowhere ATTACH PARTITION logs_1 FOR VALUES IN (1);", ["attach-partition"]),
        ("ALTER TABLE logs ATTACH PARTITION nowhere FOR VALUES IN (1);", ["attach-partition"]),
        ("ALTER TABLE nowhere ADD FOREIGN KEY (a) REFERENCES orders (id) NOT VALID;", []),
        ("ALTER TABLE nowhere DROP CONSTRAINT nowhere_fkey;", []),
        ("CREATE TABLE more (a int REFERENCES nowhere);", ["references-locks-other"]),
        ("REFRESH MATERIALIZED VIEW nowhere;", ["refresh-blocking"]),
        ("DROP INDEX nowhere_idx;", ["drop-index-blocking"]),
        ("DROP TABLE nowhere;", ["drop-table"]),
        ("TRUNCATE nowhere;", ["truncate"]),
    ],
)
def test_what_is_not_there_yet_stays_a_guess(live: Connection, text: str, expected: list[str]) -> None:
    """Where only the catalog could find something, there is nothing to tell."""
    found = confirmed(live, text)
    assert [(one.rule.id, str(one.certainty)) for one in found] == [(id, "guess") for id in expected]
    assert all(one.because in {f"nowhere{end} is not in this database yet" for end in ("", "_idx")} for one in found)


@pytest.mark.parametrize(
    ("text", "because", "rewrite"),
    [
        (
            "CREATE INDEX logs_a_idx ON logs (a);",
            "public.logs has about 1,000 rows; it is partitioned",
            "-- CONCURRENTLY is refused on a partitioned table. Make the index on the parent alone:\n"
            "CREATE INDEX logs_a_idx ON ONLY logs (...);\n"
            "-- then, with `transaction off`, CONCURRENTLY on each partition, and for each:\n"
            "ALTER INDEX logs_a_idx ATTACH PARTITION NAME_OF_ITS_INDEX;",
        ),
        (
            "REFRESH MATERIALIZED VIEW keyless_v;",
            "public.keyless_v has about 1,000 rows; it has no unique index",
            "-- sqlmigrations: transaction off\n-- CONCURRENTLY needs a unique index:\n"
            "CREATE UNIQUE INDEX CONCURRENTLY ON keyless_v (...);\nREFRESH MATERIALIZED VIEW CONCURRENTLY keyless_v;",
        ),
    ],
)
def test_the_catalog_changes_the_advice(live: Connection, text: str, because: str, rewrite: str) -> None:
    (found,) = confirmed(live, text)
    assert (found.certainty, found.because, found.rewrite) == (Certainty.CONFIRMED, because, rewrite)


def test_timestamps_of_a_server_in_utc_stay_as_they_are(copy: Copy) -> None:
    with copy() as connection:
        connection.execute("SET timezone = 'UTC'; CREATE TABLE visits AS SELECT now() AS at")
        changes = "ALTER TABLE orders ALTER placed TYPE timestamptz;\nALTER TABLE visits ALTER at TYPE timestamptz;"
        assert [one for one in judged(connection, changes) if one[0] == "timestamp-to-timestamptz"] == [
            ("timestamp-to-timestamptz", "cleared", "TimeZone is UTC here: nothing is rewritten"),
            ("timestamp-to-timestamptz", "cleared", "it is timestamptz already"),
        ]


def test_slow_work_under_the_lock_of_a_busy_table_is_worse(live: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "LOCK TABLE items;\nCREATE INDEX i ON orders (note);"
    plain = [("create-index-blocking", "confirmed", ORDERS), ("work-under-lock", "confirmed", ORDERS)]
    assert judged(live, text) == plain
    busy = property(lambda relation: relation.path[-1] == "items")
    monkeypatch.setattr(catalog_module.Relation, "is_busy", busy)
    worse = f"{ORDERS}; public.items has about 10 rows"
    assert judged(live, text) == [plain[0], ("work-under-lock", "worse", worse)]


def test_a_catalog_that_cannot_be_asked_leaves_a_guess_with_the_reason(copy: Copy) -> None:
    with role() as name, copy() as connection:
        connection.execute("REVOKE SELECT ON pg_catalog.pg_constraint FROM PUBLIC")
        connection.execute(f"SET ROLE {name}".encode())
        found = judged(connection, "ALTER TABLE refers DROP CONSTRAINT refers_order_fkey;")
        connection.execute("RESET ROLE")
    assert found == [
        ("drop-foreign-key", "guess", "the catalog can't be asked: permission denied for table pg_constraint")
    ]


def test_a_large_table_is_worse(live: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlmigrations.lint.live.verdicts.MANY", 1000)
    assert judged(live, "CREATE INDEX ON orders (note);") == [("create-index-blocking", "worse", ORDERS)]


def test_a_small_table_that_many_ask_is_not_cleared(live: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_module, "QUIET", 0.0)
    assert judged(live, "CREATE INDEX ON items (cost);") == [
        ("create-index-blocking", "confirmed", "public.items has about 10 rows")
    ]


def test_a_table_that_was_never_analysed_is_counted(copy: Copy) -> None:
    with copy() as connection:
        connection.execute("CREATE TABLE fresh AS SELECT n FROM generate_series(1, 5000) AS n")
        assert judged(connection, "CREATE INDEX ON fresh (n);") == [
            ("create-index-blocking", "confirmed", "public.fresh has about 1,000 rows")
        ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE INDEX ON items (cost);", ("create-index-blocking", "public.items has about 10 rows")),
        ("ALTER TABLE items ALTER id TYPE int;", ("change-column-type", "public.items has about 10 rows")),
        (
            "CREATE TABLE more (item int REFERENCES items);",
            ("references-locks-other", "public.items has about 10 rows"),
        ),
        ("ALTER TABLE hollow ADD note text NOT NULL;", ("add-column-not-null", "the table is empty")),
    ],
)
def test_what_is_small_in_development_stays_a_guess(
    copy: Copy, settings: Settings, text: str, expected: tuple[str, str]
) -> None:
    """Until the database is marked as production's, or has tables that show that it is lived in."""
    rule, because = expected
    settings.SQLMIGRATIONS_PRODUCTION = False
    with copy() as connection:
        connection.execute("CREATE TABLE hollow (id int)")
        little = "but no table here has 10,000 rows, so that says little of production"
        assert (rule, "guess", f"{because}, {little}") in [
            (id, certainty, reason.partition("; ")[0]) for id, certainty, reason in judged(connection, text)
        ]
        connection.execute("CREATE TABLE large AS SELECT generate_series(1, 10000); ANALYZE large;")
        assert (rule, "cleared", because) in judged(connection, text)


def test_looking_changes_nothing_and_waits_for_nobody(copy: Copy) -> None:
    """Somebody holds the table: what can't be counted is taken from the statistics."""
    with copy() as connection:
        with session(dbname=connection.info.dbname) as other, other.transaction():
            other.execute("LOCK TABLE items IN ACCESS EXCLUSIVE MODE")
            assert judged(connection, "CREATE INDEX ON items (cost);") == [
                ("create-index-blocking", "cleared", "public.items has about 10 rows")
            ]
        assert connection.execute("SHOW transaction_read_only").fetchall() == [("off",)]


def test_a_role_that_may_not_read_a_table_gets_the_estimate(copy: Copy) -> None:
    with role() as name, copy() as connection:
        connection.execute(f"GRANT USAGE ON SCHEMA public TO {name}".encode())
        connection.execute(f"SET ROLE {name}".encode())
        assert judged(connection, "ALTER TABLE orders ADD note2 text NOT NULL;") == [
            ("add-column-not-null", "guess", "the role can't read the table")
        ]
        connection.execute("RESET ROLE")


@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE orders ALTER note TYPE varchar(10);",
        "ALTER TABLE orders ALTER placed TYPE timestamptz;",
        "ALTER TABLE orders ADD token uuid DEFAULT gen_random_uuid();",
    ],
)
def test_what_is_sure_is_said_without_an_if(live: Connection, text: str) -> None:
    (found,) = confirmed(live, text)
    assert found.message == "All of orders is rewritten, and can't be read meanwhile."


@pytest.mark.parametrize(
    ("change", "others"),
    [("orders ALTER id", "public.points, public.refers"), ("refers ALTER order_id", "public.orders")],
)
def test_tables_at_the_other_end_of_foreign_keys_are_named(live: Connection, change: str, others: str) -> None:
    column = change.split()[-1]
    (found,) = (
        one.message
        for one in confirmed(live, f"ALTER TABLE {change} TYPE bigint;")
        if one.rule.id == "change-type-locks-others"
    )
    assert found == (f"{others} can't be read either until this is committed: foreign keys of {column} are made again.")
