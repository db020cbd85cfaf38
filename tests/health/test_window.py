"""How long the counters have run, on a server that is restarted and that crashes."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from sqlmigrations.health.cumulative.indexes import UnusedIndex
from sqlmigrations.health.examine import examine
from sqlmigrations.history import Tables
from sqlmigrations.models import HealthRunReason
from sqlmigrations.queries import PACKAGE
from sqlmigrations.service.health_runs import keep_run, look_closely, read_kept
from tests.faults.databases import ThrowAway, ask, binaries_of, connect, server_under_test
from tests.health.asking import Answered, said
from tests.health.others import steady
from tests.helpers import wait_until

pytestmark = pytest.mark.processes

TOO_YOUNG = ("skipped", "the server has counted for <time> only; <time> are needed")

SCANS = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 't_x'"

MADE = """
CREATE TABLE t (id int PRIMARY KEY, x int);
CREATE INDEX t_x ON t (x);
INSERT INTO t SELECT n, n FROM generate_series(1, 999) AS n;
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThrowAway]:
    """Start a server of the tests' own, with a table and an index."""
    binaries = binaries_of(server_under_test())
    if binaries is None:
        pytest.skip("the programs of the server under test are not on this machine: it takes initdb to make another")
    own = ThrowAway(tmp_path_factory.mktemp("server") / "own", binaries=binaries)
    own.start()
    try:
        with connect(own.place) as session:
            session.execute(MADE.encode())
        yield own
    finally:
        own.destroy()


def judged(server: ThrowAway, since: float) -> Answered:
    """Ask for unused indexes, which takes counters that have run since a moment without a break."""
    check = UnusedIndex(min_window_seconds=time.time() - since, min_bytes=0)
    with connect(server.place) as session:
        (result,) = examine(session, [check], database="default")
    return steady(said(result))


def scanned(server: ThrowAway) -> float:
    """Scan the index, wait until the counters know, and return the time."""
    with connect(server.place) as session:
        session.execute("SET enable_seqscan = off; SELECT * FROM t WHERE x = 1")
    wait_until(lambda: ask(server.place, SCANS)[0][0] > 0)
    now = time.time()
    assert judged(server, now) == Answered("ok", 2)
    return now


def test_a_clean_restart_keeps_the_counters(server: ThrowAway) -> None:
    """Where pgdoctor calls a restart the most common reset."""
    before = scanned(server)
    server.stop()
    server.start()
    assert judged(server, before) == Answered("ok", 2)


def test_after_a_crash_pgdoctor_sees_999_days(server: ThrowAway) -> None:
    """The counters are gone, and the database doesn't tell: its own time of the last reset is what it was before."""
    before = scanned(server)
    server.crash()
    server.start()
    young = judged(server, before)
    own_reset = "SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()"
    assert ask(server.place, own_reset) == [(None,)]
    assert ask(server.place, SCANS) == [(0,)]
    assert (young.status, young.reason) == TOO_YOUNG


def test_numbers_that_were_kept_before_a_crash_are_no_counters_any_more(server: ThrowAway) -> None:
    """Sequences and transaction ids go on through a crash; scans are counted anew."""
    made = PACKAGE / "migrations" / "0005_healthrun.sql"
    tables = Tables("public")
    with connect(server.place) as session:
        session.execute(made.read_bytes())
        measures = look_closely(session, "default")
        keep_run(session, tables, measures, reason=HealthRunReason.ASKED, summary={})
        before = read_kept(session, tables, "default").past
    assert (before.baseline, before.counted) == (measures, measures)
    server.crash()
    server.start()
    with connect(server.place) as session:
        after = read_kept(session, tables, "default").past
        session.execute("DROP TABLE sqlmigrations_healthrun")
    assert (after.baseline, after.counted) == (measures, None)


def test_a_reset_starts_the_window_anew(server: ThrowAway) -> None:
    before = scanned(server)
    ask(server.place, "SELECT pg_stat_reset()")
    young = judged(server, before)
    assert (young.status, young.reason) == TOO_YOUNG
