"""What PostgreSQL tells in the words of a message alone, read from them in whatever language it speaks.

A server prints messages in its ``lc_messages``, which only a superuser can change; the words around a name or a number
are then others, and stand in another order. What stays: ``inline_code_block``, the number, the name between quotes.
https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LC-MESSAGES
"""

from __future__ import annotations

import re

_BLOCK = "inline_code_block"
_NUMBER = re.compile(r"[0-9]+")
# COPY users, line 2, column id: "x". The name comes first, the number follows the first comma.
_COPY_LINE = re.compile(r"\A(?P<table>[^\n]*?)[,、][^\n0-9]*?(?P<line>[0-9]+)")
_QUOTED = re.compile(r'["«»]\s*([^"«»]+?)\s*["«»]')


def line_of_block(context: str) -> int | None:
    """Return the line of a DO block's body, from 1, in which an error's context says it arose."""
    for frame in reversed(context.splitlines()):
        before, block, after = frame.partition(_BLOCK)
        if block and (number := _NUMBER.search(after) or _NUMBER.search(before)):
            return int(number[0])
    return None


def line_of_copy_data(context: str) -> int | None:
    """Return the line of the data of a COPY, from 1, in which an error's context says it arose."""
    match = _COPY_LINE.search(context)
    return int(match["line"]) if match and "PL/pgSQL" not in match["table"] else None


def last_name(message: str) -> str | None:
    """Return the last name that a message quotes: of a table with its schema, as ``schema.table``."""
    names: list[str] = _QUOTED.findall(message)
    return names[-1] if names else None
