"""Each structural check: where it is ok, where it finds something, where it has nothing to look at."""

from __future__ import annotations

import psycopg
import pytest

from sqlmigrations.health.base import Check
from sqlmigrations.health.structural import CHECKS
from sqlmigrations.health.structural.constraints import (
    ForeignKeyEnforcementOff,
    ForeignKeyViolations,
    NotValidConstraints,
)
from sqlmigrations.health.structural.indexes import DuplicateIndex, InvalidIndex, OverlappingIndex
from sqlmigrations.health.structural.keys import (
    DuplicateForeignKey,
    ForeignKeyTypeMismatch,
    ForeignKeyWithoutIndex,
    IntegerPrimaryKey,
    NoPrimaryKey,
    ReplicaIdentityMissing,
)
from sqlmigrations.health.structural.sequences import SequenceExhaustion
from sqlmigrations.health.structural.upkeep import (
    AutovacuumOff,
    CollationVersion,
    ExtensionVersion,
    MaterializedViewUnpopulated,
    NameTruncation,
    NeverAnalyzed,
    PublicSchemaCreate,
)
from tests.health.asking import BARE, Answered, Patient, fixes, said

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


# Indexes that do the same


@pytest.mark.parametrize(
    ("indexes", "superfluous"),
    [
        (["(a)", "(a)"], ["two"]),
        (["(a)", "USING hash (a)"], []),  # "duplicate" to dblinter
        (["(a)", "(b)"], []),
        (["(a)", "(a) WHERE a > 0"], []),
        (["(a) WHERE a > 0", "(a) WHERE a > 0"], ["two"]),
        (["(a)", "(a) INCLUDE (b)"], []),
        (["(a)", "(a DESC)"], []),
        (["(t)", "(t text_pattern_ops)"], []),  # Django's _like index
        (["(t)", '(t COLLATE "C")'], []),
        (["((a + 1))", "((a + 1))"], ["two"]),
        (["(a, b)", "(b, a)"], []),
        (["(a, b)", "(a) INCLUDE (b)"], []),
    ],
)
def test_which_indexes_do_the_same(patient: Patient, indexes: list[str], superfluous: list[str]) -> None:
    patient.run("CREATE TABLE t (id int PRIMARY KEY, a int, b int, t text)")
    for name, index in zip(("one", "two"), indexes, strict=True):
        patient.run(f"CREATE INDEX {name} ON t {index}")
    assert [finding.subject.name for finding in patient.ask(DuplicateIndex()).findings] == superfluous


def test_the_unique_index_is_never_the_superfluous_one(patient: Patient) -> None:
    """dblinter advises to drop it: of the two it keeps the first by name."""
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


def test_an_index_that_a_foreign_key_rests_on_stays(patient: Patient) -> None:
    patient.run(
        "CREATE TABLE t (id int PRIMARY KEY, a int); "
        "CREATE UNIQUE INDEX one ON t (a); CREATE UNIQUE INDEX two ON t (a); "
        "CREATE TABLE c (id int PRIMARY KEY, a int REFERENCES t (a))"
    )
    (finding,) = patient.ask(DuplicateIndex()).findings
    assert (finding.subject.name, finding.observed) == ("two", "does the same as one (8.0 kB)")


def test_indexes_of_partitions_go_with_their_parents(patient: Patient) -> None:
    patient.run(
        "CREATE TABLE t (id int) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (9); "
        "CREATE INDEX one ON t (id); CREATE INDEX two ON t (id)"
    )
    assert [finding.subject.name for finding in patient.ask(DuplicateIndex()).findings] == ["two"]


