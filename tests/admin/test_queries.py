"""How many statements each page sends: few, and no more of them for a longer history."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from benchmarks.admin_speed import counted
from sqlmigrations.database import raw
from sqlmigrations.history import locate
from sqlmigrations.history.reports import keep_report
from sqlmigrations.models import ReportKind
from tests.admin.pages import EVENTS, RECORDS
from tests.admin.rows import add_event, add_failed, add_record
from tests.helpers import put

pytestmark = pytest.mark.django_db

#: What a page may send, the session's and the user's statement included.
MOST = 14


PAGES = [
    f"{RECORDS}overview/",
    f"{RECORDS}drift/",
    f"{RECORDS}health/",
    f"{RECORDS}versions/",
    RECORDS,
    f"{RECORDS}?q=change",
    f"{RECORDS}?state__exact=applied&role=deploy",
    f"{RECORDS}{{record}}/change/",
    f"{RECORDS}{{failed}}/change/",
    EVENTS,
    f"{EVENTS}?q=change",
    f"{EVENTS}?type__exact=applied&role=deploy",
    f"{EVENTS}{{event}}/change/",
    "/admin/sqlmigrations/",
]


def grow(count: int, first: int) -> dict[str, int]:
    """Add records and events; return an id of each kind of row."""
    for number in range(first, first + count):
        ids = {
            "record": add_record(filename=f"{number:04}_change.sql"),
            "failed": add_failed(filename=f"{number:04}_failure.sql"),
            "event": add_event(filename=f"{number:04}_change.sql", details={"message": "no such table"}),
        }
    return ids


def sent(client: Client, address: str) -> int:
    """Return how many statements a page sends."""
    with counted() as statements:
        response = client.get(address)
    assert response.status_code == 200
    return len(statements)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_sends_few_statements_however_long_the_history_is(admin_client: Client, folder: Path, page: str) -> None:
    put(folder, {f"{number:04}_change.sql": f"CREATE TABLE t{number} (id int);" for number in range(3)})
    keep_reports()
    few = sent(admin_client, page.format(**grow(2, first=0)))

    many = sent(admin_client, page.format(**grow(30, first=2)))

    assert few <= MOST
    assert many <= few


def keep_reports() -> None:
    """Keep a report of each kind."""
    connection.ensure_connection()
    own = raw(connection)
    finding = {
        "object": "public.t0",
        "severity": "warning",
        "observed": "it is large",
        "threshold": "",
        "fix": [],
        "origin": {"file": "0000_change.sql", "line": 1},
    }
    check = {
        "id": "a",
        "title": "A",
        "status": "warning",
        "tags": [],
        "examined": 3,
        "reason": "",
        "remedy": "",
        "applies": True,
        "findings": [finding] * 5,
    }
    health = {"checks": [check] * 5, "summary": {"ok": 0, "warning": 5, "critical": 0, "skipped": 0}}
    validation = {"drift": [], "skipped": [], "ignored": [], "examined": {"table": 3}, "summary": {"error": 0}}
    for kind, document in ((ReportKind.HEALTH, health), (ReportKind.VALIDATION, validation)):
        assert keep_report(own, locate(own), kind, document)
