"""Django's settings for the processes that are measured: a project with as little as they need.

Libpq's variables name the database. ``BENCH_APPS`` names the apps, ``BENCH_FOLDER`` the SQL files.
"""

from __future__ import annotations

import os

SECRET_KEY = "only for measurements"  # noqa: S105 - nothing is signed
USE_TZ = True
INSTALLED_APPS = os.environ.get("BENCH_APPS", "").split()
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["PGDATABASE"],
        "USER": os.environ.get("PGUSER", ""),
        "PASSWORD": os.environ.get("PGPASSWORD", ""),
        "HOST": os.environ.get("PGHOST", ""),
        "PORT": os.environ.get("PGPORT", ""),
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SQLMIGRATIONS_DIRS = [os.environ.get("BENCH_FOLDER", ".")]
SQLMIGRATIONS_APP_DIRS = False
