"""Scripts whose text comes from the history instead of the disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlmigrations.files.scripts import SQLFile, Stamp


@dataclass(frozen=True)
class RecordedFile(SQLFile):
    """A SQL file, or a companion of one, as it was kept when its file was applied."""

    text: str = ""

    def blocks(self) -> Iterator[bytes]:
        """Yield the kept text."""
        yield self.text.encode()

    def stamp(self) -> Stamp:
        """Return the text's size: it never changes."""
        return Stamp(len(self.text.encode()))
