"""Split a stream of SQL into its statements, as the server reads it, in constant memory.

The rules are the server's own (see ``tokens``). From ``psql`` come only those that a server never sees: the data after
``COPY ... FROM stdin``, and backslash commands, of which all but a few harmless ones are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NoReturn

from sqlmigrations.exceptions import InvalidFile, Problem
from sqlmigrations.files.statements import KEYWORDS, Statement
from sqlmigrations.files.tokens import (
    E_BODY,
    LINE_COMMENT,
    SPACE,
    WORD,
    TokenKind,
    bare_words,
    block_comment_end,
    code,
    dollar_opener,
    e_string,
    tokens,
)

BOM = b"\xef\xbb\xbf"
#: How much is read at once, in bytes.
BLOCK = 1 << 18

# Tokens that can be stepped over without a look at them. A doubled quote needs no rule: 'a''b' is as long as 'a' 'b'.
# An E'' string is stepped over only when what follows shows that it is not continued on the next line.
_ATOM = (
    rb"""[^'"$;()\\/\-A-Za-z_\x80-\xff]++"""
    rb"|(?![eE]')" + WORD + rb"|'[^']*+'"
    rb'|"[^"]*+"'
    rb"|-(?!-)|/(?!\*)|\$[0-9]++"
    rb"|" + LINE_COMMENT + rb"[\r\n]"
    rb"|[eE]" + E_BODY + rb"(?=[,;)])"
)


def _parenthesised(depth: int) -> bytes:
    """Build the pattern of balanced parentheses, nested up to ``depth`` times."""
    inner = rb"|" + _parenthesised(depth - 1) if depth else b""
    return rb"\((?:" + _ATOM + rb"|;" + inner + rb")*+\)"


_plain = re.compile(rb"(?:" + _ATOM + rb"|" + _parenthesised(2) + rb")*+", re.DOTALL)
_plain_nested = re.compile(rb"(?:" + _ATOM + rb"|;|" + _parenthesised(2) + rb")*+", re.DOTALL)
# The same one token at a time, for the statements whose words decide where they end.
_step = re.compile(rb"(?:" + _ATOM + rb"|" + _parenthesised(2) + rb")", re.DOTALL)
_gap = re.compile(rb"(?:" + SPACE + rb"|;|" + LINE_COMMENT + rb"[\r\n])*+")
_rest_of_line = re.compile(rb"[^\n]*+(?:\n|\Z)")
_psql_command = re.compile(rb"\\(?:[A-Za-z_]+\+?|[^\s]?)")
_harmless = re.compile(rb"\\(?:(?:un)?restrict(?=[ \t\r\n]|\Z)|set[ \t]+ON_ERROR_STOP(?=[ \t\r\n]|\Z))[^\n]*+(?:\n|\Z)")
_after_copy = re.compile(rb"[ \t\f\v\r]*+(?:--[^\n]*+)?(?:\n|\Z)")
_directive = re.compile(rb"--[ \t]*sqlmigrations[ \t]*:[^\r\n]*", re.IGNORECASE)
_marker = re.compile(rb"sqlmigrations[ \t]*:", re.IGNORECASE)
_line_comment = re.compile(LINE_COMMENT)
# A cut after one of these never divides a token that is not quoted.
_SEPARATORS = (b"\n", b" ", b",", b";")
_CONTINUATION_BYTES = bytes(range(0x80, 0xC0))
_ROUTINE = {("CREATE", "FUNCTION"), ("CREATE", "PROCEDURE")}


