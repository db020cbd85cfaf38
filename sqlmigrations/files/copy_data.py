"""The data that follows ``COPY ... FROM stdin`` in a file: psql sends it, and the server never sees it as SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlmigrations.files.tokens import code
from sqlmigrations.files.window import Window
from sqlmigrations.messages import gettext as _

_after_copy = re.compile(rb"[ \t\f\v\r]*+(?:--[^\n]*+)?(?:\n|\Z)")


def reads_from_client(sql: bytes) -> bool:
    """Say whether COPY takes its data from the client: ``FROM stdin``, or ``FROM stdout``, the same to the server."""
    depth, before = 0, ""
    for token in code(sql):
        if token.text in (b"(", b")"):
            depth += 1 if token.text == b"(" else -1
        elif not depth:
            if before == "FROM":
                return token.word in ("STDIN", "STDOUT")
            if token.word == "TO":
                return False
        before = token.word if not depth else ""
    return False


def begin_data(window: Window) -> int:
    """Move to the line after the statement, where its data begins; return that line's number."""
    window.see(b"\n", 0)
    match = _after_copy.match(window.text, window.position)
    if match is None:
        window.refuse(
            _("text after COPY ... FROM stdin; on the same line"),
            window.line_at(window.position),
            _("The data begins on the next line: move this text below the line that holds only \\."),
        )
    window.move_to(match.end())
    return window.place()[1]


def data_blocks(window: Window, line: int) -> Iterator[bytes]:
    r"""Yield the data in blocks, up to the line that holds only ``\.``; ``line`` is that of the statement."""
    at_line_start = True
    while True:
        end, after = _end_of_data(window, at_line_start)
        if end >= 0:
            if end > window.position:
                yield window.take(end)
            window.move_to(after)
            return
        # The last line may still turn out to be the end, when it begins like it and is not at hand as a whole.
        cut = len(window.text)
        start = window.text.rfind(b"\n", window.position) + 1 or (window.position if at_line_start else cut)
        if rb"\.".startswith(window.text[start : start + 2]) or window.text[start:] == b"\\.\r":
            cut = start
        if cut > window.position:
            part = window.take(cut)
            at_line_start = part.endswith(b"\n")
            yield part
        if not window.more():
            window.refuse(_("unterminated COPY block"), line, _("End the data with a line that holds only \\."))


def _end_of_data(window: Window, at_line_start: bool) -> tuple[int, int]:
    """Return where the data ends and where the text goes on; -1 when the end is not at hand."""
    if window.text.find(b"\\", window.position) < 0:
        return -1, -1  # told several times as fast as by looking for both characters
    found = window.position - 1
    while (found := window.text.find(rb"\.", found + 1)) >= 0:
        before = window.text[found - 1 : found] if found > window.position else b"\n" if at_line_start else b""
        if before != b"\n":
            continue
        rest = window.text[found + 2 : found + 4]
        if rest.startswith(b"\n"):
            return found, found + 3
        if rest == b"\r\n" or (window.complete and rest in (b"", b"\r")):
            return found, found + 2 + len(rest)
    return -1, -1
