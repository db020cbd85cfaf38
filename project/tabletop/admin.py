"""The campaign manager in the admin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db import models
from django.http import HttpRequest

from .models import Announcement, Campaign, GameSystem, Player

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[models.Model]
else:
    ModelAdmin = admin.ModelAdmin  # takes no type parameter at run time


class OneLineTexts(ModelAdmin):
    """Show a column of type ``text`` as one line, unless it is named among ``long_texts``."""

    long_texts: tuple[str, ...] = ()

    def formfield_for_dbfield(self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """Choose the widget: PostgreSQL's ``text`` says nothing of how long a text is meant to be."""
        if isinstance(db_field, models.TextField) and not db_field.choices and db_field.name not in self.long_texts:
            kwargs["widget"] = AdminTextInputWidget
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(Player)
class PlayerAdmin(OneLineTexts):
    """List and edit the people."""

    list_display = ("display_name", "email", "created_at")
    search_fields = ("display_name", "email")
    readonly_fields = ("id", "created_at", "updated_at")


@admin.register(GameSystem)
class GameSystemAdmin(OneLineTexts):
    """List the game systems, and choose which of them new campaigns may use."""

    list_display = ("name", "code", "is_offered")
    list_filter = ("is_offered",)

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> tuple[str, ...]:
        """Keep the code of a game system that exists: it is the key that campaigns refer to."""
        return ("created_at",) if obj is None else ("code", "created_at")


@admin.register(Campaign)
class CampaignAdmin(OneLineTexts):
    """List and edit the campaigns."""

    long_texts = ("description",)
    list_display = ("name", "state", "game_master", "updated_at")
    list_filter = ("state", "game_system")
    list_select_related = ("game_master",)
    search_fields = ("name", "game_master__display_name")
    autocomplete_fields = ("game_master",)
    prepopulated_fields: ClassVar[dict[str, Sequence[str]]] = {"slug": ("name",)}
    readonly_fields = ("id", "created_at", "updated_at")


@admin.register(Announcement)
class AnnouncementAdmin(ModelAdmin):
    """List and edit the announcements."""

    list_display = ("title", "campaign", "published_at")
    list_select_related = ("campaign",)
    search_fields = ("title", "campaign__name")
    autocomplete_fields = ("campaign",)
    date_hierarchy = "published_at"