@pytest.mark.parametrize(
    ("one", "two", "superfluous"),
    [
        ("INDEX one ON t (a)", "INDEX two ON t (a, b)", ["one"]),  # pgdoctor's prefix check finds nothing
        ("INDEX one ON t (b)", "INDEX two ON t (a, b)", []),
        ("INDEX one ON t USING hash (a)", "INDEX two ON t (a, b)", []),  # pg-index-health pairs them
        ("UNIQUE INDEX one ON t (a)", "INDEX two ON t (a, b)", []),
        ("INDEX one ON t (a) WHERE b > 0", "INDEX two ON t (a, b)", []),
        ("INDEX one ON t (a DESC)", "INDEX two ON t (a, b)", []),
        ("INDEX one ON t (a) INCLUDE (t)", "INDEX two ON t (a, b)", []),
        ("INDEX one ON t (a)", "INDEX two ON t (a, b) WHERE b > 0", []),
        ("INDEX one ON t ((a + 1))", "INDEX two ON t ((a + 1), b)", ["one"]),
    ],
)
def test_which_index_is_the_beginning_of_another(patient: Patient, one: str, two: str, superfluous: list[str]) -> None:
    patient.run(f"CREATE TABLE t (id int PRIMARY KEY, a int, b int, t text); CREATE {one}; CREATE {two}")
    result = patient.ask(OverlappingIndex())
    assert (result.status, [finding.subject.name for finding in result.findings]) == ("ok", superfluous)


def test_a_large_index_that_is_the_beginning_of_another_warns(patient: Patient) -> None:
    patient.run("CREATE TABLE t (a int, b int); CREATE INDEX one ON t (a); CREATE INDEX two ON t (a, b)")
    assert patient.ask(OverlappingIndex(warning_bytes=8192)).status == "warning"
    assert patient.ask(OverlappingIndex(warning_bytes=8193)).status == "ok"


# Sequences


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (
            "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY); SELECT setval('t_id_seq', 2100000000)",
            [("public.t_id_seq", "critical", "97.8 % used, 47,483,647 values left for public.t.id")],
        ),
        (
            "CREATE TABLE PGHERO_LOOKS_AT_THE_COLUMN (id bigint PRIMARY KEY); CREATE SEQUENCE s AS int; "
            "SELECT setval('s', 2100000000)",
            [("public.s", "critical", "97.8 % used, 47,483,647 values left")],
        ),
        (
            "CREATE TABLE pih_and_pgdoctor_look_at_the_sequence (id int PRIMARY KEY); "
            "CREATE SEQUENCE s OWNED BY pih_and_pgdoctor_look_at_the_sequence.id; SELECT setval('s', 2100000000)",
            [
                (
                    "public.s",
                    "critical",
                    "97.8 % used, 47,483,647 values left for public.pih_and_pgdoctor_look_at_the_sequence.id",
                )
            ],
        ),
        (
            "CREATE TABLE t (id bigserial PRIMARY KEY); CREATE TABLE c (t_id int REFERENCES t); "
            "SELECT setval('t_id_seq', 1600000000)",
            [("public.t_id_seq", "warning", "74.5 % used, 547,483,647 values left for public.c.t_id")],
        ),
        (
            "CREATE SEQUENCE s; CREATE TABLE t (id smallint PRIMARY KEY DEFAULT nextval('s')); "
            "SELECT setval('s', 30000)",
            [("public.s", "critical", "91.6 % used, 2,767 values left for public.t.id")],
        ),
        (
            "CREATE SEQUENCE s INCREMENT -1 MINVALUE -1000; SELECT setval('s', -900)",
            [("public.s", "critical", "90.0 % used, 100 values left")],
        ),
        (
            "CREATE SEQUENCE s INCREMENT 10 MAXVALUE 1000; SELECT setval('s', 800)",
            [("public.s", "warning", "80.0 % used, 20 values left")],
        ),
        ("CREATE SEQUENCE s MAXVALUE 1000 CYCLE; SELECT setval('s', 999)", []),
        ("CREATE SEQUENCE s", []),
        ("CREATE SEQUENCE s MINVALUE -2147483648 START 1 MAXVALUE 2147483647; SELECT setval('s', 10)", []),
    ],
)
def test_how_long_sequences_last(patient: Patient, schema: str, expected: list[tuple[str, str, str]]) -> None:
    patient.run(schema)
    assert list(said(patient.ask(SequenceExhaustion())).findings) == expected


def test_a_cycle_in_foreign_keys_ends(patient: Patient) -> None:
    patient.run("CREATE TABLE t (id serial PRIMARY KEY, up int REFERENCES t)")
    assert said(patient.ask(SequenceExhaustion())) == Answered("ok", 1)


