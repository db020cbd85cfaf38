"""Raw SQL files as first-class migrations of a Django project on PostgreSQL."""

from __future__ import annotations

import logging

__version__ = "1.0.0"

logging.getLogger("sqlmigrations").addHandler(logging.NullHandler())
