"""Damage, real where it can be made without touching a server's files."""

from __future__ import annotations

import pytest

from sqlmigrations.health.snapshot.damage import ChecksumFailures, Corruption
from sqlmigrations.health.units import GB
from tests.health.asking import Answered, Patient, fixes, said
from tests.helpers import role

#: A function that says it is immutable, and then isn't: entries of the index don't fit the rows any more.
BROKEN = """
CREATE EXTENSION amcheck;
CREATE TABLE t (id int PRIMARY KEY, x int);
INSERT INTO t SELECT n, n FROM generate_series(1, 9) AS n;
CREATE FUNCTION f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
CREATE INDEX t_f ON t (f(x));
CREATE OR REPLACE FUNCTION f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 + 100; END';
"""


def test_an_index_that_does_not_fit_its_table(patient: Patient) -> None:
    patient.run(BROKEN)
    result = patient.ask(Corruption())
    ((name, severity, observed),) = said(result).findings
    assert (result.status, result.examined, name, severity) == ("critical", 3, "public.t_f", "critical")
    assert observed == 'heap tuple (0,1) from table "t" lacks matching index tuple within index "t_f"'
    assert fixes(result) == [("sql", 'REINDEX INDEX CONCURRENTLY "public"."t_f";')]
    patient.run("REINDEX INDEX t_f")
    assert said(patient.ask(Corruption())) == Answered("ok", 3)


def test_what_is_large_is_left_out(patient: Patient) -> None:
    patient.run(BROKEN)
    result = patient.ask(Corruption(max_bytes=10_000))
    assert (said(result), result.left_out) == (Answered("ok", 1), "2 too large")


def test_without_the_extension(patient: Patient) -> None:
    assert said(patient.ask(Corruption())) == Answered(
        "skipped", reason="the extension amcheck is not installed", remedy="CREATE EXTENSION amcheck;"
    )


def test_without_the_right(own_patient: Patient) -> None:
    own_patient.run(BROKEN)
    with role() as bare:
        refused = said(own_patient.ask(Corruption(), role=bare))
        assert refused.status == "skipped"
        assert refused.reason.startswith("this role may not call ")
        own_patient.run(refused.remedy)
        allowed = own_patient.ask(Corruption(), role=bare)
    assert [str(found.subject) for found in allowed.findings] == ["public.t_f"]


def test_it_runs_only_when_asked_for() -> None:
    assert (Corruption.opt_in, Corruption().max_bytes) == (True, 10 * GB)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"name": "shop", "failures": 0, "seconds": None}, None),
        (
            {"name": "shop", "failures": 1, "seconds": 600.0},
            ("shop", "1 page with a wrong checksum, the last 10 min ago"),
        ),
        ({"name": "", "failures": 3, "seconds": None}, ("(shared objects)", "3 pages with a wrong checksum")),
    ],
)
def test_checksum_failures(row: dict[str, object], expected: tuple[str, str] | None) -> None:
    found = ChecksumFailures().judge(row)
    assert (found and (str(found.subject), found.observed)) == expected
    assert found is None or str(found.severity) == "critical"


def test_checksum_failures_are_asked_of_every_server(patient: Patient) -> None:
    ((kept,),) = patient.connection.execute("SHOW data_checksums").fetchall()
    result = patient.ask(ChecksumFailures())
    if kept == "on":
        assert (str(result.status), result.examined > 1) == ("ok", True)
    else:
        assert said(result) == Answered(
            "skipped", reason="there are no databases whose pages have checksums to examine"
        )
