"""Foreign keys: which index serves one, and which don't hold."""

from __future__ import annotations

import psycopg
import pytest

from sqlmigrations.health.structural.constraints import ForeignKeyViolations
from sqlmigrations.health.structural.keys import ForeignKeyWithoutIndex
from tests.health.asking import Answered, Patient, fixes, said
from tests.health.truth_tables.tables import FAMILY

# Foreign keys without an index

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
