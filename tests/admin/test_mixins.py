"""The mixins, as a project uses them that has wishes of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.test import Client, override_settings
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from pytest_django import Settings
from pytest_django.asserts import assertInHTML

from sqlmigrations.admin import MigrationEventAdminMixin, MigrationRecordAdminMixin
from sqlmigrations.models import MigrationEvent, MigrationRecord
from tests.admin.rows import add_event, add_record

pytestmark = pytest.mark.django_db

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class ThemedAdmin(ModelAdmin):
    """Stands for the base class that a theme asks its users to take."""

    list_max_show_all = 7


class OwnRecordAdmin(MigrationRecordAdminMixin, ThemedAdmin):
    list_filter = ("state",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).exclude(kind="seed")

    def status_badge(self, record: MigrationRecord) -> SafeString:
        return format_html("<b>{}!</b>", record.state)

    def sql_html(self, sql: str, **options: Any) -> SafeString:
        return format_html("<tt>{}</tt>", sql)


class FewPagesAdmin(OwnRecordAdmin):
    state_pages = ("drift",)
    offered_actions = ("validate",)


class OwnEventAdmin(MigrationEventAdminMixin, ThemedAdmin):
    pass


site = admin.AdminSite(name="own")
site.register(MigrationRecord, OwnRecordAdmin)
few = admin.AdminSite(name="few")
few.register(MigrationRecord, FewPagesAdmin)
urlpatterns = [path("own/", site.urls), path("few/", few.urls), path("admin/", admin.site.urls)]


@pytest.fixture(autouse=True)
def _own_site() -> Iterator[None]:
    with override_settings(ROOT_URLCONF=__name__):
        yield


@pytest.mark.parametrize(("own", "model"), [(OwnRecordAdmin, MigrationRecord), (OwnEventAdmin, MigrationEvent)])
def test_they_go_together_with_another_base_class(own: type[ThemedAdmin], model: type[Any]) -> None:
    assert own(model, site).check() == []
    assert own.list_max_show_all == 7


def test_rows_badges_and_texts_can_be_replaced(admin_client: Client) -> None:
    pk = add_record(applied_sql="SELECT 1;\n")
    add_record(filename="seed/test_data.sql", kind="seed")

    overview = admin_client.get("/own/sqlmigrations/migrationrecord/")
    detail = admin_client.get(f"/own/sqlmigrations/migrationrecord/{pk}/change/").content.decode()

    assert [record.pk for record in overview.context["cl"].result_list] == [pk]
    assertInHTML('<td class="field-status"><b>applied!</b></td>', overview.content.decode())
    assertInHTML("<dd><b>applied!</b></dd>", detail)
    assertInHTML("<tt>SELECT 1;</tt>", detail)


def test_links_stay_on_the_own_site(admin_client: Client) -> None:
    pk = add_record()
    add_event()

    detail = admin_client.get(f"/own/sqlmigrations/migrationrecord/{pk}/change/").content.decode()

    assert f'href="/own/sqlmigrations/migrationrecord/{pk}/sql/applied/"' in detail
    assert 'href="/admin/' not in detail
    assert "migrationevent" not in detail  # this site has no page of events to lead to


def test_pages_and_actions_can_be_left_out(admin_client: Client, settings: Settings) -> None:
    settings.SQLMIGRATIONS_ADMIN_ACTIONS = True
    records = "/few/sqlmigrations/migrationrecord/"

    confirmation = admin_client.get(f"{records}act/validate/")

    assert admin_client.get(f"{records}drift/").status_code == 200
    assert admin_client.get(f"{records}overview/").status_code == 302  # Django takes it for the id of a row
    assert admin_client.get(f"{records}act/apply/").status_code == 403
    assert f'href="{records}">No, back' in confirmation.content.decode()
