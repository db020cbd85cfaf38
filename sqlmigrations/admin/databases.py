"""Which database a page is about: its address says so, and every link on it says so too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin

#: The name in addresses.
PARAMETER = "database"


def database_of(request: HttpRequest) -> str:
    """Return the alias that an address names, or the list names from which somebody came.

    Where none is named, it is ``default``, or the first database with SQL files if that one has none.

    Raises:
        Http404: there is no such database with SQL files.
    """
    from sqlmigrations.service.databases import aliases_with_files

    aliases = aliases_with_files()
    came_from = parse_qs(request.GET.get("_changelist_filters", "")).get(PARAMETER, [""])[0]
    named = request.GET.get(PARAMETER) or came_from
    if not named:
        return DEFAULT_DB_ALIAS if DEFAULT_DB_ALIAS in aliases else next(iter(aliases), DEFAULT_DB_ALIAS)
    if named not in (*aliases, DEFAULT_DB_ALIAS):
        raise Http404(f"No such database: {named}")
    return named


def query_of(database: str) -> dict[str, str]:
    """Return what an address needs to name a database."""
    return {} if database == DEFAULT_DB_ALIAS else {PARAMETER: database}


class DatabaseFilter(admin.SimpleListFilter):
    """Choose the database, where several have SQL files; a list always shows one of them."""

    title = _("database")
    parameter_name = PARAMETER

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> Iterable[tuple[str, str]]:
        """Return the databases to choose from, nothing where there is no choice."""
        from sqlmigrations.service.databases import aliases_with_files

        aliases = aliases_with_files()
        return [(alias, alias) for alias in aliases] if len(aliases) > 1 else []

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Yield a choice for each; there is none for all of them."""
        for alias, title in self.lookup_choices:
            yield {
                "selected": changelist.queryset.db == alias,
                "query_string": changelist.get_query_string({PARAMETER: alias}),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep all rows: they are those of the database already."""
        return queryset
