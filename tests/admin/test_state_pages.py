"""The pages about the state of a database: overview, drift, health, versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connections
from django.test import Client
from pytest_django import Settings
from pytest_django.asserts import assertInHTML

from benchmarks.admin_speed import counted
from sqlmigrations.models import ReportKind
from sqlmigrations.service.ddl_log import install_ddl_log
from sqlmigrations.service.reports import keep
from tests.admin.rows import add_event, add_failed, add_record
from tests.admin.test_permissions import VISITORS
from tests.databases import session, with_options
from tests.helpers import applysql, put, run_sql

STATE = "/admin/sqlmigrations/migrationrecord/"
PAGES = ["overview", "drift", "health", "versions"]


@pytest.fixture(autouse=True)
def _nothing_remembered(settings: Settings) -> Iterator[None]:
    """Let no test see how another one's schema was compared."""
    cache.clear()
    yield
    cache.clear()


def page(client: Client, name: str, **query: str) -> str:
    """Return a page's HTML; times of servers and hashes aside, it is the same in each run."""
    response = client.get(f"{STATE}{name}/", query)
    assert response.status_code == 200
    return response.content.decode()


def text(html: str) -> str:
    """Return what a screen reader finds in a page's content, on one line."""
    content = html.partition('id="content-main"')[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", content.partition(">")[2])).split())


@pytest.mark.django_db
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("who", VISITORS)
def test_who_may_view_records_may_view_the_state(who: str, name: str) -> None:
    become, records, _events = VISITORS[who]

    assert become().get(f"{STATE}{name}/").status_code == records


@pytest.mark.django_db
def test_a_database_without_files_is_empty_and_says_so(admin_client: Client, folder: Path) -> None:
    content = page(admin_client, "overview")

    assertInHTML(
        """
        <div><h2 id="verdict-heading">Empty</h2>
        <p>Nothing has been applied to this database, and nothing is pending.</p></div>
        """,
        content,
    )


@pytest.mark.django_db
def test_the_overview_counts_files_and_lists_what_is_left_to_do_in_order(admin_client: Client, folder: Path) -> None:
    put(
        folder,
        {
            "001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);",
            "002_b.sql": "ALTER TABLE a ADD COLUMN b int;",
            "003_c.sql": "-- sqlmigrations: requires 002_b.sql\nCREATE TABLE c (id int PRIMARY KEY);",
        },
    )
    add_failed(filename="002_b.sql")

    content = page(admin_client, "overview")

    assertInHTML(
        """
        <ul class="sqlm-tiles" aria-label="SQL files by state">
        <li class="sqlm-tile sqlm-tile--none"><strong>0</strong> <span>applied</span></li>
        <li class="sqlm-tile sqlm-tile--calm"><strong>2</strong> <span>pending</span></li>
        <li class="sqlm-tile sqlm-tile--none"><strong>0</strong> <span>held</span></li>
        <li class="sqlm-tile sqlm-tile--none"><strong>0</strong> <span>late</span></li>
        <li class="sqlm-tile sqlm-tile--bad"><strong>1</strong> <span>failed</span></li>
        <li class="sqlm-tile sqlm-tile--none"><strong>0</strong> <span>changed or missing</span></li>
        </ul>
        """,
        content,
    )
    rows = re.findall(r'<tr><td class="sqlm-figure">(\d)</td><td class="sqlm-name">([^<]+)</td>', content)
    assert rows == [("1", "001_a.sql"), ("2", "002_b.sql"), ("3", "003_c.sql")]
    assertInHTML('<h2 id="verdict-heading">Needs attention</h2>', content)


@pytest.mark.django_db
def test_the_overview_tells_what_the_linter_finds_in_a_pending_file(admin_client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE INDEX a_b ON a (b);"})

    assert "warning line 1: " in text(page(admin_client, "overview"))


@pytest.mark.django_db
def test_the_overview_tells_who_ran_last_and_what_came_of_it(admin_client: Client, folder: Path) -> None:
    add_record()
    add_event(type="started")
    add_event(revision="8b2bcb9")

    content = page(admin_client, "overview")

    assert "By deploy · ci@build-7 Revision 8b2bcb9 Duration 0.0 ms Outcome 1 applied" in text(content)


@pytest.mark.django_db
def test_a_broken_chain_is_the_verdict(admin_client: Client, folder: Path) -> None:
    event = add_event(hash="f" * 64)

    content = text(page(admin_client, "overview"))

    assert content.count("Chain broken The history was altered: an event doesn't fit the one before it.") == 1
    assert f"broken event {event}: its values are not those that its hash was made of" in content


@pytest.mark.django_db
def test_files_that_cannot_be_read_leave_the_rest_of_the_overview(admin_client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "COMMIT;"})

    content = page(admin_client, "overview")

    assertInHTML('<h2 id="verdict-heading">Not readable</h2>', content)
    assertInHTML('<h2 id="run-heading">Last run</h2>', content)


@pytest.mark.django_db
def test_charts_are_hidden_from_screen_readers_which_get_a_table(admin_client: Client, folder: Path) -> None:
    add_record(execution_time_ms=50.0)
    slow = add_record(filename="002_slow.sql", execution_time_ms=100.0)

    content = page(admin_client, "overview")

    assertInHTML(
        """
        <svg class="sqlm-columns-chart" viewBox="0 0 600 120" preserveAspectRatio="none" aria-hidden="true"
         focusable="false">
        <rect class="sqlm-column sqlm-column--took" x="36.0" y="60.0" width="228.0" height="60.0">
        <title>001_initial_schema.sql: 50 ms</title></rect>
        <rect class="sqlm-column sqlm-column--took" x="336.0" y="0.0" width="228.0" height="120.0">
        <title>002_slow.sql: 100 ms</title></rect></svg>
        """,
        content,
    )
    assertInHTML(
        f"""
        <tr><td class="sqlm-statement"><a class="sqlm-name" href="{STATE}{slow}/change/">002_slow.sql</a></td>
        <td class="sqlm-figure">100 ms</td>
        <td class="sqlm-chart"><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"
         focusable="false"><rect width="100.0" height="8"/></svg></td></tr>
        """,
        content,
        count=2,
    )


@pytest.mark.parametrize("name", PAGES)
def test_pages_of_a_project_without_time_zones(
    fresh_client: Client, folder: Path, settings: Settings, name: str
) -> None:
    settings.USE_TZ = False
    connections["default"].close()
    put(folder, {"001.sql": "CREATE TABLE a (id int);"})
    applysql()
    assert page(fresh_client, name, now="1")


@pytest.mark.django_db
def test_an_unknown_database_is_not_found(admin_client: Client) -> None:
    assert admin_client.get(f"{STATE}overview/", {"database": "nowhere"}).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/admin/sqlmigrations/", STATE, "/admin/sqlmigrations/migrationevent/"])
def test_the_lists_lead_to_the_overview(admin_client: Client, address: str) -> None:
    assert f'href="{STATE}overview/"' in admin_client.get(address).content.decode()


def test_a_change_by_hand_is_on_the_overview_the_drift_page_and_gone_when_undone(
    fresh_client: Client, folder: Path
) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})
    applysql()
    assertInHTML('<h2 id="verdict-heading">As it should be</h2>', page(fresh_client, "overview"))

    run_sql("ALTER TABLE a ADD COLUMN by_hand int")

    overview, drift = text(page(fresh_client, "overview")), text(page(fresh_client, "drift", now=""))
    assert "warning column public.a.by_hand presence: present" in overview
    assert "column public.a.by_hand presence expected absent found present" in drift
    assert "column public.a.by_hand presence expected absent found present" in text(page(fresh_client, "drift"))

    run_sql("ALTER TABLE a DROP COLUMN by_hand")

    assertInHTML('<h2 id="verdict-heading">As it should be</h2>', page(fresh_client, "overview"))


