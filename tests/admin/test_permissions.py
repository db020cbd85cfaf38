from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.test import Client, RequestFactory
from pytest_django.asserts import assertInHTML

from sqlmigrations.models import MigrationEvent, MigrationRecord
from tests.admin.pages import EVENTS, RECORDS
from tests.admin.rows import RUN, add_event, add_record

pytestmark = pytest.mark.django_db


def visitor(*permissions: str, is_staff: bool = True, is_superuser: bool = False) -> Client:
    """Return the client of a user who may do just this."""
    user = User.objects.create_user("ada", is_staff=is_staff, is_superuser=is_superuser)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


VISITORS: dict[str, tuple[Callable[[], Client], int, int]] = {
    # who: how to become one, status of the records' pages, status of the events' pages
    "superuser": (lambda: visitor(is_superuser=True), 200, 200),
    "staff who may view both": (lambda: visitor("view_migrationrecord", "view_migrationevent"), 200, 200),
    "staff who may view records": (lambda: visitor("view_migrationrecord"), 200, 403),
    "staff who may view events": (lambda: visitor("view_migrationevent"), 403, 200),
    "staff who may change records": (lambda: visitor("change_migrationrecord"), 200, 403),
    "staff who may only delete": (lambda: visitor("delete_migrationrecord", "delete_migrationevent"), 403, 403),
    "staff without permissions": (lambda: visitor(), 403, 403),
    "not staff": (lambda: visitor("view_migrationrecord", "view_migrationevent", is_staff=False), 302, 302),
    "nobody": (Client, 302, 302),
}


@pytest.mark.parametrize(("become", "records", "events"), VISITORS.values(), ids=VISITORS)
def test_who_may_look(become: Callable[[], Client], records: int, events: int) -> None:
    record, event = add_record(), add_event()
    client = become()
    addresses = {
        RECORDS: records,
        f"{RECORDS}{record}/change/": records,
        f"{RECORDS}{record}/history/": records,
        f"{RECORDS}{record}/sql/applied/": records,
        EVENTS: events,
        f"{EVENTS}{event}/change/": events,
        f"{EVENTS}{event}/history/": events,
    }

    assert {address: client.get(address).status_code for address in addresses} == addresses


@pytest.mark.parametrize(("url", "add"), [(RECORDS, add_record), (EVENTS, add_event)])
def test_nobody_may_write_not_even_a_superuser(url: str, add: Callable[[], int]) -> None:
    pk = add()
    client = visitor(is_superuser=True)

    assert client.get(f"{url}add/").status_code == 403
    assert client.post(f"{url}add/", {"filename": "x"}).status_code == 403
    assert client.post(f"{url}{pk}/change/", {"filename": "x"}).status_code == 403
    assert client.get(f"{url}{pk}/delete/").status_code == 403
    assert client.post(f"{url}{pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(url, {"action": "delete_selected", "_selected_action": [pk], "post": "yes"})
    assert MigrationRecord.objects.count() + MigrationEvent.objects.count() == 1


@pytest.mark.parametrize("model", [MigrationRecord, MigrationEvent])
def test_the_admin_refuses_every_permission_but_view(model: type[MigrationRecord | MigrationEvent]) -> None:
    request = RequestFactory().get("/")
    request.user = User(is_active=True, is_staff=True, is_superuser=True)

    assert admin.site.get_model_admin(model).get_model_perms(request) == {
        "add": False,
        "change": False,
        "delete": False,
        "view": True,
    }
    request.user = AnonymousUser()
    assert not admin.site.get_model_admin(model).has_module_permission(request)


def test_the_index_offers_to_view_only(admin_client: Client) -> None:
    content = admin_client.get("/admin/sqlmigrations/").content.decode()

    for url, name in ((RECORDS, "migrationrecord"), (EVENTS, "migrationevent")):
        link = f'<a href="{url}" class="viewlink" aria-describedby="sqlmigrations-{name}">View</a>'
        assertInHTML(f"<td></td><td>{link}</td>", content, count=1)


def test_who_may_view_records_may_see_how_far_something_has_come() -> None:
    address = f"{RECORDS}progress/{RUN}/"
    assert visitor("view_migrationevent").get(address).status_code == 403
    User.objects.all().delete()
    assert visitor("view_migrationrecord").get(address).status_code == 404  # nobody has asked for anything


def test_pages_link_only_where_one_may_go() -> None:
    record, event = add_record(), add_event()
    only_records = visitor("view_migrationrecord").get(f"{RECORDS}{record}/change/").content.decode()
    User.objects.all().delete()
    only_events = visitor("view_migrationevent").get(f"{EVENTS}{event}/change/").content.decode()

    assert f'href="{EVENTS}' not in only_records
    assert f'href="{RECORDS}' not in only_events
