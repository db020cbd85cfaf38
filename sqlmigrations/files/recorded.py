"""Scripts whose text comes from the history instead of the disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlmigrations.files.scripts import SQLFile


@dataclass(frozen=True)
class RecordedFile(SQLFile):
    """A SQL file, or a companion of one, as it was kept when its file was applied."""

    text: str = ""

    def blocks(self) -> Iterator[bytes]:
        """Yield the kept text."""
        yield self.text.encode()

    @property
    def size(self) -> int:
        """The text's size in bytes."""
        return len(self.text.encode())
