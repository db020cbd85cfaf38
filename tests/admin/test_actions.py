"""Actions in the admin: who may, what the confirmation shows, that it is done once, what is kept of it."""

from __future__ import annotations

import contextlib
import re
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from pytest_django import Settings
from pytest_django.asserts import assertInHTML

from project.postgres import database_url
from tests.admin.test_state_pages import text
from tests.helpers import applysql, database_name, put, rows, run_sql, states, tables, value, wait_until

RECORDS = "/admin/sqlmigrations/migrationrecord/"
ACTIONS = ("apply", "retry", "revert", "fake", "validate", "examine", "accept")

#: What stands in for a task queue: remembers what it was given.
queue: list[tuple[str, str]] = []


def enqueue(token: str, database: str) -> None:
    """Take a token as a project's task queue does."""
    queue.append((token, database))


def refuse(token: str, database: str) -> None:
    """Fail as a queue does whose broker is away."""
    raise ConnectionError("the broker is away")


def work() -> None:
    """Do what is in the queue."""
    while queue:
        token, database = queue.pop(0)
        with contextlib.suppress(SystemExit):  # its exit code, which the event of its end has too
            call_command("performaction", token, database=database, stdout=Sink(), stderr=Sink())


class Sink:
    """Takes words and forgets them."""

    def write(self, words: str) -> None:
        """Forget the words."""


@pytest.fixture(autouse=True)
def _actions(settings: Settings) -> Iterator[None]:
    """Offer actions, and let a queue of this process do them."""
    settings.SQLMIGRATIONS_ADMIN_ACTIONS = True
    settings.SQLMIGRATIONS_ADMIN_RUNNER = f"{__name__}.enqueue"
    queue.clear()
    yield
    queue.clear()


@pytest.fixture
def client(migrated_database: str) -> Client:
    """Return the client of a superuser of a new database; it minds CSRF tokens as a browser does."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("ada"))
    return client


def confirm_page(client: Client, action: str, **query: str) -> str:
    """Return the page that asks for a confirmation."""
    response = client.get(f"{RECORDS}act/{action}/", query)
    assert response.status_code == 200
    return response.content.decode()


def form_of(page: str) -> dict[str, str]:
    """Return the hidden fields of a page's form."""
    main = page[page.index('id="content-main"') :]
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', main)
    return dict(found)


def do(client: Client, action: str, reason: str = "", **query: str) -> str:
    """Confirm an action, let the queue work, and return the page that followed it."""
    form = form_of(confirm_page(client, action, **query)) | ({"reason": reason} if reason else {})
    response = client.post(f"{RECORDS}act/{action}/", form, query_params=query)
    assert response.status_code == 302, text(response.content.decode())
    work()
    return client.get(response["Location"]).content.decode()


def details(type: str) -> list[dict[str, object]]:
    """Return the details of all events of a type."""
    return [found for (found,) in rows("SELECT details FROM sqlmigrations_migrationevent WHERE type = %s", type)]


