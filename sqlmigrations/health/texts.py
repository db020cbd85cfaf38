"""Statements of others as they are shown: on one line, not too long, without passwords."""

from __future__ import annotations

import re

from sqlmigrations.exceptions import SQLMigrationsError
from sqlmigrations.files.masking import mask
from sqlmigrations.files.splitter import split

#: Characters of a statement that are shown.
LENGTH = 500

_SUSPECT = re.compile(r"passw|://", re.IGNORECASE)


def shown(text: str, length: int = LENGTH) -> str:
    """Return the text of a statement on one line, its passwords replaced by asterisks.

    PostgreSQL cuts the texts of sessions (``track_activity_query_size``): one that can't be read to its end, and may
    hold a password, is not shown.
    """
    if _SUSPECT.search(text):
        try:
            text = " ".join(mask(statement).decode() for statement in split([text.encode()]))
        except SQLMigrationsError:
            return "(not shown: it is cut off, and may hold a password)"
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[:length]} ..."
