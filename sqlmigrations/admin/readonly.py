"""What the lists and pages of the whole history share: they only read, and bear that its tables are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import connections
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from sqlmigrations.admin.databases import database_of, query_of
from sqlmigrations.database import raw
from sqlmigrations.history import locate

if TYPE_CHECKING:
    from sqlmigrations.output.highlight import Mark

    ModelAdmin = admin.ModelAdmin[Any]
    Pages = Paginator[Any]
else:
    ModelAdmin = admin.ModelAdmin
    Pages = Paginator

#: What a subclass may give for a list's columns and filters, in the way of Django.
Columns = list[Any] | tuple[Any, ...]

#: Rows of a list that one can turn over; filters and search reach the others.
MOST_ROWS = 5_000


def is_history_missing(using: str) -> bool:
    """Tell whether the history's tables aren't there (yet)."""
    connection = connections[using]
    return connection.vendor != "postgresql" or locate(raw(connection)).tables is None


def existing(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Return ``queryset``, or an empty one while the history's tables are missing."""
    return queryset.none() if is_history_missing(queryset.db) else queryset


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


class ShowsSQLMixin(ModelAdmin):
    """Shows the texts of files; override how."""

    def sql_html(
        self, sql: str, *, first_line: int = 1, anchor: str = "L", mark: Mark | None = None, numbered: bool = True
    ) -> SafeString:
        """Return a text as HTML: coloured, numbered from ``first_line``, its error at the line that ``mark`` names."""
        from sqlmigrations.output.highlight import highlight

        return highlight(sql, first_line=first_line, anchor=anchor, mark=mark, numbered=numbered)


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
