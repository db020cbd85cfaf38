"""The filters of the history's lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from sqlmigrations.admin.databases import database_of
from sqlmigrations.admin.readonly import existing
from sqlmigrations.models import MigrationRecord

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin

#: Latest records whose roles the filters offer: no page reads a whole table for its filters.
ROLES_FROM = 1_000


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
