"""What is said while a run is at work, and of files that are only recorded."""

from __future__ import annotations

import threading
from pathlib import Path

from django.db import connections

from sqlmigrations.service.run import open_run
from tests.helpers import Ran, applysql, put

HOLDER = "pid <pid> (role postgres, host <host>, application sqlmigrations, connected since <when>)"


def said_meanwhile(*arguments: str) -> Ran:
    """Return what a command says while this thread holds a run; whose role and host it is, differs between servers."""
    answers: list[Ran] = []

    def ask() -> None:
        try:
            answers.append(applysql(*arguments))
        finally:
            connections.close_all()

    with open_run(connections["default"], lock_wait=0, tell=lambda told: None) as run:
        holder = run.connection.execute(
            "SELECT format('role %s, host %s', session_user, coalesce(host(inet_client_addr()), 'local'))"
        ).fetchall()[0][0]
        asking = threading.Thread(target=ask)
        asking.start()
        asking.join()
    (ran,) = answers
    out, err = (text.replace(holder, "role postgres, host <host>") for text in (ran.out, ran.err))
    return Ran(out, err, ran.code)


def test_a_plan_tells_of_the_run_that_is_at_work(fresh_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int);"})
    planned = "Planned SQL files:\n  Apply 001.sql\n"
    assert said_meanwhile("--plan") == Ran(f"{planned}A run is in progress: {HOLDER}\n", "", 0)
    assert applysql("--plan") == Ran(planned, "", 0)


def test_nothing_is_rehearsed_in_place_meanwhile(fresh_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int);"})
    assert said_meanwhile("--rehearse", "--in-place") == Ran(
        "", f"CommandError: A run is at work: {HOLDER}.\n  Rehearse when it is done.\n", 3
    )


def test_a_plan_of_files_that_are_only_recorded(fresh_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int);"})
    assert applysql("--plan", "--fake") == Ran("Planned SQL files:\n  Record 001.sql\n", "", 0)
