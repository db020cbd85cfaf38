"""The page of one event, and what the list of them says of the chain."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertInHTML

from tests.admin.pages import APPLIED_BADGE, EVENTS, MOMENT, RECORDS
from tests.admin.rows import RUN, add_event, add_record

pytestmark = pytest.mark.django_db


def event_page(client: Client, pk: int) -> str:
    response = client.get(f"{EVENTS}{pk}/change/")
    assert response.status_code == 200
    return response.content.decode()


def test_an_event_tells_what_who_and_its_place_in_the_chain(admin_client: Client) -> None:
    record = add_record()
    before = add_event(type="started", hash="a" * 64)
    pk = add_event(previous_hash="a" * 64, hash="b" * 64, checksum="v1:c", revision="8b2bcb9", line=7, sqlstate="42P01")
    after = add_event(type="started")

    content = event_page(admin_client, pk)

    assertInHTML("<h1>001_initial_schema.sql applied</h1>", content)
    assertInHTML(
        f"""
        <nav class="sqlm-jump" aria-label="Events"><ul>
        <li><a href="{EVENTS}{before}/change/" rel="prev">Event before</a></li>
        <li><a href="{EVENTS}{after}/change/" rel="next">Event after</a></li>
        </ul></nav>
        """,
        content,
    )
    assertInHTML(
        f"""
        <dl class="sqlm-facts">
        <div><dt>Event</dt><dd>{APPLIED_BADGE}</dd></div>
        <div><dt>File</dt>
        <dd class="sqlm-name"><a href="{RECORDS}{record}/change/">001_initial_schema.sql</a></dd></div>
        <div><dt>At</dt><dd>{MOMENT}</dd></div>
        <div><dt>Duration</dt><dd>12 ms</dd></div>
        <div><dt>SQLSTATE</dt><dd><code>42P01</code></dd></div>
        <div><dt>Line</dt><dd>7</dd></div>
        <div><dt>Checksum</dt><dd><code class="sqlm-hash">v1:c</code></dd></div>
        </dl>
        """,
        content,
    )
    assertInHTML(
        f"""
        <dl class="sqlm-facts">
        <div><dt>Database role</dt><dd>deploy</dd></div>
        <div><dt>System user</dt><dd>ci</dd></div>
        <div><dt>Host</dt><dd>build-7</dd></div>
        <div><dt>Application</dt><dd>applysql</dd></div>
        <div><dt>Backend</dt><dd>12345, since {MOMENT}</dd></div>
        <div><dt>Tool</dt><dd>sqlmigrations 0.1.0</dd></div>
        <div><dt>Server</dt><dd>PostgreSQL 18.6</dd></div>
        <div><dt>Revision</dt><dd><code class="sqlm-hash">8b2bcb9</code></dd></div>
        </dl>
        """,
        content,
    )
    assertInHTML(
        f"""
        <dl class="sqlm-facts">
        <div><dt>Run</dt><dd><a href="{EVENTS}?run={RUN}"><code class="sqlm-hash">{RUN}</code></a></dd></div>
        <div><dt>Hash</dt><dd><code class="sqlm-hash">{"b" * 64}</code></dd></div>
        <div><dt>Hash of the event before</dt><dd><code class="sqlm-hash">{"a" * 64}</code></dd></div>
        </dl>
        """,
        content,
    )


def test_an_event_tells_its_message_details_notices_blockers_and_times(admin_client: Client) -> None:
    pk = add_event(
        details={"message": "no <x>", "attempts": 2, "hint": "look"},
        notices=["NOTICE: <y> exists"],
        blockers=[{"pid": 7, "query": "VACUUM"}],
        timings=[{"number": 3, "line": 9, "duration_ms": 2.0}],
    )

    content = event_page(admin_client, pk)

    assertInHTML('<div><dt>Message</dt><dd class="sqlm-lines">no &lt;x&gt;</dd></div>', content, count=1)
    assertInHTML(
        """
        <section class="module sqlm-section" id="details" aria-labelledby="details-heading">
        <h2 id="details-heading">Details</h2>
        <dl class="sqlm-facts">
        <div><dt>hint</dt><dd class="sqlm-lines">look</dd></div>
        <div><dt>attempts</dt><dd class="sqlm-lines">2</dd></div>
        </dl></section>
        """,
        content,
    )
    assertInHTML('<ul class="sqlm-objects"><li>NOTICE: &lt;y&gt; exists</li></ul>', content)
    assertInHTML(
        """
        <section class="module sqlm-section" id="blockers" aria-labelledby="blockers-heading">
        <h2 id="blockers-heading">Blocked by</h2>
        <dl class="sqlm-facts">
        <div><dt>pid</dt><dd class="sqlm-lines">7</dd></div>
        <div><dt>query</dt><dd class="sqlm-lines">VACUUM</dd></div>
        </dl></section>
        """,
        content,
    )
    assertInHTML('<td class="sqlm-statement">statement 3</td>', content)


def test_an_event_of_a_file_without_record_has_no_link_to_it(admin_client: Client) -> None:
    pk = add_event()

    assertInHTML('<dd class="sqlm-name">001_initial_schema.sql</dd>', event_page(admin_client, pk))


def test_an_event_costs_few_queries(
    admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    add_event()
    pk = add_event()
    add_event()

    with django_assert_max_num_queries(8):
        event_page(admin_client, pk)


def test_the_list_of_events_says_whether_the_chain_holds(admin_client: Client) -> None:
    assert "The chain" not in admin_client.get(EVENTS).content.decode()

    event = add_event(hash="f" * 64)

    content = admin_client.get(EVENTS).content.decode()
    assertInHTML('<span class="sqlm-badge sqlm-badge--error">The chain is broken</span>', content)
    assert f"event {event}: its values are not those that its hash was made of" in content.replace("&#x27;", "'")
