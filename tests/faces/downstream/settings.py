"""Settings of the downstream project: a shop, and a database of reports beside it."""

from __future__ import annotations

from pathlib import Path

from project.env import env

HERE = Path(__file__).parent

SECRET_KEY = "only for tests"
USE_TZ = True
INSTALLED_APPS = ["sqlmigrations", "tests.faces.downstream.shop"]
DATABASES = {"default": env.db("DATABASE_URL"), "reports": env.db("DATABASE_URL")}
DATABASES["reports"]["NAME"] += "_reports"
DATABASE_ROUTERS = ["tests.faces.downstream.router.Router"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SQLMIGRATIONS_DIRS = {"reports": [HERE / "reports_sql"]}
SQLMIGRATIONS_APPLY_ON_MIGRATE = True