@pytest.mark.parametrize("membership", [[], ["pg_monitor"]])
def test_sequences_that_cant_be_read_are_not_ok(patient: Patient, membership: list[str]) -> None:
    """pgdoctor prints 0.00 % for this one as pg_monitor, pg-index-health nothing."""
    patient.run(f"CREATE TABLE t (id serial PRIMARY KEY); SELECT setval('t_id_seq', 2100000000); CREATE ROLE {BARE}")
    for role in membership:
        patient.run(f"GRANT {role} TO {BARE}")
    result = patient.ask(SequenceExhaustion(), role=BARE)
    remedy = f'GRANT "pg_read_all_data" TO "{BARE}";'
    assert said(result) == Answered("skipped", 0, (), "1 of 1 sequence can't be read", remedy)
    assert result.is_blind
    patient.run(remedy)
    assert patient.ask(SequenceExhaustion(), role=BARE).status == "critical"


def test_thresholds_for_one_table(patient: Patient) -> None:
    patient.run("CREATE TABLE t (id serial PRIMARY KEY); SELECT setval('t_id_seq', 2100000000)")
    assert (
        patient.ask(SequenceExhaustion(exceptions={"public.t": {"warning_percent": 98, "critical_percent": 99}})).status
        == "ok"
    )


def test_int4_pk(patient: Patient) -> None:
    patient.run(
        "CREATE TABLE t (id serial PRIMARY KEY); CREATE TABLE wide (id bigserial PRIMARY KEY); "
        "CREATE TABLE fresh (id serial PRIMARY KEY); SELECT setval('t_id_seq', 1200000000)"
    )
    result = patient.ask(IntegerPrimaryKey())
    assert said(result) == Answered("warning", 2, (("public.t.id", "warning", "integer, 55.9 % used"),))
    assert fixes(result) == [("sql", 'ALTER TABLE "public"."t" ALTER COLUMN "id" TYPE bigint;')]


# Foreign keys


def test_foreign_key_violations_that_postgresql_does_not_see(patient: Patient) -> None:
    patient.run(
        "CREATE TABLE parent (id int PRIMARY KEY); "
        "CREATE TABLE child (p_id int CONSTRAINT child_fk REFERENCES parent); "
        "INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1), (NULL)"
    )
    assert said(patient.ask(ForeignKeyViolations())) == Answered("ok", 1)
    patient.run(
        "SET LOCAL session_replication_role = replica; INSERT INTO child VALUES (7), (8); "
        "SET LOCAL session_replication_role = origin; ALTER TABLE child VALIDATE CONSTRAINT child_fk"
    )
    result = patient.ask(ForeignKeyViolations())
    assert said(result) == Answered(
        "critical",
        1,
        (
            (
                "public.child.child_fk",
                "critical",
                "2 rows without a parent in public.parent, though the constraint is valid",
            ),
        ),
    )
    ((_, look),) = fixes(result)
    assert patient.connection.execute(look.encode()).fetchall() == [(7,), (8,)]
    assert said(patient.ask(ForeignKeyViolations(sample=1))).findings[0][2].startswith("at least 1 row without")


@pytest.mark.parametrize(("match", "status"), [("SIMPLE", "ok"), ("FULL", "critical")])
def test_keys_that_are_null_in_part(patient: Patient, match: str, status: str) -> None:
    patient.run(
        "CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b)); CREATE TABLE child (a int, b int, "
        f"FOREIGN KEY (a, b) REFERENCES parent MATCH {match}); SET LOCAL session_replication_role = replica; "
        "INSERT INTO child VALUES (1, NULL), (NULL, NULL)"
    )
    assert patient.ask(ForeignKeyViolations()).status == status


def test_foreign_key_violations_need_the_right_to_read(patient: Patient) -> None:
    patient.run(
        f"CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int REFERENCES p); CREATE ROLE {BARE}; "
        f"GRANT pg_monitor TO {BARE}"
    )
    remedy = f'GRANT "pg_read_all_data" TO "{BARE}";'
    assert said(patient.ask(ForeignKeyViolations(), role=BARE)) == Answered(
        "skipped", 0, (), "none of the 1 foreign keys' tables may be read", remedy
    )
    patient.run(remedy)
    assert patient.ask(ForeignKeyViolations(), role=BARE).status == "ok"


