"""The application's configuration."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SQLMigrationsConfig(AppConfig):
    """Register checks and signal receivers, nothing else."""

    name = "sqlmigrations"
    verbose_name = _("SQL migrations")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register checks and signal receivers."""
        from sqlmigrations.checks import register_checks
        from sqlmigrations.contrib.opentelemetry import connect_tracing
        from sqlmigrations.receivers import connect_receivers

        register_checks()
        connect_receivers(self)
        connect_tracing()
