"""What is altered: one attribute of one object; and the way out where no ALTER leads there."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmigrations.schema.catalog import Attributes, Catalog, Identity, Value
from sqlmigrations.schema.fix import making
from sqlmigrations.schema.fix.statements import Statements


@dataclass(frozen=True, slots=True)
class Alteration:
    """One attribute of one object, as it should be and as it is; ``identity`` is what the object is called now."""

    identity: Identity
    attribute: str
    wanted: Attributes
    present: Attributes
    expected: Catalog
    found: Catalog
    #: What the object should be called.
    proper: Identity

    @property
    def name(self) -> str:
        """The object's present name."""
        return self.identity.name

    @property
    def value(self) -> Value | None:
        """What the attribute should be."""
        return self.wanted.get(self.attribute)

    @property
    def before(self) -> Value | None:
        """What the attribute is."""
        return self.present.get(self.attribute)

    @property
    def table(self) -> str:
        """The table that the object belongs to."""
        return str(self.present.get("table") or self.wanted.get("table") or "")


def make_anew(change: Alteration) -> Statements:
    """Yield the statements that make the object as it should be."""
    return making.make(change.proper, change.expected, change.found)


def rebuild(change: Alteration) -> Statements:
    """Yield the statements that drop an object and make it as it should be."""
    yield making.drop(change.identity, change.present)
    yield from make_anew(change)
