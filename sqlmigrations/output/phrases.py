"""Says in the page's language what services say in English.

Services, commands and documents speak English: their words are interfaces. What of them reaches a page is translated
here; what nobody translated stays as it is, such as what a check has measured of one object.
"""

from __future__ import annotations

import re
from functools import cache

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_noop as _

from sqlmigrations.messages import Message

#: What is true where a health check finds nothing.
TITLES = (
    _("Every row of a foreign key has its parent"),
    _("Every constraint holds for all rows"),
    _("No trigger is off, and no foreign key with it"),
    _("Every table has a primary key"),
    _("Every published table has a replica identity"),
    _("Every foreign key has an index on its columns"),
    _("Columns of foreign keys have the type of what they point at"),
    _("No foreign key says what another one says"),
    _("Columns that point at other tables have a foreign key"),
    _("Integer primary keys have room"),
    _("Sequences have room"),
    _("Every index is valid"),
    _("No index does what another one does"),
    _("No index is the beginning of another one"),
    _("Materialized views are filled"),
    _("Extensions have the version that the server brings"),
    _("Texts are sorted as when the indexes were made"),
    _("Autovacuum looks after every table"),
    _("The planner knows every table"),
    _("No name was cut"),
    _("Not everybody may create objects"),
    _("There is room for more connections"),
    _("No transaction is open and idle"),
    _("No statement runs for long"),
    _("Nobody waits for a lock for long"),
    _("Nobody keeps vacuum from removing dead rows"),
    _("Transaction ids are frozen in time"),
    _("Multixact ids are frozen in time"),
    _("No vacuum that doesn't step aside is coming"),
    _("Standbys keep up"),
    _("Replication slots are read"),
    _("Subscriptions apply what they receive"),
    _("WAL is archived"),
    _("No page was found damaged"),
    _("Indexes fit their tables, and tables can be read"),
    _("No setting loses data or hides what is slow"),
    _("The application's sessions end what takes too long"),
    _("Nobody gets in without a proof"),
    _("The server's version still gets corrections"),
    _("The planner has statistics"),
    _("Statements answer quickly"),
    _("Statements are counted, and none is forgotten"),
    _("JSONB columns that are searched have a GIN index"),
    _("Every index is used"),
    _("Tables are about as large as their rows"),
    _("Indexes are about as large as their entries"),
    _("Vacuum keeps up with dead rows"),
    _("Tables that change are vacuumed"),
    _("Tables that change are analysed"),
    _("Materialized views show what is"),
    _("Most pages are found in memory"),
    _("Large tables are rarely read whole"),
    _("Updates leave the indexes alone"),
    _("Queries sort in memory"),
    _("Checkpoints come when they are due"),
    _("The standby cancels few queries"),
    _("There is a recent backup"),
    _("Nobody waits for PgBouncer"),
    _("Connections are kept, and looked after"),
)

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
    if not isinstance(text, Message):
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
