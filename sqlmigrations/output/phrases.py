"""Says in the page's language what services say in English.

Services, commands and documents speak English: their words are interfaces. What of them reaches a page is translated
here: messages by the template that they know, single words by the lists below. What nobody translated stays as it is,
such as what PostgreSQL says.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext, ngettext, ngettext_lazy
from django.utils.translation import gettext_noop as _

from sqlmigrations.exceptions import SQLMigrationsError
from sqlmigrations.messages import Message

#: The topics of health checks.
TOPICS = (
    _("backup"),
    _("capacity"),
    _("data"),
    _("indexes"),
    _("integrity"),
    _("keys"),
    _("locks"),
    _("naming"),
    _("performance"),
    _("replication"),
    _("security"),
    _("sessions"),
    _("settings"),
    _("upgrade"),
    _("vacuum"),
)

#: Kinds of objects, as validations, files and PostgreSQL call them.
KINDS = (
    _("access method"),
    _("aggregate"),
    _("collation"),
    _("column"),
    _("composite type"),
    _("constraint"),
    _("conversion"),
    _("database"),
    _("default privileges"),
    _("domain"),
    _("enum"),
    _("event"),
    _("event trigger"),
    _("extension"),
    _("file"),
    _("foreign data wrapper"),
    _("foreign table"),
    _("function"),
    _("index"),
    _("language"),
    _("materialized view"),
    _("model table"),
    _("operator class"),
    _("operator family"),
    _("policy"),
    _("procedure"),
    _("publication"),
    _("range type"),
    _("required table"),
    _("role"),
    _("rule"),
    _("schema"),
    _("sequence"),
    _("server"),
    _("statistics"),
    _("subscription"),
    _("table"),
    _("tablespace"),
    _("trigger"),
    _("type"),
    _("verify script"),
    _("view"),
)

#: What checks count; ``messages.counted`` puts these together.
NOUNS = (
    ngettext_lazy("{count:,} batch", "{count:,} batches"),
    ngettext_lazy("{count:,} call", "{count:,} calls"),
    ngettext_lazy("{count:,} change", "{count:,} changes"),
    ngettext_lazy("{count:,} client", "{count:,} clients"),
    ngettext_lazy("{count:,} conflict", "{count:,} conflicts"),
    ngettext_lazy("{count:,} day", "{count:,} days"),
    ngettext_lazy("{count:,} dead row", "{count:,} dead rows"),
    ngettext_lazy("{count:,} error", "{count:,} errors"),
    ngettext_lazy("{count:,} error of the first copy", "{count:,} errors of the first copy"),
    ngettext_lazy("{count:,} file", "{count:,} files"),
    ngettext_lazy("{count:,} foreign key", "{count:,} foreign keys"),
    ngettext_lazy("{count:,} index", "{count:,} indexes"),
    ngettext_lazy("{count:,} key", "{count:,} keys"),
    ngettext_lazy("{count:,} large index", "{count:,} large B-tree indexes"),
    ngettext_lazy("{count:,} large table", "{count:,} large tables"),
    ngettext_lazy("{count:,} materialized view", "{count:,} materialized views"),
    ngettext_lazy("{count:,} new row", "{count:,} new rows"),
    ngettext_lazy("{count:,} page", "{count:,} pages"),
    ngettext_lazy("{count:,} possible holder", "{count:,} possible holders"),
    ngettext_lazy("{count:,} row", "{count:,} rows"),
    ngettext_lazy("{count:,} sequence", "{count:,} sequences"),
    ngettext_lazy("{count:,} server connection", "{count:,} server connections"),
    ngettext_lazy("{count:,} session", "{count:,} sessions"),
    ngettext_lazy("{count:,} standby", "{count:,} standbys"),
    ngettext_lazy("{count:,} statement", "{count:,} statements"),
    ngettext_lazy("{count:,} update", "{count:,} updates"),
    ngettext_lazy("{count:,} usable connection", "{count:,} usable connections"),
    ngettext_lazy("{count:,} value", "{count:,} values"),
    ngettext_lazy("{count:,} write", "{count:,} writes"),
)

#: What a difference is about, where it has a word of its own; other attributes are called as in the settings.
ATTRIBUTES = (
    _("presence"),
    _("text"),
    _("state"),
    _("chain"),
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error in the page's language."""

    message: str
    hint: str


def trouble(error: SQLMigrationsError) -> Trouble:
    """Return an error in the page's language, as far as it can be said in it."""
    return Trouble(said(error.message), said(error.hint))


def phrase(text: str) -> str:
    """Return one of the words above, or a message, in the page's language."""
    if isinstance(text, Message):
        return said(text)
    return gettext(text) if text else ""


def said(text: str) -> str:
    """Return a message in the page's language; a text that is none as it is, such as a name."""
    if not isinstance(text, Message) or not text:
        return text
    values = {name: said(value) if isinstance(value, Message) else value for name, value in text.values.items()}
    if text.plural:
        return ngettext(text.template, text.plural, int(values["count"])).format(**values)
    template = gettext(text.template)
    return template.format(**values) if values else template
