"""The basic cases that other tools get wrong, each named after those that do.

The SQL of the tools was run, or read, in these versions: PgHero 4.0, pg-extras, check_postgres, splinter, dblinter,
pgdoctor 0.6, pg-index-health, postgres_dba 7.0, plain-postgres, check_pgactivity. How long counters have run, after a
restart and after a crash, is in ``test_window.py``.
"""

from __future__ import annotations

import threading

import psycopg
import pytest

from sqlmigrations.health.cumulative.bloat import Bloat, IndexBloat, TableBloat
from sqlmigrations.health.cumulative.indexes import UnusedIndex
from sqlmigrations.health.structural.constraints import ForeignKeyViolations
from sqlmigrations.health.structural.indexes import DuplicateIndex, InvalidIndex, OverlappingIndex
from sqlmigrations.health.structural.keys import ForeignKeyWithoutIndex, IntegerPrimaryKey
from sqlmigrations.health.structural.sequences import SequenceExhaustion
from tests.databases import session
from tests.health.asking import BARE, Answered, Patient, fixes, said
from tests.health.others import Roles, other, wait_for
from tests.helpers import wait_until

# Foreign keys without an index

FAMILY = """
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, p_id int CONSTRAINT child_fk REFERENCES parent, active bool);
"""

NONE = "no index for the key to public.parent"
PART = "an index on part of it, or a BRIN index only for the key to public.parent"


@pytest.mark.parametrize(
    ("index", "told"),
    [
        pytest.param("", ("warning", NONE), id="none"),
        pytest.param("CREATE INDEX ON child (p_id)", None, id="its own"),
        pytest.param("CREATE INDEX ON child (p_id, active)", None, id="it leads"),
        pytest.param("CREATE INDEX ON child (active, p_id)", ("warning", NONE), id="it comes second"),
        pytest.param("CREATE INDEX ON child (p_id) WHERE p_id IS NOT NULL", None, id="partial that leaves out NULLs"),
        pytest.param(
            "CREATE INDEX ON child (p_id) WHERE active",
            ("warning", NONE),
            id="partial: splinter, pg-index-health and dblinter are silent",
        ),
        pytest.param(
            "CREATE INDEX ON child (p_id) WHERE active AND p_id IS NOT NULL",
            ("warning", NONE),
            id="partial in two ways",
        ),
        pytest.param("CREATE INDEX ON child (id) INCLUDE (p_id)", ("warning", NONE), id="in INCLUDE only"),
        pytest.param("CREATE INDEX ON child ((p_id + 1))", ("warning", NONE), id="an expression"),
        pytest.param("CREATE INDEX ON child USING hash (p_id)", None, id="hash: postgres_dba calls it questionable"),
        pytest.param("CREATE INDEX ON child USING brin (p_id)", ("info", PART), id="BRIN is weak"),
    ],
)
def test_which_index_serves_a_foreign_key(patient: Patient, index: str, told: tuple[str, str] | None) -> None:
    patient.run(FAMILY + index)
    result = patient.ask(ForeignKeyWithoutIndex())
    if told is None:
        assert said(result) == Answered("ok", 1)
    else:
        status = "ok" if told[0] == "info" else told[0]
        assert said(result) == Answered(status, 1, (("public.child.p_id", *told),))


def test_pg_index_health_dblinter_and_plain_see_an_index_that_is_invalid(own_patient: Patient) -> None:
    own_patient.run(FAMILY + "INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1), (2, 1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        own_patient.run("CREATE UNIQUE INDEX CONCURRENTLY broken ON child (p_id)")
    result = own_patient.ask(ForeignKeyWithoutIndex())
    assert said(result) == Answered("warning", 1, (("public.child.p_id", "warning", NONE),))
    assert fixes(result) == [("sql", 'CREATE INDEX CONCURRENTLY ON "public"."child" ("p_id");')]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        pytest.param("a, b", None, id="in order: plain leaves composite keys out"),
        pytest.param("b, a", None, id="in another order: splinter and pg-index-health miss it"),
        pytest.param("a, b, x", None, id="they lead"),
        pytest.param("a, x, b", ("info", PART), id="half of it"),
        pytest.param("x, a, b", ("warning", NONE), id="behind another one"),
    ],
)
def test_which_index_serves_a_composite_key(patient: Patient, columns: str, told: tuple[str, str] | None) -> None:
    """PostgreSQL asks for ``a = ... AND b = ...``, which knows no order."""
    patient.run(
        "CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b)); "
        "CREATE TABLE child (id int PRIMARY KEY, a int, b int, x int, FOREIGN KEY (a, b) REFERENCES parent); "
        f"CREATE INDEX ON child ({columns})"
    )
    findings = said(patient.ask(ForeignKeyWithoutIndex())).findings
    assert findings == (() if told is None else (("public.child.a, b", *told),))


