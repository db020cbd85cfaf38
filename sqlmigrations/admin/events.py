"""Events: the list, the page of one event, and the export.

Every process of a project with an admin imports this module, and few show a page: each page imports what it needs.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied
from django.db import connections
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from sqlmigrations.admin import cells
from sqlmigrations.admin.databases import DatabaseFilter, database_of
from sqlmigrations.admin.filters import DateFilter, EventRoleFilter, FileFilter, RunFilter
from sqlmigrations.admin.readonly import Columns, HistoryAdminMixin, is_history_missing
from sqlmigrations.database import raw
from sqlmigrations.history import ChainReport, locate, verify_chain
from sqlmigrations.models import MigrationEvent, MigrationRecord
from sqlmigrations.output.badges import badge

#: Events at the end of the chain in which a part of a name is searched; whole names and hashes are found anywhere.
SEARCHED_EVENTS = 100_000

#: Events at the end of the chain that are verified each time the list is shown.
VERIFIED = 100

#: Events that an export reads at a time.
EXPORT_CHUNK = 1_000

#: The beginning of a hash.
_HEX = re.compile(r"[0-9a-fA-F]{6,64}")

#: Characters of a hash in a list.
HASH_LENGTH = 8


class MigrationEventAdminMixin(HistoryAdminMixin):
    """Events: everything that ever happened, in the chain's order, newest first."""

    list_display: Columns = ("happened", "what", "file", "took", "who", "short_hash")
    list_filter: ClassVar[Columns] = (
        DatabaseFilter,
        "type",
        ("at", DateFilter),
        EventRoleFilter,
        FileFilter,
        RunFilter,
    )
    search_fields: ClassVar[Columns] = ("filename", "host", "os_user")
    search_help_text = _(
        "A file's whole name or the beginning of a hash is found anywhere; a part of a name, host or user among the "
        "latest 100,000 events."
    )
    ordering = ("-id",)
    deferred_fields: ClassVar[Columns] = ("timings", "notices", "blockers")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search in ways that an index answers, and in the latest events for parts of words."""
        if not search_term.strip() or is_history_missing(queryset.db):
            return super().get_search_results(request, queryset, search_term)
        events, word = MigrationEvent.objects.using(queryset.db), search_term.strip()
        whole = Q(hash__startswith=word.lower()) if _HEX.fullmatch(word) else Q(filename=word)
        if events.filter(whole).exists():
            return queryset.filter(whole), False
        last = events.order_by("-id").values_list("id", flat=True).first() or 0
        return super().get_search_results(request, queryset.filter(id__gt=last - SEARCHED_EVENTS), search_term)

    # The export

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Ask for a permission of its own: a file leaves the site."""
        permission = f"{self.opts.app_label}.{get_permission_codename('export', self.opts)}"
        return self.has_view_permission(request) and request.user.has_perm(permission)

    def get_urls(self) -> list[URLPattern]:
        """Add the export."""
        view = self.admin_site.admin_view(self.export_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export/<str:format>/", view, name=name), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list, whether the chain holds, and links to the export for those who may."""
        context = {
            "may_export": self.has_export_permission(request),
            "chain": self.chain(request),
            "verified": VERIFIED,
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def chain(self, request: HttpRequest) -> ChainReport | None:
        """Return what a walk along the end of the chain finds; nothing where there is none."""
        connection = connections[database_of(request)]
        if connection.vendor != "postgresql":
            return None
        own = raw(connection)
        report = verify_chain(own, locate(own).tables, last=VERIFIED)
        return report if report.events or not report.is_intact else None

    def export_view(self, request: HttpRequest, format: str) -> StreamingHttpResponse:
        """Stream the events that the list's filters and search leave, in the chain's order."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        from sqlmigrations.admin.export import FORMATS

        if format not in FORMATS:
            raise Http404(f"No such format: {format}")
        lines, content_type = FORMATS[format]
        try:
            events = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters as error:
            raise Http404("No such filter") from error
        # Nothing is left out here, unlike in the list.
        rows = events.defer(None).order_by("id").iterator(chunk_size=EXPORT_CHUNK)
        disposition = content_disposition_header(True, f"events.{format}") or ""
        return StreamingHttpResponse(
            lines(rows), content_type=content_type, headers={"Content-Disposition": disposition}
        )

    # The list

    @admin.display(description=_("at"), ordering="at")
    def happened(self, event: MigrationEvent) -> SafeString:
        """Return when it happened."""
        return cells.moment(event.at)

    @admin.display(description=_("what"), ordering="type")
    def what(self, event: MigrationEvent) -> SafeString:
        """Return the badge of what happened, and an error or a reason below it."""
        from sqlmigrations.output.record_page import message_of

        return cells.with_line_below(badge(event.type, event.get_type_display()), cells.short(message_of(event)))

    @admin.display(description=_("file"), ordering="filename")
    def file(self, event: MigrationEvent) -> SafeString:
        """Return the file's name."""
        return cells.file_name(event.filename)

    @admin.display(description=_("duration"), ordering="duration_ms")
    def took(self, event: MigrationEvent) -> str | None:
        """Return how long it took."""
        return cells.took(event.duration_ms)

    @admin.display(description=_("who"), ordering="role")
    def who(self, event: MigrationEvent) -> SafeString:
        """Return the database role, and below it the person who asked in the admin, and the machine."""
        machine = "@".join(part for part in (event.os_user, event.host) if part)
        below = " · ".join(part for part in (event.details.get("user"), machine) if part)
        return cells.with_line_below(event.role, below)

    @admin.display(description=_("hash"))
    def short_hash(self, event: MigrationEvent) -> SafeString:
        """Return the beginning of the event's hash."""
        return format_html('<code class="sqlm-hash">{}</code>', event.hash[:HASH_LENGTH])

    def page_context(self, request: HttpRequest, obj: MigrationEvent) -> dict[str, Any]:
        """Return what happened, who did it with what, and its place in the chain."""
        from sqlmigrations.output.record_page import message_of, timings_of, told

        others = MigrationEvent.objects.using(obj._state.db).only("filename", "type", "hash")
        before = others.filter(id__lt=obj.pk).order_by("-id").first()
        after = others.filter(id__gt=obj.pk).order_by("id").first()
        records = MigrationRecord.objects.using(obj._state.db).filter(filename=obj.filename)
        record_id = records.values_list("pk", flat=True).first()
        return {
            "event": obj,
            "badge": badge(obj.type, obj.get_type_display()),
            "message": message_of(obj),
            "took": cells.took(obj.duration_ms),
            "timings": timings_of(obj.timings),
            "statements": len(obj.timings),
            "details": [(key, cells.plain(value)) for key, value in told(obj).items() if value != message_of(obj)],
            "blockers": [[(key, cells.plain(value)) for key, value in blocker.items()] for blocker in obj.blockers],
            "before_url": self.url_of(request, MigrationEvent, "change", before.pk) if before else "",
            "after_url": self.url_of(request, MigrationEvent, "change", after.pk) if after else "",
            "record_url": self.url_of(request, MigrationRecord, "change", record_id) if record_id else "",
            "run_url": self.url_of(request, MigrationEvent, "changelist", run=obj.run),
        }


@admin.register(MigrationEvent)
class MigrationEventAdmin(MigrationEventAdminMixin):
    """Events in Django's own admin."""
