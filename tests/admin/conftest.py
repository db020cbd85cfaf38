"""Fixtures of the admin's tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client, override_settings
from django.utils import translation
from pytest_django import DjangoDbBlocker

from tests.databases import leading_to, new_database


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
    with django_db_blocker.unblock(), new_database(f"sqlm_template_{os.getpid()}") as name:
        with leading_to(name):
            call_command("migrate", verbosity=0)
        yield name


@pytest.fixture
def migrated_database(_template: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Point the alias ``default`` at a new database with all tables for this test; yield the database's name."""
    name = f"sqlm_migrated_{os.getpid()}"
    with django_db_blocker.unblock(), new_database(name, template=_template), leading_to(name):
        yield name


@pytest.fixture
def fresh_client(fresh_database: str) -> Client:
    """Return the client of a superuser of a database in which nothing has been applied yet."""
    call_command("migrate", verbosity=0)
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("ada"))
    return client
