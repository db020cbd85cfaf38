"""The history: every SQL migration and every event, to read and never to write.

Every process of a project with an admin imports this module, and few show a page: each page imports what it needs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import connections
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format, time_format
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator, capfirst
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext_lazy as _

from sqlmigrations.admin.actions import ActionPagesMixin
from sqlmigrations.admin.databases import DatabaseFilter, database_of, query_of
from sqlmigrations.admin.state import StatePagesMixin
from sqlmigrations.database import raw
from sqlmigrations.history import ChainReport, locate, verify_chain
from sqlmigrations.models import EventType, MigrationEvent, MigrationRecord, ReportKind, State
from sqlmigrations.output.badges import badge
from sqlmigrations.output.durations import duration

if TYPE_CHECKING:
    from sqlmigrations.output.highlight import Mark

    ModelAdmin = admin.ModelAdmin[Any]
    Pages = Paginator[Any]
else:
    ModelAdmin = admin.ModelAdmin
    Pages = Paginator

#: What a subclass may give for a list's columns and filters, in the way of Django.
Columns = list[Any] | tuple[Any, ...]

#: Latest events that the page of a record shows; a link leads to all of them.
TIMELINE_LENGTH = 50

#: Latest records whose roles the filters offer: no page reads a whole table for its filters.
ROLES_FROM = 1_000

#: Rows of a list that one can turn over; filters and search reach the others.
MOST_ROWS = 5_000

#: Events at the end of the chain in which a part of a name is searched; whole names and hashes are found anywhere.
SEARCHED_EVENTS = 100_000

#: Events at the end of the chain that are verified each time the list is shown.
VERIFIED = 100

#: Events that an export reads at a time.
EXPORT_CHUNK = 1_000

#: States of files that were tried and did not come through.
UNFINISHED = frozenset({State.FAILED, State.PARTIAL, State.IN_DOUBT})

#: The beginning of a hash.
_HEX = re.compile(r"[0-9a-fA-F]{6,64}")

#: Characters of a message and of a hash in a list.
MESSAGE_LENGTH = 90
HASH_LENGTH = 8


def is_history_missing(using: str) -> bool:
    """Tell whether the history's tables aren't there (yet)."""
    connection = connections[using]
    return connection.vendor != "postgresql" or locate(raw(connection)).tables is None


def existing(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Return ``queryset``, or an empty one while the history's tables are missing."""
    return queryset.none() if is_history_missing(queryset.db) else queryset


# Filters


