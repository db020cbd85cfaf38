"""The German catalogue of messages, as it is compiled."""

from __future__ import annotations

import gettext
from pathlib import Path

import sqlmigrations

PACKAGE = Path(sqlmigrations.__file__).parent

#: The source of the catalogue, below the package; what is compiled of it lies beside it.
SOURCE = Path("locale/de/LC_MESSAGES/django.po")
COMPILED = (PACKAGE / SOURCE).with_suffix(".mo")


def read_compiled(path: Path = COMPILED) -> dict[str | tuple[str, int], str]:
    """Return the messages of a compiled catalogue, without its header."""
    with path.open("rb") as stream:
        catalogue = gettext.GNUTranslations(stream)._catalog  # type: ignore[attr-defined] # no public way lists them
    return {key: text for key, text in catalogue.items() if key}
