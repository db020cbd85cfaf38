"""SQL migrations: the list, and the page of one record.

Every process of a project with an admin imports this module, and few show a page: each page imports what it needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from sqlmigrations.admin import cells
from sqlmigrations.admin.actions import ActionPagesMixin
from sqlmigrations.admin.databases import DatabaseFilter, database_of, query_of
from sqlmigrations.admin.filters import RoleFilter
from sqlmigrations.admin.readonly import Columns, HistoryAdminMixin
from sqlmigrations.admin.state import StatePagesMixin
from sqlmigrations.models import EventType, MigrationEvent, MigrationRecord, ReportKind, State
from sqlmigrations.output.badges import badge

#: Latest events that the page of a record shows; a link leads to all of them.
TIMELINE_LENGTH = 50

#: States of files that were tried and did not come through.
UNFINISHED = frozenset({State.FAILED, State.PARTIAL, State.IN_DOUBT})


class MigrationRecordAdminMixin(ActionPagesMixin, StatePagesMixin, HistoryAdminMixin):
    """SQL migrations: what the database holds of each file, and how the last attempt went."""

    list_display: Columns = ("name", "status", "kind", "executed", "took", "applied_by")
    list_filter: ClassVar[Columns] = (DatabaseFilter, "state", "kind", RoleFilter)
    search_fields: ClassVar[Columns] = ("filename", "error_message", "checksum__startswith")
    search_help_text = _("Search in names and errors, or by the beginning of a checksum.")
    date_hierarchy = "attempted_at"
    deferred_fields: ClassVar[Columns] = ("applied_sql", "down_sql", "verify_sql", "objects_made", "progress")

    # The list

    @admin.display(description=_("name"), ordering="filename")
    def name(self, record: MigrationRecord) -> SafeString:
        """Return the file's name."""
        return cells.file_name(record.filename)

    @admin.display(description=_("state"), ordering="state")
    def status(self, record: MigrationRecord) -> SafeString:
        """Return the state's badge, and the error below it."""
        return cells.with_line_below(self.status_badge(record), cells.short(record.error_message))

    @admin.display(description=_("executed at"), ordering="executed_at")
    def executed(self, record: MigrationRecord) -> SafeString | None:
        """Return when the text that the database holds was applied, or else when that was tried in vain."""
        if record.executed_at is not None:
            return cells.moment(record.executed_at)
        if record.state not in UNFINISHED:
            return None
        return format_html('<span class="sqlm-quiet">{} {}</span>', _("tried"), cells.moment(record.attempted_at))

    @admin.display(description=_("duration"), ordering="execution_time_ms")
    def took(self, record: MigrationRecord) -> str | None:
        """Return how long the last attempt took."""
        return cells.took(record.execution_time_ms)

    def status_badge(self, record: MigrationRecord) -> SafeString:
        """Return the state as a word and a shape."""
        return badge(record.state, record.get_state_display())

    # The page of one record

    def page_context(self, request: HttpRequest, obj: MigrationRecord) -> dict[str, Any]:
        """Return the record's outcome, error, texts, times, objects and events."""
        from sqlmigrations.output.record_page import happening, page_of
        from sqlmigrations.service.reports import last_report
        from sqlmigrations.service.text_on_disk import text_on_disk

        events = list(self.events_of(obj))
        timed = self.last_applied_event(obj)
        database = str(obj._state.db)
        health = last_report(ReportKind.HEALTH, database=database)
        document = health.document if health else None
        today = text_on_disk(obj.filename, database=database) if obj.executed_at else None
        return {
            "record": obj,
            "database": query_of(database_of(request)).get("database", ""),
            "page": page_of(obj, events, timed, self.sql_html, today=today, health=document),
            "health_at": health.at if health else None,
            "health_url": self.state_url("health", **query_of(database_of(request)))
            if "health" in self.state_pages
            else "",
            "badge": self.status_badge(obj),
            "took": cells.took(obj.execution_time_ms),
            "timeline": [happening(event) for event in events[:TIMELINE_LENGTH]],
            "has_older_events": len(events) > TIMELINE_LENGTH,
            "events_url": self.url_of(request, MigrationEvent, "changelist", filename=obj.filename),
            "acts": self.acts_of(request, obj),
        }

    def acts_of(self, request: HttpRequest, record: MigrationRecord) -> dict[str, str]:
        """Return the addresses of what can be done about a record, by this user."""
        urls = self.action_urls(request, str(record._state.db), record.filename)
        fitting: tuple[str, ...] = ("retry", "fake") if record.state in UNFINISHED else ()
        if record.executed_at is not None and record.state == State.APPLIED and record.down_sql:
            fitting = ("revert",)
        return {action: urls[action] for action in fitting if urls.get(action)}

    def events_of(self, record: MigrationRecord) -> Iterable[MigrationEvent]:
        """Return the record's latest events, newest first, one more than the page shows."""
        events = MigrationEvent.objects.using(record._state.db).filter(filename=record.filename)
        return events.defer("timings", "notices", "blockers").order_by("-id")[: TIMELINE_LENGTH + 1]

    def last_applied_event(self, record: MigrationRecord) -> MigrationEvent | None:
        """Return the event of the last success, which knows how long each statement took."""
        events = MigrationEvent.objects.using(record._state.db).filter(filename=record.filename)
        return events.filter(type=EventType.APPLIED).only("type", "timings", "details").order_by("-id").first()

    # The texts

    def get_urls(self) -> list[URLPattern]:
        """Add the page that shows or downloads one script as plain text."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_sql"
        view = self.admin_site.admin_view(self.sql_view)
        return [path("<path:object_id>/sql/<str:script>/", view, name=name), *super().get_urls()]

    def sql_view(self, request: HttpRequest, object_id: str, script: str) -> HttpResponse:
        """Return a whole script as plain text; with ``?download`` as a file."""
        record = self.get_object(request, object_id)
        if not self.has_view_permission(request, record):
            raise PermissionDenied
        text = self.sql_text(record, script) if record else None
        if text is None:
            raise Http404(f"No such script: {script}")
        name = _script_name(record.filename, script)
        headers = {
            "Content-Disposition": content_disposition_header("download" in request.GET, name) or "",
            "X-Content-Type-Options": "nosniff",
        }
        return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=headers)

    def sql_text(self, record: MigrationRecord, script: str) -> str | None:
        """Return the text of a script by its name in the address; nothing if there is none."""
        from sqlmigrations.output.record_page import SCRIPTS

        field, _anchor = SCRIPTS.get(script, ("", ""))
        text: str | None = getattr(record, field) if field else None
        return text


@admin.register(MigrationRecord)
class MigrationRecordAdmin(MigrationRecordAdminMixin):
    """SQL migrations in Django's own admin."""


def _script_name(filename: str, script: str) -> str:
    """Return the name of the file that a script came from, without its folder."""
    path = PurePosixPath(filename)
    return path.name if script == "applied" else path.with_suffix(f".{script}{path.suffix}").name
