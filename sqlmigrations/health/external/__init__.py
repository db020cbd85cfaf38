"""Checks of what the server doesn't know: backups, poolers, Django's settings."""

from __future__ import annotations

from sqlmigrations.health.base import Check
from sqlmigrations.health.external import backups, connecting, pooler

#: All of them, in the order in which they are listed.
CHECKS: tuple[type[Check], ...] = (*backups.CHECKS, *pooler.CHECKS, *connecting.CHECKS)
