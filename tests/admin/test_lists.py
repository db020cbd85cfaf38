from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertInHTML, assertTemplateUsed

from tests.admin.pages import EVENTS, RECORDS
from tests.admin.rows import NOON, RUN, add_event, add_failed, add_record

pytestmark = pytest.mark.django_db


def page(client: Client, url: str, **query: str) -> str:
    response = client.get(url, query)
    assert response.status_code == 200
    return response.content.decode()


def names(client: Client, **query: str) -> list[str]:
    """Return the names that the list of records shows."""
    response = client.get(RECORDS, query)
    assert response.status_code == 200
    return [record.filename for record in response.context["cl"].result_list]


def test_a_row_shows_name_state_kind_time_duration_and_role(admin_client: Client) -> None:
    pk = add_record()

    assertInHTML(
        f"""
        <tr>
        <th class="field-name"><a href="/admin/sqlmigrations/migrationrecord/{pk}/change/">
          <span class="sqlm-name">001_<wbr>initial_<wbr>schema.sql</span></a></th>
        <td class="field-status"><span class="sqlm-badge sqlm-badge--applied"><svg class="sqlm-shape"
          viewBox="0 0 16 16" width="12" height="12" aria-hidden="true" focusable="false">
          <path d="M3 8.5 6.5 12 13 4.5"/></svg>applied</span></td>
        <td class="field-kind">versioned</td>
        <td class="field-executed"><span class="sqlm-whole">Nov. 21, 2026</span>
          <span class="sqlm-whole">1 p.m.</span></td>
        <td class="field-took">12 ms</td>
        <td class="field-applied_by">deploy</td>
        </tr>
        """,
        page(admin_client, RECORDS),
    )


def test_a_failed_row_says_when_it_was_tried_and_why_it_failed(admin_client: Client) -> None:
    add_failed(error_message='relation "userz" does not exist\nHINT: Perhaps you meant "users".')

    content = page(admin_client, RECORDS)

    assertInHTML(
        '<span class="sqlm-quiet">tried <span class="sqlm-whole">Nov. 21, 2026</span> '
        '<span class="sqlm-whole">1 p.m.</span></span>',
        content,
    )
    assertInHTML('<div class="sqlm-below">relation "userz" does not exist</div>', content)
    assert "HINT" not in content


def test_a_reverted_row_has_no_time(admin_client: Client) -> None:
    add_record(state="reverted", success=None, executed_at=None)

    assertInHTML('<td class="field-executed">-</td>', page(admin_client, RECORDS))


def test_a_long_error_is_shortened(admin_client: Client) -> None:
    add_failed(error_message="x" * 300)

    assertInHTML(f'<div class="sqlm-below">{"x" * 89}…</div>', page(admin_client, RECORDS))


def test_markup_in_names_and_errors_is_only_text(admin_client: Client) -> None:
    add_failed(filename="<b>_[bold].sql", error_message="<script>alert(1)</script>")

    content = page(admin_client, RECORDS)

    assert "&lt;b&gt;_<wbr>[bold].sql" in content
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in content
    assert "<script>alert" not in content


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["b.sql", "c.sql", "a.sql"]),
        ({"state": "failed"}, ["b.sql"]),
        ({"state__exact": "applied"}, ["c.sql", "a.sql"]),
        ({"kind__exact": "seed"}, ["c.sql"]),
        ({"role": "ada"}, ["c.sql"]),
        ({"role": "nobody"}, []),
        ({"q": "A.SQL"}, ["a.sql"]),
        ({"q": "userz"}, ["b.sql"]),
        ({"q": "v1:cc"}, ["c.sql"]),
        ({"q": "cc"}, []),
        ({"attempted_at__year": "2026", "attempted_at__month": "11", "attempted_at__day": "20"}, ["a.sql"]),
        ({"o": "0"}, ["a.sql", "b.sql", "c.sql"]),
        ({"o": "-4"}, ["b.sql", "c.sql", "a.sql"]),
    ],
)
def test_filters_search_dates_and_order(admin_client: Client, query: dict[str, str], found: list[str]) -> None:
    add_record(filename="a.sql", attempted_at=NOON - timedelta(days=1), execution_time_ms=1)
    add_failed(filename="b.sql", attempted_at=NOON + timedelta(minutes=1), execution_time_ms=3)
    add_record(filename="c.sql", kind="seed", applied_by="ada", checksum="v1:cc", execution_time_ms=2)

    assert names(admin_client, **query) == found