def test_rows_that_a_policy_hides_are_not_taken_for_missing(patient: Patient) -> None:
    patient.run(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int REFERENCES p); INSERT INTO p VALUES (1); "
        f"INSERT INTO c VALUES (1); ALTER TABLE p ENABLE ROW LEVEL SECURITY; CREATE ROLE {BARE}; "
        f"GRANT SELECT ON p, c TO {BARE}"
    )
    result = patient.ask(ForeignKeyViolations(), role=BARE)
    assert (result.status, result.reason) == (
        "skipped",
        'query would be affected by row-level security policy for table "p"',
    )


def test_large_tables_are_left_out(patient: Patient) -> None:
    patient.run("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int REFERENCES p); INSERT INTO p VALUES (1)")
    patient.run("INSERT INTO c VALUES (1)")
    assert said(patient.ask(ForeignKeyViolations(max_bytes=10))) == Answered(
        "skipped", 0, (), "left out: 1 foreign key of larger tables"
    )


def test_fk_enforcement_off_by_triggers(patient: Patient) -> None:
    patient.run(
        "CREATE TABLE parent (id int PRIMARY KEY); "
        "CREATE TABLE child (p_id int CONSTRAINT child_fk REFERENCES parent); "
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
        "CREATE TRIGGER own BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION f()"
    )
    assert said(patient.ask(ForeignKeyEnforcementOff())) == Answered("ok", 4)
    patient.run("ALTER TABLE child DISABLE TRIGGER ALL")
    result = patient.ask(ForeignKeyEnforcementOff())
    assert said(result) == Answered(
        "critical",
        4,
        (
            ("public.child.child_fk", "critical", "its trigger is disabled"),
            ("public.child.own", "warning", "disabled"),
        ),
    )
    for _, fix in fixes(result):
        patient.run(fix)
    assert patient.ask(ForeignKeyEnforcementOff()).status == "ok"


def test_fk_enforcement_off_by_a_setting(patient: Patient) -> None:
    patient.run(f"CREATE ROLE {BARE}; ALTER ROLE {BARE} SET session_replication_role = replica")
    observed = "session_replication_role is replica: no foreign key is kept, no trigger fires"
    result = patient.ask(ForeignKeyEnforcementOff())
    assert said(result).findings == ((BARE, "critical", observed),)
    patient.run(fixes(result)[0][1])
    assert said(patient.ask(ForeignKeyEnforcementOff())) == Answered("ok", 1)
    patient.run("SET LOCAL session_replication_role = replica")
    assert said(patient.ask(ForeignKeyEnforcementOff())).findings == (("postgres", "critical", observed),)


def test_fk_type_mismatch(patient: Patient) -> None:
    patient.run(
        "CREATE TABLE p (id bigint PRIMARY KEY, n varchar UNIQUE); "
        "CREATE TABLE c (p_id int REFERENCES p, good bigint REFERENCES p, n text REFERENCES p (n))"
    )
    result = patient.ask(ForeignKeyTypeMismatch())
    assert said(result) == Answered(
        "warning",
        3,
        (
            ("public.c.p_id", "warning", "integer, but public.p.id is bigint"),
            ("public.c.n", "info", "text, but public.p.n is character varying"),
        ),
    )
    patient.run(fixes(result)[0][1])
    assert patient.ask(ForeignKeyTypeMismatch()).status == "ok"


def test_duplicate_fk(patient: Patient) -> None:
    patient.run(
        "CREATE TABLE p (id int PRIMARY KEY, x int, UNIQUE (x, id)); CREATE TABLE c (p_id int, x int, "
        "CONSTRAINT one FOREIGN KEY (p_id) REFERENCES p, CONSTRAINT two FOREIGN KEY (p_id) REFERENCES p, "
        "CONSTRAINT three FOREIGN KEY (x, p_id) REFERENCES p (x, id))"
    )
    result = patient.ask(DuplicateForeignKey())
    assert said(result) == Answered(
        "warning",
        3,
        (
            ("public.c.two", "warning", "says the same as one"),
            ("public.c.one", "info", "three holds its columns as well"),
        ),
    )
    assert fixes(result) == [("sql", 'ALTER TABLE "public"."c" DROP CONSTRAINT "two";')]