def test_active_record_doctor_flags_a_primary_key_that_is_a_foreign_key(patient: Patient) -> None:
    patient.run("CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY REFERENCES parent)")
    assert said(patient.ask(ForeignKeyWithoutIndex())) == Answered("ok", 1)


def test_foreign_keys_of_small_tables_are_information_where_that_is_set(patient: Patient) -> None:
    """A partitioned table is as large as its partitions, and rows that are stored out of line count."""
    patient.run(
        "CREATE TABLE parent (id int PRIMARY KEY);"
        "CREATE TABLE small (p_id int REFERENCES parent);"
        "CREATE TABLE wide (p_id int REFERENCES parent, data text);"
        "ALTER TABLE wide ALTER COLUMN data SET STORAGE EXTERNAL;"
        "CREATE TABLE parted (p_id int REFERENCES parent) PARTITION BY LIST (p_id);"
        "CREATE TABLE part PARTITION OF parted DEFAULT;"
        "INSERT INTO parent VALUES (1);"
        "INSERT INTO small VALUES (1);"
        "INSERT INTO wide VALUES (1, repeat('x', 200000));"
        "INSERT INTO parted SELECT 1 FROM generate_series(1, 5000)"
    )
    assert said(patient.ask(ForeignKeyWithoutIndex(min_bytes=100_000))).findings == (
        ("public.parted.p_id", "warning", NONE),
        ("public.wide.p_id", "warning", NONE),
        ("public.small.p_id", "info", NONE),
    )


def test_an_index_of_another_collation_serves_no_foreign_key(patient: Patient) -> None:
    patient.run(
        "CREATE TABLE parent (id text PRIMARY KEY); "
        "CREATE TABLE child (id int PRIMARY KEY, p_id text REFERENCES parent); "
        'CREATE INDEX ON child (p_id COLLATE "C")'
    )
    assert said(patient.ask(ForeignKeyWithoutIndex())).findings == (("public.child.p_id", "warning", NONE),)
    patient.run("CREATE INDEX like_of_django ON child (p_id text_pattern_ops)")
    assert said(patient.ask(ForeignKeyWithoutIndex())) == Answered("ok", 1)


def test_foreign_keys_of_partitioned_tables_are_told_once(patient: Patient) -> None:
    patient.run(
        "CREATE TABLE parent (id int PRIMARY KEY);"
        "CREATE TABLE child (p_id int REFERENCES parent, day date) PARTITION BY RANGE (day);"
        "CREATE TABLE child_1 (day date, p_id int);"
        "ALTER TABLE child ATTACH PARTITION child_1 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
        "CREATE TABLE child_2 PARTITION OF child FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');"
        "CREATE INDEX ON child_1 (p_id)"
    )
    result = patient.ask(ForeignKeyWithoutIndex())
    assert said(result).findings == (("public.child.p_id", "warning", NONE),)
    assert fixes(result) == [("sql", 'CREATE INDEX ON ONLY "public"."child" ("p_id");')]
    patient.run("CREATE INDEX ON child_2 (p_id)")
    assert said(patient.ask(ForeignKeyWithoutIndex())) == Answered("ok", 1)


# Foreign keys that don't hold


def test_no_tool_sees_an_orphan_where_postgresql_calls_the_key_valid(patient: Patient) -> None:
    patient.run(f"{FAMILY} INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1), (2, NULL)")
    assert said(patient.ask(ForeignKeyViolations())) == Answered("ok", 1)
    patient.run(
        "SET LOCAL session_replication_role = replica; INSERT INTO child VALUES (3, 7), (4, 8); "
        "SET LOCAL session_replication_role = origin; ALTER TABLE child VALIDATE CONSTRAINT child_fk"
    )
    result = patient.ask(ForeignKeyViolations())
    observed = "2 rows without a parent in public.parent, though the constraint is valid"
    assert said(result) == Answered("critical", 1, (("public.child.child_fk", "critical", observed),))
    ((_, look),) = fixes(result)
    assert patient.connection.execute(look.encode()).fetchall() == [(3, 7, None), (4, 8, None)]
    assert said(patient.ask(ForeignKeyViolations(sample=1))).findings[0][2].startswith("at least 1 row without")


