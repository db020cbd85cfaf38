"""How much weighs what the linter or a validation has found; health checks have severities of their own."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """An error fails or loses something, or is not as it has to be; a warning may be meant; an info is a note."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