def test_the_date_filter_goes_by_the_days_of_the_time_zone(admin_client: Client) -> None:
    add_record(filename="a.sql", attempted_at=NOON.replace(hour=23, minute=30))  # after midnight in Berlin

    day = {"attempted_at__year": "2026", "attempted_at__month": "11"}
    assert names(admin_client, **day, attempted_at__day="22") == ["a.sql"]
    assert names(admin_client, **day, attempted_at__day="21") == []


def test_the_role_filter_offers_roles_of_records_and_keeps_the_chosen_one(admin_client: Client) -> None:
    add_record(filename="a.sql")
    add_record(filename="b.sql", applied_by="ada")

    (role_filter,) = [
        spec
        for spec in admin_client.get(RECORDS, {"role": "gone"}).context["cl"].filter_specs
        if spec.title == "database role"
    ]

    assert role_filter.lookup_choices == [("ada", "ada"), ("deploy", "deploy"), ("gone", "gone")]


def test_fifty_rows_make_a_page(admin_client: Client) -> None:
    for number in range(51):
        add_record(filename=f"{number:03}.sql")

    assert len(names(admin_client)) == 50
    assert names(admin_client, p="2") == ["000.sql"]


@pytest.mark.parametrize("url", [RECORDS, EVENTS])
def test_a_list_costs_few_queries_however_long_it_is(
    admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries, url: str
) -> None:
    for number in range(60):
        add_record(filename=f"{number:03}.sql")
        add_event(filename=f"{number:03}.sql")

    with django_assert_max_num_queries(8):
        page(admin_client, url)


@pytest.mark.parametrize(
    ("url", "columns"),
    [
        (RECORDS, ["applied_sql", "down_sql", "verify_sql", "objects_made", "progress"]),
        (EVENTS, ["timings", "notices", "blockers"]),
    ],
)
def test_lists_never_load_large_columns(
    admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries, url: str, columns: list[str]
) -> None:
    add_record()
    add_event()

    with django_assert_max_num_queries(8) as captured:
        page(admin_client, url)

    statements = " ".join(query["sql"] for query in captured.captured_queries)
    assert [column for column in columns if f'"{column}"' in statements] == []


# Empty lists


def test_an_empty_history_says_what_to_type(admin_client: Client) -> None:
    response = admin_client.get(RECORDS)

    assertTemplateUsed(response, "admin/sqlmigrations/change_list.html")
    assertInHTML(
        """
        <div class="sqlm-empty">
        <h2>No SQL file has been applied yet</h2>
        <p>See what is pending, then apply it:</p>
        <pre class="sqlm-command"><code>python manage.py applysql --plan</code></pre>
        <pre class="sqlm-command"><code>python manage.py applysql</code></pre>
        </div>
        """,
        response.content.decode(),
    )


def test_a_search_without_results_offers_to_show_everything(admin_client: Client) -> None:
    add_record()

    expected = (
        f'<p class="sqlm-empty">Nothing matches the search and the filters. <a href="{RECORDS}">Show everything</a></p>'
    )
    assertInHTML(expected, page(admin_client, RECORDS, q="nothing of the kind"))
    assertInHTML(expected, page(admin_client, RECORDS, state__exact="retired"))
    assertInHTML(expected, page(admin_client, RECORDS, attempted_at__year="1999"))