# Invalid indexes


def test_pg_index_health_does_not_see_a_partitioned_index_that_is_invalid(patient: Patient) -> None:
    """It looks in the statistics views, which don't have partitioned indexes."""
    patient.run(
        "CREATE TABLE t (id int) PARTITION BY RANGE (id); "
        "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (9); CREATE INDEX t_idx ON ONLY t (id)"
    )
    assert said(patient.ask(InvalidIndex())) == Answered(
        "warning", 1, (("public.t_idx", "warning", "INVALID: no index attached for public.t_1"),)
    )


def test_splinter_calls_an_index_invalid_that_is_being_built(
    own_patient: Patient, fresh_database: str, asking: Roles
) -> None:
    """And so would everybody who may not see what another role builds."""
    own_patient.run("CREATE TABLE t (id int)")
    building = "SELECT FROM pg_stat_progress_create_index WHERE datname = current_database() AND index_relid <> 0"
    with session(dbname=fresh_database) as builder:
        make = threading.Thread(target=builder.execute, args=["CREATE INDEX CONCURRENTLY slow ON t (id)"])
        with other(fresh_database, "holder", "BEGIN; INSERT INTO t VALUES (1)") as holder:
            make.start()
            wait_until(lambda: own_patient.connection.execute(building).fetchall())
            assert own_patient.connection.execute(
                "SELECT indisvalid FROM pg_index WHERE indrelid = 't'::regclass"
            ).fetchall() == [(False,)]
            for role in ("", asking.monitor, asking.bare):
                assert said(own_patient.ask(InvalidIndex(), role=role)) == Answered("ok", 1)
            holder.execute("COMMIT")
        make.join()
    assert said(own_patient.ask(InvalidIndex())) == Answered("ok", 1)


def test_indexes_that_are_built_anew_are_no_leftovers(own_patient: Patient, fresh_database: str, asking: Roles) -> None:
    """REINDEX makes all new ones first, then builds one after the other, and tells of that one alone."""
    own_patient.run("CREATE TABLE t (id int, x int); CREATE INDEX ON t (id); CREATE INDEX ON t (x)")
    begun = "SELECT FROM pg_class WHERE relname LIKE 't%ccnew'"
    with session(dbname=fresh_database) as builder:
        make = threading.Thread(target=builder.execute, args=["REINDEX TABLE CONCURRENTLY t"])
        with other(fresh_database, "holder", "BEGIN; INSERT INTO t VALUES (1)") as holder:
            make.start()
            wait_until(lambda: len(own_patient.connection.execute(begun).fetchall()) == 2)
            for role in ("", asking.monitor, asking.bare):
                assert said(own_patient.ask(InvalidIndex(), role=role)) == Answered("ok", 4)
            holder.execute("COMMIT")
        make.join()
    assert said(own_patient.ask(InvalidIndex())) == Answered("ok", 2)


# Indexes that do the same


@pytest.mark.parametrize(
    ("indexes", "superfluous"),
    [
        pytest.param(["(a)", "(a)"], ["two"], id="alike"),
        pytest.param(["(a)", "USING hash (a)"], [], id="hash: dblinter calls it a duplicate"),
        pytest.param(["(a)", "(b)"], [], id="another column"),
        pytest.param(["(a)", "(a) WHERE a > 0"], [], id="partial: pg-index-health called it a duplicate"),
        pytest.param(["(a) WHERE a > 0", "(a) WHERE a > 0"], ["two"], id="both partial"),
        pytest.param(["(a)", "(a) INCLUDE (b)"], [], id="INCLUDE: dblinter called it a duplicate"),
        pytest.param(["(a)", "(a DESC)"], [], id="DESC: dblinter called it a duplicate"),
        pytest.param(["(a)", "(a NULLS FIRST)"], [], id="NULLS FIRST: dblinter called it a duplicate"),
        pytest.param(["(t)", "(t text_pattern_ops)"], [], id="the _like index of Django"),
        pytest.param(["(t)", '(t COLLATE "C")'], [], id="collation: pg-index-health-sql called it a duplicate"),
        pytest.param(["((a + 1))", "((a + 1))"], ["two"], id="expressions"),
        pytest.param(["(a, b)", "(b, a)"], [], id="another order"),
        pytest.param(["(a, b)", "(a) INCLUDE (b)"], [], id="a key and INCLUDE"),
    ],
)
def test_which_indexes_do_the_same(patient: Patient, indexes: list[str], superfluous: list[str]) -> None:
    patient.run("CREATE TABLE t (id int PRIMARY KEY, a int, b int, t text)")
    for name, index in zip(("one", "two"), indexes, strict=True):
        patient.run(f"CREATE INDEX {name} ON t {index}")
    assert [finding.subject.name for finding in patient.ask(DuplicateIndex()).findings] == superfluous


