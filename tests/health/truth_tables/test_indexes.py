"""Indexes that are invalid, do the same as another, or are never used."""

from __future__ import annotations

import threading

import pytest

from sqlmigrations.health.cumulative.indexes import UnusedIndex
from sqlmigrations.health.structural.indexes import DuplicateIndex, InvalidIndex, OverlappingIndex
from tests.databases import session
from tests.health.asking import Answered, Patient, fixes, said
from tests.health.others import Roles, other, wait_for
from tests.health.truth_tables.tables import FAMILY
from tests.helpers import wait_until

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
