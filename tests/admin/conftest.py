"""Fixtures of the admin's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings
from django.utils import translation


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
