"""Each structural check: where it is ok, where it finds something, where it has nothing to look at."""

from __future__ import annotations

import psycopg
import pytest

from sqlmigrations.health.base import Check
from sqlmigrations.health.structural.constraints import NotValidConstraints
from sqlmigrations.health.structural.indexes import InvalidIndex
from sqlmigrations.health.structural.keys import ForeignKeyWithoutIndex, NoPrimaryKey
from tests.health.asking import Answered, Patient, fixes, said

PARENT_AND_CHILD = """
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, p_id int CONSTRAINT child_fk REFERENCES parent, active bool);
"""


# Primary keys


def test_no_primary_key(patient: Patient) -> None:
    patient.run("CREATE TABLE good (id int PRIMARY KEY); CREATE TABLE bad (x int); CREATE TEMP TABLE own (x int)")
    result = patient.ask(NoPrimaryKey())
    assert said(result) == Answered("warning", 2, (("public.bad", "warning", "no primary key"),))
    assert fixes(result) == [
        ("sql", 'ALTER TABLE "public"."bad" ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;')
    ]


def test_a_unique_index_can_become_the_primary_key(patient: Patient) -> None:
    patient.run('CREATE TABLE bad (x int NOT NULL); CREATE UNIQUE INDEX "Its index" ON bad (x)')
    result = patient.ask(NoPrimaryKey())
    (fix,) = fixes(result)
    assert fix == ("sql", 'ALTER TABLE "public"."bad" ADD PRIMARY KEY USING INDEX "Its index";')
    patient.run(fix[1])
    assert said(patient.ask(NoPrimaryKey())) == Answered("ok", 1)


def test_a_partition_has_its_parents_key(patient: Patient) -> None:
    patient.run(
        "CREATE TABLE good (id int PRIMARY KEY) PARTITION BY RANGE (id); "
        "CREATE TABLE good_1 PARTITION OF good FOR VALUES FROM (0) TO (9)"
    )
    assert said(patient.ask(NoPrimaryKey())) == Answered("ok", 1)


@pytest.mark.parametrize("check", [NoPrimaryKey, NotValidConstraints, InvalidIndex, ForeignKeyWithoutIndex])
def test_nothing_to_examine_is_never_ok(patient: Patient, check: type[Check]) -> None:
    result = patient.ask(check())
    assert said(result) == Answered("skipped", 0, (), f"there are no {check.examines} to examine")
    assert not result.is_blind


# Foreign keys without an index


@pytest.mark.parametrize(
    ("index", "observed"),
    [
        ("", "no index for the key to public.parent"),
        ("CREATE INDEX ON child (p_id)", None),
        ("CREATE INDEX ON child (p_id, active)", None),
        ("CREATE INDEX ON child (active, p_id)", "no index for the key to public.parent"),
        ("CREATE INDEX ON child (p_id) WHERE p_id IS NOT NULL", None),
        ("CREATE INDEX splinter_dblinter_pih_are_silent ON child (p_id) WHERE active", "no index"),
        ("CREATE INDEX ON child (p_id) WHERE active AND p_id IS NOT NULL", "no index"),
        ("CREATE INDEX ON child (id) INCLUDE (p_id)", "no index"),
        ("CREATE INDEX ON child USING hash (p_id)", None),
        ("CREATE INDEX ON child USING brin (p_id)", "an index on part of it, or a BRIN index only"),
        ("CREATE INDEX ON child ((p_id + 1))", "no index"),
    ],
)
def test_which_index_serves_a_foreign_key(patient: Patient, index: str, observed: str | None) -> None:
    patient.run(PARENT_AND_CHILD + index)
    result = patient.ask(ForeignKeyWithoutIndex())
    if observed is None:
        assert said(result) == Answered("ok", 1)
    else:
        assert [finding.observed.startswith(observed) for finding in result.findings] == [True]
        assert result.status == ("ok" if "BRIN" in observed else "warning")


