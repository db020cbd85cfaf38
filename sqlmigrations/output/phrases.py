"""Says in the page's language what services say in English.

Services, commands and documents speak English: their words are interfaces. What of them reaches a page is translated
here: messages by the template that they know, and the words and sentences of the lists below. What nobody translated
stays as it is, such as what PostgreSQL says.
"""

from __future__ import annotations

import re
from functools import cache

from django.utils.translation import gettext, ngettext, ngettext_lazy
from django.utils.translation import gettext_noop as _

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

#: What checks count; ``health.units.counted`` puts these together.
NOUNS = (
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

#: Sentences, those with gaps behind those that they would swallow.
SENTENCES = (
    # why a run takes a file, or leaves it
    _("only its verify script is left to run"),
    _("failed before"),
    _("half reverted: revertsql %(name)s goes on"),
    _("it stopped half-way outside a transaction, and its `%(directive)s` is gone"),
    _("in batches of %(size)s rows"),
    _("resumes behind key %(key)s: %(batches)s batches with %(rows)s rows are done"),
    _("resumes after statement %(done)s of %(total)s"),
    _("resumes after statement %(done)s"),
    _("was reverted with %(names)s and comes back behind it"),
    _("was reverted with %(names)s and comes back behind them"),
    _("was reverted only with what it builds on"),
    _("was reverted; name it to apply it"),
    _("was reverted"),
    _("its text changed after it was applied"),
    _("its text changed"),
    _("comments or layout changed since"),
    _("a seed that failed; --seed tries again"),
    _("a seed runs only when asked for: --seed"),
    _("has not changed since; --force runs it again"),
    _("not asked for"),
    _("has the text of %(name)s, whose file is gone; if it was renamed: applysql --repair"),
    _("late: %(name)s is applied already; allowed"),
    _("%(name)s is applied already and touches %(shared)s too; --allow-late applies it all the same"),
    _("%(name)s is applied already; --allow-late applies it all the same"),
    _("late, but independent of the %(count)s applied after it"),
    _("requires the Django migration %(name)s, which is not applied"),
    _("requires %(name)s, which is not applied"),
    _("touches %(shared)s, as does %(name)s, which is not applied"),
    # with which script a file is reverted
    _("as kept when it was applied"),
    _("as it stands on disk"),
    # how a database differs
    _("presence"),
    _("absent"),
    _("present"),
    _("text"),
    _("state"),
    _("chain"),
    _("as it was applied"),
    _("changed since"),
    _("gone, though the database holds it"),
    _("pending: %(reason)s"),
    _("held: %(reason)s"),
    _("failed: %(message)s"),
    _("in doubt: %(reason)s"),
    _("late: %(reason)s"),
    _("the snapshot"),
    _("no run has left one"),
    _("a run is in progress"),
    # how the chain is broken
    _("it does not follow the event before it: one was removed, added or put elsewhere"),
    _("its values are not those that its hash was made of"),
)

_GAP = re.compile(r"%\((\w+)\)s")


def phrase(text: str) -> str:
    """Return a service's words in the page's language; what stands in a sentence's gaps is translated as well."""
    if isinstance(text, Message):
        return said(text)
    for pattern, template in _patterns() if text else ():
        if match := pattern.fullmatch(text):
            return gettext(template) % {name: phrase(gap) for name, gap in match.groupdict().items()}
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


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Return the sentences that have gaps, each with the pattern of what is said."""
    with_gaps = (sentence for sentence in SENTENCES if _GAP.search(sentence))
    return [(re.compile(_GAP.sub(r"(?P<\1>.+)", _escaped(sentence)), re.DOTALL), sentence) for sentence in with_gaps]


def _escaped(sentence: str) -> str:
    """Return a sentence as a pattern, its gaps as they are."""
    parts = re.split(r"(%\(\w+\)s)", sentence)
    return "".join(part if _GAP.fullmatch(part) else re.escape(part) for part in parts)
