"""What the matrix and the truth tables don't show of structural checks."""

from __future__ import annotations

import psycopg
import pytest

from sqlmigrations.health.structural.constraints import (
    ForeignKeyEnforcementOff,
    ForeignKeyViolations,
)
from sqlmigrations.health.structural.indexes import InvalidIndex
from sqlmigrations.health.structural.keys import (
    DuplicateForeignKey,
    ForeignKeyTypeMismatch,
    NoPrimaryKey,
    ReplicaIdentityMissing,
)
from sqlmigrations.health.structural.sequences import SequenceExhaustion
from tests.health.asking import BARE, Answered, Patient, fixes, said

# Primary keys


def test_a_unique_index_can_become_the_primary_key(patient: Patient) -> None:
    patient.run('CREATE TABLE bad (x int NOT NULL); CREATE UNIQUE INDEX "Its index" ON bad (x)')
    result = patient.ask(NoPrimaryKey())
    (fix,) = fixes(result)
    assert fix == ("sql", 'ALTER TABLE "public"."bad" ADD PRIMARY KEY USING INDEX "Its index";')
    patient.run(fix[1])
    assert said(patient.ask(NoPrimaryKey())) == Answered("ok", 1)


@pytest.mark.parametrize(
    ("columns", "by", "fix"),
    [
        ("id int, at date", "RANGE (at)", 'ALTER TABLE "public"."bad" ADD PRIMARY KEY ("id", "at");'),
        (
            'id int, "A b" int, c int',
            'RANGE (c, "A b")',
            'ALTER TABLE "public"."bad" ADD PRIMARY KEY ("id", "c", "A b");',
        ),
        ("id int", "HASH (id)", 'ALTER TABLE "public"."bad" ADD PRIMARY KEY ("id");'),
        ("id int, at date", "RANGE ((id + 1))", None),
        ("at date", "RANGE (at)", None),
    ],
)
def test_the_key_of_a_partitioned_table_holds_what_it_is_partitioned_by(
    patient: Patient, columns: str, by: str, fix: str | None
) -> None:
    patient.run(f"CREATE TABLE bad ({columns}) PARTITION BY {by}")
    result = patient.ask(NoPrimaryKey())
    assert fixes(result) == ([("sql", fix)] if fix else [])
    if fix:
        patient.run(fix)
        assert said(patient.ask(NoPrimaryKey())) == Answered("ok", 1)


def test_a_partition_has_its_parents_key(patient: Patient) -> None:
    patient.run(
        "CREATE TABLE good (id int PRIMARY KEY) PARTITION BY RANGE (id); "
        "CREATE TABLE good_1 PARTITION OF good FOR VALUES FROM (0) TO (9)"
    )
    assert said(patient.ask(NoPrimaryKey())) == Answered("ok", 1)


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


@pytest.mark.parametrize(
    ("index", "fix"),
    [
        ("t_pkey", ["REINDEX INDEX CONCURRENTLY"]),
        ("t_a_ccnew1", ["DROP INDEX CONCURRENTLY"]),
        ("t_a", ["REINDEX INDEX CONCURRENTLY", "DROP INDEX CONCURRENTLY"]),
    ],
)
def test_an_invalid_index_that_writes_maintain(patient: Patient, index: str, fix: list[str]) -> None:
    """The index of a constraint can't be dropped; what a REINDEX has left over is not worth a rebuild."""
    patient.run(
        "CREATE TABLE t (id int PRIMARY KEY, a int); CREATE INDEX t_a ON t (a); CREATE INDEX t_a_ccnew1 ON t (a); "
        f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{index}'::regclass"
    )
    result = patient.ask(InvalidIndex())
    observed = "INVALID, though every write maintains it"
    assert said(result) == Answered("warning", 3, ((f"public.{index}", "warning", observed),))
    assert fixes(result) == [("sql", f'{each} "public"."{index}";') for each in fix]


# Sequences


def test_thresholds_for_one_table(patient: Patient) -> None:
    patient.run("CREATE TABLE t (id serial PRIMARY KEY); SELECT setval('t_id_seq', 2100000000)")
    assert (
        patient.ask(SequenceExhaustion(exceptions={"public.t": {"warning_percent": 98, "critical_percent": 99}})).status
        == "ok"
    )


# Foreign keys


@pytest.mark.parametrize(("match", "status"), [("SIMPLE", "ok"), ("FULL", "critical")])
def test_keys_that_are_null_in_part(patient: Patient, match: str, status: str) -> None:
    patient.run(
        "CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b)); CREATE TABLE child (a int, b int, "
        f"FOREIGN KEY (a, b) REFERENCES parent MATCH {match}); SET LOCAL session_replication_role = replica; "
        "INSERT INTO child VALUES (1, NULL), (NULL, NULL)"
    )
    assert patient.ask(ForeignKeyViolations()).status == status


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


