"""Refuses to work with settings that nobody can work with."""

from __future__ import annotations

from django.core.checks import run_checks

from sqlmigrations.exceptions import ConfigurationError

#: The tag of the check of the settings alone, and the id of what it says of a wrong value.
TAG, WRONG_VALUE = "sqlmigrations_settings", "sqlmigrations.E002"


def judge_settings() -> None:
    """Look at the settings; all else that checks find is no reason not to begin.

    Raises:
        ConfigurationError: a setting has a value that can't be worked with.
    """
    for found in run_checks(tags=[TAG]):
        if found.id == WRONG_VALUE:
            raise ConfigurationError(f"{found.obj} can't be worked with: {found.msg}", hint=found.hint or "")