def test_dblinter_tells_to_drop_the_unique_one_and_splinter_sees_none(patient: Patient) -> None:
    """Of the two dblinter keeps the first by name."""
    patient.run("CREATE TABLE t (b int); CREATE INDEX dup_b ON t (b); CREATE UNIQUE INDEX dup_uq ON t (b)")
    result = patient.ask(DuplicateIndex())
    assert said(result) == Answered("warning", 2, (("public.dup_b", "warning", "does the same as dup_uq (8.0 kB)"),))
    assert fixes(result) == [("sql", 'DROP INDEX CONCURRENTLY "public"."dup_b";')]


def test_what_backs_a_constraint_is_never_dropped(patient: Patient) -> None:
    patient.run(
        "CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t ADD CONSTRAINT again UNIQUE (id); "
        "CREATE UNIQUE INDEX third ON t (id)"
    )
    result = patient.ask(DuplicateIndex())
    assert [finding.subject.name for finding in result.findings] == ["again", "third"]
    assert fixes(result) == [("sql", 'DROP INDEX CONCURRENTLY "public"."third";')]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("UNIQUE (a)", "UNIQUE NULLS NOT DISTINCT (a)"),
        ("UNIQUE NULLS NOT DISTINCT (a)", "UNIQUE (a)"),
        ("UNIQUE (a)", "UNIQUE (a) DEFERRABLE"),
    ],
)
def test_unique_indexes_that_promise_something_else_are_no_duplicates(patient: Patient, one: str, two: str) -> None:
    if "NULLS" in one + two and patient.connection.info.server_version < 150000:
        pytest.skip("NULLS NOT DISTINCT came with PostgreSQL 15")
    patient.run(f"CREATE TABLE t (a int, CONSTRAINT one {one}, CONSTRAINT two {two})")
    assert said(patient.ask(DuplicateIndex())) == Answered("ok", 2)


def test_an_index_that_a_foreign_key_rests_on_stays(patient: Patient) -> None:
    patient.run(
        "CREATE TABLE t (id int PRIMARY KEY, a int); "
        "CREATE UNIQUE INDEX one ON t (a); CREATE UNIQUE INDEX two ON t (a); "
        "CREATE TABLE c (id int PRIMARY KEY, a int REFERENCES t (a))"
    )
    (finding,) = patient.ask(DuplicateIndex()).findings
    assert (finding.subject.name, finding.observed) == ("two", "does the same as one (8.0 kB)")


def test_pg_index_health_told_the_indexes_of_partitions_apart_from_their_parents(patient: Patient) -> None:
    patient.run(
        "CREATE TABLE t (id int) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (9); "
        "CREATE INDEX one ON t (id); CREATE INDEX two ON t (id)"
    )
    assert [finding.subject.name for finding in patient.ask(DuplicateIndex()).findings] == ["two"]