def test_fk_enforcement_off_by_a_setting(patient: Patient) -> None:
    patient.run(f"CREATE ROLE {BARE}; ALTER ROLE {BARE} SET session_replication_role = replica")
    observed = "session_replication_role is replica: no foreign key is kept, no trigger fires"
    result = patient.ask(ForeignKeyEnforcementOff())
    assert said(result).findings == ((BARE, "critical", observed),)
    patient.run(fixes(result)[0][1])
    assert said(patient.ask(ForeignKeyEnforcementOff())) == Answered("ok", 1)
    patient.run("SET LOCAL session_replication_role = replica")
    assert said(patient.ask(ForeignKeyEnforcementOff())).findings == (("postgres", "critical", observed),)


@pytest.mark.parametrize(
    ("altered", "called"),
    [(f"ROLE {BARE} IN DATABASE %I", f"{BARE} in {{database}}"), ("DATABASE %I", "{database}")],
    ids=["a role in it", "the database itself"],
)
def test_fk_enforcement_off_by_a_setting_of_the_database(patient: Patient, altered: str, called: str) -> None:
    setting = f"'ALTER {altered} SET session_replication_role = replica', current_database()"
    patient.run(f"CREATE ROLE {BARE}; DO $$ BEGIN EXECUTE format({setting}); END $$")
    result = patient.ask(ForeignKeyEnforcementOff())
    (found,) = result.findings
    database = found.fixes[0].text.split('"')[-2]
    assert found.subject.name == called.format(database=database)
    patient.run(fixes(result)[0][1])
    assert said(patient.ask(ForeignKeyEnforcementOff())) == Answered("ok", 1)


def test_a_trigger_for_replicas_only_is_not_off(patient: Patient) -> None:
    """But a foreign key's would be."""
    patient.run(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int CONSTRAINT c_fk REFERENCES p); "
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
        "CREATE TRIGGER own BEFORE INSERT ON c FOR EACH ROW EXECUTE FUNCTION f(); "
        "ALTER TABLE c ENABLE REPLICA TRIGGER own"
    )
    assert said(patient.ask(ForeignKeyEnforcementOff())) == Answered("ok", 4)
    patient.run("UPDATE pg_trigger SET tgenabled = 'R' WHERE tgrelid = 'c'::regclass")
    assert said(patient.ask(ForeignKeyEnforcementOff())) == Answered(
        "critical", 4, (("public.c.c_fk", "critical", "its trigger is disabled"),)
    )


def test_a_domain_is_the_type_that_it_is_made_of(patient: Patient) -> None:
    patient.run(
        "CREATE DOMAIN key AS int; CREATE TABLE p (id int PRIMARY KEY, wide bigint UNIQUE); "
        "CREATE TABLE c (p_id key REFERENCES p, wide key REFERENCES p (wide))"
    )
    assert said(patient.ask(ForeignKeyTypeMismatch())) == Answered(
        "warning", 2, (("public.c.wide", "warning", "public.key, but public.p.wide is bigint"),)
    )


def test_a_deferrable_key_is_no_replica_identity(patient: Patient) -> None:
    patient.run("CREATE TABLE t (id int PRIMARY KEY DEFERRABLE); CREATE PUBLICATION p FOR TABLE t")
    result = patient.ask(ReplicaIdentityMissing())
    observed = "UPDATE and DELETE fail: published by p without a replica identity"
    assert said(result) == Answered("critical", 1, (("public.t", "critical", observed),))
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState), patient.connection.transaction():
        patient.run("UPDATE t SET id = 2")
    assert fixes(result) == [("sql", 'ALTER TABLE "public"."t" REPLICA IDENTITY FULL;')]


def test_temporal_foreign_keys_are_left_out_and_told(patient: Patient) -> None:
    if patient.connection.info.server_version < 180000:
        pytest.skip("PERIOD came with PostgreSQL 18")
    patient.run(
        "CREATE EXTENSION btree_gist; CREATE TABLE p (id int, at daterange, PRIMARY KEY (id, at WITHOUT OVERLAPS)); "
        "CREATE TABLE c (id int, at daterange, FOREIGN KEY (id, PERIOD at) REFERENCES p (id, PERIOD at))"
    )
    assert said(patient.ask(ForeignKeyViolations())) == Answered(
        "skipped", 0, (), "left out: 1 foreign key with PERIOD"
    )


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
