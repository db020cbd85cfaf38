"""System checks: what ``manage.py check`` says of the settings, the files and, with ``--database``, the databases.

Every message has an id, a hint and a section of its own in the documentation. Ids are never reused.
"""

from __future__ import annotations

from django.core.checks import Tags, register

from sqlmigrations.checks.databases import check_databases
from sqlmigrations.checks.files import check_files
from sqlmigrations.checks.routing import check_routing
from sqlmigrations.checks.settings import check_settings

#: ``manage.py check --tag sqlmigrations`` runs ours alone.
TAG = "sqlmigrations"


def register_checks() -> None:
    """Register all checks."""
    register(check_settings, TAG)
    register(check_files, TAG, Tags.files)
    register(check_routing, TAG)
    register(check_databases, TAG, Tags.database)
