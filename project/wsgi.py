"""The WSGI application: look after the SQL files when a server process starts, then serve."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from project.env import env
from sqlmigrations.startup import prepare

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
# What a start finds and does is only seen in the log; a command has its screen.
os.environ.setdefault("LOG_LEVEL", "INFO")
application = get_wsgi_application()
prepare(apply=env.bool("SQL_AUTO_APPLY", default=settings.DEBUG))
