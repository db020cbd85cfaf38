"""Fixtures of this room's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib import admin

from project.env import BASE_DIR
from tests.helpers import Settings


@pytest.fixture
def example(settings: Settings) -> Iterator[None]:
    """Install the example's app for a test; what it registers with the admin goes with it."""
    registered = dict(admin.site._registry)
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "project.tabletop"]
    settings.SQLMIGRATIONS_DIRS = [BASE_DIR / "migrations_sql"]
    yield
    admin.site._registry = registered
