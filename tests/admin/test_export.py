from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from tests.admin.rows import GENESIS, RUN, add_event
from tests.admin.test_permissions import visitor

pytestmark = pytest.mark.django_db

EVENTS = "/admin/sqlmigrations/migrationevent/"


def exported(client: Client, format: str, **query: str) -> str:
    response: Any = client.get(f"{EVENTS}export/{format}/", query)
    assert response.status_code == 200
    assert response.headers["Content-Disposition"] == f'attachment; filename="events.{format}"'
    return b"".join(response.streaming_content).decode()


def test_a_spreadsheet_gets_a_line_for_each_event_and_no_formula(admin_client: Client) -> None:
    first = add_event(hash="a" * 64, os_user="=cmd()", host="@x", details={"message": "-1\n+2"}, revision="+r")

    assert exported(admin_client, "csv") == (
        "id,at,type,filename,run,duration_ms,role,os_user,host,application_name,tool,server,revision,checksum,"
        "sqlstate,line,previous_hash,hash,message\r\n"
        f"{first},2026-11-21T12:00:05.000000+00:00,applied,001_initial_schema.sql,{RUN},12.3,deploy,'=cmd(),'@x,"
        f"applysql,0.1.0,18.6,'+r,,,,{GENESIS},{'a' * 64},\"'-1\n+2\"\r\n"
    )


def test_a_program_gets_all_that_an_event_is(admin_client: Client) -> None:
    first = add_event(hash="a" * 64, details={"reason": "ü"}, timings=[{"number": 1}])

    assert [json.loads(line) for line in exported(admin_client, "jsonl").splitlines()] == [
        {
            "id": first,
            "run": RUN,
            "type": "applied",
            "filename": "001_initial_schema.sql",
            "at": "2026-11-21T12:00:05.000000+00:00",
            "duration_ms": 12.3,
            "role": "deploy",
            "os_user": "ci",
            "host": "build-7",
            "application_name": "applysql",
            "backend_pid": 12345,
            "backend_start": "2026-11-21T12:00:05.000000+00:00",
            "tool": "0.1.0",
            "server": "18.6",
            "revision": "",
            "checksum": "",
            "timings": [{"number": 1}],
            "notices": [],
            "sqlstate": "",
            "line": None,
            "blockers": [],
            "details": {"reason": "ü"},
            "previous_hash": GENESIS,
            "hash": "a" * 64,
        }
    ]


def test_filters_and_search_of_the_list_hold_for_the_file(admin_client: Client) -> None:
    add_event(type="started")
    applied = add_event()
    add_event(filename="002_other.sql")

    lines = exported(admin_client, "jsonl", type__exact="applied", q="001").splitlines()

    assert [json.loads(line)["id"] for line in lines] == [applied]


@pytest.mark.parametrize(
    ("permissions", "status"),
    [
        (("view_migrationevent", "export_migrationevent"), 200),
        (("view_migrationevent",), 403),
        (("export_migrationevent",), 403),
    ],
)
def test_who_may_export(permissions: tuple[str, ...], status: int) -> None:
    add_event()

    assert visitor(*permissions).get(f"{EVENTS}export/csv/").status_code == status


@pytest.mark.parametrize(("permissions", "links"), [(("export_migrationevent",), 2), ((), 0)])
def test_the_list_offers_the_export_to_those_who_may(permissions: tuple[str, ...], links: int) -> None:
    add_event()
    client = visitor("view_migrationevent", *permissions)

    content = client.get(EVENTS, {"q": "001"}).content.decode()

    assert [f"export/{format}/?q=001" in content for format in ("csv", "jsonl")].count(True) == links


@pytest.mark.parametrize(("address", "query"), [("export/xml/", {}), ("export/csv/", {"nonsense__gt": "1"})])
def test_there_is_no_other_export(admin_client: Client, address: str, query: dict[str, str]) -> None:
    assert admin_client.get(EVENTS + address, query).status_code == 404
