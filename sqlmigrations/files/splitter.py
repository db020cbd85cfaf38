"""Split a stream of SQL into its statements, as the server reads it, in constant memory.

The rules are the server's own (see ``tokens``). From psql come only those that a server never sees: the data after
``COPY ... FROM stdin``, and backslash commands, of which all but a few harmless ones are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NoReturn

from sqlmigrations.files.copy_data import begin_data, data_blocks, reads_from_client
from sqlmigrations.files.glance import DIRECTIVE
from sqlmigrations.files.routines import RoutineBody, makes_routine
from sqlmigrations.files.statements import KEYWORDS, Statement
from sqlmigrations.files.tokens import (
    DOLLAR_OPENER,
    E_BODY,
    LINE_COMMENT,
    SPACE,
    WORD,
    TokenKind,
    bare_words,
    block_comment_end,
    escape_string_end,
    tokens,
)
from sqlmigrations.files.window import BLOCK, BOM, Window
from sqlmigrations.messages import gettext as _

__all__ = ["BLOCK", "BOM", "Splitter", "split"]

# What can be stepped over without a closer look, many bytes at a time. Words need not be told apart, except that an E
# which is a whole word makes a quote after it an escape string, and that a $ within a word starts no dollar quote. A
# doubled quote needs no rule: 'a''b' is as long as 'a' and 'b' side by side. An escape string is only stepped over when
# what follows shows that the next line does not go on with it. Each alternative is the only one that can match where it
# does, and is tried a limited number of times in a row: what could be tried again is kept in memory meanwhile.
_SOME = rb"{0,500}"
_ESCAPE_STRING = rb"(?<![A-Za-z0-9_$\x80-\xff])[eE]" + E_BODY
_COMMON = (
    rb"""'[^']*+'[, ]*+"""
    rb"""|[^'"$;()\\/\-eE]++"""
    rb"|[eE](?!')|(?<=[A-Za-z0-9_$\x80-\xff])[eE](?=')"
    rb'|"[^"]*+"'
    rb"|-(?!-)|/(?!\*)|(?<=[A-Za-z_\x80-\xff])\$|" + LINE_COMMENT + rb"[\r\n]"
    rb"|" + _ESCAPE_STRING + rb"(?=[,;)])"
)
# Nearly all of a large file is rows like (1, 'text', -2): they have a pattern of their own, tried first.
_ROW = (
    rb"""\((?:'[^']*+'[, ]*+|[^'"$;()\\/\-eE]++|[eE](?!')|-(?!-)|"""
    + (_ESCAPE_STRING + rb"(?=[,)]))" + _SOME)
    + rb"\)[,\s]*+"
)
_NESTING = 3


def _parentheses(depth: int) -> bytes:
    """Build the pattern of balanced parentheses, nested up to ``depth`` times."""
    inner = rb"|" + _parentheses(depth - 1) if depth > 1 else b""
    return rb"\((?:" + _COMMON + rb"|;" + inner + rb")" + _SOME + rb"\)"


_PARENTHESES = _parentheses(_NESTING)
_outside = re.compile(rb"(?:" + _ROW + rb"|" + _COMMON + rb"|" + _PARENTHESES + rb")" + _SOME, re.DOTALL)
_inside = re.compile(rb"(?:" + _ROW + rb"|" + _COMMON + rb"|;|" + _PARENTHESES + rb")" + _SOME, re.DOTALL)
# One token at a time, for the statements whose words decide where they end.
_single = re.compile(
    rb"(?P<blank>" + SPACE + rb"++|" + LINE_COMMENT + rb"[\r\n])"
    rb"|(?P<word>(?![eE]')" + WORD + rb")"
    rb"|[^'\"$;()\\/\-A-Za-z_\x80-\xff \t\n\r\f\v]++|'[^']*+'"
    rb'|"[^"]*+"|-(?!-)|/(?!\*)|[eE]' + E_BODY + rb"(?=[,;)])|" + _PARENTHESES,
    re.DOTALL,
)
_SEMICOLON = ord(";")
_PARENTHESIS = {ord("("): 1, ord(")"): -1}
_COMMENT_OPENERS = b"-/"
#: The bytes that what stands between statements begins with, or may begin with.
_GAP_OPENERS = frozenset(b" \t\n\r\f\v;-/\\")
#: Two words, or one that is not CREATE, which tell at once that a statement makes no function or procedure.
_no_routine = re.compile(
    rb"(?:CREATE" + SPACE + rb"++(?!(?:OR|REPLACE|FUNCTION|PROCEDURE)" + SPACE + rb")"
    rb"|(?!CREATE" + SPACE + rb"))[A-Z_]++" + SPACE,
    re.IGNORECASE,
)
_gap = re.compile(rb"(?:" + SPACE + rb"++|;|" + LINE_COMMENT + rb"[\r\n])" + _SOME)
_blank = re.compile(rb"(?:" + SPACE + rb"++|" + LINE_COMMENT + rb"[\r\n])*")
_line_comment = re.compile(LINE_COMMENT)
_line_end = re.compile(rb"[\r\n]")
_word_character = re.compile(rb"[A-Za-z0-9_$\x80-\xff]")
_within_word = re.compile(WORD + rb"|\$[0-9]++|[0-9]++|\$")
_dollar = re.compile(DOLLAR_OPENER)
_psql_command = re.compile(rb"\\(?:[A-Za-z_]+\+?|[^\s]?)")
_harmless = re.compile(rb"\\(?:(?:un)?restrict|set[ \t]+ON_ERROR_STOP)(?=[ \t\r\n]|\Z)[^\n]*+(?:\n|\Z)")


