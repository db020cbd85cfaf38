"""A hot standby is validated as its primary is, and nothing keeps a server from starting beside one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connections
from pytest_django import DjangoDbBlocker

from sqlmigrations.schema import expected
from sqlmigrations.startup import prepare
from tests.commands.test_validateschema import FILES, validateschema, words
from tests.faults.databases import ThrowAway, binaries_of, connect, server_under_test
from tests.faults.processes import Place
from tests.health.matrix.world import Primary, Standby
from tests.helpers import applysql, put, wait_until

pytestmark = pytest.mark.nightly


class Pair:
    """A primary and its standby; the alias ``default`` leads to one of them."""

    def __init__(self, primary: ThrowAway, standby: ThrowAway) -> None:
        self.primary, self.standby = primary, standby

    def turn_to(self, server: ThrowAway) -> None:
        """Let the alias lead to ``server``, as in a new process."""
        wrapper = connections["default"]
        wrapper.close()
        place = server.place
        wrapper.settings_dict |= {"NAME": "postgres", "HOST": place.host, "PORT": place.port, "USER": place.user}
        expected._known.clear()

    def change(self, statement: str) -> None:
        """Change the primary, and wait until the standby has it."""
        with connect(self.primary.place) as session:
            session.execute(statement.encode())
            (position,) = session.execute("SELECT pg_current_wal_lsn()").fetchone() or ("",)
        wait_until(lambda: _replayed(self.standby.place, position))


def _replayed(place: Place, position: str) -> bool:
    with connect(place) as session:
        row = session.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [position]).fetchone()
        return bool(row and row[0])


@pytest.fixture
def pair(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker, folder: Path) -> Iterator[Pair]:
    """Apply two files on a server of the test's own, and make a standby of it."""
    binaries = binaries_of(server_under_test())
    if binaries is None:
        pytest.skip("the programs of the server under test are not on this machine: it takes initdb to make another")
    place = tmp_path_factory.mktemp("pair")
    primary = Primary(place / "primary", binaries=binaries)
    standby = Standby(place / "standby", primary, binaries)
    made, kept = Pair(primary, standby), dict(connections["default"].settings_dict)
    try:
        with django_db_blocker.unblock():
            primary.start()
            made.turn_to(primary)
            put(folder, FILES)
            call_command("migrate", verbosity=0)
            assert applysql().code == 0
            assert validateschema().code == 0
            standby.start()
            made.change("CHECKPOINT")
            made.turn_to(standby)
            yield made
    finally:
        connections["default"].close()
        connections["default"].settings_dict |= kept
        expected._known.clear()
        standby.destroy()
        primary.destroy()


def test_a_standby_is_validated(pair: Pair, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    # Nothing has moved: the answers that the primary keeps came along, that about the models too.
    ran = validateschema()
    assert (words(ran), ran.code) == (["The database is what it should be."], 0)
    call_command("check", databases=["default"])
    prepare()
    assert messages(caplog) == []

    # Something has: all is read on the standby itself.
    pair.change("DROP INDEX found; ALTER TABLE auth_user ALTER email TYPE varchar(300)")
    ran = validateschema()
    assert (words(ran), ran.code) == (
        [
            "Models:",
            "  error column public.auth_user.email: type",
            "    expected  character varying([-254-])",
            "    found     character varying({+300+})",
            "What the last run left:",
            "  error column public.auth_user.email: type",
            "    expected  character varying([-254-])",
            "    found     character varying({+300+})",
            "  error index public.found: presence should be present, found absent",
            f"    made in {folder / '002_b.sql'}:2",
            "Found 3 errors.",
        ],
        1,
    )
    with pytest.raises(SystemCheckError) as found:
        call_command("check", databases=["default"])
    assert [line for line in str(found.value).splitlines() if "E047" in line] == [
        "column public.auth_user.email in database 'default': (sqlmigrations.E047) Expected character varying(254), "
        "found character varying(300).",
        "index public.found in database 'default': (sqlmigrations.E047) Expected present, found absent.",
    ]
    prepare()
    assert messages(caplog) == DRIFT

    # What needs a database of its own can't be had there.
    for flag, what in (("--replay", "the replay"), ("--roundtrip", "the round trip")):
        ran = validateschema(flag)
        assert [line for line in words(ran) if line.startswith("Skipped")] == [
            f"Skipped {what}: the server is a standby, which is read only. "
            "Name an alias on another server in SQLMIGRATIONS_SHADOW_DATABASE."
        ]
        assert ran.code == 2

    # Nothing can be applied or accepted there.
    put(folder, {"003_c.sql": "CREATE TABLE c ();"})
    for ran in (applysql(), validateschema("--accept", "--reason", "a test")):
        assert (ran.err.splitlines(), ran.code) == (
            [
                "CommandError: Database 'default' is on a standby, which is read only.",
                "  Name an alias that leads to its primary with --database.",
            ],
            2,
        )
    prepare(apply=True, validate=False)
    assert messages(caplog) == [
        "Database 'default': Database 'default' is on a standby, which is read only.\n"
        "  Name an alias that leads to its primary with --database."
    ]


DRIFT = [
    "Database 'default': column public.auth_user.email: character varying(300)",
    "Database 'default': index public.found: absent",
]


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged since the last time."""
    told = list(caplog.messages)
    caplog.clear()
    return told


def test_models_that_nobody_has_found_out_are_skipped_on_a_standby(pair: Pair) -> None:
    pair.change("TRUNCATE sqlmigrations_schemaexpectation")
    ran = validateschema()
    assert (words(ran), ran.code) == (
        [
            "Skipped the models: the server is a standby, which is read only. Validate the models on its primary.",
            "What was compared is what it should be.",
        ],
        0,
    )
