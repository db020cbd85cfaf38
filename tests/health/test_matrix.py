"""Every check in three states of the world, asked by three roles: whole answers.

The answers stand in ``matrix/``, by evidence class. A check that is new has to be there before this file is green.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sqlmigrations.health.base import Severity
from sqlmigrations.health.cumulative.indexes import UnusedIndex
from sqlmigrations.health.registry import BUILT_IN
from tests.faults.databases import binaries_of, server_under_test
from tests.health.matrix import cumulative, external, moments, snapshot, structural
from tests.health.matrix.case import Case, like, worded
from tests.health.matrix.world import ROLES, World

CASES = (*structural.CASES, *snapshot.CASES, *cumulative.CASES, *external.CASES)

#: Checks that have something to examine in every database, and a right to; what keeps one from looking is an error.
NEVER_SKIPPED = {
    "autovacuum_off": "there is always the server's own setting",
    "checksum_failures": "the servers here keep checksums; test_damage.py asks one that may not",
    "connections": "there is always max_connections",
    "django_connections": "there is always the alias",
    "end_of_life": "there is always the server",
    "fk_enforcement_off": "there is always the session",
    "freeze_near_autovac_max": "there are always the catalogs",
    "multixact_wraparound": "there is always the database",
    "session_timeouts": "there is always statement_timeout",
    "settings": "there are always settings",
    "xid_wraparound": "there is always the database",
}

#: Checks whose findings are information only, whatever they see.
INFORMING = {"cache_hit", "hot_updates", "missing_fk_constraint", "name_truncation", "seq_scans"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Start a server and its standby."""
    binaries = binaries_of(server_under_test())
    if binaries is None:
        pytest.skip("the programs of the server under test are not on this machine: it takes initdb to make another")
    made = World(tmp_path_factory.mktemp("world"), binaries)
    try:
        made.start()
        yield made
    finally:
        made.destroy()


@pytest.mark.parametrize(
    ("case", "state"), [pytest.param(case, state, id=f"{case}-{state}") for case in CASES for state in case.states]
)
def test_what_each_role_is_told(world: World, case: Case, state: str) -> None:
    if world.major < case.since:
        pytest.skip(f"it takes PostgreSQL {case.since} to make it so")
    made, check, _ = case.states[state]
    wanted = {role: case.expected(state, role, world.major) for role in ROLES}
    with world.made(made) as patient:
        given = {role: like(worded(patient.ask(check, role=role)), wanted[role]) for role in ROLES}
    assert by_role(given) == by_role(wanted)


def by_role(answers: dict[str, str]) -> str:
    """Return answers as one text, of which pytest shows the lines that differ."""
    return "\n".join(f"As {role}: {answer}" for role, answer in answers.items())


@pytest.mark.parametrize("case", [case for case in CASES if case.mends], ids=str)
def test_a_fix_mends_what_was_found(world: World, case: Case) -> None:
    """Within the transaction, so what is said to run CONCURRENTLY runs without it."""
    if world.major < case.since:
        pytest.skip(f"it takes PostgreSQL {case.since} to make it so")
    with world.made(case.ill) as patient:
        for found in patient.ask(case.check, role="app").findings:
            if found.severity is not Severity.INFO:
                for place in case.mends:
                    patient.run(found.fixes[place].text.replace(" CONCURRENTLY", ""))
        left = patient.ask(case.check, role="app")
        assert not left.is_blind
        assert [found for found in left.findings if found.severity is not Severity.INFO] == []


def test_a_standby_may_use_what_its_primary_does_not(world: World) -> None:
    """Each of the two counts its own scans, and neither may tell that an index is unused."""
    check = UnusedIndex(min_window_seconds=0)
    with world.made(cumulative.fit) as patient:
        assert worded(patient.ask(check)) == (
            "skipped, cumulative: 1 standby may use indexes that this server doesn't\n"
            "  Where nobody reads from them, set unread_standbys of unused_index to 1."
        )
    with world.made(moments.on_standby) as patient:
        assert worded(patient.ask(check)) == (
            "skipped, cumulative: this is a standby: its primary and other standbys may use what it doesn't\n"
            "  Ask the primary."
        )


# The table itself


def test_every_check_is_in_the_matrix() -> None:
    assert {case.check.id for case in CASES} == {check.id for check in BUILT_IN}


@pytest.mark.parametrize("id", [check.id for check in BUILT_IN])
def test_every_check_is_seen_well_ill_and_skipped(id: str) -> None:
    cases = [case for case in CASES if case.check.id == id]
    told = {case.expected(state, role, 18) for case in cases for state in case.states for role in ROLES}
    statuses = {text.partition(",")[0] for text in told}
    ill = {"ok"} if id in INFORMING else {"warning", "critical"}
    assert "ok" in statuses
    assert statuses & ill
    assert id not in INFORMING or any("\ninfo " in text for text in told)
    assert ("skipped" in statuses) == (id not in NEVER_SKIPPED)
