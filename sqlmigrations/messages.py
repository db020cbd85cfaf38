"""Texts that commands say in English, and pages in their reader's language.

The library speaks English: its words are interfaces, stored in the history and read by other programs. A message is
such an English text, which also knows the template and the values that it was made of; that is enough to say it again
in another language. The functions are called as those of gettext, so that ``makemessages`` finds their templates:

    from sqlmigrations.messages import gettext as _

    _("All of {table} is read, and nobody else can read it meanwhile.", table=table)

What is put together of messages by other means, such as an f-string, is plain English text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

#: Beside the texts of a kept document, how to say them in another language.
KEY = "messages"

#: What a gap of a template is filled with; another message is translated in its turn.
Value = str | float


class Message(str):
    """An English text with its template, as for ``str.format``, and the values of its gaps.

    ``plural`` is the template for any number but 1; the number is the value called ``count``.
    """

    __slots__ = ("plural", "template", "values")

    template: str
    values: Mapping[str, Value]
    plural: str


def gettext(template: str, /, **values: Any) -> Message:
    """Return the text that a template makes with these values.

    Values are texts, numbers and other messages; anything else is taken as its text.
    """
    known = _plain(values)
    return _message(template.format(**known) if known else template, template, known)


def ngettext(singular: str, plural: str, /, count: int, **values: Any) -> Message:
    """Return the text that one of two templates makes, in which ``{count}`` is the number."""
    known = _plain({"count": count, **values})
    return _message((singular if count == 1 else plural).format(**known), singular, known, plural)


def counted(count: int, noun: str, plural: str = "") -> Message:
    """Return a number with its noun: ``"1 row"``, ``"1,000 rows"``."""
    singular, plural = f"{{count:,}} {noun}", f"{{count:,}} {plural or noun + 's'}"
    return ngettext(singular, plural, count)


def joined(separator: str, texts: Iterable[str]) -> Message:
    """Return texts with something between them, each of them to be translated by itself."""
    known = {f"part{number}": text for number, text in enumerate(texts)}
    return gettext(separator.join(f"{{{name}}}" for name in known), **known)


def _message(text: str, template: str, values: Mapping[str, Value], plural: str = "") -> Message:
    made = Message(text)
    made.template, made.values, made.plural = template, values, plural
    return made


def _plain(values: Mapping[str, Any]) -> dict[str, Value]:
    """Return values that JSON can hold."""
    return {name: _simple(value) for name, value in values.items()}


def _simple(value: Any) -> Value:
    if isinstance(value, (str, int, float)):
        return value
    return float(value) if isinstance(value, Decimal) else str(value)


# Documents


def kept(document: Any) -> Any:
    """Return a document as it is stored: beside the texts of an object stands how to say them in another language."""
    if isinstance(document, Mapping):
        parts = {key: kept(value) for key, value in document.items()}
        known = {key: _template(value) for key, value in document.items() if isinstance(value, Message) and value}
        return {**parts, KEY: known} if known else parts
    if isinstance(document, (list, tuple)):
        return [kept(part) for part in document]
    return document


def _template(message: Message) -> dict[str, Any]:
    values = {name: _template(value) if isinstance(value, Message) else value for name, value in message.values.items()}
    found = {"template": message.template, "plural": message.plural, "values": values}
    return {key: value for key, value in found.items() if value}


def revived(document: Any) -> Any:
    """Return a document that was stored, its messages as they were."""
    if isinstance(document, Mapping):
        known = document.get(KEY)
        parts = {key: revived(value) for key, value in document.items() if key != KEY}
        if not isinstance(known, Mapping):
            return parts
        return {**parts, **{key: _revived_or(parts[key], known[key]) for key in known if key in parts}}
    if isinstance(document, list):
        return [revived(part) for part in document]
    return document


def _revived_or(text: Any, found: Mapping[str, Any]) -> Any:
    """Return the message, or the text beside it if that is not what it says: somebody has altered what was stored."""
    try:
        message = _revived(found)
    except (AttributeError, LookupError, TypeError, ValueError):
        return text
    return message if message == text else text


def _revived(found: Mapping[str, Any]) -> Message:
    given: Mapping[str, Any] = found.get("values", {})
    values: dict[str, Any] = {
        name: _revived(value) if isinstance(value, Mapping) else value for name, value in given.items()
    }
    if "plural" in found:
        return ngettext(found["template"], found["plural"], **values)
    return gettext(found["template"], **values)