@pytest.mark.parametrize(
    ("one", "two", "superfluous"),
    [
        pytest.param("INDEX one ON t (a)", "INDEX two ON t (a, b)", ["one"], id="pgdoctor finds nothing"),
        pytest.param("INDEX one ON t (b)", "INDEX two ON t (a, b)", [], id="second"),
        pytest.param("INDEX one ON t USING hash (a)", "INDEX two ON t (a, b)", [], id="hash: pg-index-health"),
        pytest.param(
            "UNIQUE INDEX one ON t (id)",
            "INDEX two ON t (id) INCLUDE (a, b)",
            [],
            id="a key and a covering index: pg-index-health pairs them",
        ),
        pytest.param("UNIQUE INDEX one ON t (a)", "INDEX two ON t (a, b)", [], id="unique"),
        pytest.param("INDEX one ON t (a) WHERE b > 0", "INDEX two ON t (a, b)", [], id="partial"),
        pytest.param("INDEX one ON t (a DESC)", "INDEX two ON t (a, b)", [], id="DESC"),
        pytest.param("INDEX one ON t (a) INCLUDE (t)", "INDEX two ON t (a, b)", [], id="INCLUDE"),
        pytest.param("INDEX one ON t (a)", "INDEX two ON t (a, b) WHERE b > 0", [], id="part of a partial one"),
        pytest.param("INDEX one ON t ((a + 1))", "INDEX two ON t ((a + 1), b)", ["one"], id="expressions"),
    ],
)
def test_which_index_is_the_beginning_of_another(patient: Patient, one: str, two: str, superfluous: list[str]) -> None:
    patient.run(f"CREATE TABLE t (id int, a int, b int, t text); CREATE {one}; CREATE {two}")
    result = patient.ask(OverlappingIndex())
    assert (result.status, [finding.subject.name for finding in result.findings]) == ("ok", superfluous)


# Unused indexes

PURPOSES = """
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE t (
    id int CONSTRAINT check_pgactivity_tells_to_drop_it PRIMARY KEY,
    p int REFERENCES parent, q int REFERENCES parent, code varchar(9) UNIQUE, a int NOT NULL,
    b int, c int, d int, period int4range,
    CONSTRAINT splinter_and_pih_tell_to_drop_it EXCLUDE USING gist (period WITH &&)
);
CREATE UNIQUE INDEX keeps_unique ON t (a);
CREATE UNIQUE INDEX replica_identity ON t (a, id);
ALTER TABLE t REPLICA IDENTITY USING INDEX replica_identity;
CREATE INDEX clustered ON t (b);
CLUSTER t USING clustered;
CREATE INDEX alone_for_its_key ON t (p);
CREATE INDEX one_of_two_for_its_key ON t (q);
CREATE INDEX two_of_two_for_its_key ON t (q, c);
CREATE INDEX t_code_0123_like ON t (code varchar_pattern_ops);
CREATE INDEX scanned ON t (d);
CREATE INDEX idle ON t (c);
CREATE TABLE whole (id int, x int) PARTITION BY RANGE (id);
CREATE TABLE whole_1 PARTITION OF whole FOR VALUES FROM (0) TO (9);
CREATE TABLE whole_2 PARTITION OF whole FOR VALUES FROM (9) TO (99);
CREATE INDEX whole_idle ON whole (x);
CREATE INDEX whole_scanned ON whole (id)
"""


def test_splinter_pg_index_health_and_check_pgactivity_tell_to_drop_what_a_constraint_needs(
    own_patient: Patient,
) -> None:
    for statement in PURPOSES.split(";"):
        own_patient.run(statement)
    own_patient.run("SET enable_seqscan = off; SET enable_bitmapscan = off")
    own_patient.run("SELECT id FROM t WHERE d = 1; SELECT * FROM whole_1 WHERE id = 5")
    wait_for(own_patient, "SELECT FROM pg_stat_user_indexes WHERE indexrelname = 'scanned' AND idx_scan > 0")
    wait_for(own_patient, "SELECT FROM pg_stat_user_indexes WHERE indexrelname = 'whole_1_id_idx' AND idx_scan > 0")
    result = own_patient.ask(UnusedIndex(min_window_seconds=0, min_bytes=0, unread_standbys=99))
    assert result.examined == 15
    assert [(str(found.subject), str(found.severity)) for found in result.findings] == [
        ("public.idle", "warning"),
        ("public.two_of_two_for_its_key", "warning"),
        ("public.whole_idle", "warning"),
    ]
    assert ("sql", 'DROP INDEX CONCURRENTLY "public"."idle";') in fixes(result)
    assert own_patient.ask(UnusedIndex(min_window_seconds=0, unread_standbys=99)).status == "ok"