def test_who_made_a_difference_when_and_how_stands_below_it(fresh_client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})
    applysql()
    install_ddl_log("default", tell=lambda told: None)
    with session(application_name="psql") as connection:
        connection.execute("ALTER TABLE a ADD COLUMN by_hand int")
        (who,) = connection.execute("SELECT current_user").fetchone() or ("",)
    found = re.search(r'<p class="sqlm-quiet">(changed by .*)</p>', page(fresh_client, "drift", now=""))
    assert found is not None
    sentence = re.sub(r"<time [^>]+>[^<>]+ [A-Z]+</time>", "TIME", found[1])
    sentence = re.sub(r"\(psql, [^)]+\)", "(psql)", sentence)  # over TCP it came from an address
    assert sentence == f"changed by {who} (psql), TIME: <code>ALTER TABLE a ADD COLUMN by_hand int</code>"


def test_versions_show_what_changed_between_any_two(fresh_client: Client, folder: Path) -> None:
    for number, table in enumerate("abc", start=1):
        put(folder, {f"00{number}_{table}.sql": f"CREATE TABLE {table} (id int PRIMARY KEY);"})
        applysql()

    newest = text(page(fresh_client, "versions"))
    oldest = text(page(fresh_client, "versions", **{"from": "1", "to": "3"}))

    assert "table public.c presence before absent after present" in newest
    assert "table public.b presence" not in newest
    assert "table public.b presence before absent after present" in oldest
    assert "table public.c presence before absent after present" in oldest


