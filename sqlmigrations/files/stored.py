"""The text of a file that is kept with its record, collected in bounded memory while the file streams."""

from __future__ import annotations

import re

from sqlmigrations.files.masking import mask
from sqlmigrations.files.statements import ROWS, Statement
from sqlmigrations.files.window import BOM

#: Texts up to this size, in bytes, are kept whole.
WHOLE = 1024 * 1024

#: The first line of a text that is cut.
CUT = re.compile(r"-- \d+ bytes, v1:[0-9a-f]{64}: only the statements are kept, without their data")

_values = re.compile(rb"\bvalues\b", re.IGNORECASE)


class Kept:
    """Take a file's blocks and its statements; keep the file as it is, or its statements when it is too large."""

    def __init__(self) -> None:
        #: How many statements have a password hidden.
        self.masked = 0
        self._size = 0
        self._blocks: list[bytes] = []
        self._hidden: list[tuple[int, int, bytes]] = []
        self._statements: list[str] = []
        self._statements_size = 0
        self._left_out = 0

    def block(self, block: bytes) -> None:
        """Take the next block of the file."""
        self._size += len(block)
        if self._size <= WHOLE:
            self._blocks.append(block)
        else:
            self._blocks.clear()

    def statement(self, statement: Statement, *, is_whole: bool = False) -> None:
        """Take the next statement of the file; ``is_whole`` says that no block follows."""
        text = mask(statement)
        if text != statement.sql:
            self.masked += 1
            if self._size <= WHOLE:
                self._hidden.append((statement.offset, len(statement.sql), text))
        if is_whole and self._size <= WHOLE:
            return
        room = WHOLE - self._statements_size
        if room <= 0:
            self._left_out += 1
            return
        shown = _without_rows(text, statement, room)
        self._statements.append(shown)
        self._statements_size += len(shown)

    def text(self, checksum: str, *, sensitive: bool) -> str:
        """Return what is kept of a file with this checksum."""
        if sensitive:
            return f"-- sensitive: only the checksum is kept: {checksum}\n"
        if self._size <= WHOLE:
            return self._whole()
        header = f"-- {self._size} bytes, {checksum}: only the statements are kept, without their data\n"
        footer = f"-- {self._left_out} more statements are left out\n" if self._left_out else ""
        return header + "".join(self._statements) + footer

    def _whole(self) -> str:
        text = b"".join(self._blocks)
        for offset, length, hidden in reversed(self._hidden):
            text = text[:offset] + hidden + text[offset + length :]
        return text.removeprefix(BOM).decode()


def _without_rows(text: bytes, statement: Statement, room: int) -> str:
    """Return a statement as it is shown in the place of a file that is too large, on lines of its own."""
    cut = len(text)
    if cut > ROWS and statement.keywords[:1] == ("INSERT",):
        values = _values.search(text, 0, ROWS)
        cut = values.end() if values else ROWS
    cut = min(cut, room)
    shown = text[:cut].decode(errors="ignore")
    if cut < len(text):
        shown += f" -- {len(text) - cut} more bytes are left out"
    if statement.data is not None:
        shown += "\n-- its data is left out"
    return shown + "\n"