def test_what_alone_serves_a_foreign_key_stays_beside_a_partial_index(own_patient: Patient) -> None:
    """The partial one is scanned by a query of its own, and can't serve the key."""
    own_patient.run(f"{FAMILY} CREATE INDEX serves ON child (p_id); CREATE INDEX part ON child (p_id) WHERE active")
    own_patient.run("SET enable_seqscan = off; SET enable_bitmapscan = off")
    own_patient.run("SELECT id FROM child WHERE p_id > 0 AND active")
    wait_for(own_patient, "SELECT FROM pg_stat_user_indexes WHERE indexrelname = 'part' AND idx_scan > 0")
    check = UnusedIndex(min_window_seconds=0, min_bytes=0, unread_standbys=99)
    assert said(own_patient.ask(check)) == Answered("ok", 4)


# Sequences


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param(
            "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY); SELECT setval('t_id_seq', 2100000000)",
            [("public.t_id_seq", "critical", "97.8 % used, 47,483,647 values left for public.t.id")],
            id="both narrow",
        ),
        pytest.param(
            "CREATE SEQUENCE s AS int; CREATE TABLE t (id bigint PRIMARY KEY DEFAULT nextval('s')); "
            "SELECT setval('s', 2100000000)",
            [("public.s", "critical", "97.8 % used, 47,483,647 values left")],
            id="a narrow sequence of a wide column: PgHero looks at the column",
        ),
        pytest.param(
            "CREATE TABLE t (id int PRIMARY KEY); CREATE SEQUENCE s OWNED BY t.id; SELECT setval('s', 2100000000)",
            [("public.s", "critical", "97.8 % used, 47,483,647 values left for public.t.id")],
            id="a wide sequence of a narrow column: pg-index-health and pgdoctor look at the sequence",
        ),
        pytest.param(
            "CREATE TABLE t (id bigserial PRIMARY KEY); CREATE TABLE c (t_id int REFERENCES t); "
            "SELECT setval('t_id_seq', 1600000000)",
            [("public.t_id_seq", "warning", "74.5 % used, 547,483,647 values left for public.c.t_id")],
            id="a narrow child: no tool looks there",
        ),
        pytest.param(
            "CREATE SEQUENCE s; CREATE TABLE t (id smallint PRIMARY KEY DEFAULT nextval('s')); "
            "SELECT setval('s', 30000)",
            [("public.s", "critical", "91.6 % used, 2,767 values left for public.t.id")],
            id="a default",
        ),
        pytest.param(
            "CREATE SEQUENCE s INCREMENT -1 MINVALUE -1000; SELECT setval('s', -900)",
            [("public.s", "critical", "90.0 % used, 100 values left")],
            id="backwards",
        ),
        pytest.param(
            "CREATE SEQUENCE s INCREMENT 10 MAXVALUE 1000; SELECT setval('s', 800)",
            [("public.s", "warning", "80.0 % used, 20 values left")],
            id="by tens",
        ),
        pytest.param(
            "CREATE DOMAIN small AS int; CREATE DOMAIN smaller AS small; CREATE SEQUENCE s; "
            "CREATE TABLE t (id smaller PRIMARY KEY DEFAULT nextval('s')); SELECT setval('s', 2100000000)",
            [("public.s", "critical", "97.8 % used, 47,483,647 values left for public.t.id")],
            id="a domain",
        ),
        pytest.param("CREATE SEQUENCE s MAXVALUE 1000 CYCLE; SELECT setval('s', 999)", [], id="round and round"),
        pytest.param("CREATE SEQUENCE s", [], id="never used"),
        pytest.param(
            "CREATE SEQUENCE s MINVALUE -2147483648 START 1 MAXVALUE 2147483647; SELECT setval('s', 10)",
            [],
            id="from below zero",
        ),
        pytest.param("CREATE TABLE t (id serial PRIMARY KEY, up int REFERENCES t)", [], id="a cycle of keys"),
    ],
)
def test_how_long_sequences_last(patient: Patient, schema: str, expected: list[tuple[str, str, str]]) -> None:
    patient.run(schema)
    assert list(said(patient.ask(SequenceExhaustion())).findings) == expected


