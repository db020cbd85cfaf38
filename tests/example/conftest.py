"""Databases with the example in them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from tests.databases import leading_to, new_database

from .scripts import REPEATABLE, SEEDS, VERSIONED, Client


@pytest.fixture
def empty(fresh_database: str) -> Client:
    """Return PostgreSQL's programs, pointed at an empty database."""
    return Client.here()


@pytest.fixture
def example(empty: Client) -> Client:
    """Return PostgreSQL's programs, pointed at a database with the example in it, without seeds."""
    empty.run_all(VERSIONED + REPEATABLE)
    return empty


@pytest.fixture
def seeded(example: Client) -> Client:
    """Return PostgreSQL's programs, pointed at a database with the example and its seeds in it."""
    example.run_all(SEEDS)
    return example


@pytest.fixture(scope="module")
def shared_world(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Point the alias ``default`` at one database with example and seeds, for all tests of a module."""
    name = f"sqlm_world_{os.getpid()}"
    with django_db_blocker.unblock(), new_database(name), leading_to(name):
        Client.here().run_all(VERSIONED + REPEATABLE + SEEDS)
        yield


@pytest.fixture
def world(shared_world: None) -> Iterator[None]:
    """Run a test in a transaction of the shared world, and roll it back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