def at_work() -> list[str]:
    """Return the names of the threads that do actions, or wait for those who do; they use the test's database."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("performaction")]


# Who may


@pytest.mark.django_db
@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_has_a_permission_of_its_own(action: str, folder: Path) -> None:
    permission = "apply" if action == "retry" else action
    answers = {}
    for name, codenames in {
        "operator": ["view_migrationrecord", f"{permission}_migrationrecord"],
        "viewer": ["view_migrationrecord"],
        "who may all else": [f"{other}_migrationrecord" for other in ("view", *ACTIONS) if other != permission],
        "who may not view": [f"{permission}_migrationrecord"],
    }.items():
        user = User.objects.create_user(name, is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client = Client()
        client.force_login(user)
        query = {"name": "001_a.sql"} if action in ("retry", "revert", "fake") else {}
        address = f"{RECORDS}act/{action}/"
        answers[name] = (client.get(address, query).status_code, client.post(address, query_params=query).status_code)

    assert answers == {
        "operator": (200, 200),
        "viewer": (403, 403),
        "who may all else": (403, 403),
        "who may not view": (403, 403),
    }
    assert queue == []


@pytest.mark.django_db
@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_is_offered_unless_the_setting_says_so(
    admin_client: Client, settings: Settings, folder: Path, action: str
) -> None:
    settings.SQLMIGRATIONS_ADMIN_ACTIONS = False
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})

    assert admin_client.get(f"{RECORDS}act/{action}/", {"name": "001_a.sql"}).status_code == 403
    assert "/act/" not in admin_client.get(f"{RECORDS}overview/").content.decode()


@pytest.mark.django_db
def test_what_is_no_action_is_not_found(admin_client: Client) -> None:
    assert admin_client.get(f"{RECORDS}act/destroy/").status_code == 404
    assert admin_client.get(f"{RECORDS}act/revert/").status_code == 404
    assert admin_client.get(f"{RECORDS}act/apply/", {"database": "nowhere"}).status_code == 404
    assert admin_client.get(f"{RECORDS}progress/{uuid.uuid4()}/").status_code == 404


def test_a_post_without_its_csrf_token_does_nothing(client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})
    form = form_of(confirm_page(client, "apply"))
    del form["csrfmiddlewaretoken"]

    assert client.post(f"{RECORDS}act/apply/", form).status_code == 403
    assert rows("SELECT 1 FROM sqlmigrations_migrationevent") == []


# Apply


def test_what_is_pending_is_shown_confirmed_and_applied(client: Client, folder: Path) -> None:
    put(
        folder,
        {
            "001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);\n",
            "002_b.sql": "CREATE ROLE b PASSWORD 'secret';\nSELECT 1 / 0;\n",
        },
    )

    confirmation = text(confirm_page(client, "apply"))
    progress = do(client, "apply")

    shown = confirmation.replace(" ", "")
    assert "001_a.sqlCREATETABLEa(idintPRIMARYKEY);002_b.sqlCREATEROLEbPASSWORD" in shown
    assert "secret" not in confirmation
    assert "python manage.py applysql" in confirmation
    assertInHTML('<h2 id="verdict-heading">Failed</h2>', progress)
    assert "It ended with exit code 1." in text(progress)
    assert "002_b.sql:2: division by zero" in text(progress)
    assert states() == {"001_a.sql": "applied", "002_b.sql": "failed"}
    (asked,) = details("requested")
    assert {key: asked[key] for key in ("action", "names", "user")} == {"action": "apply", "names": [], "user": "ada"}
    assert {found["user"] for type in ("started", "applied", "failed", "ended") for found in details(type)} == {"ada"}
    assert value("SELECT count(DISTINCT run) FROM sqlmigrations_migrationevent") == 1
    assert value("SELECT bool_and(hash ~ '^[0-9a-f]{64}$') FROM sqlmigrations_migrationevent")


def test_a_mended_file_is_tried_again(client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY, b nonsense);"})
    applysql()
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})

    progress = do(client, "retry", name="001_a.sql")

    assertInHTML('<h2 id="verdict-heading">Done</h2>', progress)
    assert states() == {"001_a.sql": "applied"}


def test_two_clicks_run_once_and_lead_to_the_same_page(client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})
    form = form_of(confirm_page(client, "apply"))

    first = client.post(f"{RECORDS}act/apply/", form)
    second = client.post(f"{RECORDS}act/apply/", form)
    started = list(queue)
    work()
    third = client.post(f"{RECORDS}act/apply/", form)

    assert first["Location"] == second["Location"] == third["Location"]
    assert len(started) == 1
    assert queue == []
    assert len(details("requested")) == 1


def test_a_queue_that_delivers_twice_has_it_done_once(client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})
    client.post(f"{RECORDS}act/apply/", form_of(confirm_page(client, "apply")))
    queue.extend(queue * 2)

    work()

    assert len(details("ended")) == 1
    assert len(details("applied")) == 1


def test_what_changed_since_it_was_shown_is_shown_again(client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})
    form = form_of(confirm_page(client, "apply"))
    put(folder, {"001_a.sql": "CREATE TABLE b (id int PRIMARY KEY);"})

    response = client.post(f"{RECORDS}act/apply/", form)

    assert "What would be done has changed in the meantime. Look at it again." in response.content.decode()
    assert "CREATE TABLE b" in text(response.content.decode())
    assert queue == []


def test_what_changes_between_confirmation_and_work_is_not_done(client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})
    client.post(f"{RECORDS}act/apply/", form_of(confirm_page(client, "apply")))
    put(folder, {"001_a.sql": "CREATE TABLE b (id int PRIMARY KEY);"})

    work()

    assert tables() == [name for name in tables() if name not in ("a", "b")]
    (ended,) = details("ended")
    assert str(ended["output"]).startswith("What would be done has changed since it was confirmed. Nothing was done")
    assert ended["code"] == 2


def test_files_that_cannot_be_read_any_more_end_the_action(client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})
    client.post(f"{RECORDS}act/apply/", form_of(confirm_page(client, "apply")))
    put(folder, {"001_a.sql": "-- sqlmigrations: nonsense\nSELECT 1;"})

    work()

    (ended,) = details("ended")
    assert (ended["code"], str(ended["output"]).splitlines()[:1]) == (
        2,
        ["001_a.sql:1: unknown directive 'nonsense'"],
    )
    assert states() == {}


def test_a_command_that_cannot_begin_ends_the_action(client: Client, folder: Path, settings: Settings) -> None:
    client.post(f"{RECORDS}act/examine/", form_of(confirm_page(client, "examine")))
    settings.SQLMIGRATIONS_HEALTH = {"thresholds": "none"}

    work()

    (ended,) = details("ended")
    assert (ended["code"], str(ended["output"]).splitlines()[:2]) == (
        2,
        ["SQLMIGRATIONS_HEALTH can't be understood:", "    'thresholds' has to be a mapping."],
    )


def test_what_nobody_has_asked_for_is_not_done(client: Client, folder: Path) -> None:
    token = uuid.uuid4()
    with pytest.raises(CommandError, match=f"Nobody has asked for {token}."):
        call_command("performaction", str(token), stdout=Sink(), stderr=Sink())


def test_nothing_to_do_is_said(client: Client, folder: Path) -> None:
    page = confirm_page(client, "apply")

    assert "This can't be done at the moment There is nothing to do." in text(page)
    assert "<form" not in page[page.index('id="content-main"') :]


def test_a_queue_that_is_away_is_told_and_kept(client: Client, folder: Path, settings: Settings) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})
    settings.SQLMIGRATIONS_ADMIN_RUNNER = f"{__name__}.refuse"

    progress = do(client, "apply")

    assert "It could not be started: the broker is away" in text(progress)
    assert states() == {}


def test_a_run_in_progress_is_told(client: Client, folder: Path) -> None:
    from sqlmigrations.service.run import open_run

    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})
    form = form_of(confirm_page(client, "apply"))
    answers = []

    with open_run(connections["default"], lock_wait=0, tell=lambda told: None):

        def click() -> None:
            try:
                answers.append(client.post(f"{RECORDS}act/apply/", form).content.decode())
            finally:
                connections.close_all()

        clicking = threading.Thread(target=click)
        clicking.start()
        clicking.join()

    assert "Another run holds the lock" in answers[0]
    assert queue == []


# Revert, mark, accept, validate, examine


def test_a_file_is_reverted_by_the_script_that_was_kept(client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);", "001_a.down.sql": "DROP TABLE a;"})
    applysql()
    record = value("SELECT id FROM sqlmigrations_migrationrecord")
    page = client.get(f"{RECORDS}{record}/change/").content.decode()

    confirmation = text(confirm_page(client, "revert", name="001_a.sql"))
    progress = do(client, "revert", name="001_a.sql")

    assertInHTML(f'<a class="button" href="{RECORDS}act/revert/?name=001_a.sql">Revert…</a>', page)
    assert "What it drops is gone." in confirmation
    assert "DROP TABLE a;" in confirmation
    assertInHTML('<h2 id="verdict-heading">Done</h2>', progress)
    assert states() == {"001_a.sql": "reverted"}


def test_a_file_that_was_never_run_is_not_reverted_here(client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);", "001_a.down.sql": "DROP TABLE a;"})
    applysql("--fake", "001_a.sql")

    assert "its down script may undo what it never did" in text(confirm_page(client, "revert", name="001_a.sql"))


def test_a_file_is_marked_as_applied(client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})

    progress = do(client, "fake", name="001_a.sql")

    assertInHTML('<h2 id="verdict-heading">Done</h2>', progress)
    assert states() == {"001_a.sql": "baselined"}
    assert "a" not in tables()


def test_drift_is_shown_accepted_with_a_reason_and_gone(client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})
    applysql()
    run_sql("ALTER TABLE a ADD COLUMN by_hand int")
    do(client, "validate")
    offered = client.get(f"{RECORDS}drift/").content.decode()
    confirmation = confirm_page(client, "accept")

    without_reason = client.post(f"{RECORDS}act/accept/", form_of(confirmation)).content.decode()
    do(client, "accept", reason="the support needed it")
    do(client, "validate")

    assert f'href="{RECORDS}act/accept/"' in offered
    assert "column public.a.by_hand" in text(confirmation)
    assert "Say why the schema is accepted as it is." in without_reason
    assert [found["reason"] for found in details("schema_accepted")] == ["the support needed it"]
    assert "by_hand" not in text(client.get(f"{RECORDS}drift/").content.decode())


def test_the_health_is_examined_and_shown(client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int);"})
    applysql()

    progress = do(client, "examine")

    assertInHTML('<h2 id="verdict-heading">Done</h2>', progress)
    assert "public.a from 001_a.sql:1" in text(client.get(f"{RECORDS}health/").content.decode())


# The process


@pytest.mark.processes
def test_a_process_of_its_own_does_it(
    client: Client, folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SQLMIGRATIONS_ADMIN_RUNNER = None
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "tests.process_settings")
    monkeypatch.setenv("DATABASE_URL", database_url(database_name()))
    monkeypatch.setenv("SQL_FOLDER", str(folder))
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})

    progress = do(client, "apply")
    wait_until(lambda: details("ended") and not at_work())

    assert "At work" in text(progress) or "Done" in text(progress)
    assert [found["code"] for found in details("ended")] == [0]
    assert states() == {"001_a.sql": "applied"}


@pytest.mark.processes
def test_a_process_that_cannot_begin_is_told(
    client: Client, folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SQLMIGRATIONS_ADMIN_RUNNER = None
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "nowhere.settings")
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})

    do(client, "apply")
    wait_until(lambda: details("ended") and not at_work())

    (ended,) = details("ended")
    assert ended["code"] == 1
    assert "No module named 'nowhere'" in str(ended["output"])