class Splitter:
    """Iterate once over the statements of a stream of bytes.

    ``notes`` says what was skipped; ``directives`` holds each ``-- sqlmigrations:`` comment, and each mark of another
    tool's way back, as (line, text, whether it stands before the first statement). Iterating raises ``InvalidFile``.
    """

    def __init__(self, blocks: Iterable[bytes], *, name: str = "") -> None:
        self.notes: list[str] = []
        self.directives: list[tuple[int, str, bool]] = []
        self._window = Window(blocks, name)
        self._number = 0
        # Where the last token that needed a closer look ended, as a distance from the window's position.
        self._floor = 0

    @property
    def is_complete(self) -> bool:
        """Whether the stream has been read to its end."""
        return self._window.complete

    def __iter__(self) -> Iterator[Statement]:
        while self.skip_gap():
            statement = self._statement()
            yield statement
            if statement.data is not None:
                for _ in statement.data:
                    pass

    # Between statements

    def skip_gap(self) -> bool:
        """Step over white space, comments, lone semicolons and harmless psql lines; return whether SQL follows."""
        window = self._window
        if not window.text and window.more() and window.text.startswith(BOM):
            window.move_to(len(BOM))
        while True:
            if window.position >= window.limit:
                if not window.more():
                    return False
                continue
            if window.text[window.position] not in _GAP_OPENERS:
                return True
            match = _gap.match(window.text, window.position, window.limit)
            if match and match.end() > window.position:
                self._note_directives(match.end())
                window.move_to(match.end())
                continue
            following = window.text[window.position : window.position + 2]
            if following == b"--":
                self._skip_line_comment()
            elif following == b"/*":
                length = self._token_length(0)
                window.move_to(window.position + length)
            elif following.startswith(b"\\"):
                self._skip_psql_command()
            else:
                return True

    def _skip_line_comment(self) -> None:
        """Step over a comment whose end is not at hand, or that ends with the file."""
        window = self._window
        length = self._token_length(0)
        self._note_directives(window.position + length)
        window.move_to(window.position + length)

    def _note_directives(self, end: int) -> None:
        """Collect the directives between the position and ``end``."""
        window = self._window
        if not DIRECTIVE.search(window.text, window.position, end):
            return
        for comment in _line_comment.finditer(window.text, window.position, end):
            if DIRECTIVE.match(comment.group()):
                line = window.line_at(comment.start())
                self.directives.append((line, comment.group().decode(), not self._number))

    def _skip_psql_command(self) -> None:
        """Step over a line that concerns psql alone; refuse any other command."""
        window = self._window
        window.see(b"\n", 0)
        match = _harmless.match(window.text, window.position)
        if match is None:
            self._refuse_psql_command(window.position)
        command = match.group().split()
        shown = b" ".join(command[:2] if command[0] == rb"\set" else command[:1]).decode()
        self.notes.append(f"skipped {shown} on line {window.line_at(window.position)}")
        window.move_to(match.end())

    def _refuse_psql_command(self, index: int) -> NoReturn:
        window = self._window
        match = _psql_command.match(window.text, index)
        command = match.group().decode(errors="replace") if match else "\\"
        hint = _("Remove it: a file goes to the server, which knows no backslash commands.")
        window.refuse(_("{command} is a command of psql, not SQL", command=command), window.line_at(index), hint)

    # Statements

    def _statement(self) -> Statement:
        """Read the statement that begins at the position."""
        window = self._window
        offset, line = window.place()
        self._floor = 0
        length = self._statement_length()
        sql = window.take(window.position + length)
        if not sql.endswith(b";"):
            sql = sql.rstrip(b" \t\n\r\f\v")
        self._number += 1
        if DIRECTIVE.search(sql):
            self._note_inner_directives(sql, line)
        keywords = bare_words(sql, KEYWORDS)
        if keywords[:1] == ("COPY",) and reads_from_client(sql):
            data_line = begin_data(window)
            return Statement(self._number, sql, offset, line, keywords, data_blocks(window, line), data_line)
        return Statement(self._number, sql, offset, line, keywords)

    def _note_inner_directives(self, sql: bytes, line: int) -> None:
        for token in tokens(sql):
            if token.kind is TokenKind.COMMENT and DIRECTIVE.match(token.text):
                place = line + sql.count(b"\n", 0, token.start)
                self.directives.append((place, token.text.decode(), False))

    def _statement_length(self) -> int:
        """Return the length of the statement at the position: through its semicolon, or to the end of the file."""
        window = self._window
        if self._makes_routine():
            return self._routine_length()
        length = depth = 0
        while True:
            here = window.position + length
            if here >= window.limit:
                if not window.more():
                    return len(window.text) - window.position
                continue
            match = (_inside if depth else _outside).match(window.text, here, window.limit)
            if match and match.end() > here:
                length += match.end() - here
                continue
            byte = window.text[here]
            if byte == _SEMICOLON:
                return length + 1
            if byte in _PARENTHESIS:
                depth = max(0, depth + _PARENTHESIS[byte])
                length += 1
            else:
                length += self._token_length(length)

    def _routine_length(self) -> int:
        """Return the length of a statement that makes a function or procedure, and may have a body of statements."""
        window = self._window
        body = RoutineBody()
        length = depth = 0
        while True:
            here = window.position + length
            if here >= window.limit:
                if not window.more():
                    return len(window.text) - window.position
                continue
            match = _single.match(window.text, here, window.limit)
            if match:
                length += match.end() - here
                if depth or match.lastgroup == "blank":
                    continue
                if match.lastgroup == "word":
                    body.word(match.group())
                else:
                    body.other()
                continue
            byte = window.text[here]
            if byte == _SEMICOLON:
                length += 1
                if not depth and not body.semicolon():
                    return length
                continue
            if byte in _PARENTHESIS:
                depth = max(0, depth + _PARENTHESIS[byte])
                length += 1
            else:
                length += self._token_length(length)
            if byte not in _COMMENT_OPENERS:
                body.other()

    def _makes_routine(self) -> bool:
        """Say whether the statement at the position makes a function or procedure, as its first words tell."""
        window = self._window
        if window.text[window.position] not in b"cC" or _no_routine.match(window.text, window.position, window.limit):
            return False
        wanted = 256
        while True:
            end = window.position + wanted
            while end < window.limit and _word_character.match(window.text, end):
                end += 1
            head = window.text[window.position : min(end, window.limit)]
            words = [word.encode() for word in bare_words(head, 4)]
            statement = _outside.match(head)
            if len(words) == 4 or (statement and head[statement.end() :].startswith(b";")):
                return makes_routine(words)
            if end < window.limit:
                wanted *= 4
            elif not window.more():
                return makes_routine(words)

    # Tokens that need a closer look

    def _token_length(self, start: int) -> int:
        """Return the length of the token ``start`` bytes after the position, reading on as far as it goes."""
        window = self._window
        while True:
            index = window.position + start
            end = self._token_end(index)
            if end >= 0:
                window.limit = max(window.limit, end)
                self._floor = end - window.position
                return end - index
            if not window.more():
                self._refuse_unterminated(window.position + start)

    def _token_end(self, index: int) -> int:
        """Return where the token at ``index`` ends, or -1 when it is not at hand as a whole."""
        text = self._window.text
        match text[index : index + 1]:
            case b"'" | b'"' as quote:
                return text.find(quote, index + 1) + 1 or -1
            case b"e" | b"E":
                return self._escape_string_end(index)
            case b"$":
                return self._dollar_end(index)
            case b"/":
                return block_comment_end(text, index, len(text))
            case b"-":
                end = _line_end.search(text, index)
                return end.end() if end else len(text) if self._window.complete else -1
            case b"\\":
                self._refuse_psql_command(index)
        return index + 1

    def _escape_string_end(self, index: int) -> int:
        """Return the end of ``E'...'``; what follows must be at hand, for the next line may go on with the string."""
        window = self._window
        end = escape_string_end(window.text, index)
        if end < 0 or window.complete:
            return end
        blank = _blank.match(window.text, end)
        following = window.text[blank.end() if blank else end :][:2]
        return -1 if following in (b"", b"-", b"--") else end

    def _dollar_end(self, index: int) -> int:
        """Return the end of a dollar quote, of a parameter, or of the word that the dollar sign is part of."""
        window = self._window
        start = index
        floor = window.position + self._floor
        while start > floor and _word_character.match(window.text, start - 1):
            start -= 1
        while start < index and (match := _within_word.match(window.text, start)):
            start = match.end()
        if start > index:
            return start
        opener = _dollar.match(window.text, index)
        if opener is None:
            return index + 1
        end = window.text.find(opener.group(), opener.end())
        return end + len(opener.group()) if end >= 0 else -1

    def _refuse_unterminated(self, index: int) -> NoReturn:
        window = self._window
        opener = _dollar.match(window.text, index)
        tag = opener.group().decode() if opener else ""
        what, close = {
            b'"': (_("quoted identifier"), _('Close it with ".')),
            b"$": (_("dollar quote {tag}", tag=tag), _("Close it with {tag}.", tag=tag)),
            b"/": (_("comment"), _("Close it with */; comments nest.")),
        }.get(window.text[index : index + 1], (_("string"), _("Close it with '.")))
        window.refuse(_("unterminated {what}", what=what), window.line_at(index), close)


def split(blocks: Iterable[bytes], *, name: str = "") -> Iterator[Statement]:
    """Yield the statements of a stream of bytes; ``name`` is the file's, for errors.

    The data of a COPY statement is skipped by itself when the next statement is asked for. Raises ``InvalidFile``.
    """
    return iter(Splitter(blocks, name=name))
