"""How long sequences last."""

from __future__ import annotations

import pytest

from sqlmigrations.health.structural.keys import IntegerPrimaryKey
from sqlmigrations.health.structural.sequences import SequenceExhaustion
from tests.health.asking import BARE, Answered, Patient, said


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
