"""Where the example's database is: ``DATABASE_URL``, or an embedded PostgreSQL of the checkout's own."""

from __future__ import annotations

import os


def database_url() -> str:
    """Return the URL of the database server to use."""
    return os.environ["DATABASE_URL"]
