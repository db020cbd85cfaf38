"""The page of one file: outcome, error, texts, statements, objects, events."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client, override_settings
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertInHTML

from sqlmigrations.database import raw
from sqlmigrations.history import locate
from sqlmigrations.history.reports import keep_report
from sqlmigrations.models import ReportKind
from tests.admin.pages import APPLIED_BADGE, EVENTS, MOMENT, RECORDS
from tests.admin.rows import NOON, add_event, add_failed, add_record
from tests.helpers import put

pytestmark = pytest.mark.django_db


def record_page(client: Client, pk: int) -> str:
    response = client.get(f"{RECORDS}{pk}/change/")
    assert response.status_code == 200
    return response.content.decode()


def test_outcome_and_file(admin_client: Client) -> None:
    pk = add_record(statements_done=4, statements_total=4, tags=["core", "users"], revision="8b2bcb9")

    content = record_page(admin_client, pk)

    assertInHTML("<h1>001_initial_schema.sql</h1>", content)
    assertInHTML(
        f"""
        <section class="module sqlm-section" id="outcome" aria-labelledby="outcome-heading">
        <h2 id="outcome-heading">Outcome</h2>
        <dl class="sqlm-facts">
        <div><dt>State</dt><dd>{APPLIED_BADGE}</dd></div>
        <div><dt>Executed at</dt><dd>{MOMENT}</dd></div>
        <div><dt>Last attempt</dt><dd>{MOMENT}</dd></div>
        <div><dt>Duration</dt><dd>12 ms</dd></div>
        <div><dt>Statements</dt><dd>4 of 4</dd></div>
        <div><dt>By</dt><dd>deploy</dd></div>
        </dl>
        </section>
        """,
        content,
    )
    assertInHTML(
        f"""
        <section class="module sqlm-section" id="file" aria-labelledby="file-heading">
        <h2 id="file-heading">File</h2>
        <dl class="sqlm-facts">
        <div><dt>Name</dt><dd class="sqlm-name">001_initial_schema.sql</dd></div>
        <div><dt>Kind</dt><dd>versioned</dd></div>
        <div><dt>Checksum</dt><dd><code class="sqlm-hash">v1:{"ab12" * 16}</code></dd></div>
        <div><dt>Revision</dt><dd><code class="sqlm-hash">8b2bcb9</code></dd></div>
        <div><dt>Tags</dt><dd>core, users</dd></div>
        </dl>
        </section>
        """,
        content,
    )


@override_settings(TIME_ZONE="Asia/Kolkata")
def test_times_are_those_of_the_projects_time_zone(admin_client: Client) -> None:
    pk = add_record()

    assertInHTML(
        '<time datetime="2026-11-21T17:30:05+05:30">Nov. 21, 2026, 17:30:05 IST</time>',
        record_page(admin_client, pk),
        count=2,
    )


def test_the_page_is_not_a_form(admin_client: Client) -> None:
    pk = add_record()

    main = record_page(admin_client, pk).partition("<main")[2].partition("</main>")[0]

    assert [tag for tag in ("<form", "<input", "<button", "<script", "style=", "<style") if tag in main] == []


def test_links_on_the_page_lead_to_its_sections(admin_client: Client) -> None:
    pk = add_failed()
    add_event(type="failed", filename="002_add_indexes.sql")

    content = record_page(admin_client, pk)

    assertInHTML(
        """
        <nav class="sqlm-jump" aria-label="On this page">
        <ul>
        <li><a href="#outcome">Outcome</a></li>
        <li><a href="#error">Error</a></li>
        <li><a href="#sql">SQL</a></li>
        <li><a href="#timeline">Timeline</a></li>
        </ul>
        </nav>
        """,
        content,
    )
    assert [id for id in ("outcome", "error", "sql", "timeline") if content.count(f'id="{id}"') != 1] == []


def test_an_error_is_told_with_detail_hint_advice_and_statement(admin_client: Client) -> None:
    pk = add_failed(error_line=12)
    details = {
        "message": 'relation "userz" does not exist',
        "detail": "A detail.",
        "hint": "A <hint>.",
        "advice": "Write users.",
        "statement": "CREATE INDEX ON userz (id)",
        "statement_line": 12,
    }
    add_event(type="failed", filename="002_add_indexes.sql", details=details)

    content = record_page(admin_client, pk)

    assertInHTML(
        """
        <section class="module sqlm-section sqlm-section--error" id="error" aria-labelledby="error-heading">
        <h2 id="error-heading">Error</h2>
        <div class="sqlm-body">
        <p class="sqlm-message">relation "userz" does not exist</p>
        <dl class="sqlm-facts">
        <div><dt>Where</dt><dd><a href="#E12"><span class="sqlm-name">002_add_indexes.sql</span>, line 12</a></dd></div>
        <div><dt>SQLSTATE</dt><dd><code>42P01</code></dd></div>
        <div><dt>DETAIL</dt><dd class="sqlm-lines">A detail.</dd></div>
        <div><dt>HINT</dt><dd class="sqlm-lines">A &lt;hint&gt;.</dd></div>
        <div><dt>What to do</dt><dd class="sqlm-lines sqlm-advice">Write users.</dd></div>
        </dl>
        <h3 id="statement-heading">The statement that failed</h3>
        <div class="sqlm-listing" role="group" tabindex="0" aria-labelledby="statement-heading">
        <div class="sqlm-highlight"><pre class="sqlm-code"><code><span class="sqlm-line sqlm-line--error" id="E12">
        <a class="sqlm-number" href="#E12" data-number="12" tabindex="-1" aria-hidden="true"></a>
        <span class="sqlm-sql-k">CREATE</span> <span class="sqlm-sql-k">INDEX</span>
        <span class="sqlm-sql-k">ON</span> userz (id)</span>
        <span class="sqlm-note" role="note"><strong>Error:</strong> relation "userz" does not exist</span>
        </code></pre></div></div>
        </div>
        </section>
        """,
        content,
    )
    assertInHTML('<p class="sqlm-remark">The text of a file is kept once the file has been applied.</p>', content)


def test_the_error_is_marked_at_its_line_of_the_stored_sql(admin_client: Client) -> None:
    pk = add_failed(state="partial", applied_sql="SELECT 1;\nSELECT 2;\nSELECT x;\n")
    add_event(type="stopped", filename="002_add_indexes.sql", details={"message": "no x"})

    content = record_page(admin_client, pk)

    assertInHTML('<a href="#L3"><span class="sqlm-name">002_add_indexes.sql</span>, line 3</a>', content)
    assert content.count('<span class="sqlm-line sqlm-line--error" id="L3">') == 1
    assertInHTML('<span class="sqlm-note" role="note"><strong>Error:</strong> no x</span>', content)
    assert "The statement that failed" not in content


def test_an_older_text_than_the_failed_one_says_so(admin_client: Client) -> None:
    pk = add_failed(kind="repeatable", executed_at=NOON, checksum="v1:a", applied_sql="SELECT 1;\n" * 5)
    add_event(type="failed", filename="002_add_indexes.sql")

    content = record_page(admin_client, pk)

    assertInHTML(
        '<p class="sqlm-remark">This is the text that the database holds. '
        "The attempt that failed was at another text.</p>",
        content,
    )
    assert "sqlm-line--error" not in content


def test_the_sql_comes_with_its_size_and_links_to_all_of_it(admin_client: Client) -> None:
    pk = add_record(applied_sql="SELECT 1;\n", down_sql="SELECT 2;\n", verify_sql="SELECT true;\n")

    content = record_page(admin_client, pk)

    assertInHTML(
        f"""
        <section class="module sqlm-section" id="sql" aria-labelledby="sql-heading">
        <h2 id="sql-heading">SQL</h2>
        {listing(pk, "applied", "SQL", "L", 10, "1")}
        <details class="sqlm-folded"><summary>Down script</summary>
        {listing(pk, "down", "Down script", "D", 10, "2")}</details>
        <details class="sqlm-folded"><summary>Verify script</summary>
        {listing(pk, "verify", "Verify script", "V", 13, "true")}</details>
        </section>
        """,
        content,
    )


def listing(pk: int, script: str, title: str, anchor: str, size: int, value: str) -> str:
    kind = "k" if value == "true" else "mf"
    return f"""
        <div class="sqlm-bar"><p class="sqlm-quiet">1 line, {size}\u00a0bytes</p>
        <p><a href="{RECORDS}{pk}/sql/{script}/">Show as plain text</a>
        <a href="{RECORDS}{pk}/sql/{script}/?download">Download</a></p></div>
        <div class="sqlm-listing" role="group" tabindex="0" aria-label="{title}">
        <div class="sqlm-highlight"><pre class="sqlm-code"><code><span class="sqlm-line" id="{anchor}1">
        <a class="sqlm-number" href="#{anchor}1" data-number="1" tabindex="-1" aria-hidden="true"></a>
        <span class="sqlm-sql-k">SELECT</span> <span class="sqlm-sql-{kind}">{value}</span>;</span>
        </code></pre></div></div>
        """


def test_a_failed_verify_script_is_unfolded_and_marked(admin_client: Client) -> None:
    pk = add_failed(error_line=1, verify_sql="SELECT false;\n")
    add_event(type="failed", filename="002_add_indexes.sql", details={"file": "002_add_indexes.verify.sql"})

    content = record_page(admin_client, pk)

    assert '<details class="sqlm-folded" open>' in content
    assert '<span class="sqlm-line sqlm-line--error" id="V1">' in content


def test_a_megabyte_of_sql_is_cut_and_all_of_it_offered(admin_client: Client) -> None:
    text = "INSERT INTO t VALUES (1, 2, 3, 'abc', 4.5);\n" * 24_000
    pk = add_failed(state="partial", applied_sql=text, down_sql=text, error_line=20_000)
    add_event(type="stopped", filename="002_add_indexes.sql")

    content = record_page(admin_client, pk)

    assert len(content) < 1_000_000
    assert '<span class="sqlm-line sqlm-line--error" id="L20000">' in content
    # Django's assertInHTML takes minutes for a page of this size.
    notes = [line.strip() for line in content.splitlines() if "sqlm-remark" in line or " lines, " in line]
    assert notes[:2] == [
        '<p class="sqlm-quiet">24000 lines, 1.0\u00a0MB</p>',
        '<p class="sqlm-remark">Lines 19980 to 20979 are shown here, very long ones cut. '
        f'<a href="{RECORDS}{pk}/sql/applied/">Show all</a></p>',
    ]


def test_a_text_that_is_not_kept_says_so(admin_client: Client) -> None:
    assertInHTML(
        '<p class="sqlm-remark">The text of this file is not kept, only its checksum.</p>',
        record_page(admin_client, add_record(applied_sql=None)),
    )


def test_times_of_statements_are_a_table_with_bars(admin_client: Client) -> None:
    pk = add_record(applied_sql="CREATE TABLE a ();\nCREATE TABLE b ();\n")
    timings = [{"number": 1, "line": 1, "duration_ms": 4.0}, {"number": 2, "line": 2, "duration_ms": 1.0}]
    add_event(timings=[{"number": 1, "line": 1, "duration_ms": 99.0}])
    add_event(timings=timings)
    add_event(type="started")

    assertInHTML(
        f"""
        <table class="sqlm-timings">
        <caption>How long each statement took</caption>
        <thead><tr><th scope="col">Line</th><th scope="col">Statement</th><th scope="col" colspan="2">Duration</th></tr>
        </thead>
        <tbody>
        <tr><td class="sqlm-figure"><a href="#L1">1</a></td>
        <td class="sqlm-statement"><code>CREATE TABLE a ();</code></td>
        <td class="sqlm-figure">4.0 ms</td><td class="sqlm-chart">{bar("100.0")}</td></tr>
        <tr><td class="sqlm-figure"><a href="#L2">2</a></td>
        <td class="sqlm-statement"><code>CREATE TABLE b ();</code></td>
        <td class="sqlm-figure">1.0 ms</td><td class="sqlm-chart">{bar("25.0")}</td></tr>
        </tbody></table>
        """,
        record_page(admin_client, pk),
    )


def bar(width: str) -> str:
    return (
        '<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f'<rect width="{width}" height="8"/></svg>'
    )


def test_bars_keep_their_decimal_point_in_every_language(admin_client: Client) -> None:
    pk = add_record()
    add_event(timings=[{"number": 1, "line": 1, "duration_ms": 4.0}, {"number": 2, "line": 1234, "duration_ms": 1.5}])

    content = admin_client.get(f"{RECORDS}{pk}/change/", headers={"accept-language": "de"}).content.decode()

    assertInHTML(bar("37.5"), content)


def test_only_the_slowest_of_many_statements_are_listed(admin_client: Client) -> None:
    pk = add_record()
    add_event(timings=[{"number": n, "line": n, "duration_ms": float(n)} for n in range(1, 101)])

    assertInHTML(
        "<caption>The slowest 20 of 100 statements, in the order of the file</caption>", record_page(admin_client, pk)
    )


def test_objects_made_link_to_their_lines(admin_client: Client) -> None:
    pk = add_record(
        objects_made=[
            {"kind": "table", "name": "public.users", "line": 1},
            {"kind": "index", "name": "public.users_pkey", "line": 99},
        ]
    )

    assertInHTML(
        """
        <ul class="sqlm-objects">
        <li><span class="sqlm-kind">table</span> <span class="sqlm-name">public.users</span>
        <a href="#L1">line 1</a></li>
        <li><span class="sqlm-kind">index</span> <span class="sqlm-name">public.users_pkey</span>
        <span class="sqlm-quiet">line 99</span></li>
        </ul>
        """,
        record_page(admin_client, pk),
    )


def test_the_timeline_tells_the_files_events_newest_first(admin_client: Client) -> None:
    pk = add_record()
    add_event(type="baselined", duration_ms=None, details={"reason": "made by hand"}, os_user="", revision="8b2bcb9")
    add_event(at=NOON + timedelta(minutes=1), duration_ms=3449, host="")
    add_event(filename="another.sql")

    flag = (
        '<span class="sqlm-badge sqlm-badge--baselined"><svg class="sqlm-shape" viewBox="0 0 16 16" width="12" '
        'height="12" aria-hidden="true" focusable="false"><path d="M4 14V2.5h8L10 5.5l2 3H4"/></svg>'
        "recorded without running</span>"
    )
    assertInHTML(
        f"""
        <section class="module sqlm-section" id="timeline" aria-labelledby="timeline-heading">
        <h2 id="timeline-heading">Timeline</h2>
        <ol class="sqlm-timeline">
        <li><p class="sqlm-happening">{APPLIED_BADGE}
        <time datetime="2026-11-21T13:01:05+01:00">Nov. 21, 2026, 13:01:05 CET</time>
        <span class="sqlm-took">3.4 s</span></p>
        <p class="sqlm-quiet">deploy · ci</p></li>
        <li><p class="sqlm-happening">{flag} {MOMENT}</p>
        <p class="sqlm-lines">made by hand</p>
        <p class="sqlm-quiet">deploy · build-7 · revision <code class="sqlm-hash">8b2bcb9</code></p></li>
        </ol>
        <p class="sqlm-remark"><a href="{EVENTS}?filename=001_initial_schema.sql">These events in the list</a></p>
        </section>
        """,
        record_page(admin_client, pk),
    )


def test_a_file_without_events_says_so(admin_client: Client) -> None:
    assertInHTML(
        '<p class="sqlm-remark">There are no events of this file.</p>', record_page(admin_client, add_record())
    )


def test_a_long_timeline_is_cut_and_costs_no_more(
    admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    pk = add_record()
    for _ in range(60):
        add_event()

    with django_assert_max_num_queries(7):
        content = record_page(admin_client, pk)

    assert content.count('<p class="sqlm-happening">') == 50
    assertInHTML(
        f'<a href="{EVENTS}?filename=001_initial_schema.sql">All events of this file, older ones too</a>', content
    )


def test_a_record_that_does_not_exist_leads_back(admin_client: Client) -> None:
    response = admin_client.get(RECORDS + "999/change/")

    assert (response.status_code, response.headers["Location"]) == (302, "/admin/")


def test_what_the_file_says_today_stands_beside_what_was_applied(admin_client: Client, folder: Path) -> None:
    pk = add_record(filename="001_a.sql", applied_sql="CREATE TABLE a (id int);\nSELECT 1;\n")
    put(folder, {"001_a.sql": "CREATE TABLE a (id bigint);\nSELECT 1;\n"})

    content = admin_client.get(f"{RECORDS}{pk}/change/").content.decode()

    assertInHTML(
        """
        <tr class="sqlm-side--changed"><td class="sqlm-figure">1</td><td><del>CREATE TABLE a (id int);</del></td>
        <td class="sqlm-figure">1</td><td><ins>CREATE TABLE a (id bigint);</ins></td></tr>
        """,
        content,
    )


@pytest.mark.parametrize("name", ["001_a.sql", "../001_a.sql", "gone.sql"])
def test_no_difference_is_shown_where_there_is_none(admin_client: Client, folder: Path, name: str) -> None:
    pk = add_record(filename=name, applied_sql="SELECT 1;\n")
    put(folder, {"001_a.sql": "SELECT 1;\r\n", "../001_a.sql": "SELECT 2;\n"})

    assert "What the file says today" not in admin_client.get(f"{RECORDS}{pk}/change/").content.decode()


def test_locks_say_whom_they_kept_waiting(admin_client: Client, folder: Path) -> None:
    pk = add_record()
    locks = [
        {"relation": "public.users", "mode": "AccessExclusive"},
        {"relation": "public.orders", "mode": "ShareRowExclusive"},
        {"relation": "public.items", "mode": "RowExclusive"},
    ]
    add_event(details={"locks": locks, "more_locks": 2})

    content = admin_client.get(f"{RECORDS}{pk}/change/").content.decode()

    for relation, mode, kept in [
        ("public.users", "AccessExclusive", "readers and writers"),
        ("public.orders", "ShareRowExclusive", "writers"),
        ("public.items", "RowExclusive", "nobody"),
    ]:
        assertInHTML(f'<tr><td class="sqlm-name">{relation}</td><td>{mode}</td><td>{kept}</td></tr>', content)
    assertInHTML('<p class="sqlm-remark">and 2 more</p>', content)


def test_objects_show_their_present_health(admin_client: Client, folder: Path) -> None:
    connection.ensure_connection()
    own = raw(connection)
    finding = {
        "object": "public.users",
        "severity": "warning",
        "observed": "it has no primary key",
        "origin": {"file": "001_initial_schema.sql", "line": 1},
    }
    other = {**finding, "object": "public.users_old", "observed": "it is large"}
    check = {"id": "keys", "title": "Keys", "status": "warning", "findings": [finding, other]}
    keep_report(own, locate(own), ReportKind.HEALTH, {"checks": [check]})
    pk = add_record(objects_made=[{"kind": "table", "name": "users", "line": 1}])

    content = admin_client.get(f"{RECORDS}{pk}/change/").content.decode()

    objects = content[content.index('<ul class="sqlm-objects">') :].partition("</ul>")[0]
    said = " ".join(re.sub(r"<[^>]+>", " ", objects).split())
    assert said == (
        "table users line 1 warning Keys : it has no primary key public.users_old warning Keys : it is large"
    )
