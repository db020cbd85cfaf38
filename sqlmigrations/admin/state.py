"""Pages about the state of each database: overview, drift, health, versions of the schema. Each only reads.

Every process of a project with an admin imports this module, and few show a page: each page imports what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import DEFAULT_DB_ALIAS
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from sqlmigrations.admin.databases import database_of, query_of
from sqlmigrations.exceptions import SQLMigrationsError
from sqlmigrations.models import MigrationRecord, ReportKind, SnapshotReason
from sqlmigrations.output.badges import badge

if TYPE_CHECKING:
    from sqlmigrations.history.reports import KeptReport

    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin

View = Callable[[HttpRequest, str], dict[str, Any]]


class StatePagesMixin(ModelAdmin):
    """The pages of the databases' state, below the address of the SQL migrations; who may view these may view them."""

    #: The pages' names in addresses, in the order of the navigation.
    state_pages: tuple[str, ...] = ("overview", "drift", "health", "versions")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages in front of the model's own."""
        own = [
            path(f"{page}/", self.admin_site.admin_view(self.state_view), {"page": page}, name=self._url_name(page))
            for page in self.state_pages
        ]
        return [*own, *super().get_urls()]

    def _url_name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def state_url(self, page: str, **query: str) -> str:
        """Return the address of a page."""
        return reverse(f"{self.admin_site.name}:{self._url_name(page)}", query=query)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list with links to the pages."""
        return super().changelist_view(
            request, {"state_tabs": self.tabs("", database_of(request)), **(extra_context or {})}
        )

    def tabs(self, current: str, database: str = DEFAULT_DB_ALIAS) -> list[dict[str, Any]]:
        """Return the navigation between the pages."""
        query = query_of(database)
        titles = self.state_titles()
        return [
            {"title": titles[page], "url": self.state_url(page, **query), "is_current": page == current}
            for page in self.state_pages
        ]

    def state_titles(self) -> dict[str, str]:
        """Return the pages' titles."""
        return {
            "overview": _("Overview"),
            "drift": _("Drift"),
            "health": _("Health"),
            "versions": _("Versions of the schema"),
        }

    def state_view(self, request: HttpRequest, page: str) -> HttpResponse:
        """Show one of the pages; what can't be asked is told instead."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        from sqlmigrations.service.databases import aliases_with_files, is_postgresql

        aliases = aliases_with_files() or (DEFAULT_DB_ALIAS,)
        database = database_of(request)
        if not is_postgresql(database):
            raise Http404(f"Not a PostgreSQL database: {database}")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": self.state_titles()[page],
            "tabs": self.tabs(page, database),
            "database": database,
            "databases": [
                {"name": alias, "url": self.state_url(page, database=alias), "is_current": alias == database}
                for alias in aliases
            ],
            "urls": {each: tab["url"] for each, tab in zip(self.state_pages, self.tabs("", database), strict=True)},
            "now_urls": {each: self.now_url(request, each, database) for each in self.state_pages},
            "again_url": self.now_url(request, page, database),
            "acts": self.action_urls(request, database),
            "records_url": self.state_url("changelist", **query_of(database)),
        }
        view: View = getattr(self, f"{page}_context")
        try:
            context |= view(request, database)
        except SQLMigrationsError as error:
            from sqlmigrations.output.phrases import trouble

            context["problem"] = trouble(error)
        request.current_app = self.admin_site.name
        return TemplateResponse(request, f"admin/sqlmigrations/state/{page}.html", context)

    def action_urls(self, request: HttpRequest, database: str, name: str = "") -> dict[str, str]:
        """Return the addresses of the actions that this user may do; none where there are no actions."""
        return {}

    def run_url(self, database: str, run: str) -> str:
        """Return the address of the page that follows a run which was asked for here."""
        return ""

    def now_url(self, request: HttpRequest, page: str, database: str) -> str:
        """Return the address that looks anew, instead of showing what was found last."""
        return self.state_url(page, now="", **query_of(database))

    def overview_context(self, request: HttpRequest, database: str) -> dict[str, Any]:
        """Return how the database is, as far as that is soon known."""
        from sqlmigrations.output.overview_page import page_of
        from sqlmigrations.output.phrases import phrase, trouble
        from sqlmigrations.service.overview import look_over

        overview = look_over(database)
        page = page_of(overview)
        return {
            "overview": overview,
            "unreadable": trouble(overview.problem) if overview.problem else None,
            "page": page,
            "waiting": [(file, self.action_urls(request, database, file.name)) for file in page.waiting],
            "run_url": self.run_url(database, overview.last_run.run) if overview.last_run else "",
            "break_reason": phrase(overview.chain.break_reason),
            "chain_badge": badge("ok", _("holds")) if overview.chain.is_intact else badge("error", _("broken")),
            "first_day": overview.days[0].day if overview.days else None,
            "last_day": overview.days[-1].day if overview.days else None,
        }

    def drift_context(self, request: HttpRequest, database: str) -> dict[str, Any]:
        """Return the last validation, or that of now where the address asks for it."""
        from sqlmigrations.output import documents
        from sqlmigrations.output.reports_page import drift_page
        from sqlmigrations.service.validate import ValidateOptions, validate

        def look() -> Mapping[str, Any]:
            return documents.of_validation(validate(ValidateOptions(database)))

        report = self._report(request, database, ReportKind.VALIDATION, look)
        return {"page": drift_page(report.document, report.at) if report else None}

    def health_context(self, request: HttpRequest, database: str) -> dict[str, Any]:
        """Return the last look at the health, or that of now where the address asks for it."""
        from sqlmigrations.output import documents
        from sqlmigrations.output.reports_page import health_page
        from sqlmigrations.service.health import HealthOptions, check_health

        def look() -> Mapping[str, Any]:
            return documents.of_health(check_health(HealthOptions(database)))

        report = self._report(request, database, ReportKind.HEALTH, look)
        if report is None:
            return {"page": None}
        return {"page": health_page(report.document, report.at, self._record_urls(database, report.document))}

    def _record_urls(self, database: str, document: Mapping[str, Any]) -> dict[str, str]:
        """Return the address of the record's page for each file that a finding comes from."""
        from sqlmigrations.output.reports_page import origins_of

        records = MigrationRecord.objects.using(database).filter(filename__in=origins_of(document))
        name = f"{self.admin_site.name}:{self._url_name('change')}"
        query = query_of(database)
        return {
            filename: reverse(name, args=[pk], query=query) for filename, pk in records.values_list("filename", "pk")
        }

    def _report(
        self, request: HttpRequest, database: str, kind: ReportKind, look: Callable[[], Mapping[str, Any]]
    ) -> KeptReport | None:
        """Return the report that was kept last; with ``?now``, look anew and keep what is found."""
        from sqlmigrations.history.reports import KeptReport
        from sqlmigrations.service.reports import keep, last_report

        if "now" not in request.GET:
            return last_report(kind, database=database)
        document = look()
        keep(kind, document, database=database)
        return KeptReport(timezone.now(), "", document)

    def versions_context(self, request: HttpRequest, database: str) -> dict[str, Any]:
        """List the versions of the schema; compare the two that are chosen, else the newest two."""
        from sqlmigrations.output.reports_page import worded
        from sqlmigrations.service.versions import compare_versions, list_versions

        versions = list_versions(database).versions
        numbers = [version.id for version in versions]
        after = _number(request.GET.get("to"), numbers, default=0)
        before = _number(request.GET.get("from"), numbers, default=1)
        differences = compare_versions(before, after, database=database) if before and after else ()
        return {
            "versions": [
                (version, SnapshotReason(version.reason).label, sum(version.counts.values())) for version in versions
            ],
            "before": before,
            "after": after,
            "differences": [worded(difference) for difference in differences],
        }


def _number(given: str | None, numbers: list[int], *, default: int) -> int | None:
    """Return the number of a version that was asked for, or that at the place ``default``, if there is one."""
    if given is not None and given.isdecimal() and int(given) in numbers:
        return int(given)
    return numbers[default] if default < len(numbers) else None
