"""Shows SQL as HTML: coloured by Pygments, with a number and an anchor on each line, the error at its line.

The HTML carries classes and no styles, so that a strict Content-Security-Policy lets it pass; the colours are in
``static/sqlmigrations/sql.css``. Text that is too long for a page is cut to a window of whole lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from pygments import highlight as pygmentize
from pygments.filter import Filter
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers.sql import PostgresLexer
from pygments.token import Name, Operator, Punctuation, String, Text, Whitespace, _TokenType

#: Lines and characters of a text that one page shows, and characters of one line.
MAX_LINES = 1_000
MAX_CHARACTERS = 100_000
MAX_LINE_LENGTH = 1_000

#: Lines shown before an error that lies beyond the first window.
LINES_BEFORE = 20

#: Stands before the class of each token, so that no theme's ``.k`` or ``.s`` meets it.
CLASS_PREFIX = "sqlm-sql-"


@dataclass(frozen=True, slots=True)
class Mark:
    """An error and the line it is at."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A window of whole lines of a text, each with its newline; long lines end with an ellipsis."""

    text: str
    first_line: int
    last_line: int
    total_lines: int
    is_cut: bool


def excerpt(text: str, around: int | None = None) -> Excerpt:
    """Return as much of ``text`` as a page can bear: its beginning, or a window with line ``around`` in it."""
    lines = text.removesuffix("\n").split("\n")
    window = _window(lines, 0)
    if around is not None and len(window) < around <= len(lines):
        start = max(0, around - 1 - LINES_BEFORE)
        window = _window(lines, start)
    else:
        start = 0
    return Excerpt(
        text="".join(f"{line}\n" for line in window),
        first_line=start + 1,
        last_line=start + len(window),
        total_lines=len(lines),
        is_cut=window != lines,
    )


def _window(lines: list[str], start: int) -> list[str]:
    """Return lines from ``start`` on, within the limits; always at least one."""
    window: list[str] = []
    characters = 0
    for line in lines[start : start + MAX_LINES]:
        short = line if len(line) <= MAX_LINE_LENGTH else line[: MAX_LINE_LENGTH - 1] + "…"
        characters += len(short) + 1
        if window and characters > MAX_CHARACTERS:
            break
        window.append(short)
    return window


def highlight(
    sql: str, *, first_line: int = 1, anchor: str = "L", mark: Mark | None = None, numbered: bool = True
) -> SafeString:
    """Return ``sql`` as a ``<pre>`` of numbered lines; line 12 has the id ``L12`` where ``anchor`` is ``L``.

    A page that shows several texts gives each an anchor of its own. Without numbers there are no ids and no mark.
    """
    lexer = PostgresLexer(stripnl=False, ensurenl=True)
    lexer.add_filter(_PlainText())
    formatter = _Lines(first_line, anchor, mark) if numbered else _Lines(None, "", None)
    # A lone carriage return ends a line for Pygments, but not for PostgreSQL.
    visible = sql.replace("\r\n", "\n").replace("\r", "␍")
    return mark_safe(pygmentize(visible, lexer, formatter).strip("\n"))  # noqa: S308 Pygments escapes it


class _PlainText(Filter):
    """Take names, quoted ones too, and all that stands between words for plain text: it halves the HTML."""

    plain = frozenset({Name, Operator, Punctuation, String.Name, Whitespace})

    def filter(self, lexer: Lexer | None, stream: Iterable[tuple[_TokenType, str]]) -> Iterator[tuple[_TokenType, str]]:
        """Yield each token, the plain ones as text."""
        for kind, value in stream:
            yield (Text if kind in self.plain else kind), value


class _Lines(HtmlFormatter[str]):
    """Put each line into an element of its own with number, id and link to itself, and the error below its line."""

    def __init__(self, first_line: int | None, anchor: str, mark: Mark | None) -> None:
        super().__init__(classprefix=CLASS_PREFIX, cssclass="sqlm-highlight")
        self._first_line = first_line
        self._anchor = anchor
        self._mark = mark

    def wrap(self, source: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
        """Wrap the lines that Pygments made; the second of each pair is HTML."""
        yield 0, '<pre class="sqlm-code"><code>'
        for offset, (_is_code, line) in enumerate(source):
            html = mark_safe(line.rstrip("\n"))  # noqa: S308 Pygments has escaped it
            yield 1, self._plain(html) if self._first_line is None else self._numbered(self._first_line + offset, html)
        yield 0, "</code></pre>"

    def _plain(self, html: SafeString) -> SafeString:
        return format_html('<span class="sqlm-line">{}\n</span>', html)

    def _numbered(self, number: int, html: SafeString) -> SafeString:
        mark = self._mark if self._mark and self._mark.line == number else None
        # CSS draws the number, so that nobody copies it along with the text. The tab key skips these links.
        line = format_html(
            '<span class="sqlm-line{css}" id="{id}"><a class="sqlm-number" href="#{id}" data-number="{number}" '
            'tabindex="-1" aria-hidden="true"></a>{html}\n</span>',
            css=" sqlm-line--error" if mark else "",
            id=f"{self._anchor}{number}",
            number=number,
            html=html,
        )
        return line + self._note(mark) if mark else line

    def _note(self, mark: Mark) -> SafeString:
        return format_html(
            '<span class="sqlm-note" role="note"><strong>{}</strong> {}\n</span>', _("Error:"), mark.message
        )
