"""A second splitter, for tests: one character after the other, with no thought for speed.

It follows the states of the server's scan.l as directly as it can, to compare the fast one with.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SPACE = " \t\n\r\f\v"
OPENERS = {"'": "string", '"': "quoted identifier", "$": "dollar quote", "/": "comment"}


class Unterminated(Exception):
    """A token that begins at ``start`` never ends."""

    def __init__(self, start: int) -> None:
        self.start = start


class Command(Exception):
    """A backslash outside quotes."""


@dataclass
class Result:
    """The pieces, and what stopped the reading (empty when nothing did)."""

    pieces: list[str] = field(default_factory=list)
    error: str = ""


def letter(character: str) -> bool:
    """Say whether a word can begin with the character."""
    return character == "_" or character > "\x7f" or (character.isascii() and character.isalpha())


def in_word(character: str) -> bool:
    """Say whether a word can go on with the character."""
    return letter(character) or character in "0123456789$"


def token_end(text: str, start: int) -> int:
    """Return where the token that begins at ``start`` ends."""
    first, two = text[start], text[start : start + 2]
    if two == "--":
        end = start
        while end < len(text) and text[end] not in "\r\n":
            end += 1
        return end
    if two == "/*":
        return comment_end(text, start)
    if first == "\\":
        raise Command
    if first in "'\"":
        return quote_end(text, start, first)
    if first in "eE" and text[start + 1 : start + 2] == "'":
        return escape_string_end(text, start)
    if letter(first):
        end = start
        while end < len(text) and in_word(text[end]):
            end += 1
        return end
    if first.isascii() and first.isdigit():
        return number_end(text, start)
    if first == "$":
        return dollar_end(text, start)
    return start + 1


def number_end(text: str, start: int) -> int:
    """Return the end of a number; letters right after it, an error on every server, are taken as one word with it."""
    end = start
    while end < len(text) and text[end] in "0123456789":
        end += 1
    while end < len(text) and letter(text[start:end][-1] if end == start else text[end]):
        while end < len(text) and in_word(text[end]):
            end += 1
    return end


def comment_end(text: str, start: int) -> int:
    """Return the end of a comment, nested ones counted."""
    depth, position = 0, start
    while position < len(text):
        two = text[position : position + 2]
        if two in ("/*", "*/"):
            depth += 1 if two == "/*" else -1
            position += 2
            if not depth:
                return position
        else:
            position += 1
    raise Unterminated(start)


def quote_end(text: str, start: int, quote: str) -> int:
    """Return the end of a quote in which the doubled quote stands for itself."""
    position = start + 1
    while position < len(text):
        if text[position] == quote:
            if text[position + 1 : position + 2] != quote:
                return position + 1
            position += 1
        position += 1
    raise Unterminated(start)


def escape_string_end(text: str, start: int) -> int:
    """Return the end of E'...', with the parts on the next lines."""
    position = start + 2
    while position < len(text):
        if text[position] == "\\":
            position += 2
            continue
        if text[position] == "'":
            if text[position + 1 : position + 2] == "'":
                position += 2
                continue
            position += 1
            following = continuation(text, position)
            if following < 0:
                return position
            position = following
            continue
        position += 1
    raise Unterminated(start)


def continuation(text: str, start: int) -> int:
    """Return the place after the quote that goes on with a string, or -1 when none does."""
    position, newline = start, False
    while position < len(text):
        if text[position] in SPACE:
            newline = newline or text[position] in "\r\n"
            position += 1
        elif text[position : position + 2] == "--":
            while position < len(text) and text[position] not in "\r\n":
                position += 1
            if position == len(text):
                return -1
        else:
            break
    return position + 1 if newline and text[position : position + 1] == "'" else -1


def dollar_end(text: str, start: int) -> int:
    """Return the end of a dollar quote, a parameter or a lone dollar sign."""
    end = start + 1
    if end < len(text) and text[end] in "0123456789":
        while end < len(text) and text[end] in "0123456789":
            end += 1
        while end < len(text) and letter(text[end]):
            while end < len(text) and in_word(text[end]):
                end += 1
        return end
    if end < len(text) and letter(text[end]):
        while end < len(text) and in_word(text[end]) and text[end] != "$":
            end += 1
    if text[end : end + 1] != "$":
        return start + 1
    tag = text[start : end + 1]
    found = text.find(tag, end + 1)
    if found < 0:
        raise Unterminated(start)
    return found + len(tag)


def split(text: str) -> Result:
    """Split a text without COPY data."""
    result = Result()
    position = 0
    begin: int | None = None
    parentheses = 0
    # One list for each open statement: itself, then each that a BEGIN ATOMIC body holds at present.
    levels: list[list[str]] = [[]]
    before = ""
    while position < len(text):
        character = text[position]
        if character in SPACE or text[position : position + 2] in ("--", "/*"):
            try:
                position = position + 1 if character in SPACE else token_end(text, position)
            except Unterminated as error:
                result.error = OPENERS[text[error.start]]
                return result
            continue
        if character == ";":
            position += 1
            if begin is None or parentheses:
                pass
            elif len(levels) > 1:
                levels[-1] = []
            else:
                result.pieces.append(text[begin:position])
                begin, levels = None, [[]]
            before = ""
            continue
        try:
            end = token_end(text, position)
        except Unterminated as error:
            result.error = OPENERS.get(text[error.start], "string")
            return result
        except Command:
            result.error = "command"
            return result
        if begin is None:
            begin = position
        token = text[position:end]
        if token == "(":
            parentheses += 1
        elif token == ")":
            parentheses = max(0, parentheses - 1)
        word = token.upper() if letter(token[0]) and "'" not in token else token
        if not parentheses and token != ")":
            if before == "BEGIN" and word == "ATOMIC" and makes_routine(levels[-1]):
                levels.append([])
            elif word == "END" and len(levels) > 1 and not levels[-1]:
                levels.pop()
                levels[-1].append(word)
            else:
                levels[-1].append(word)
            before = word
        else:
            levels[-1].append("(")
            before = ""
        position = end
    if begin is not None:
        result.pieces.append(text[begin:].rstrip(SPACE))
    return result


def makes_routine(tokens: list[str]) -> bool:
    """Say whether a statement begins with CREATE [OR REPLACE] FUNCTION or PROCEDURE."""
    if tokens[:3] == ["CREATE", "OR", "REPLACE"]:
        tokens = [tokens[0], *tokens[3:]]
    return tokens[:2] in (["CREATE", "FUNCTION"], ["CREATE", "PROCEDURE"])
