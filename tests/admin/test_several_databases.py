"""Lists and pages of the history show one database; the address says which, and every link on them says so too."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from tests.admin.rows import add_event, add_record
from tests.helpers import put

pytestmark = pytest.mark.django_db(databases=["default", "other"])

RECORDS = "/admin/sqlmigrations/migrationrecord/"
EVENTS = "/admin/sqlmigrations/migrationevent/"


@pytest.fixture
def two(settings: Settings, tmp_path: Path) -> None:
    """Give both databases SQL files."""
    folders = {alias: [str(tmp_path / alias)] for alias in ("default", "other")}
    for alias in folders:
        put(tmp_path / alias, {"001_initial_schema.sql": "CREATE TABLE users (id uuid PRIMARY KEY);\n"})
    settings.SQLMIGRATIONS_DIRS = folders


def listed(client: Client, url: str, **query: str) -> list[str]:
    response = client.get(url, query)
    assert response.status_code == 200
    return [row.filename for row in response.context["cl"].result_list]


def test_each_list_shows_the_database_that_is_chosen(two: None, admin_client: Client) -> None:
    add_record(filename="001_here.sql")
    add_record(filename="001_there.sql", using="other")
    add_event(filename="001_there.sql", using="other")
    assert (listed(admin_client, RECORDS), listed(admin_client, EVENTS)) == (["001_here.sql"], [])
    assert listed(admin_client, RECORDS, database="other") == ["001_there.sql"]
    assert listed(admin_client, RECORDS, database="default") == ["001_here.sql"]
    assert listed(admin_client, EVENTS, database="other") == ["001_there.sql"]
    assert listed(admin_client, RECORDS, database="other", q="001_here") == []
    choices = admin_client.get(RECORDS, {"database": "other"}).content.decode()
    assert '<a href="?database=default">' in choices
    assert '<li class="selected"> <a href="?database=other"' in " ".join(choices.split())


def test_the_page_of_a_row_and_its_links_stay_in_the_database(two: None, admin_client: Client) -> None:
    add_record(filename="001_here.sql", applied_sql="SELECT 'here';\n")
    pk = add_record(filename="001_there.sql", applied_sql="SELECT 'there';\n", using="other")
    for came in ({"database": "other"}, {"_changelist_filters": "database=other&state=applied"}):
        page = admin_client.get(f"{RECORDS}{pk}/change/", came).content.decode()
        assert "001_there.sql" in page
        assert f'href="{RECORDS}{pk}/sql/applied/?database=other"' in page
        assert f'href="{EVENTS}?database=other&amp;filename=001_there.sql"' in page
    text = admin_client.get(f"{RECORDS}{pk}/sql/applied/", {"database": "other"})
    assert text.content.decode() == "SELECT 'there';\n"


def test_the_pages_of_the_state_lead_to_the_lists_of_their_database(two: None, admin_client: Client) -> None:
    page = admin_client.get(f"{RECORDS}overview/", {"database": "other"}).content.decode()
    assert f'href="{RECORDS}?database=other"' in page
    assert f'href="{RECORDS}drift/?database=other"' in admin_client.get(RECORDS, {"database": "other"}).content.decode()


@pytest.mark.parametrize("url", [RECORDS, EVENTS])
def test_no_such_database(two: None, admin_client: Client, url: str) -> None:
    assert admin_client.get(url, {"database": "nowhere"}).status_code == 404


def test_without_files_in_the_default_database_every_page_is_about_the_first_that_has_some(
    two: None, settings: Settings, admin_client: Client
) -> None:
    settings.SQLMIGRATIONS_DIRS = {"other": settings.SQLMIGRATIONS_DIRS["other"]}
    add_record(filename="001_here.sql")
    add_record(filename="001_there.sql", using="other")
    assert listed(admin_client, RECORDS) == ["001_there.sql"]
    assert admin_client.get(f"{RECORDS}overview/").context["database"] == "other"
    assert f'href="{RECORDS}overview/?database=other"' in admin_client.get(RECORDS).content.decode()


def test_with_one_database_there_is_nothing_to_choose(admin_client: Client) -> None:
    add_record()
    assert "database=" not in admin_client.get(RECORDS).content.decode()