def test_an_invalid_index_serves_no_foreign_key(own_patient: Patient) -> None:
    """Where pg-index-health and dblinter see an index."""
    own_patient.run(PARENT_AND_CHILD + "INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1), (2, 1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        own_patient.run("CREATE UNIQUE INDEX CONCURRENTLY broken ON child (p_id)")
    result = own_patient.ask(ForeignKeyWithoutIndex())
    assert said(result) == Answered(
        "warning", 1, (("public.child.p_id", "warning", "no index for the key to public.parent"),)
    )
    assert fixes(result) == [("sql", 'CREATE INDEX CONCURRENTLY ON "public"."child" ("p_id");')]


@pytest.mark.parametrize(
    ("columns", "status"),
    [("a, b", "ok"), ("b, a", "ok"), ("a, b, x", "ok"), ("a, x, b", "ok"), ("x, a, b", "warning")],
)
def test_composite_keys_are_served_in_any_order(patient: Patient, columns: str, status: str) -> None:
    """(b, a) is flagged by splinter and pg-index-health, whose own test asserts it; (a, x, b) is half of one."""
    patient.run(
        "CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b)); "
        "CREATE TABLE child (id int PRIMARY KEY, a int, b int, x int, FOREIGN KEY (a, b) REFERENCES parent); "
        f"CREATE INDEX ON child ({columns})"
    )
    result = patient.ask(ForeignKeyWithoutIndex())
    assert (str(result.status), len(result.findings)) == (status, int(columns in ("a, x, b", "x, a, b")))


def test_an_index_of_another_collation_serves_no_foreign_key(patient: Patient) -> None:
    patient.run(
        "CREATE TABLE parent (id text PRIMARY KEY); "
        "CREATE TABLE child (id int PRIMARY KEY, p_id text REFERENCES parent); "
        'CREATE INDEX ON child (p_id COLLATE "C")'
    )
    assert patient.ask(ForeignKeyWithoutIndex()).status == "warning"
    patient.run("CREATE INDEX like_of_django ON child (p_id text_pattern_ops)")
    assert patient.ask(ForeignKeyWithoutIndex()).status == "ok"


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
    assert said(result).findings == (("public.child.p_id", "warning", "no index for the key to public.parent"),)
    assert fixes(result) == [("sql", 'CREATE INDEX ON ONLY "public"."child" ("p_id");')]
    patient.run("CREATE INDEX ON child_2 (p_id)")
    assert said(patient.ask(ForeignKeyWithoutIndex())) == Answered("ok", 1)


# Indexes


def test_invalid_index(own_patient: Patient) -> None:
    own_patient.run("CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        own_patient.run("CREATE UNIQUE INDEX CONCURRENTLY broken ON t (id)")
    result = own_patient.ask(InvalidIndex())
    assert said(result).findings == (("public.broken", "warning", "INVALID: its building failed"),)
    assert fixes(result) == [
        ("sql", 'REINDEX INDEX CONCURRENTLY "public"."broken";'),
        ("sql", 'DROP INDEX CONCURRENTLY "public"."broken";'),
    ]
    own_patient.run(fixes(result)[1][1])
    own_patient.run("CREATE INDEX ON t (id)")
    assert said(own_patient.ask(InvalidIndex())) == Answered("ok", 1)


def test_an_invalid_partitioned_index_is_seen(patient: Patient) -> None:
    """pg-index-health looks in the statistics views, which don't have partitioned indexes."""
    patient.run(
        "CREATE TABLE t (id int) PARTITION BY RANGE (id); "
        "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (9); CREATE INDEX t_idx ON ONLY t (id)"
    )
    assert said(patient.ask(InvalidIndex())) == Answered(
        "warning", 1, (("public.t_idx", "warning", "INVALID: no index attached for public.t_1"),)
    )


# Constraints


def test_not_valid_constraints(patient: Patient) -> None:
    patient.run(PARENT_AND_CHILD + "ALTER TABLE child ADD CONSTRAINT positive CHECK (id > 0) NOT VALID")
    result = patient.ask(NotValidConstraints())
    assert said(result).findings == (
        ("public.child.positive", "warning", "NOT VALID: rows older than it may break it"),
    )
    (fix,) = fixes(result)
    assert fix == ("sql", 'ALTER TABLE "public"."child" VALIDATE CONSTRAINT "positive";')
    patient.run(fix[1])
    assert said(patient.ask(NotValidConstraints())).findings == ()
