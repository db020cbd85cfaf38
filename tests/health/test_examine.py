"""Tests of the runner of checks: what holds while one asks, and that none breaks another."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import psycopg
import pytest

from sqlmigrations.health.base import Answer, Check, Evidence, Finding, Probe, Severity, Skip, Subject
from sqlmigrations.health.examine import examine
from sqlmigrations.health.registry import BUILT_IN
from sqlmigrations.health.structural.keys import IntegerPrimaryKey
from sqlmigrations.health.structural.sequences import SequenceExhaustion
from tests.databases import session
from tests.health.asking import BARE, Answered, Patient, said
from tests.helpers import value


@dataclass(frozen=True, kw_only=True)
class Asking(Check):
    """Ask what a test wants."""

    id = "asking"
    title = "Asking"
    evidence = Evidence.STRUCTURAL
    examines = "answers"
    timeout: ClassVar[str] = "200ms"

    ask: Callable[[Probe], Any]

    def run(self, probe: Probe) -> Answer:
        self.ask(probe)
        return Answer(1)


def fetching(statement: str) -> Asking:
    return Asking(ask=lambda probe: probe.fetch(statement, None))


def raising(error: Exception) -> Asking:
    def ask(probe: Probe) -> None:
        raise error

    return Asking(ask=ask)


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (fetching("SELECT 1"), Answered("ok", 1)),
        (raising(Skip("no eyes", "Get some.")), Answered("skipped", 0, (), "no eyes", "Get some.")),
        (raising(KeyError("x")), Answered("skipped", 0, (), "it failed: KeyError: 'x'")),
        (fetching("SELECT 1 / 0"), Answered("skipped", 0, (), "it failed: DivisionByZero: division by zero")),
        (fetching("SELECT pg_catalog.pg_sleep(9)"), Answered("skipped", 0, (), "it took longer than 200ms")),
        (
            fetching("CREATE TABLE t ()"),
            Answered(
                "skipped",
                0,
                (),
                "it failed: ReadOnlySqlTransaction: cannot execute CREATE TABLE in a read-only transaction",
            ),
        ),
    ],
)
def test_a_check_that_fails_is_skipped_and_breaks_no_other(
    patient: Patient, check: Check, expected: Answered, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "sqlmigrations")
    result, after = examine(patient.connection, [check, fetching("SELECT 1")], database="default")
    assert (said(result), said(after)) == (expected, Answered("ok", 1))


def test_a_denied_right_is_named(patient: Patient) -> None:
    patient.run(f"CREATE ROLE {BARE}; CREATE TABLE secret ()")
    result = patient.ask(fetching("SELECT FROM public.secret"), role=BARE)
    assert said(result) == Answered(
        "skipped", 0, (), "permission denied for table secret", f'GRANT "pg_read_all_data" TO "{BARE}";'
    )


def test_a_lock_is_not_waited_for(own_patient: Patient) -> None:
    own_patient.run("CREATE TABLE t ()")
    with session() as other, other.transaction():
        other.execute("LOCK TABLE t")
        result = own_patient.ask(fetching("SELECT FROM public.t"))
    assert said(result) == Answered("skipped", 0, (), "a lock was held by somebody for longer than 100ms", "Try again.")


def test_a_lost_connection_is_an_error(own_patient: Patient) -> None:
    pid = own_patient.connection.info.backend_pid

    def kill(probe: Probe) -> None:
        value("SELECT pg_terminate_backend(%s)", pid)
        probe.fetch("SELECT 1", None)

    with pytest.raises(psycopg.OperationalError):
        examine(own_patient.connection, [Asking(ask=kill)], database="default")


def test_what_holds_while_a_check_asks(own_patient: Patient) -> None:
    seen: list[dict[str, Any]] = []
    names = ("application_name", "search_path", "lock_timeout", "statement_timeout", "transaction_read_only", "jit")

    def look(probe: Probe) -> None:
        seen.extend(
            probe.fetch("SELECT name, setting FROM pg_catalog.pg_settings WHERE name = ANY(%(n)s)", {"n": list(names)})
        )

    own_patient.ask(Asking(ask=look))
    assert {row["name"]: row["setting"] for row in seen} == {
        "application_name": "dbhealth",
        "search_path": "",
        "lock_timeout": "100",
        "statement_timeout": "200",
        "transaction_read_only": "on",
        "jit": "off",
    }
    assert own_patient.connection.execute("SHOW transaction_read_only").fetchone() == ("off",)
    assert own_patient.connection.execute("SHOW search_path").fetchone() == ('"$user", public',)


def test_a_sequence_is_read_once_a_run(own_patient: Patient) -> None:
    """Two checks want the last value of each; with thousands of them that is most of what they do."""
    own_patient.run("CREATE TABLE t (id serial PRIMARY KEY); SELECT nextval('t_id_seq')")
    read: list[dict[int, int | None]] = []

    def look(probe: Probe) -> None:
        read.append(dict(probe.last_values))
        probe.last_values.update(dict.fromkeys(probe.last_values, 2_000_000_000))

    ended = examine(
        own_patient.connection,
        [SequenceExhaustion(), Asking(ask=look), IntegerPrimaryKey()],
        database="default",
    )
    assert [list(values.values()) for values in read] == [[1]]
    assert [str(result.status) for result in ended if result.check.id != "asking"] == ["ok", "critical"]


def test_no_lock_but_access_share(own_patient: Patient) -> None:
    """All checks at once, those that read rows as well; the locks of each are let go behind it."""
    own_patient.run(
        "CREATE TABLE p (id serial PRIMARY KEY); CREATE TABLE c (p_id int REFERENCES p); INSERT INTO p VALUES (1); "
        "INSERT INTO c VALUES (1)"
    )
    locks = (
        "SELECT mode, count(*) AS count FROM pg_catalog.pg_locks WHERE pid = pg_catalog.pg_backend_pid() "
        "AND locktype = 'relation' AND relation >= 16384 GROUP BY 1"
    )
    seen: list[dict[str, Any]] = []
    checks: list[Check] = []
    for check in BUILT_IN:
        inner = check()
        checks.append(Asking(ask=lambda probe, inner=inner: _looked(inner, own_patient, probe, locks, seen)))  # type: ignore[misc]
    checks.append(Asking(ask=lambda probe: seen.extend(probe.fetch(locks, None) or [{"mode": "none"}])))
    examine(own_patient.connection, checks, database="default")
    assert {row["mode"] for row in seen} <= {"AccessShareLock", "none"}
    assert seen[-1] == {"mode": "none"}


def _looked(check: Check, patient: Patient, probe: Probe, locks: str, seen: list[dict[str, Any]]) -> None:
    examine(patient.connection, [check], database="default")
    seen.extend(probe.fetch(locks, None))


def test_fingerprints_are_of_names() -> None:
    def finding(subject: Subject, observed: str = "", identity: tuple[str, ...] = ()) -> str:
        return Finding(subject=subject, severity=Severity.WARNING, observed=observed, identity=identity).fingerprint(
            "check"
        )

    one = finding(Subject("index", "public", "t", "t_a_idx"))
    assert one == finding(Subject("index", "public", "t", "t_a_idx"), "something else was observed")
    assert one != finding(Subject("index", "public", "t", "t_a_idx1"))
    assert finding(Subject("index", "public", "t", "t_a_idx"), identity=("public", "t", "a")) == finding(
        Subject("index", "public", "t", "t_a_idx1"), identity=("public", "t", "a")
    )
    assert len(one) == 16


@pytest.mark.parametrize("check", BUILT_IN, ids=lambda check: check.id)
def test_every_check_tells_who_it_is(check: type[Check]) -> None:
    assert check.title[:1].isupper()
    assert not check.title.endswith(".")
    assert check.explanation()
    assert all(isinstance(tag, str) for tag in check.tags)
