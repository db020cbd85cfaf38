"""Fixtures of the admin's tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connections
from django.test import override_settings
from django.utils import translation
from pytest_django import DjangoDbBlocker


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Let each test begin in English and leave no language behind: a request's stays active after it."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Hash the passwords of users who live for one test with something that takes no time."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session")
def _template(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Make a database with all of Django's tables and ours, to be copied: a copy takes less than migrations do."""
    wrapper, name = connections["default"], f"sqlm_template_{os.getpid()}"
    kept = wrapper.settings_dict["NAME"]
    with django_db_blocker.unblock():
        wrapper.close()
        with wrapper._nodb_cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        wrapper.settings_dict["NAME"] = name
        try:
            call_command("migrate", verbosity=0)
        finally:
            wrapper.close()
            wrapper.settings_dict["NAME"] = kept
        yield name
        with wrapper._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def migrated_database(_template: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Point the alias ``default`` at a new database with all tables for this test; yield the database's name."""
    wrapper, name = connections["default"], f"sqlm_migrated_{os.getpid()}"
    kept = wrapper.settings_dict["NAME"]
    with django_db_blocker.unblock():
        wrapper.close()
        with wrapper._nodb_cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{_template}"')
        wrapper.settings_dict["NAME"] = name
        try:
            yield name
        finally:
            wrapper.close()
            wrapper.settings_dict["NAME"] = kept
            with wrapper._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
