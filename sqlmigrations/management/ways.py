"""The ways in which a command is used, and which options have a meaning in which: what would be ignored is refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmigrations.exceptions import ConfigurationError


@dataclass(frozen=True, slots=True)
class Way:
    """One way to use a command.

    ``option`` asks for it; the ordinary way, which comes last, has none. ``takes`` names the options that have a
    meaning there, ``does`` says what is done instead of the ordinary: "--list, which only lists the files".
    """

    option: str
    takes: frozenset[str]
    does: str = ""


def refuse_ignored(ways: Sequence[Way], options: Mapping[str, Any]) -> None:
    """Refuse an option that has no meaning in the way in which the command is used; the first that is asked for counts.

    Options that no way names have a meaning everywhere.

    Raises:
        ConfigurationError: an option would be ignored.
    """
    judged = {option for way in ways for option in (way.option, *way.takes) if option}
    given = [option for option in options if option in judged and is_given(options[option])]
    for way in ways:
        if way.option in given or not way.option:
            for option in given:
                if option != way.option and option not in way.takes:
                    raise _refusal(option, way, ways)
            return


def is_given(value: Any) -> bool:
    """Say whether an option has another value than what it has when nobody gives it."""
    return value is not None and value is not False and value not in ("", [])


def _refusal(option: str, way: Way, ways: Collection[Way]) -> ConfigurationError:
    if way.option:
        return ConfigurationError(
            f"{flag(option)} has no meaning with {flag(way.option)}, which {way.does}.", hint="Leave one of them out."
        )
    takers = [flag(other.option) for other in ways if option in other.takes]
    return ConfigurationError(f"{flag(option)} goes with {' or '.join(takers)}.")


def flag(option: str) -> str:
    """Return an option as it is written on the command line."""
    return "NAME" if option == "names" else f"--{option.replace('_', '-')}"
