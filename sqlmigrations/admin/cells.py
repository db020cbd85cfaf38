"""What the cells of lists and pages show: moments, names, durations, the beginning of a message. Pure."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from django.utils.formats import date_format, time_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.timezone import is_aware, localtime

from sqlmigrations.output.durations import duration

#: Characters of a message in a list.
MESSAGE_LENGTH = 90


def moment(value: datetime) -> SafeString:
    """Return date and time in the page's time zone and language; a narrow column may break between them."""
    local = localtime(value) if is_aware(value) else value
    parts = date_format(local), time_format(local)
    return format_html('<span class="sqlm-whole">{}</span> <span class="sqlm-whole">{}</span>', *parts)


def file_name(filename: str) -> SafeString:
    """Return a file's name that a narrow column breaks after an underscore or a slash."""
    parts = ((part,) for part in re.split(r"(?<=[_/])(?!$)", filename))
    return format_html('<span class="sqlm-name">{}</span>', format_html_join(mark_safe("<wbr>"), "{}", parts))


def took(milliseconds: float | None) -> str | None:
    """Return a duration in words; nothing where none is known."""
    return None if milliseconds is None else duration(milliseconds)


def short(message: str) -> str:
    """Return a message's first line, as much of it as a list can show."""
    return Truncator(message.partition("\n")[0]).chars(MESSAGE_LENGTH)


def with_line_below(first: str, second: str) -> SafeString:
    """Return a text with a smaller one below it, if there is one."""
    return format_html('{}<div class="sqlm-below">{}</div>', first, second) if second else format_html("{}", first)


def plain(value: Any) -> str:
    """Return a text as it is, and any other value of a JSON document as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
