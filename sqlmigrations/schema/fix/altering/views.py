"""Alters views and materialized views, and puts them aside while what they read is altered."""

from __future__ import annotations

from sqlmigrations.schema.catalog import Catalog, Identity
from sqlmigrations.schema.fix import making
from sqlmigrations.schema.fix.altering.alteration import Alteration, rebuild
from sqlmigrations.schema.fix.altering.tables import alter_table
from sqlmigrations.schema.fix.order import mentions, names_part, ordered
from sqlmigrations.schema.fix.statements import Statements, set_options, word_of


def alter_view(change: Alteration) -> Statements:
    """Yield the statements that alter a view or a materialized view."""
    if change.attribute == "options":
        yield from set_options(f"ALTER {word_of(change.identity.kind)} {change.name}", change.value, change.before)
    elif change.attribute == "populated":
        without = " WITH NO DATA" if change.value is False else ""
        yield f"REFRESH MATERIALIZED VIEW {change.name}{without}"
    elif change.attribute in ("access_method", "tablespace"):
        yield from alter_table(change)
    elif change.attribute == "definition":
        yield from with_views_aside(change.name, change.found, rebuild(change))


def with_views_aside(relation: str, catalog: Catalog, statements: Statements, *, column: str = "") -> Statements:
    """Yield ``statements`` between dropping the views that read a relation and making them again as they were.

    With a ``column``, only those views that read it, and the views over them.
    """
    views = views_over(relation, catalog, column)
    for view in reversed(views):
        yield making.drop(view, catalog.objects[view])
    yield from statements
    for view in views:
        yield from making.make(view, catalog, catalog, in_use=False)


def views_over(relation: str, catalog: Catalog, column: str = "") -> list[Identity]:
    """Return the views that read a relation, directly or through other views, each behind those that it reads."""
    views = {
        identity: str(attributes["definition"])
        for identity, attributes in catalog.objects.items()
        if identity.kind in ("view", "materialized view") and identity.name != relation
    }
    found = [view for view, text in views.items() if mentions(text, relation)]
    if column:
        found = [view for view in found if names_part(views[view], column)]
    for below in found:  # grows while it is walked along
        found += [view for view, text in views.items() if view not in found and mentions(text, below.name)]
    return ordered(found, catalog)
