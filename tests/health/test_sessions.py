"""Checks of sessions, locks and vacuum's horizon, with real sessions in their way."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sqlmigrations.health.base import Check
from sqlmigrations.health.snapshot.horizon import HorizonHolder
from sqlmigrations.health.snapshot.locks import Blocked, trees
from sqlmigrations.health.snapshot.sessions import Connections, IdleInTransaction
from tests.health.asking import Answered, Patient, fixes, said
from tests.health.others import Roles, busy, other, steady, wait_for_lock


@pytest.fixture
def home(own_patient: Patient, fresh_database: str) -> str:
    """Name the database of ``own_patient``, where nobody else is."""
    own_patient.run("CREATE TABLE t (id int)")
    return fresh_database


# Idle in transaction


@pytest.mark.parametrize(
    ("check", "severity"),
    [(IdleInTransaction(warning_seconds=0), "warning"), (IdleInTransaction(critical_seconds=0), "critical")],
)
def test_idle_in_transaction(own_patient: Patient, home: str, asking: Roles, check: Check, severity: str) -> None:
    with other(home, "web", "BEGIN; SELECT 1  +\n 1") as web, other(home, "idle"):
        result = own_patient.ask(check, role=asking.owner)
        expected = ("pid <pid> (<me>, web)", severity, "transaction open for <time>, idle for <time>")
        assert steady(said(result)) == Answered(severity, 2, (expected,))
        assert fixes(result) == [("sql", f"SELECT pg_catalog.pg_terminate_backend({web.info.backend_pid});")]
        assert result.findings[0].details == ("last statement: BEGIN; SELECT 1 + 1",)
        assert said(own_patient.ask(IdleInTransaction())) == Answered("ok", 2)


def test_a_transaction_that_works_is_not_idle(own_patient: Patient, home: str) -> None:
    with busy(home, "web", "BEGIN; SELECT pg_sleep(60)"):
        assert said(own_patient.ask(IdleInTransaction(warning_seconds=0))) == Answered("ok", 1)


def test_the_same_program_is_the_same_finding(own_patient: Patient, home: str) -> None:
    prints = set()
    for _ in range(2):
        with other(home, "web", "BEGIN; SELECT 1"):
            (found,) = own_patient.ask(IdleInTransaction(warning_seconds=0)).findings
            prints.add(found.fingerprint(IdleInTransaction.id))
    assert len(prints) == 1


# Locks


def test_who_waits_is_told_below_the_root(own_patient: Patient, home: str, asking: Roles) -> None:
    holder = other(home, "psql", "BEGIN; LOCK TABLE t IN ACCESS SHARE MODE")
    with holder as root, busy(home, "migrate", "ALTER TABLE public.t ADD y int") as migration:
        wait_for_lock(migration)
        with busy(home, "web", "SELECT 1 FROM public.t") as web:
            wait_for_lock(web)
            result = own_patient.ask(Blocked(warning_seconds=0))
            expected = ("pid <pid> (<me>, psql)", "warning", "2 sessions wait for it, the longest for <time>")
            assert steady(said(result)) == Answered("warning", 3, (expected,))
            assert fixes(result) == [("sql", f"SELECT pg_catalog.pg_terminate_backend({root.info.backend_pid});")]
            me = own_patient.connection.info.user
            assert [re.split(r", \d+ s: ", line)[0] for line in result.findings[0].details] == [
                f"pid {migration} ({me}, migrate) wants AccessExclusiveLock on public.t",
                f"  pid {web} ({me}, web) wants AccessShareLock on public.t",
            ]
            by_anybody = own_patient.ask(Blocked(warning_seconds=0), role=asking.bare)
            assert steady(said(by_anybody)) == Answered("warning", 3, (expected,))
            assert said(own_patient.ask(Blocked())) == Answered("ok", 3)


def _waiting(**pids: list[int]) -> list[dict[str, Any]]:
    return [{"pid": int(name[1:]), "blocked_by": blockers} for name, blockers in pids.items()]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (_waiting(p1=[], p2=[]), {}),
        (_waiting(p1=[], p2=[1]), {1: [(2, 1)]}),
        (_waiting(p1=[], p2=[1], p3=[2], p4=[1]), {1: [(2, 1), (3, 2), (4, 1)]}),
        (_waiting(p1=[], p2=[], p3=[1, 2]), {1: [(3, 1)], 2: [(3, 1)]}),
        (_waiting(p1=[], p2=[1, 1, 1]), {1: [(2, 1)]}),
        (_waiting(p2=[0], p3=[2]), {0: [(2, 1), (3, 2)]}),
        (_waiting(p1=[2], p2=[1]), {1: [(2, 1)]}),
        (_waiting(p1=[], p2=[1], p3=[4], p4=[3]), {1: [(2, 1)], 3: [(4, 1)]}),
    ],
    ids=["nobody", "one", "queue", "two roots", "said twice", "prepared", "deadlock", "root and deadlock"],
)
def test_trees_of_those_who_wait(rows: list[dict[str, Any]], expected: dict[int, list[tuple[int, int]]]) -> None:
    assert trees(rows) == expected


# The horizon


def test_an_old_transaction_holds_up_vacuum(own_patient: Patient, home: str, asking: Roles) -> None:
    with other(home, "report", "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM t") as report, other(home, "web"):
        result = own_patient.ask(HorizonHolder(warning_seconds=0), role=asking.monitor)
        ((subject, severity, observed),) = steady(said(result)).findings
        assert (subject, severity) == ("pid <pid>", "warning")
        assert observed.startswith("holds up vacuum ")
        assert observed.endswith(" transactions back, for <time> (<me>, report, idle in transaction)")
        assert fixes(result) == [("sql", f"SELECT pg_catalog.pg_terminate_backend({report.info.backend_pid});")]
        assert own_patient.ask(HorizonHolder(critical_age=0)).status == "critical"
        assert said(own_patient.ask(HorizonHolder())) == Answered("ok", 2)


def _holder(kind: str, name: str, who: str, age: int | None, seconds: float | None) -> dict[str, Any]:
    return {"kind": kind, "name": name, "who": who, "age": age, "seconds": seconds, "is_hidden": False}


@pytest.mark.parametrize(
    ("row", "severity", "observed", "fix"),
    [
        (
            _holder("slot", "old reader", "nobody reads it", 20_000_000, None),
            "warning",
            "holds up vacuum 20 million transactions back (nobody reads it)",
            "SELECT pg_catalog.pg_drop_replication_slot('old reader');",
        ),
        (
            _holder("prepared transaction", "it's", "app", 12, 7200),
            "critical",
            "holds up vacuum 12 transactions back, for 2.0 h (app)",
            "ROLLBACK PREPARED 'it''s';",
        ),
        (
            _holder("standby", "replica", "hot_standby_feedback", 200_000_000, None),
            "critical",
            "holds up vacuum 200 million transactions back (hot_standby_feedback)",
            "SELECT pid, query, xact_start FROM pg_stat_activity ORDER BY xact_start;",
        ),
    ],
)
def test_other_holders(row: dict[str, Any], severity: str, observed: str, fix: str) -> None:
    answer = HorizonHolder().judge(
        [row, _holder("session", "1", "app", None, 90_000), _holder("slot", "s", "", 5, None)]
    )
    assert answer.examined == 3
    (found,) = answer.findings
    assert (str(found.subject), str(found.severity), found.observed) == (row["name"], severity, observed)
    assert [each.text for each in found.fixes] == [fix]


# Connections


FREE = {
    "used": 10, "usable": 97, "role": "app", "role_used": 8, "role_limit": -1,
    "database": "shop", "database_used": 9, "database_limit": -1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (1, [])),
        ({"used": 77}, (1, [])),
        ({"used": 78}, (1, [("max_connections", "warning", "78 of 97 usable connections (80.4 %)")])),
        ({"used": 97}, (1, [("max_connections", "critical", "97 of 97 usable connections (100.0 %)")])),
        ({"role_limit": 9}, (2, [("app", "warning", "8 of 9 usable connections (88.9 %)")])),
        ({"database_limit": 10}, (2, [("shop", "critical", "9 of 10 usable connections (90.0 %)")])),
    ],
)
def test_limits_of_connections(changes: dict[str, int], expected: tuple[int, list[tuple[str, str, str]]]) -> None:
    answer = Connections().judge(FREE | changes)
    told = [(str(found.subject), str(found.severity), found.observed) for found in answer.findings]
    assert (answer.examined, told) == expected
