"""A database that has the history's tables."""

from __future__ import annotations

import pytest
from django.db import connections

from sqlmigrations.database import Connection, raw
from sqlmigrations.history import (
    Chain,
)
from tests.history.chains import make_chain


@pytest.fixture
def connection(ready_database: str) -> Connection:
    """The connection of a database that has the history's tables."""
    return raw(connections["default"])


@pytest.fixture
def chain(connection: Connection) -> Chain:
    return make_chain()
