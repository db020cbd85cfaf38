"""Each change by hand is found by replay, too, as the one difference that it is, with a fix that undoes it.

The replay is made once and read from its cache from then on, as production reads what CI made.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from pytest_django import DjangoDbBlocker

from sqlmigrations.database import raw
from sqlmigrations.schema.difference import Findings
from sqlmigrations.schema.fix import fix_of, script
from sqlmigrations.service.apply import ApplyOptions, apply
from sqlmigrations.service.gather import read_disk, recall
from sqlmigrations.service.replay import compare_replay
from tests.databases import session
from tests.helpers import Settings, put
from tests.schema.conftest import EVERYTHING
from tests.schema.mutations import MUTATIONS, Mutation
from tests.schema.undoing import FOR_GOOD

pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with one file that makes an object of every kind, and one for the cache."""
    folder = tmp_path_factory.mktemp("replayed")
    put(folder, {"files/001_everything.sql": EVERYTHING})
    return folder


@pytest.fixture(scope="module")
def laboratory() -> Iterator[str]:
    """Name a database for changes that are committed; it is made by the first who needs it."""
    name = f"sqlm_replayed_{os.getpid()}"
    with session(dbname="postgres") as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        yield name
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


@pytest.fixture
def live(
    place: Path, laboratory: str, settings: Settings, django_db_blocker: DjangoDbBlocker
) -> Iterator[BaseDatabaseWrapper]:
    """Point the alias at the database; it is made anew where a test before has left it changed."""
    settings.SQLMIGRATIONS_DIRS = [place / "files"]
    settings.SQLMIGRATIONS_REPLAY_CACHE = place / "cache"
    wrapper = connections["default"]
    kept = wrapper.settings_dict["NAME"]
    with django_db_blocker.unblock(), session(dbname="postgres") as server:
        is_new = not server.execute("SELECT FROM pg_database WHERE datname = %s", [laboratory]).rowcount
        if is_new:
            server.execute(f"CREATE DATABASE {laboratory} TEMPLATE template0".encode())
        wrapper.close()
        wrapper.settings_dict["NAME"] = laboratory
        try:
            if is_new:
                apply(ApplyOptions())
            yield wrapper
            left = replayed(wrapper).differences
        finally:
            wrapper.close()
            wrapper.settings_dict["NAME"] = kept
        if left:
            server.execute(f"DROP DATABASE {laboratory} WITH (FORCE)".encode())


def replayed(live: BaseDatabaseWrapper) -> Findings:
    disk = read_disk("default")
    return compare_replay(live, disk, recall(live, disk))


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.statement[:90])
def test_each_change_by_hand_is_one_difference_with_its_fix(live: BaseDatabaseWrapper, mutation: Mutation) -> None:
    connection = raw(live)
    if connection.info.server_version // 10000 < mutation.since:
        pytest.skip(f"PostgreSQL {mutation.since} brought this statement")
    connection.execute(mutation.statement.encode())
    findings = replayed(live)
    assert [(each.kind, each.object, each.attribute) for each in findings.differences] == [
        (mutation.kind, mutation.object, mutation.attribute)
    ]
    if mutation.statement in FOR_GOOD:
        return
    assert findings.expected is not None
    assert findings.found is not None
    expected, found = findings.expected, findings.found
    for statement in script(fix_of(each, expected, found) for each in findings.differences):
        connection.execute(statement.sql.encode())
    assert [each for each in replayed(live).differences if each.attribute != "column_order"] == []