@pytest.mark.parametrize("membership", ["", f"GRANT pg_monitor TO {BARE}"], ids=["bare", "pg_monitor"])
def test_pgdoctor_prints_no_percent_and_pg_index_health_nothing_of_a_sequence_that_cant_be_read(
    patient: Patient, membership: str
) -> None:
    patient.run(f"CREATE TABLE t (id serial PRIMARY KEY); SELECT setval('t_id_seq', 2100000000); CREATE ROLE {BARE}")
    patient.run(membership)
    remedy = f'GRANT "pg_read_all_data" TO "{BARE}";'
    for check, reason in (
        (SequenceExhaustion(), "1 of 1 sequence can't be read"),
        (IntegerPrimaryKey(), "of 1 of 1 key the sequence can't be read"),
    ):
        result = patient.ask(check, role=BARE)
        assert said(result) == Answered("skipped", 0, (), reason, remedy)
        assert result.is_blind
    patient.run(remedy)
    assert patient.ask(SequenceExhaustion(), role=BARE).status == "critical"
    assert patient.ask(IntegerPrimaryKey(), role=BARE).status == "critical"


# Bloat

#: PostgreSQL 14 counts in a process of its own, which hears of an ANALYZE later.
ANALYZED = "SELECT FROM pg_stat_user_tables WHERE last_analyze IS NOT NULL AND n_mod_since_analyze = 0"
LARGE = [TableBloat(warning_bytes=100_000), IndexBloat(warning_bytes=100_000)]


@pytest.mark.parametrize("check", LARGE, ids=lambda check: check.id)
def test_pg_extras_and_pg_index_health_say_nothing_of_bloat_as_pg_monitor(
    own_patient: Patient, asking: Roles, check: Bloat
) -> None:
    """Which reads as if all were well: of a table that is empty by nine tenths."""
    own_patient.run(
        "CREATE TABLE t (id int CONSTRAINT t_key PRIMARY KEY, pad text) WITH (autovacuum_enabled = off);"
        "INSERT INTO t SELECT n, repeat('x', 100) FROM generate_series(1, 30000) AS n;"
        "DELETE FROM t WHERE id % 10 <> 0"
    )
    wait_for(own_patient, "SELECT FROM pg_stat_user_tables WHERE n_dead_tup = 27000")
    own_patient.run("VACUUM ANALYZE t")
    wait_for(own_patient, ANALYZED)
    for role in (asking.bare, asking.monitor):
        assert said(own_patient.ask(check, role=role)) == Answered(
            "skipped",
            reason=f"of 1 large {check.kind} the statistics are hidden",
            remedy=f'GRANT "pg_read_all_data" TO "{role}";',
        )
    own_patient.run(f'ALTER TABLE t OWNER TO "{asking.owner}"')
    assert own_patient.ask(check, role=asking.owner).status == "critical"


@pytest.mark.parametrize("check", LARGE, ids=lambda check: check.id)
def test_pg_extras_sees_25_times_the_needed_size_in_a_table_that_was_just_loaded(
    own_patient: Patient, check: Bloat
) -> None:
    own_patient.run(
        "CREATE TABLE t (id int CONSTRAINT t_key PRIMARY KEY, pad text) WITH (autovacuum_enabled = off);"
        "INSERT INTO t SELECT n, '' FROM generate_series(1, 100) AS n; ANALYZE t;"
        "INSERT INTO t SELECT n, repeat('x', 100) FROM generate_series(101, 30000) AS n"
    )
    wait_for(own_patient, "SELECT FROM pg_stat_user_tables WHERE n_mod_since_analyze > 1000")
    old = Answered("skipped", reason=f"of 1 large {check.kind} the statistics are old", remedy='ANALYZE "public"."t";')
    assert said(own_patient.ask(check)) == old
    own_patient.run("SELECT pg_stat_reset()")
    assert said(own_patient.ask(check)) == old
    own_patient.run("ANALYZE t")
    wait_for(own_patient, ANALYZED)
    assert said(own_patient.ask(check)) == Answered("ok", 1)


@pytest.mark.parametrize("check", LARGE, ids=lambda check: check.id)
def test_a_table_that_nobody_counted_is_not_taken_for_small(own_patient: Patient, check: Bloat) -> None:
    """Loaded, never analysed, and then the counters were lost, as after a crash."""
    own_patient.run(
        "CREATE TABLE t (id int CONSTRAINT t_key PRIMARY KEY) WITH (autovacuum_enabled = off);"
        "INSERT INTO t SELECT generate_series(1, 30000)"
    )
    own_patient.run("SELECT pg_stat_force_next_flush()" if own_patient.connection.info.server_version >= 150000 else "")
    own_patient.run("SELECT pg_stat_reset()")
    assert said(own_patient.ask(check)) == Answered(
        "skipped", reason=f"of 1 large {check.kind} the statistics are old", remedy='ANALYZE "public"."t";'
    )
