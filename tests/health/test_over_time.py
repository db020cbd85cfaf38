"""What two moments say together: how fast things go, and what was not used in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sqlmigrations.health.base import Check
from sqlmigrations.health.cumulative.indexes import UnusedIndex
from sqlmigrations.health.measures import Measures, Past, multixacts_between
from sqlmigrations.health.snapshot.ages import MultixactWraparound, TransactionIdWraparound
from sqlmigrations.health.structural.keys import IntegerPrimaryKey
from sqlmigrations.health.structural.sequences import SequenceExhaustion
from sqlmigrations.health.trends import FileTime, IdTrend, SequenceTrend, TableTrend, Trends, compare
from sqlmigrations.service.health_runs import look_closely
from tests.health.asking import Answered, Patient, said

NOW = datetime(2026, 6, 11, tzinfo=UTC)
TEN_DAYS = timedelta(days=10)
DAY = 86_400


def moment(at: datetime = NOW, **changes: Any) -> Measures:
    """Return the numbers of a moment."""
    return Measures(at=at, place="1/5", started_at=NOW, counting_since=NOW, **changes)


def ago(measures: Measures, passed: timedelta = TEN_DAYS) -> Past:
    """Return a past in which these numbers were measured some time ago."""
    then = replace(measures, at=measures.at - passed)
    return Past(measures.at, then, then)


# The numbers themselves


def test_what_is_measured(patient: Patient) -> None:
    patient.run(
        'CREATE SCHEMA "a.b"; CREATE TABLE "a.b"."t.u" (id serial PRIMARY KEY, x int);'
        'INSERT INTO "a.b"."t.u" (x) SELECT 1 FROM generate_series(1, 7);'
        'CREATE SEQUENCE unused; ANALYZE "a.b"."t.u"'
    )
    measures = look_closely(patient.connection, "default")
    (size, rows, scans, by_index) = measures.tables["a.b"]["t.u"]
    (index_size, index_scans) = measures.indexes["a.b"]["t.u_pkey"]
    assert measures.sequences == {"a.b": {"t.u_id_seq": [7, 2**31 - 1]}}
    assert (size, rows, scans, by_index, index_size, index_scans) == (8192, 7, scans, 0, 16384, 0)
    assert min(measures.transaction_ids, measures.transaction_age, measures.bytes) > 0
    assert measures.counting_since is not None
    assert measures.place.endswith(f"/{patient.connection.execute(OID).fetchall()[0][0]}")


OID = "SELECT oid FROM pg_database WHERE datname = current_database()"


def test_kept_numbers_come_back() -> None:
    measures = moment(transaction_ids=5, sequences={"public": {"s": [1, 9]}}, indexes={"public": {"i": [8192, 3]}})
    kept = measures.as_json()
    assert Measures.from_json(kept, at=NOW, place="1/5", started_at=NOW, counting_since=NOW) == measures
    older = {name: number for name, number in kept.items() if name != "tables"} | {"unknown": 1}
    assert Measures.from_json(older, at=NOW, place="1/5", started_at=NOW, counting_since=NOW) == measures


@pytest.mark.parametrize(("then", "now", "expected"), [(5, 9, 4), (2**32 - 3, 2, 5), (7, 7, 0)])
def test_multixacts_come_round(then: int, now: int, expected: int) -> None:
    assert multixacts_between(then, now) == expected


@pytest.mark.parametrize(
    ("was", "now", "limit", "expected"),
    [
        (100, 200, 1200, 100 * DAY),
        (-100, -200, -1200, 100 * DAY),
        (200, 200, 1200, None),
        (300, 200, 1200, None),
        (None, 200, 1200, None),
        (100, 1200, 1200, 0),
    ],
)
def test_how_long_something_lasts(was: int | None, now: int, limit: int, expected: float | None) -> None:
    assert ago(moment()).seconds_left(was, now, limit) == expected


def test_without_a_past_nothing_is_told() -> None:
    assert (Past().seconds, Past().counted_seconds, Past(NOW).seconds_left(1, 2, 3)) == (0, 0, None)


# Checks that know how fast something goes


SEQUENCE = "CREATE TABLE t (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY); SELECT setval('t_id_seq', 1000000000)"


def _at(patient: Patient, last: int | None, passed: timedelta = TEN_DAYS) -> Past:
    """Return a past in which the sequence had given out ``last``."""
    measures = look_closely(patient.connection, "default")
    return ago(replace(measures, sequences={"public": {"t_id_seq": [last, 2**31 - 1]}} if last else {}), passed)


def test_a_sequence_that_ends_soon(patient: Patient) -> None:
    """Half used is well; but 500 million in ten days leaves 23 days."""
    patient.run(SEQUENCE)
    check = SequenceExhaustion()
    fast = (
        ("public.t_id_seq", "warning", "46.6 % used, 1,147,483,647 values left for public.t.id, which last 23 days "
         "at the rate of the last 10 days"),
    )  # fmt: skip
    assert said(patient.ask(check)) == Answered("ok", 1)
    assert said(patient.ask(check, past=_at(patient, 500_000_000))) == Answered("warning", 1, fast)
    assert said(patient.ask(check, past=_at(patient, 990_000_000))) == Answered("ok", 1)
    assert said(patient.ask(check, past=_at(patient, None))) == Answered("ok", 1)
    assert said(patient.ask(check, past=_at(patient, 2_000_000_000))) == Answered("ok", 1)
    assert said(patient.ask(check, past=_at(patient, 500_000_000, timedelta(hours=23)))) == Answered("ok", 1)
    assert patient.ask(check, past=_at(patient, 100, timedelta(days=2))).status == "critical"


def test_an_integer_key_without_a_sequence_that_ends_soon(patient: Patient) -> None:
    patient.run("CREATE TABLE t (id smallint PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 9999); ANALYZE t")
    measures = look_closely(patient.connection, "default")
    slow = ago(replace(measures, tables={"public": {"t": [0, 9998, 0, 0]}}))
    fast = ago(replace(measures, tables={"public": {"t": [0, 999, 0, 0]}}))
    assert said(patient.ask(IntegerPrimaryKey(), past=slow)) == Answered("ok", 1)
    assert said(patient.ask(IntegerPrimaryKey(), past=fast)) == Answered(
        "warning",
        1,
        (
            (
                "public.t.id",
                "warning",
                "smallint, 30.5 % used, full in 25 days at the rate of the last 10 days",
            ),
        ),
    )


def _ids(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "database", "schema": "", "table": "", "name": "shop", "freeze_max_age": 200_000_000,
        "multixact_freeze_max_age": 400_000_000, "xid_age": 0, "multixact_age": 0,
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("check", "row", "per_day", "expected"),
    [
        (TransactionIdWraparound(), _ids(xid_age=300_000_000), 100_000_000, "warning"),
        (TransactionIdWraparound(), _ids(xid_age=300_000_000), 300_000_000, "critical"),
        (TransactionIdWraparound(), _ids(xid_age=300_000_000), 10_000_000, None),
        # Autovacuum has no reason to freeze yet: the age says nothing about how it keeps up.
        (TransactionIdWraparound(), _ids(xid_age=190_000_000), 300_000_000, None),
        (TransactionIdWraparound(), _ids(xid_age=600_000_000), 0, "warning"),
        (MultixactWraparound(), _ids(multixact_age=410_000_000), 300_000_000, "critical"),
        (MultixactWraparound(), _ids(multixact_age=390_000_000), 300_000_000, None),
    ],
)
def test_ids_that_are_used_up_faster_than_they_are_frozen(
    check: TransactionIdWraparound | MultixactWraparound, row: dict[str, Any], per_day: int, expected: str | None
) -> None:
    found = check.judge(row, per_day / DAY)
    assert (found and str(found.severity)) == expected


def test_the_days_to_a_standstill_are_told() -> None:
    found = TransactionIdWraparound().judge(_ids(xid_age=300_000_000), 100_000_000 / DAY)
    assert found is not None
    assert found.observed == (
        "300 million transactions old, 14.0 % of the way to a standstill, 18 days at the present rate"
    )


@pytest.mark.parametrize("check", [TransactionIdWraparound(), MultixactWraparound()])
def test_the_rate_is_asked_of_the_server(patient: Patient, check: Check) -> None:
    assert patient.ask(check, past=ago(look_closely(patient.connection, "default"))).status == "ok"


# Indexes that were not used in between


def test_an_index_is_judged_by_the_scans_since_it_was_measured(own_patient: Patient) -> None:
    """The counters themselves are too young here, and would call an index used that was scanned once, years ago."""
    own_patient.run("CREATE TABLE t (a int, b int, c int); CREATE INDEX t_a ON t (a); CREATE INDEX t_b ON t (b)")
    measures = look_closely(own_patient.connection, "default")
    own_patient.run("CREATE INDEX t_c ON t (c)")
    check = UnusedIndex(min_bytes=0, unread_standbys=99)
    never = "never scanned in 10 days, 8.0 kB, 0 writes to its table"
    young = "1 index younger than the window"

    result = own_patient.ask(check, past=ago(measures))
    assert said(result) == Answered("warning", 2, (("public.t_a", "warning", never), ("public.t_b", "warning", never)))
    assert (result.window, result.left_out) == (TEN_DAYS, young)

    # Once scanned before, and not since; and one whose own counter was reset.
    used = replace(measures, indexes={"public": {"t_a": [8192, 0], "t_b": [8192, 3]}})
    assert own_patient.ask(check, past=ago(used)).left_out == "2 indexes younger than the window"

    assert said(own_patient.ask(check, past=ago(measures, timedelta(days=6)))).status == "skipped"


# Trends


def test_trends() -> None:
    then = moment(
        NOW - TEN_DAYS,
        bytes=1000,
        transaction_ids=100,
        multixacts=5,
        sequences={"public": {"slow": [10, 1000], "fast": [10, 1000], "still": [5, 10], "back": [9, 10]}},
        tables={"public": {"grows": [100, 0, 0, 0], "shrinks": [5000, 0, 0, 0], "same": [7, 0, 0, 0]}},
    )
    now = moment(
        bytes=3000,
        transaction_ids=86_400 * 10 + 100,
        transaction_age=2**31 - 86_400,
        multixacts=5,
        sequences={"public": {"slow": [20, 1000], "fast": [500, 1000], "still": [5, 10], "back": [1, 10]}},
        tables={"public": {"grows": [1100, 0, 0, 0], "shrinks": [1000, 0, 0, 0], "same": [7, 0, 0, 0], "new": [9] * 4}},
    )
    file = FileTime("001.sql", 1, 5.0, NOW)
    passed = 10 * DAY
    assert compare(then, now, runs=3, files=[file]) == Trends(
        since=NOW - TEN_DAYS,
        until=NOW,
        runs=3,
        bytes=3000,
        bytes_per_second=2000 / passed,
        ids=(
            IdTrend("transaction ids", 2**31 - 86_400, 1.0, 86_400.0),
            IdTrend("multixacts", 0, 0.0, None),
        ),
        sequences=(
            SequenceTrend("public", "fast", 500, 490 / passed, 500 / (490 / passed)),
            SequenceTrend("public", "slow", 20, 10 / passed, 980 / (10 / passed)),
        ),
        tables=(
            TableTrend("public", "shrinks", 1000, -4000 / passed),
            TableTrend("public", "grows", 1100, 1000 / passed),
        ),
        files=(file,),
    )


def test_of_an_hour_nothing_is_told() -> None:
    then = moment(NOW - timedelta(minutes=59), bytes=1)
    assert compare(then, moment(bytes=2), runs=1) == Trends(runs=1)


@pytest.mark.parametrize(
    ("last_ms", "median_ms", "expected"),
    [(9000.0, None, False), (9000.0, 4000.0, True), (9000.0, 5000.0, False), (900.0, 10.0, False)],
)
def test_a_file_that_takes_longer_than_before(last_ms: float, median_ms: float | None, expected: bool) -> None:
    assert FileTime("001.sql", 2, last_ms, NOW, median_ms).is_slower is expected
