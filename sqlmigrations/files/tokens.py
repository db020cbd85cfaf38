"""The lexical rules of PostgreSQL, as patterns over bytes.

Source: ``src/backend/parser/scan.l`` and the chapter "Lexical Structure" of PostgreSQL's manual, versions 14 to 18.
``standard_conforming_strings`` is on, its default.

Quantifiers of characters are possessive: a token that is not complete fails at once, and no input takes more than
linear time. Those of groups are not, since ``re`` matches possessive groups wrongly before Python 3.11.5
(https://github.com/python/cpython/issues/106052); instead, a group's alternatives begin with different characters, and
no quote follows a closing one, so that there is one way to match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

#: What starts and continues an unquoted identifier. Every byte above 127 counts as a letter.
WORD_START = rb"[A-Za-z_\x80-\xff]"
WORD = WORD_START + rb"[A-Za-z0-9_$\x80-\xff]*+"
SPACE = rb"[ \t\n\r\f\v]"
#: A carriage return alone ends a line comment, too.
LINE_COMMENT = rb"--[^\r\n]*+"
#: What may stand between the parts of one string constant: white space with at least one line end in it.
CONTINUATION = rb"(?:[ \t\f\v]++|" + LINE_COMMENT + rb")*[\r\n](?:" + SPACE + rb"++|" + LINE_COMMENT + rb"[\r\n])*"
#: An escape string without its E, of so few parts that it takes little memory to match.
E_BODY = rb"'(?:[^'\\]++|\\.|''){0,500}'(?!')"
DOLLAR_OPENER = rb"\$(?:" + WORD_START + rb"[A-Za-z0-9_\x80-\xff]*+)?\$"

_continued = re.compile(CONTINUATION + rb"'")
_within_escape = re.compile(rb"(?:[^'\\]++|\\.|''){1,500}", re.DOTALL)
_within_quote = {"'": re.compile(rb"(?:[^']++|''){1,500}"), '"': re.compile(rb'(?:[^"]++|""){1,500}')}
_comment_edge = re.compile(rb"/\*|\*/")


def block_comment_end(text: bytes, start: int, end: int) -> int:
    """Return where the comment that opens at ``start`` ends, nested comments counted; -1 if it does not."""
    depth = 0
    for edge in _comment_edge.finditer(text, start, end):
        depth += 1 if edge.group() == b"/*" else -1
        if not depth:
            return edge.end()
    return -1


def escape_string_end(text: bytes, start: int) -> int:
    """Return where the ``E'...'`` at ``start`` ends, its parts on further lines included; -1 without an end."""
    end = _quote_end(text, start + 2, _within_escape)
    while end >= 0 and (following := _continued.match(text, end)):
        end = _quote_end(text, following.end(), _within_escape)
    return end


def _quote_end(text: bytes, start: int, within: re.Pattern[bytes]) -> int:
    """Return the place after the closing quote, -1 without one; ``start`` is the place after the opening quote."""
    while match := within.match(text, start):
        start = match.end()
    return start + 1 if text[start : start + 1] in (b"'", b'"') else -1


class TokenKind(Enum):
    """What a token is."""

    WORD = auto()
    QUOTED_NAME = auto()
    STRING = auto()
    NUMBER = auto()
    PARAMETER = auto()
    OPERATOR = auto()
    PUNCTUATION = auto()
    COMMENT = auto()
    #: A byte that starts no token of SQL, or all that follows a quote that is never closed.
    OTHER = auto()


class Token(NamedTuple):
    """One token of a statement; ``start`` counts bytes within the statement."""

    kind: TokenKind
    text: bytes
    start: int

    @property
    def word(self) -> str:
        """The word in upper case, as keywords are compared; empty for everything but words."""
        return self.text.decode(errors="replace").upper() if self.kind is TokenKind.WORD else ""

    @property
    def identifier(self) -> str:
        """The name as the server stores it: folded to lower case, or unquoted; empty for other tokens."""
        if self.kind is TokenKind.WORD:
            return self.text.decode(errors="replace").lower()
        if self.kind is TokenKind.QUOTED_NAME:
            quoted = self.text[self.text.index(b'"') + 1 : -1].replace(b'""', b'"')
            return quoted.decode(errors="replace")
        return ""

    @property
    def string(self) -> str:
        """The content of a string constant, escapes left as they stand; empty for other tokens."""
        if self.kind is not TokenKind.STRING:
            return ""
        if self.text.startswith(b"$"):
            edge = self.text.index(b"$", 1) + 1
            return self.text[edge:-edge].decode(errors="replace")
        content = self.text[self.text.index(b"'") + 1 : -1]
        return content.replace(b"''", b"'").decode(errors="replace")


_NUMBER = rb"(?:[0-9](?:_?+[0-9])*(?:\.(?!\.)(?:[0-9](?:_?+[0-9])*)?)?|\.[0-9](?:_?+[0-9])*)(?:[eE][-+]?+[0-9]++)?"
_token = re.compile(
    SPACE + rb"*+(?:(?P<COMMENT>" + LINE_COMMENT + rb")"
    rb"|(?P<block>/\*)"
    rb"|(?P<escape>[eE]')|(?P<string>(?:[bBxXnN]|[uU]&)?')"
    rb'|(?P<name>(?:[uU]&)?")'
    rb"|(?P<WORD>" + WORD + rb")"
    rb"|(?P<NUMBER>0[xX](?:_?+[0-9A-Fa-f])+|0[oO](?:_?+[0-7])+|0[bB](?:_?+[01])+|" + _NUMBER + rb")"
    rb"|(?P<PARAMETER>\$[0-9]++)"
    rb"|(?P<dollar>" + DOLLAR_OPENER + rb")"
    rb"|(?P<PUNCTUATION>::|:=|\.\.|[,()\[\].;:])"
    rb"|(?P<OPERATOR>(?:(?!--|/\*)[~!@#^&|`?+\-*/%<>=])+)"
    rb"|(?P<OTHER>.))",
    re.DOTALL,
)
#: The kinds of tokens that end where their pattern does, by the names of its groups.
_WHOLE: dict[str, TokenKind] = {
    kind.name: kind for kind in TokenKind if kind not in (TokenKind.STRING, TokenKind.QUOTED_NAME, TokenKind.OPERATOR)
}
_only_multi_char = re.compile(rb"[~!@#%^&|`?]")


def tokens(text: bytes, *, start: int = 0) -> Iterator[Token]:
    """Yield the tokens of a piece of SQL, comments among them, white space not."""
    position = start
    while match := _token.match(text, position):
        group = match.lastgroup or "OTHER"
        kind = _WHOLE.get(group)
        begin, position = match.span(group)
        if kind is None:
            kind, position = _end_of_token(text, group, begin, position)
        yield Token(kind, text[begin:position], begin)


def _end_of_token(text: bytes, group: str, begin: int, position: int) -> tuple[TokenKind, int]:
    """Return the kind of a token and where it ends whose pattern matched its beginning alone, up to ``position``."""
    match group:
        case "dollar":
            opener = text[begin:position]
            return TokenKind.STRING, _end_of(text.find(opener, position), len(opener), text)
        case "block":
            return TokenKind.COMMENT, _end_of(block_comment_end(text, begin, len(text)), 0, text)
        case "OPERATOR":
            return TokenKind.OPERATOR, begin + _operator_length(text[begin:position])
        case "escape":
            end = escape_string_end(text, begin)
        case _:
            end = _quote_end(text, position, _within_quote['"' if group == "name" else "'"])
    complete = TokenKind.QUOTED_NAME if group == "name" else TokenKind.STRING
    return TokenKind.OTHER if end < 0 else complete, _end_of(end, 0, text)


def _end_of(found: int, length: int, text: bytes) -> int:
    return found + length if found >= 0 else len(text)


def _operator_length(text: bytes) -> int:
    """Cut ``+`` and ``-`` off the end of an operator that SQL itself could have, as ``=-`` in ``a=-1``."""
    if len(text) > 1 and text[-1:] in b"+-" and not _only_multi_char.search(text):
        return max(1, len(text.rstrip(b"+-")))
    return len(text)


def code(text: bytes) -> Iterator[Token]:
    """Yield the tokens of a piece of SQL without its comments."""
    return (token for token in tokens(text) if token.kind is not TokenKind.COMMENT)


#: How far into a statement its leading words are looked for, in bytes.
_HEAD = 4096
_quiet = rb"[^'\"$()/\-eE]++|[eE](?!')|(?<=[A-Za-z0-9_$\x80-\xff])[eE](?=')|'[^']*+'|\"[^\"]*+\"|-(?!-)|/(?!\*)"
_plain_words = re.compile(rb"(?:[A-Za-z_][A-Za-z0-9_]*+[ \t\r\n]++)+")
_BETWEEN = rb"[^A-Za-z_\x80-\xff'\"$()/\-]*+"
_between = re.compile(_BETWEEN)
_leading = re.compile(
    _BETWEEN + rb""
    rb"(?:(?P<word>(?![eE]')" + WORD + rb")"
    rb"|'[^']*+'|\"[^\"]*+\"|\((?:" + _quiet + rb"|\((?:" + _quiet + rb")*\))*\)"
    rb"|-(?!-)|/(?!\*)|" + LINE_COMMENT + rb"(?=[\r\n]))"
)


def bare_words(text: bytes, limit: int) -> tuple[str, ...]:
    """Return the first words outside quotes and parentheses, in upper case: ``limit`` at most, from the first 4 kB.

    The words end before parentheses that hold more than plain values, those of an INSERT before any parenthesis: no
    command's own words stand behind such.
    """
    end = min(len(text), _HEAD)
    plain = _plain_words.match(text, 0, end)
    words = plain.group().decode().upper().split()[:limit] if plain else []
    position = plain.end() if plain else 0
    if words[:1] == ["INSERT"] and text[position : position + 1] in (b"(", b""):
        return tuple(words)
    while len(words) < limit:
        match = _leading.match(text, position, end)
        if match is None or (match.end() == end < len(text)):
            stop = _between.match(text, position, end)
            at_end = stop is None or stop.end() == len(text) or text.startswith(b"(", stop.end())
            return tuple(words) if at_end else _bare_words(text, limit)
        position = match.end()
        if match.lastgroup:
            words.append(match[1].decode(errors="replace").upper())
    return tuple(words)


def _bare_words(text: bytes, limit: int) -> tuple[str, ...]:
    """Do the same for a text with nested comments, dollar quotes or escape strings at its beginning."""
    words: list[str] = []
    depth = 0
    for token in code(text):
        if token.start > _HEAD and depth:
            break
        if token.text == b"(":
            depth += 1
        elif token.text == b")":
            depth -= 1
        elif token.kind is TokenKind.WORD and depth <= 0:
            words.append(token.word)
            if len(words) == limit:
                break
    return tuple(words)