def test_what_the_health_page_found_is_kept(fresh_client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int);"})
    applysql()
    assert "The checks take some seconds, so they run only when asked for. Examine now" in text(
        page(fresh_client, "overview")
    )

    assert "No report is kept yet" in page(fresh_client, "health")

    health = page(fresh_client, "health", now="")

    assert "Every table has a primary key no_primary_key" in text(health)
    assert "public.a from 001_a.sql:1" in text(health)
    assertInHTML(f'<a class="sqlm-name" href="{STATE}1/change/#L1">001_a.sql:1</a>', health, count=None)
    assert text(page(fresh_client, "health")) == text(health)
    assert "no primary key" in text(page(fresh_client, "overview"))


def test_a_statement_that_took_too_long_is_told_on_the_page(fresh_client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})
    applysql()
    with session() as other, with_options(options="-c statement_timeout=200ms"):
        other.execute("BEGIN; LOCK sqlmigrations_schemasnapshot")
        told = text(page(fresh_client, "drift", now=""))
    assert (
        "This can't be told at the moment Database 'default' did not answer: canceling statement due to statement "
        "timeout (SQLSTATE 57014)." in told
    )


def test_what_keeps_a_page_from_being_made_is_told_on_it(
    fresh_client: Client, folder: Path, settings: Settings
) -> None:
    settings.SQLMIGRATIONS_HEALTH = {"thresholds": "none"}

    assert text(page(fresh_client, "health", now="")) == (
        "Overview Drift Health Versions of the schema SQL migrations This can't be told at the moment "
        "SQLMIGRATIONS_HEALTH can't be understood: 'thresholds' has to be a mapping. manage.py dbhealth --list shows "
        "the checks, --explain ID the thresholds of one."
    )


@pytest.mark.django_db
def test_the_overview_speaks_german(admin_client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})

    response = admin_client.get(f"{STATE}overview/", headers={"accept-language": "de"})

    assertInHTML(
        """
        <div><h2 id="verdict-heading">Ausstehend</h2><p>1 Datei wartet darauf, angewendet zu werden.</p></div>
        """,
        response.content.decode(),
    )


@pytest.mark.django_db
def test_missing_files_are_counted_and_the_first_ones_named(admin_client: Client, folder: Path) -> None:
    for number in range(8):
        add_record(filename=f"00{number}_gone.sql")

    content = page(admin_client, "overview")

    assertInHTML(
        '<li class="sqlm-tile sqlm-tile--bad"><strong>8</strong> <span>changed or missing</span></li>', content
    )
    assert "8 error" in text(content)
    assert "5 more differences." in text(content)
    assert "file 002_gone.sql presence" in text(content)
    assert "file 003_gone.sql presence" not in text(content)


@pytest.mark.django_db
def test_only_the_first_files_that_wait_are_named(admin_client: Client, folder: Path) -> None:
    put(folder, {f"{number:03}_a.sql": f"CREATE TABLE t{number} (id int PRIMARY KEY);" for number in range(27)})

    content = text(page(admin_client, "overview"))

    assert "024_a.sql" in content
    assert "025_a.sql" not in content
    assert "2 more files wait behind these." in content


def test_a_schema_is_compared_once_for_each_state_of_its_catalogs(fresh_client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})
    applysql()
    run_sql("ALTER TABLE a ADD COLUMN by_hand int")
    with counted() as first:
        page(fresh_client, "overview")

    with counted() as second:
        content = page(fresh_client, "overview")

    assert "warning column public.a.by_hand presence: present" in text(content)
    assert len(second) <= 14 < len(first)


@pytest.mark.django_db
def test_a_file_that_was_rehearsed_says_whom_it_kept_waiting(admin_client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);", "002_b.sql": "CREATE TABLE b (id int);"})
    blocks = [
        {"relation": "public.items", "mode": "RowExclusive", "writers_ms": 0.0, "readers_ms": 0.0},
        {"relation": "public.users", "mode": "Share", "writers_ms": 40.0, "readers_ms": 0.0},
        {"relation": "public.orders", "mode": "AccessExclusive", "writers_ms": 1500.0, "readers_ms": 1500.0},
    ]
    files = [
        {"name": "001_a.sql", "duration_ms": 1600.0, "blocks": blocks},
        {"name": "002_b.sql", "duration_ms": None, "blocks": []},
    ]
    keep(ReportKind.REHEARSAL, {"files": files}, database="default")

    content = text(page(admin_client, "overview"))

    assert "rehearsed in 1.6 s public.orders: AccessExclusive for 1.5 s public.users: Share for 40 ms" in content
    assert content.count("rehearsed in") == 1


def test_a_rehearsal_is_kept_where_that_is_asked_for(fresh_client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})

    applysql("--rehearse")
    assert "rehearsed in" not in page(fresh_client, "overview")
    applysql("--rehearse", "--keep")

    assert "rehearsed in" in page(fresh_client, "overview")
