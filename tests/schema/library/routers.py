"""A router that keeps a model out of the default database."""

from __future__ import annotations

from typing import Any


class Router:
    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool | None:
        return db == "other" if model_name == "elsewhere" else None
