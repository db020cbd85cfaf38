"""Worlds to break: the server under test, and one of the tests' own that may be stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.faults.databases import ThrowAway, binaries_of, database, server_under_test
from tests.faults.points import World, steps_of_a_run
from tests.faults.processes import Place, run
from tests.faults.scenario import put_files


@pytest.fixture(scope="session")
def server() -> Place:
    """Return the server under test."""
    return server_under_test()


@pytest.fixture
def place(server: Place, folder: Path) -> Iterator[Place]:
    """Make an empty database and an empty folder of files; return where a command finds both."""
    with database(server.with_settings(SQLMIGRATIONS_DIRS=[str(folder)])) as made:
        yield made


@pytest.fixture(scope="session")
def world(server: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a world on the server under test."""
    with _world(server, tmp_path_factory) as made:
        yield made


@pytest.fixture(scope="session")
def waiting_world(server: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a world in which each statement waits for the answer to the one before."""
    with _world(server.with_settings(SQLMIGRATIONS_PIPELINE=False), tmp_path_factory) as made:
        yield made


@pytest.fixture(scope="session")
def own_server(server: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThrowAway]:
    """Start a server that nobody else uses."""
    own = ThrowAway(tmp_path_factory.mktemp("server") / "own", binaries=_binaries(server))
    own.start()
    try:
        yield own
    finally:
        own.destroy()


@pytest.fixture(scope="session")
def stoppable_world(own_server: ThrowAway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a world on a server that may be stopped at any time."""
    with _world(own_server.place, tmp_path_factory, crash=own_server.crash, recover=own_server.start) as made:
        yield made


def _binaries(server: Place) -> Path:
    binaries = binaries_of(server)
    if binaries is None:
        pytest.skip("the programs of the server under test are not on this machine: it takes initdb to make another")
    return binaries


@contextmanager
def _world(server: Place, paths: pytest.TempPathFactory, **control: Any) -> Iterator[World]:
    """Make a database that has the history's tables, and see what a run of the seven files does without a fault."""
    folder = paths.mktemp("files")
    with database(server) as template:
        made = run(template.with_settings(SQLMIGRATIONS_DIRS=[str(folder)]), "applysql")
        assert made.code == 0, made
        put_files(folder)
        files = server.with_settings(SQLMIGRATIONS_DIRS=[str(folder)])
        steps, left = steps_of_a_run(files, template.dbname)
        yield World(files, template.dbname, steps, left, **control)
