"""The first look around: make an administrator for the example and say what to look at next.

Run by ``make demo``, after the migrations and the SQL files.
"""

from __future__ import annotations

import os
import sys

import django
from django.conf import settings

NAME = "admin"
PASSWORD = "admin"  # noqa: S105 - known to everyone, and only ever set where DEBUG is on

NEXT = """
The example is ready. What to look at next:

  make serve                                    the admin: http://127.0.0.1:8000/{account}
  .venv/bin/python manage.py applysql --list    each SQL file and its state
  .venv/bin/python manage.py applysql           nothing to do now; add a file to migrations_sql/ and it is
  .venv/bin/python manage.py validateschema     is the database what the files say?
  make test                                     the test suite
  make stop                                     stop the embedded PostgreSQL
"""


def main() -> None:
    """Make the administrator, where this is a development database without one, and write the hints."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    account = f" (user {NAME}, password {PASSWORD})" if settings.DEBUG and _make_administrator() else ""
    sys.stdout.write(NEXT.format(account=account))


def _make_administrator() -> bool:
    """Make the administrator if there is no other; return whether one can log in with the demo's password."""
    from django.contrib.auth import get_user_model

    users = get_user_model()._default_manager
    if not users.filter(is_superuser=True).exists():
        users.create_superuser(username=NAME, email="admin@example.com", password=PASSWORD)
    administrator = users.filter(username=NAME, is_superuser=True).first()
    return administrator is not None and administrator.check_password(PASSWORD)


if __name__ == "__main__":
    main()