class RoleFilter(admin.SimpleListFilter):
    """Filter by the database role; the choices are the roles of the latest records."""

    title = _("database role")
    parameter_name = "role"
    #: The model's column that holds the role.
    column = "applied_by"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> Iterable[tuple[str, str]]:
        """Return the roles of the latest records, and the one that is chosen."""
        records = existing(MigrationRecord.objects.using(database_of(request)))
        roles = set(records.values_list("applied_by", flat=True)[:ROLES_FROM])
        chosen = self.value()
        return [(role, role) for role in sorted({*roles, chosen} if chosen else roles)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows of the chosen role."""
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class EventRoleFilter(RoleFilter):
    """The same for events."""

    column = "role"


class DateFilter(admin.DateFieldListFilter):
    """Filter by day, week, month or year."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("date")


class GivenFilter(admin.SimpleListFilter):
    """Filter by a value that another page's link brings along; without one it isn't shown."""

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> Iterable[tuple[str, str]]:
        """Return the value that was given, so that one sees it and can take it away."""
        value = self.value()
        return [(value, value)] if value else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows with the value; none for a value that can't be one."""
        if not self.value():
            return queryset
        try:
            return queryset.filter(**{str(self.parameter_name): self.value()})
        except ValidationError:
            return queryset.none()


class FileFilter(GivenFilter):
    """Filter by one file."""

    title = _("file")
    parameter_name = "filename"


class RunFilter(GivenFilter):
    """Filter by one run."""

    title = _("run")
    parameter_name = "run"


# Pages


class BoundedPaginator(Pages):
    """Pages through the first rows alone: nobody turns thousands of pages, and counting a million rows takes long."""

    #: Whether there are more rows; known once they were counted.
    is_cut = False

    @cached_property
    def count(self) -> int:
        """How many rows there are, or else ``MOST_ROWS``."""
        rows = self.object_list
        found = rows.order_by()[: MOST_ROWS + 1].count() if isinstance(rows, QuerySet) else len(rows)
        self.is_cut = found > MOST_ROWS
        return min(found, MOST_ROWS)


class HistoryAdminMixin(ModelAdmin):
    """A model of the history: read-only for everybody, and no error page while its table is missing."""

    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator
    #: Large columns that no list loads.
    deferred_fields: ClassVar[Columns] = ()

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["sqlmigrations/admin.css", "sqlmigrations/sql.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: the runner alone writes the history."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: the runner alone writes the history."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: what happened stays on record."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return all rows without their large columns."""
        return existing(super().get_queryset(request).using(database_of(request)).defer(*self.deferred_fields))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return one row with its large columns."""
        found = super().get_object(request, object_id, from_field)
        if found is not None and self.deferred_fields:
            found.refresh_from_db(fields=self.deferred_fields)
        return found

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list; where it is empty, say what to type."""
        context = {
            "title": capfirst(self.opts.verbose_name_plural),
            "history_is_missing": is_history_missing(database_of(request)),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Show one row on a page of its own instead of a form."""
        context |= {"title": str(obj), "subtitle": None, **self.page_context(request, obj)}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Return what the page of one row shows; add to it in a subclass."""
        raise NotImplementedError

    def url_of(self, request: HttpRequest, model: type[Model], page: str, *args: Any, **query: Any) -> str:
        """Return the address of another page of the history; nothing if this user may not see it."""
        if not (self.admin_site.is_registered(model) and _may_view(request, model)):
            return ""
        name = f"{self.admin_site.name}:{model._meta.app_label}_{model._meta.model_name}_{page}"
        return reverse(name, args=args, query={**query_of(database_of(request)), **query})


def _may_view(request: HttpRequest, model: type[Model]) -> bool:
    permissions = [f"{model._meta.app_label}.{action}_{model._meta.model_name}" for action in ("view", "change")]
    return any(request.user.has_perm(permission) for permission in permissions)


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
        return _name(record.filename)

    @admin.display(description=_("state"), ordering="state")
    def status(self, record: MigrationRecord) -> SafeString:
        """Return the state's badge, and the error below it."""
        return _with_line_below(self.status_badge(record), _short(record.error_message))

    @admin.display(description=_("executed at"), ordering="executed_at")
    def executed(self, record: MigrationRecord) -> SafeString | None:
        """Return when the text that the database holds was applied, or else when that was tried in vain."""
        if record.executed_at is not None:
            return _moment(record.executed_at)
        if record.state not in UNFINISHED:
            return None
        return format_html('<span class="sqlm-quiet">{} {}</span>', _("tried"), _moment(record.attempted_at))

    @admin.display(description=_("duration"), ordering="execution_time_ms")
    def took(self, record: MigrationRecord) -> str | None:
        """Return how long the last attempt took."""
        return _duration(record.execution_time_ms)

    def status_badge(self, record: MigrationRecord) -> SafeString:
        """Return the state as a word and a shape."""
        return badge(record.state, record.get_state_display())

    # The page of one record

    def sql_html(
        self, sql: str, *, first_line: int = 1, anchor: str = "L", mark: Mark | None = None, numbered: bool = True
    ) -> SafeString:
        """Return a text as HTML: coloured, numbered from ``first_line``, its error at the line that ``mark`` names."""
        from sqlmigrations.output.highlight import highlight

        return highlight(sql, first_line=first_line, anchor=anchor, mark=mark, numbered=numbered)

    def page_context(self, request: HttpRequest, obj: MigrationRecord) -> dict[str, Any]:
        """Return the record's outcome, error, texts, times, objects and events."""
        from sqlmigrations.output.record_page import happening, page_of
        from sqlmigrations.service.reports import last_report
        from sqlmigrations.service.today import text_on_disk

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
            "took": _duration(obj.execution_time_ms),
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
        return _moment(event.at)

    @admin.display(description=_("what"), ordering="type")
    def what(self, event: MigrationEvent) -> SafeString:
        """Return the badge of what happened, and an error or a reason below it."""
        from sqlmigrations.output.record_page import message_of

        return _with_line_below(badge(event.type, event.get_type_display()), _short(message_of(event)))

    @admin.display(description=_("file"), ordering="filename")
    def file(self, event: MigrationEvent) -> SafeString:
        """Return the file's name."""
        return _name(event.filename)

    @admin.display(description=_("duration"), ordering="duration_ms")
    def took(self, event: MigrationEvent) -> str | None:
        """Return how long it took."""
        return _duration(event.duration_ms)

    @admin.display(description=_("who"), ordering="role")
    def who(self, event: MigrationEvent) -> SafeString:
        """Return the database role, and below it the person who asked in the admin, and the machine."""
        machine = "@".join(part for part in (event.os_user, event.host) if part)
        return _with_line_below(event.role, " · ".join(part for part in (event.details.get("user"), machine) if part))

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
            "took": _duration(obj.duration_ms),
            "timings": timings_of(obj.timings),
            "statements": len(obj.timings),
            "details": [(key, _plain(value)) for key, value in told(obj).items() if value != message_of(obj)],
            "blockers": [[(key, _plain(value)) for key, value in blocker.items()] for blocker in obj.blockers],
            "before_url": self.url_of(request, MigrationEvent, "change", before.pk) if before else "",
            "after_url": self.url_of(request, MigrationEvent, "change", after.pk) if after else "",
            "record_url": self.url_of(request, MigrationRecord, "change", record_id) if record_id else "",
            "run_url": self.url_of(request, MigrationEvent, "changelist", run=obj.run),
        }


@admin.register(MigrationRecord)
class MigrationRecordAdmin(MigrationRecordAdminMixin):
    """SQL migrations in Django's own admin."""


@admin.register(MigrationEvent)
class MigrationEventAdmin(MigrationEventAdminMixin):
    """Events in Django's own admin."""


# Words


def _moment(value: datetime) -> SafeString:
    """Return date and time in the page's time zone and language; a narrow column may break between them."""
    local = localtime(value) if is_aware(value) else value
    parts = date_format(local), time_format(local)
    return format_html('<span class="sqlm-whole">{}</span> <span class="sqlm-whole">{}</span>', *parts)


def _name(filename: str) -> SafeString:
    """Return a file's name that a narrow column breaks after an underscore or a slash."""
    parts = ((part,) for part in re.split(r"(?<=[_/])(?!$)", filename))
    return format_html('<span class="sqlm-name">{}</span>', format_html_join(mark_safe("<wbr>"), "{}", parts))


def _duration(milliseconds: float | None) -> str | None:
    return None if milliseconds is None else duration(milliseconds)


def _short(message: str) -> str:
    """Return a message's first line, as much of it as a list can show."""
    return Truncator(message.partition("\n")[0]).chars(MESSAGE_LENGTH)


def _with_line_below(first: str, second: str) -> SafeString:
    return format_html('{}<div class="sqlm-below">{}</div>', first, second) if second else format_html("{}", first)


def _plain(value: Any) -> str:
    """Return a text as it is, and any other value of a JSON document as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _script_name(filename: str, script: str) -> str:
    """Return the name of the file that a script came from, without its folder."""
    path = PurePosixPath(filename)
    return path.name if script == "applied" else path.with_suffix(f".{script}{path.suffix}").name