@pytest.fixture
def _no_tables() -> None:
    """Take the history's tables away for this test."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE sqlmigrations_migrationrecord, sqlmigrations_migrationevent")


@pytest.mark.usefixtures("_no_tables")
@pytest.mark.parametrize("url", [RECORDS, EVENTS])
@pytest.mark.parametrize("query", [{}, {"q": "x"}, {"role": "ada"}, {"_facets": "True"}])
def test_missing_tables_make_an_empty_list(admin_client: Client, url: str, query: dict[str, str]) -> None:
    assert admin_client.get(url, query).status_code == 200


@pytest.mark.usefixtures("_no_tables")
@pytest.mark.parametrize("url", [RECORDS, EVENTS])
def test_missing_tables_are_explained(admin_client: Client, url: str) -> None:
    assertInHTML(
        """
        <div class="sqlm-empty">
        <h2>There is no history yet</h2>
        <p>Its tables are missing from this database. The first run makes them; so does migrate:</p>
        <pre class="sqlm-command"><code>python manage.py migrate sqlmigrations</code></pre>
        <p>Then apply the SQL files:</p>
        <pre class="sqlm-command"><code>python manage.py applysql</code></pre>
        </div>
        """,
        page(admin_client, url),
    )


@pytest.mark.usefixtures("_no_tables")
def test_a_record_of_missing_tables_leads_back(admin_client: Client) -> None:
    response = admin_client.get(RECORDS + "1/change/")

    assert (response.status_code, response.headers["Location"]) == (302, "/admin/")


# Events


def test_an_event_row_shows_when_what_where_who_and_its_hash(admin_client: Client) -> None:
    pk = add_event(type="failed", hash="abcdef0123456789", details={"message": "no such table"}, duration_ms=3449)

    assertInHTML(
        f"""
        <tr>
        <th class="field-happened"><a href="/admin/sqlmigrations/migrationevent/{pk}/change/">
          <span class="sqlm-whole">Nov. 21, 2026</span> <span class="sqlm-whole">1 p.m.</span></a></th>
        <td class="field-what"><span class="sqlm-badge sqlm-badge--failed"><svg class="sqlm-shape"
          viewBox="0 0 16 16" width="12" height="12" aria-hidden="true" focusable="false">
          <path d="M4 4 12 12M12 4 4 12"/></svg>failed</span><div class="sqlm-below">no such table</div></td>
        <td class="field-file"><span class="sqlm-name">001_<wbr>initial_<wbr>schema.sql</span></td>
        <td class="field-took">3.4 s</td>
        <td class="field-who">deploy<div class="sqlm-below">ci@build-7</div></td>
        <td class="field-short_hash"><code class="sqlm-hash">abcdef01</code></td>
        </tr>
        """,
        page(admin_client, EVENTS),
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["b.sql started", "a.sql failed", "a.sql started"]),
        ({"type__exact": "failed"}, ["a.sql failed"]),
        ({"filename": "b.sql"}, ["b.sql started"]),
        ({"run": RUN}, ["a.sql failed", "a.sql started"]),
        ({"run": "not a uuid"}, []),
        ({"role": "ada"}, ["b.sql started"]),
        ({"run": ""}, ["b.sql started", "a.sql failed", "a.sql started"]),
        ({"q": "build-8"}, ["b.sql started"]),
        ({"q": "a.sql"}, ["a.sql failed", "a.sql started"]),
        ({"q": " CAFE01 "}, ["b.sql started"]),
        ({"q": "cafe02"}, []),
        ({"at__gte": "2026-11-22 00:00:00+01:00", "at__lt": "2026-11-23 00:00:00+01:00"}, ["b.sql started"]),
    ],
)
def test_events_are_listed_newest_first_and_filtered(
    admin_client: Client, query: dict[str, str], found: list[str]
) -> None:
    add_event(filename="a.sql", type="started")
    add_event(filename="a.sql", type="failed")
    another = {"run": "11111111-6a0e-4c1b-9d0f-3f1a2b3c4d5e", "role": "ada", "host": "build-8"}
    another["hash"] = "cafe01".ljust(64, "0")
    add_event(filename="b.sql", type="started", at=NOON + timedelta(days=1), **another)

    response = admin_client.get(EVENTS, query)

    assert [str(event) for event in response.context["cl"].result_list] == found


def test_filters_by_file_and_run_are_shown_only_when_a_link_brought_them(admin_client: Client) -> None:
    add_record()

    def titles(**query: str) -> list[Any]:
        return [str(spec.title) for spec in admin_client.get(EVENTS, query).context["cl"].filter_specs]

    assert titles() == ["type", "date", "database role"]
    assert titles(filename="a.sql", run=RUN) == ["type", "date", "database role", "file", "run"]
