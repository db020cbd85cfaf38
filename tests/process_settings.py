"""Settings of the ``applysql`` processes that tests start: database and folder come from the environment."""

from __future__ import annotations

from project.env import env
from tests.settings import *  # noqa: F403  the test suite's settings, whichever they are

SQLMIGRATIONS_DIRS = [env.str("SQL_FOLDER")]
SQLMIGRATIONS_LOCK_TIMEOUT = env.str("SQL_LOCK_TIMEOUT", default="3s")
