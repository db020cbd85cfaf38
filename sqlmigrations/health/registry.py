"""All checks that there are: the built-in ones, and those that a project names in its settings."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.module_loading import import_string

from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.health import cumulative, external, snapshot, structural
from sqlmigrations.health.base import Check

BUILT_IN: tuple[type[Check], ...] = (*structural.CHECKS, *snapshot.CHECKS, *cumulative.CHECKS, *external.CHECKS)


def known_checks(extra: Sequence[str] = ()) -> dict[str, type[Check]]:
    """Return all checks by id; ``extra`` are dotted paths to classes of a project's own.

    Raises:
        ConfigurationError: a path leads to no check, or to one whose id is taken.
    """
    found = {check.id: check for check in BUILT_IN}
    for path in extra:
        check = _load(path)
        if check.id in found and found[check.id] is not check:
            raise ConfigurationError(
                f"Two health checks are called '{check.id}': {_path(found[check.id])} and {path}.",
                hint="Give the one in the settings another id.",
            )
        found[check.id] = check
    return found


def _load(path: str) -> type[Check]:
    try:
        check = import_string(path)
    except ImportError as error:
        raise ConfigurationError(f"The health check '{path}' can't be imported: {error}.") from error
    if not (isinstance(check, type) and issubclass(check, Check) and hasattr(check, "id")):
        raise ConfigurationError(
            f"'{path}' is no health check.", hint="Name a subclass of sqlmigrations.health.base.Check with an id."
        )
    return check


def _path(check: type[Check]) -> str:
    return f"{check.__module__}.{check.__qualname__}"