def test_replica_identity_missing(patient: Patient) -> None:
    patient.run(
        "CREATE TABLE good (id int PRIMARY KEY); CREATE TABLE bad (id int); CREATE TABLE whole (id int); "
        "ALTER TABLE whole REPLICA IDENTITY FULL; CREATE PUBLICATION p FOR TABLE good, bad, whole"
    )
    result = patient.ask(ReplicaIdentityMissing())
    assert said(result) == Answered(
        "critical",
        3,
        (("public.bad", "critical", "UPDATE and DELETE fail: published by p without a replica identity"),),
    )
    patient.run(fixes(result)[-1][1])
    assert said(patient.ask(ReplicaIdentityMissing())) == Answered("ok", 3)


# Upkeep


def test_matview_unpopulated(patient: Patient) -> None:
    patient.run("CREATE MATERIALIZED VIEW m AS SELECT 1 AS x WITH NO DATA")
    result = patient.ask(MaterializedViewUnpopulated())
    assert said(result) == Answered("warning", 1, (("public.m", "warning", "never filled: every query of it fails"),))
    patient.run(fixes(result)[0][1])
    observed = "no unique index: a REFRESH keeps readers out (8.0 kB)"
    assert said(patient.ask(MaterializedViewUnpopulated())) == Answered("ok", 1, (("public.m", "info", observed),))
    patient.run("CREATE UNIQUE INDEX ON m (x)")
    assert said(patient.ask(MaterializedViewUnpopulated())) == Answered("ok", 1)


def test_extension_version(patient: Patient) -> None:
    patient.run("CREATE EXTENSION hstore VERSION '1.7'")
    result = patient.ask(ExtensionVersion())
    assert said(result) == Answered("warning", 2, (("hstore", "warning", "1.7"),))
    patient.run(fixes(result)[0][1])
    assert said(patient.ask(ExtensionVersion())) == Answered("ok", 2)


def test_collation_version(patient: Patient) -> None:
    # ICU is built in by choice; the builtin provider is there from 17 on.
    provider = "builtin" if patient.connection.info.server_version >= 170000 else "icu"
    patient.run(f"CREATE COLLATION c (provider = {provider}, locale = 'C.UTF-8'); CREATE TABLE t (x text COLLATE c)")
    before = patient.ask(CollationVersion())
    patient.run("UPDATE pg_collation SET collversion = '0' WHERE collname = 'c'")
    result = patient.ask(CollationVersion())
    assert (before.status, result.status, result.examined) == ("ok", "critical", before.examined)
    (finding,) = result.findings
    assert (str(finding.subject), finding.threshold) == ("public.c", "0")
    patient.run(fixes(result)[1][1])
    assert patient.ask(CollationVersion()).status == "ok"


def test_autovacuum_off(patient: Patient) -> None:
    patient.run("CREATE TABLE t (x text) WITH (autovacuum_enabled = false, toast.autovacuum_enabled = off)")
    result = patient.ask(AutovacuumOff())
    assert said(result) == Answered(
        "warning",
        4,
        (
            ("public.t", "warning", "autovacuum_enabled is false"),
            ("public.t", "warning", "toast.autovacuum_enabled is false"),
        ),
    )
    for _, fix in fixes(result):
        patient.run(fix)
    assert patient.ask(AutovacuumOff()).status == "ok"


def test_never_analyzed(patient: Patient) -> None:
    patient.run("CREATE TABLE t (x text); INSERT INTO t SELECT repeat('x', 1000) FROM generate_series(1, 2000)")
    result = patient.ask(NeverAnalyzed())
    assert said(result) == Answered("warning", 1, (("public.t", "warning", "never analysed, 2.2 MB"),))
    patient.run(fixes(result)[0][1])
    assert said(patient.ask(NeverAnalyzed())) == Answered("ok", 1)


