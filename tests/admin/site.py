"""A site that a browser can visit: the admin, with rows of every state and type."""

from __future__ import annotations

import contextlib
import io
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from django.contrib.auth.models import User
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.db import connections
from django.test import Client, override_settings
from django.test.testcases import LiveServerThread

from sqlmigrations.models import EventType, State
from sqlmigrations.service.actions import Action, Asked, foresee, submit
from tests.admin.pages import EVENTS, RECORDS
from tests.admin.rows import add_event, add_failed, add_record
from tests.admin.test_actions import at_work
from tests.helpers import applysql, put, run_sql, wait_until


@dataclass(frozen=True)
class Site:
    """A running site: its address, its SQL files, the session of a superuser, and its pages by name."""

    url: str
    folder: Path
    session: str
    pages: dict[str, str]


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Site]:
    """Serve the admin with rows of every state and type; ``folder`` is that of its SQL files."""
    put(folder, {"001_applied.sql": "CREATE TABLE a (id int);\n", "001_applied.down.sql": "DROP TABLE a;\n"})
    with override_settings(
        ALLOWED_HOSTS=["localhost"],
        SQLMIGRATIONS_DIRS=[folder],
        SQLMIGRATIONS_ADMIN_ACTIONS=True,
        SQLMIGRATIONS_ADMIN_RUNNER=f"{__name__}.start",
    ):
        applysql()
        put(folder, {"002_pending.sql": "CREATE INDEX a_id ON a (id);\n"})
        run_sql("ALTER TABLE a ADD COLUMN by_hand int")
        progress = _begin_progress()
        failed, applied, event = _add_rows()
        client = Client()
        client.force_login(User.objects.create_superuser("ada"))
        for page in ("drift", "health"):
            client.get(f"{RECORDS}{page}/?now", headers={"host": "localhost"})
        server = LiveServerThread("localhost", StaticFilesHandler)
        server.start()
        server.is_ready.wait()
        try:
            yield Site(
                url=f"http://localhost:{server.port}",
                folder=folder,
                session=client.cookies["sessionid"].value,
                pages={
                    "records": RECORDS,
                    "events": EVENTS,
                    "nothing found": f"{RECORDS}?q=nothing",
                    "failed record": f"{RECORDS}{failed}/change/#L3",
                    "applied record": f"{RECORDS}{applied}/change/#L2",
                    "event": f"{EVENTS}{event}/change/",
                    "overview": f"{RECORDS}overview/",
                    "drift": f"{RECORDS}drift/",
                    "health": f"{RECORDS}health/",
                    "versions": f"{RECORDS}versions/",
                    "confirmation": f"{RECORDS}act/revert/?name=001_applied.sql",
                    "progress": f"{RECORDS}progress/{progress}/",
                },
            )
        finally:
            wait_until(lambda: not at_work())
            server.terminate()


def start(token: str, database: str) -> None:
    """Do what was asked for in a thread of its own, as a task queue does."""

    def work() -> None:
        try:
            with contextlib.suppress(SystemExit):  # its exit code
                call_command("performaction", token, database=database, stdout=io.StringIO(), stderr=io.StringIO())
        finally:
            connections.close_all()

    threading.Thread(target=work, name=f"performaction {token}").start()


def _begin_progress() -> uuid.UUID:
    """Ask for something that nobody does; return its token."""
    token, asked = uuid.uuid4(), Asked(Action.VALIDATE, user="ada")
    assert submit(replace(asked, fingerprint=foresee(asked).fingerprint), token)
    return token


def _add_rows() -> tuple[int, int, int]:
    """Add a record of every state and an event of every type; return the ids of those that tests visit."""
    for state in State:
        if state in {State.BASELINED, State.REVERTED, State.RETIRED}:
            add_record(filename=f"{state}.sql", state=str(state), success=None)
        elif state is State.IN_DOUBT:
            add_failed(filename=f"{state}.sql", state=str(state))
    for type in EventType:
        add_event(filename="applied.sql", type=str(type), details={"message": "a message"}, revision="8b2bcb9")
    everything = (
        "-- a comment\nCREATE TABLE \"t\" (id int DEFAULT 1, name text DEFAULT 'x');\n"
        "SELECT $1, E'\\n', 1.5 || now();\n"
        "/* another */ DO $$ BEGIN PERFORM 1; END $$;\n"
    )
    texts = {"applied_sql": everything, "down_sql": everything, "verify_sql": everything}
    failed = add_failed(filename="failed.sql", state="partial", **texts)
    details = {"message": "no such table", "detail": "a detail", "hint": "a hint", "advice": "do this"}
    add_event(filename="failed.sql", type="stopped", details=details)
    made = [{"kind": "table", "name": "public.t", "line": 2}]
    applied = add_record(filename="applied.sql", objects_made=made, tags=["a"], revision="8b2bcb9", **texts)
    timings = [{"number": 1, "line": 2, "duration_ms": 4.0}, {"number": 2, "line": 4, "duration_ms": 1.0}]
    reason = 'could not create unique index "characters_campaign_id_and_level_key"'
    add_failed(filename="028_replace_username_with_email.sql", error_message=reason)
    event = add_event(
        filename="applied.sql", timings=timings, notices=["NOTICE: x"], blockers=[{"pid": 1}], details={"attempts": 1}
    )
    return failed, applied, event
