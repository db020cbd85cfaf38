"""Makes the checks' messages: an id, a hint, and where the documentation tells more."""

from __future__ import annotations

from django.core.checks import CheckMessage, Error, Warning

#: The page with a section for each id.
PAGE = "https://github.com/sqlmigrations/sqlmigrations/blob/main/docs/reference/checks.md"


def error(number: str, message: str, *, hint: str, obj: str) -> CheckMessage:
    """Return an error with the id ``sqlmigrations.E<number>``."""
    return Error(message, hint=_with_link(hint, f"E{number}"), obj=obj, id=f"sqlmigrations.E{number}")


def warning(number: str, message: str, *, hint: str, obj: str) -> CheckMessage:
    """Return a warning with the id ``sqlmigrations.W<number>``."""
    return Warning(message, hint=_with_link(hint, f"W{number}"), obj=obj, id=f"sqlmigrations.W{number}")


def _with_link(hint: str, id: str) -> str:
    return f"{hint} ({PAGE}#{id.lower()})".lstrip()
