"""The application's configuration."""

from __future__ import annotations

from importlib.util import find_spec

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
        from sqlmigrations.receivers import connect_receivers

        register_checks()
        connect_receivers(self)
        if _is_installed("opentelemetry.trace"):
            from sqlmigrations.contrib.opentelemetry import connect_tracing

            connect_tracing()


def _is_installed(module: str) -> bool:
    """Say whether a module can be imported, without importing it: most projects have no use for it."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its package isn't there either
        return False
