"""Where the downstream project's tables are."""

from __future__ import annotations


class Router:
    """Keep the shop out of the database of reports."""

    def allow_migrate(self, db: str, app_label: str, **hints: object) -> bool | None:
        """Say whether an app's tables, and its SQL files, belong into a database."""
        return db == "default" if app_label == "shop" else None