class Splitter:
    """Iterate once over the statements of a stream of bytes.

    ``notes`` says what was skipped, ``directives`` holds each ``-- sqlmigrations:`` comment as (line, text,
    whether it stands before the first statement). Iterating raises ``InvalidFile``.
    """

    def __init__(self, blocks: Iterable[bytes], *, name: str = "") -> None:
        self.name = name
        self.notes: list[str] = []
        self.directives: list[tuple[int, str, bool]] = []
        self._blocks = iter(blocks)
        self._buffer = b""
        self._base = 0  # how many bytes of the file lie before the buffer
        self._position = 0  # within the buffer
        self._limit = 0  # up to here the buffer can be read without dividing a token
        self._complete = False
        self._undecoded = b""
        self._received = 0
        self._ascii = True
        # The place up to which lines and characters have been counted, within the buffer.
        self._counted = 0
        self._line = 1
        self._characters = 0
        self._lines_received = 1
        self._number = 0
        self._started = False

    def __iter__(self) -> Iterator[Statement]:
        while self.skip_gap():
            statement = self._statement()
            self._started = True
            yield statement
            if statement.data is not None:
                for _ in statement.data:
                    pass

    # Reading

    def _more(self) -> bool:
        """Read on, dropping what is done with; say whether there was anything."""
        if self._complete:
            return False
        wanted = max(BLOCK, (len(self._buffer) - self._position) // 2)
        read: list[bytes] = []
        size = 0
        while size < wanted:
            block = next(self._blocks, None)
            if block is None:
                self._complete = True
                break
            self._check(block)
            read.append(block)
            size += len(block)
        if self._complete and self._undecoded:
            self._refuse_encoding(self._received - len(self._undecoded), self._undecoded[0], self._lines_received)
        self._buffer += b"".join(read)
        self._limit = len(self._buffer) if self._complete else self._last_separator()
        return bool(read)

    def _last_separator(self) -> int:
        return max(self._buffer.rfind(separator, self._position) for separator in _SEPARATORS) + 1 or self._position

    def _check(self, block: bytes) -> None:
        """Refuse NUL and everything that is not UTF-8, with its place."""
        nul = block.find(b"\0")
        if nul >= 0:
            place, line = self._received + nul, self._lines_received + block.count(b"\n", 0, nul)
            self._refuse(f"a NUL byte at byte {place}", line, "Text that PostgreSQL accepts holds none; remove it.")
        if self._undecoded or not block.isascii():
            self._ascii = False
            text = self._undecoded + block
            try:
                text.decode()
                self._undecoded = b""
            except UnicodeDecodeError as error:
                if error.end < len(text) or error.reason != "unexpected end of data":
                    start = self._received - len(self._undecoded) + error.start
                    line = self._lines_received + text.count(b"\n", 0, error.start)
                    self._refuse_encoding(start, text[error.start], line)
                self._undecoded = text[error.start :]
        self._received += len(block)
        self._lines_received += block.count(b"\n")

    def _refuse_encoding(self, place: int, byte: int, line: int) -> NoReturn:
        self._refuse(f"not UTF-8: byte 0x{byte:02X} at byte {place}", line, "Save the file as UTF-8.")

    def _drop(self) -> None:
        """Forget the part of the buffer that has been dealt with."""
        self._count_to(self._position)
        self._buffer = self._buffer[self._position :]
        self._base += self._position
        self._limit -= self._position
        self._position = self._counted = 0

    def _count_to(self, position: int) -> None:
        passed = self._buffer[self._counted : position]
        self._line += passed.count(b"\n")
        self._characters += len(passed) if self._ascii else len(passed.translate(None, _CONTINUATION_BYTES))
        self._counted = position

    def _line_at(self, position: int) -> int:
        return self._line + self._buffer.count(b"\n", self._counted, position)

    def _refuse(self, message: str, line: int, hint: str = "") -> NoReturn:
        raise InvalidFile(Problem(message, self.name, line, hint))

    # Between statements

    def skip_gap(self) -> bool:
        """Step over white space, comments, lone semicolons and harmless psql lines; say whether a statement follows."""
        if not self._base and not self._position:
            while len(self._buffer) < len(BOM) and self._more():
                pass
            if self._buffer.startswith(BOM):
                self._position = len(BOM)
        while True:
            if self._limit <= self._position:
                self._drop()
                if not self._more() and self._position >= self._limit:
                    return False
                continue
            start = self._position
            match = _gap.match(self._buffer, start, self._limit)
            self._position = match.end() if match else start
            self._note_directives(start, self._position)
            if self._position >= self._limit:
                continue
            head = self._buffer[self._position : self._position + 2]
            if head == b"--":
                self._skip_comment(b"--")
            elif head == b"/*":
                self._skip_comment(b"/*")
            elif head.startswith(b"\\"):
                self._skip_psql_command()
            else:
                return True

    def _skip_comment(self, opener: bytes) -> None:
        if opener == b"/*":
            self._position = self._end_of_comment(self._position)
            return
        self._drop()
        while (end := _line_end(self._buffer, 0)) < 0:
            if not self._more():
                end = len(self._buffer)
                break
        self._note_directives(0, end)
        self._position = end
        self._limit = max(self._limit, end)

    def _skip_psql_command(self) -> None:
        while b"\n" not in self._buffer[self._position :] and self._more():
            pass
        match = _harmless.match(self._buffer, self._position)
        if match is None:
            self._refuse_psql_command(self._position)
        words = match.group().decode().split()
        self.notes.append(
            f"skipped {' '.join(words[:2] if words[0] == chr(92) + 'set' else words[:1])} on line "
            f"{self._line_at(self._position)}"
        )
        self._position = match.end()
        self._limit = max(self._limit, self._position)

    def _refuse_psql_command(self, position: int) -> NoReturn:
        match = _psql_command.match(self._buffer, position)
        command = match.group().decode(errors="replace") if match else "\\"
        self._refuse(
            f"{command} is a command of psql, not SQL",
            self._line_at(position),
            "Files are sent to the server, which knows no backslash commands: remove it.",
        )

    def _note_directives(self, start: int, end: int) -> None:
        if _marker.search(self._buffer, start, end):
            for comment in _line_comment.finditer(self._buffer, start, end):
                if _directive.match(comment.group()):
                    line = self._line_at(comment.start())
                    self.directives.append((line, comment.group().decode(), not self._started))

    # Statements

    def _statement(self) -> Statement:
        """Read one statement, which begins at the present position."""
        self._drop()
        offset, line, characters = self._base, self._line, self._characters
        end = self._find_end()
        sql = self._buffer[:end]
        if not sql.endswith(b";"):
            sql = sql.rstrip(b" \t\n\r\f\v")
        self._position = end
        if _marker.search(sql):
            self._note_stray_directives(sql)
        self._number += 1
        keywords = bare_words(sql, KEYWORDS)
        data, data_line = None, 0
        if keywords[:1] == ("COPY",) and reads_from_client(sql):
            data_line = self._start_of_data(line)
            data = self._data(line)
        return Statement(self._number, sql, offset, characters, line, keywords, data, data_line)

    def _note_stray_directives(self, sql: bytes) -> None:
        for token in tokens(sql):
            if token.kind is TokenKind.COMMENT and _directive.match(token.text):
                line = self._line + sql.count(b"\n", 0, token.start)
                self.directives.append((line, token.text.decode(), False))

    def _find_end(self) -> int:
        """Return where the statement at the buffer's start ends: after its semicolon, or at the end of the file."""
        position = depth = 0
        body: _Body | None = None
        decided = False
        while True:
            if position >= self._limit:
                if not self._more():
                    return len(self._buffer)
                continue
            if not decided:
                words = self._first_words()
                if words is None:
                    self._more()
                    continue
                decided = True
                body = _Body() if words else None
            pattern = _step if body is not None and not depth else _plain_nested if depth else _plain
            match = pattern.match(self._buffer, position, self._limit)
            if match and match.end() > position:
                if body is not None and not depth:
                    body.token(match.group())
                position = match.end()
                continue
            byte = self._buffer[position : position + 1]
            if byte == b";":
                position += 1
                if depth or (body is not None and body.semicolon()):
                    continue
                return position
            if byte == b"(":
                depth += 1
                position += 1
            elif byte == b")":
                depth = max(0, depth - 1)
                position += 1
            else:
                position = self._long_token(position)
            if body is not None and byte not in b"/-":
                body.other()

    def _first_words(self) -> bool | None:
        """Say whether the statement makes a function or procedure; None when more must be read to know."""
        if self._buffer[:1] not in b"cC":
            return False
        head = self._buffer[: self._limit]
        words = bare_words(head[:4096], 4)
        if len(words) < 4 and not self._complete and b";" not in head and len(head) < 65536:
            return None
        words = tuple(word for word in words if word not in ("OR", "REPLACE"))
        return words[:2] in _ROUTINE

    def _long_token(self, position: int) -> int:
        """Step over a token that the fast patterns leave: return where it ends."""
        while True:
            end = self._token_end(position)
            if end >= 0:
                self._limit = max(self._limit, end)
                return end
            if not self._more():
                self._refuse_unterminated(position)

    def _token_end(self, position: int) -> int:
        """Return where the token ends, or -1 when the buffer does not hold it whole."""
        text, size = self._buffer, len(self._buffer)
        byte = text[position : position + 1]
        if byte in b"'\"":
            return text.find(byte, position + 1) + 1 or -1
        if byte in b"eE":
            match = e_string.match(text, position)
            # The next line may go on with the string: its first token must be in sight.
            return match.end() if match and (self._complete or self._goes_on(match.end())) else -1
        if byte == b"$":
            return self._dollar_end(position)
        if byte == b"/":
            return block_comment_end(text, position, size)
        if byte == b"-":
            end = _line_end(text, position)
            return end if end >= 0 else size if self._complete else -1
        if byte == b"\\":
            self._refuse_psql_command(position)
        return position + 1

    def _goes_on(self, position: int) -> bool:
        """Say whether something other than white space and comments is in sight."""
        match = _gap_before_token.match(self._buffer, position)
        end = match.end() if match else position
        return end < len(self._buffer) - 1

    def _dollar_end(self, position: int) -> int:
        opener = dollar_opener.match(self._buffer, position)
        if opener is None:
            return position + 1
        end = self._buffer.find(opener.group(), opener.end())
        return end + len(opener.group()) if end >= 0 else -1

    def _refuse_unterminated(self, position: int) -> NoReturn:
        byte = self._buffer[position : position + 1]
        if byte == b'"':
            what, hint = "unterminated quoted identifier", 'Close it with ".'
        elif byte == b"$":
            opener = dollar_opener.match(self._buffer, position)
            tag = opener.group().decode(errors="replace") if opener else "$$"
            what, hint = f"unterminated dollar quote {tag}", f"Close it with {tag}."
        elif byte == b"/":
            what, hint = "unterminated comment", "Close it with */; comments nest in PostgreSQL."
        else:
            what, hint = "unterminated string", "Close it with '."
        self._refuse(what, self._line_at(position), hint)

    def _end_of_comment(self, position: int) -> int:
        self._drop()
        return self._long_token(0)

    # Data of COPY ... FROM stdin

    def _start_of_data(self, line: int) -> int:
        """Step to the line after the statement, where its data begins; return that line's number."""
        while b"\n" not in self._buffer[self._position :] and self._more():
            pass
        match = _after_copy.match(self._buffer, self._position)
        if match is None:
            self._refuse(
                "text after COPY ... FROM stdin on the same line",
                self._line_at(self._position),
                "The data begins on the next line; move what follows the semicolon below the line with \\.",
            )
        self._position = match.end()
        self._limit = max(self._limit, self._position)
        self._count_to(self._position)
        return self._line

    def _data(self, line: int) -> Iterator[bytes]:
        r"""Yield the data in blocks, up to the line that holds only ``\\.``."""
        while True:
            self._drop()
            end, resume = self._end_of_data()
            if end >= 0:
                if end:
                    yield self._take(end)
                    resume -= end
                self._position = resume
                self._limit = max(self._limit, resume)
                self._drop()
                return
            # All but the last line can't be the end; a long line goes out in parts once it is not `\.`.
            cut = self._buffer.rfind(b"\n") + 1
            if not cut and len(self._buffer) > 4:
                cut = len(self._buffer)
                yield from self._rest_of_line(cut)
                continue
            if cut:
                yield self._take(cut)
            if not self._more():
                self._refuse("unterminated COPY block", line, "End the data with a line that holds only \\.")

    def _rest_of_line(self, cut: int) -> Iterator[bytes]:
        """Yield the remainder of a line that is longer than the buffer."""
        yield self._take(cut)
        while True:
            if not self._buffer and not self._more():
                return
            end = self._buffer.find(b"\n") + 1
            yield self._take(end or len(self._buffer))
            if end:
                return

    def _take(self, end: int) -> bytes:
        part = self._buffer[:end]
        self._position = end
        self._limit = max(self._limit, end)
        self._drop()
        return part

    def _end_of_data(self) -> tuple[int, int]:
        """Return where the data ends and where the text goes on, or -1 when the end is not in the buffer."""
        start = 0
        while True:
            found = self._buffer.find(b"\\.", start)
            if found < 0:
                return -1, -1
            if found == 0 or self._buffer[found - 1 : found] == b"\n":
                rest = self._buffer[found + 2 : found + 4]
                if rest[:1] == b"\n":
                    return found, found + 3
                if rest == b"\r\n":
                    return found, found + 4
                if self._complete and rest in (b"", b"\r"):
                    return found, found + 2 + len(rest)
            start = found + 2


class _Body:
    """Follow ``BEGIN ATOMIC ... END`` through the words of a statement that makes a function or procedure.

    The pair BEGIN ATOMIC opens a body; only END in the place of a statement closes it: directly after ATOMIC or a
    semicolon. So says the server's grammar, to which END elsewhere is the end of a CASE, or a name.
    """

    def __init__(self) -> None:
        self.depth = 0
        self._begin = False
        self._start_of_statement = False
        self._words: list[str] = []
        self._outer = True

    def token(self, text: bytes) -> None:
        """Take one step of the lexer: a word, white space, a comment or anything else."""
        if text.startswith(b"--") or not text.strip(b" \t\n\r\f\v"):
            return
        if not (text[:1].isalpha() or text[:1] == b"_" or text[0] > 127):
            self.other()
            return
        word = text.upper()
        if self.depth and self._start_of_statement and word == b"END":
            self.depth -= 1
            self._outer = False
        elif self._begin and word == b"ATOMIC" and (not self.depth or self._makes_routine()):
            self.depth += 1
            self._start_statement()
            return
        self._begin = word == b"BEGIN"
        self._start_of_statement = False
        if len(self._words) < 4:
            self._words.append(word.decode(errors="replace"))

    def other(self) -> None:
        """Take a token that is no word."""
        self._begin = self._start_of_statement = False

    def semicolon(self) -> bool:
        """Take a semicolon; say whether it belongs to the body."""
        if not self.depth:
            return False
        self._start_statement()
        return True

    def _start_statement(self) -> None:
        self._begin, self._start_of_statement = False, True
        self._words = []

    def _makes_routine(self) -> bool:
        return tuple(word for word in self._words if word not in ("OR", "REPLACE"))[:2] in _ROUTINE


_gap_before_token = re.compile(rb"(?:" + SPACE + rb"|" + LINE_COMMENT + rb"[\r\n])*+")


def _line_end(text: bytes, start: int) -> int:
    """Return where the line end after ``start`` stands, a carriage return alone counted; -1 without one."""
    ends = [end for end in (text.find(b"\n", start), text.find(b"\r", start)) if end >= 0]
    return min(ends, default=-1)


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


def split(blocks: Iterable[bytes], *, name: str = "") -> Iterator[Statement]:
    """Yield the statements of a stream of bytes; ``name`` is the file's, for errors.

    The data of a COPY statement is skipped by itself when the next statement is asked for.
    Raises ``InvalidFile``.
    """
    return iter(Splitter(blocks, name=name))
