"""The app's configuration."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TabletopConfig(AppConfig):
    """Configure the campaign manager of a tabletop game."""

    name = "project.tabletop"
    verbose_name = _("Tabletop")
    default_auto_field = "django.db.models.BigAutoField"