def test_name_truncation(patient: Patient) -> None:
    patient.run(
        f"CREATE TABLE t (id int, {'ä' * 31}x int, CONSTRAINT {'d' * 46}_0123abcd_fk_p_id CHECK (id > 0)); "
        f"CREATE VIEW {'v' * 64} AS SELECT 1 AS x"
    )
    result = patient.ask(NameTruncation())
    observed = "the {}'s name is as long as a name can be, and was perhaps cut"
    assert (result.status, said(result).findings) == (
        "ok",
        (
            (f"public.t.{'ä' * 31}x", "info", observed.format("column")),
            (f"public.{'v' * 63}", "info", observed.format("view")),
        ),
    )


def test_public_schema_create(patient: Patient) -> None:
    patient.run("GRANT CREATE ON SCHEMA public TO PUBLIC")
    result = patient.ask(PublicSchemaCreate())
    assert said(result) == Answered("warning", 1, (("public", "warning", "everybody may create objects in it"),))
    patient.run(fixes(result)[0][1])
    assert said(patient.ask(PublicSchemaCreate())) == Answered("ok", 1)


# Rights, and hostile databases


@pytest.mark.parametrize("membership", ["", f"GRANT pg_monitor TO {BARE}"], ids=["bare", "pg_monitor"])
@pytest.mark.parametrize("check", [check for check in CHECKS if not check.right])
def test_any_role_sees_the_catalog(patient: Patient, check: type[Check], membership: str) -> None:
    """But for what needs a right of its own, a bare role answers as the owner does."""
    patient.run(
        "CREATE TABLE p (id serial PRIMARY KEY, t text); CREATE TABLE c (p_id int REFERENCES p); "
        "CREATE MATERIALIZED VIEW m AS SELECT 1 AS x WITH NO DATA; "
        "CREATE INDEX one ON p (t); CREATE INDEX two ON p (t); "
        f"CREATE PUBLICATION pub FOR TABLE p, c; CREATE ROLE {BARE}"
    )
    patient.run(membership)
    assert said(patient.ask(check(), role=BARE)) == said(patient.ask(check()))


@pytest.mark.parametrize("check", CHECKS)
def test_a_hostile_database(patient: Patient, check: type[Check]) -> None:
    """intarray, a quoted schema, names of 63 bytes, a path where other things have the catalog's names."""
    long = "n" * 50
    patient.run(
        "CREATE EXTENSION intarray; "
        f'CREATE SCHEMA "Se la; --"; SET LOCAL search_path = "Se la; --", pg_catalog; '
        "CREATE FUNCTION count(text) RETURNS int LANGUAGE sql AS 'SELECT 1 / 0'; "
        "CREATE FUNCTION coalesce_all(anyelement) RETURNS int LANGUAGE sql AS 'SELECT 1 / 0'; "
        "CREATE FUNCTION same(name, name) RETURNS bool LANGUAGE sql AS 'SELECT 1 / 0 = 1'; "
        "CREATE OPERATOR = (LEFTARG = name, RIGHTARG = name, FUNCTION = same); "
        'CREATE TABLE pg_class (oid int PRIMARY KEY, "%s {} \'""" int); '
        f'CREATE TABLE "{long}""1" (id serial PRIMARY KEY, "a AND b" int REFERENCES pg_class, "%" int); '
        f'CREATE TABLE "{long}""2" (x int, y int REFERENCES "{long}""1"); '
        f'CREATE INDEX ON "{long}""1" ("a AND b") WHERE "a AND b" IS NOT NULL; '
        f'CREATE INDEX "{long}""3" ON "{long}""1" ("%"); CREATE INDEX "{long}""4" ON "{long}""1" ("%"); '
        'CREATE MATERIALIZED VIEW "m\'" AS SELECT 1 AS x WITH NO DATA; '
        'CREATE PUBLICATION "p;" FOR TABLE pg_class'
    )
    result = patient.ask(check())
    assert (result.is_blind, result.reason if result.is_blind else "") == (False, "")
    for fix in fixes(result):
        if "..." not in fix[1] and "CONCURRENTLY" not in fix[1] and not fix[1].startswith("ALTER EXTENSION"):
            patient.run(fix[1])
