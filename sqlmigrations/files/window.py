"""A window that moves over a stream of bytes: what lies before it is counted and forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from sqlmigrations.exceptions import InvalidFile, Problem
from sqlmigrations.messages import gettext as _

BOM = b"\xef\xbb\xbf"
#: How much is read at once, in bytes.
BLOCK = 1 << 18

# A cut after one of these never divides a token that is not quoted.
_SEPARATORS = (b"\n", b" ", b",", b";")


class Window:
    """The bytes of a stream that are at hand, checked to be UTF-8 without NUL.

    ``text`` holds them, ``position`` is the first that is still of interest, and up to ``limit`` they can be read
    without dividing a token. All three move when ``more`` reads on: across a call of it, only distances from
    ``position`` stay true.
    """

    def __init__(self, blocks: Iterable[bytes], name: str) -> None:
        self.name = name
        self.text = b""
        self.position = 0
        self.limit = 0
        self.complete = False
        self._blocks = iter(blocks)
        self._received = 0  # bytes
        self._cut = b""  # the beginning of a character whose end has not come yet
        # What was counted up to the byte at ``_counted``.
        self._counted = 0
        self._offset = 0
        self._line = 1

    def more(self) -> bool:
        """Forget what lies before the position, and read on; return False if the end had been reached before."""
        if self.complete:
            return False
        self._count_to(self.position)
        # One copy at a time: what is kept can be a statement of hundreds of megabytes.
        parts = [self.text[self.position :]]
        self.text = b""
        self._read(parts, max(BLOCK, len(parts[0]) // 2))
        self.text = b"".join(parts)
        self.position = self._counted = 0
        self.limit = self._safe_end()
        return True

    def _safe_end(self) -> int:
        if self.complete:
            return len(self.text)
        return max(self.text.rfind(separator) for separator in _SEPARATORS) + 1

    def _read(self, parts: list[bytes], wanted: int) -> None:
        """Add ``wanted`` bytes or more to ``parts``, which begin at the position; less only at the end."""
        while wanted > 0:
            block = next(self._blocks, None)
            if block is None:
                self.complete = True
                if self._cut:
                    self._refuse_encoding(self._received - len(self._cut), self._cut[0], self._line_behind(parts))
                break
            self._check(block, parts)
            parts.append(block)
            wanted -= len(block)

    def _line_behind(self, parts: list[bytes]) -> int:
        """Return the line behind ``parts``. Lines are counted once, and for a refusal once more: that takes long."""
        return self._line + sum(part.count(b"\n") for part in parts)

    def _check(self, block: bytes, before: list[bytes]) -> None:
        """Refuse NUL and everything that is not UTF-8, with its place."""
        nul = block.find(b"\0")
        if nul >= 0:
            line = self._line_behind([*before, block[:nul]])
            message = _("not text: a NUL byte at byte {byte}", byte=self._received + nul + 1)
            self.refuse(message, line, _("PostgreSQL accepts no NUL; remove it, or save the file as UTF-8."))
        if self._cut or not block.isascii():
            self._check_encoding(self._cut + block, before)
        self._received += len(block)

    def _check_encoding(self, text: bytes, before: list[bytes]) -> None:
        start = self._received - len(self._cut)
        self._cut = b""
        try:
            text.decode()
        except UnicodeDecodeError as error:
            if error.reason == "unexpected end of data":
                self._cut = text[error.start :]
            else:
                line = self._line_behind([*before, text[: error.start]])
                self._refuse_encoding(start + error.start, text[error.start], line)

    def _refuse_encoding(self, index: int, byte: int, line: int) -> NoReturn:
        self.refuse(
            _("not UTF-8: 0x{byte} at byte {place}", byte=f"{byte:02X}", place=index + 1),
            line,
            _("Save the file as UTF-8."),
        )

    def see(self, wanted: bytes, start: int) -> int:
        """Read on until ``wanted`` is at hand after the byte ``start`` from the position; return whether it is.

        The answer is its distance from the position, or -1 when the stream ends without it.
        """
        while True:
            found = self.text.find(wanted, self.position + start)
            if found >= 0:
                return found - self.position
            start = max(start, len(self.text) - self.position - len(wanted) + 1)
            if not self.more():
                return -1

    def place(self) -> tuple[int, int]:
        """Return the position's place in the stream: its byte (from 0) and its line (from 1)."""
        self._count_to(self.position)
        return self._offset, self._line

    def line_at(self, index: int) -> int:
        """Return the line of a byte of ``text``, not before one whose place was asked for."""
        return self._line + self.text.count(b"\n", self._counted, index)

    def _count_to(self, index: int) -> None:
        self._line += self.text.count(b"\n", self._counted, index)
        self._offset += index - self._counted
        self._counted = index

    def move_to(self, index: int) -> None:
        """Set the position to a byte of ``text``."""
        self.position = index
        self.limit = max(self.limit, index)

    def take(self, end: int) -> bytes:
        """Return the bytes from the position to ``end``, and move there."""
        part = self.text[self.position : end]
        self.move_to(end)
        return part

    def refuse(self, message: str, line: int, hint: str = "") -> NoReturn:
        """Raise ``InvalidFile``."""
        raise InvalidFile(Problem(message, self.name, line, hint))
