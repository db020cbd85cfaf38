"""What the admin shows of a validation and of a look at the health, worked out from the commands' own documents.

A report that was kept is such a document; one that was just made is shown in the same way. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from sqlmigrations.health.base import Severity as HealthSeverity
from sqlmigrations.health.base import Status
from sqlmigrations.output.badges import badge
from sqlmigrations.output.phrases import phrase, said
from sqlmigrations.schema.difference import Difference, Source
from sqlmigrations.severity import Severity

Document = Mapping[str, Any]

#: Findings of one check that the page shows; a command shows all.
SHOWN = 20


def severity_badge(severity: str) -> SafeString:
    """Return the badge of a severity, of a validation or of a health check."""
    words = {
        "critical": _("critical"),
        "error": pgettext("severity", "error"),
        "warning": _("warning"),
        "info": _("note"),
        "ok": _("well"),
        "skipped": _("skipped"),
    }
    return badge(str(severity), words[str(severity)])


#: Severities and answers, the worst first.
ORDER = ("critical", "error", "warning", "info", "ok", "skipped")


def counted(summary: Mapping[str, int]) -> list[tuple[SafeString, int]]:
    """Return how many there are of each severity or answer, the worst first, without those that there are none of."""
    return [(severity_badge(name), summary[name]) for name in ORDER if summary.get(name)]


# A validation


@dataclass(frozen=True, slots=True)
class Group:
    """The differences that one source tells, the worst first."""

    key: str
    title: str
    differences: list[tuple[SafeString, Document]]


@dataclass(frozen=True, slots=True)
class DriftPage:
    """A validation."""

    at: datetime
    total: int
    tone: str
    severities: list[tuple[SafeString, int]]
    groups: list[Group]
    skipped: list[Document]
    examined: list[tuple[str, int]]
    ignored: int
    is_judged: bool
    can_be_accepted: bool


def drift_page(document: Document, at: datetime) -> DriftPage:
    """Return the page of a validation."""
    total = len(document["drift"])
    is_judged = not any(skipped["asked"] for skipped in document["skipped"])
    found = ("bad" if document["summary"]["error"] else "warn") if total else ""
    return DriftPage(
        at=at,
        total=total,
        tone=found or ("good" if is_judged else "calm"),
        severities=counted(document["summary"]),
        groups=_grouped(document["drift"]),
        skipped=[_skipped(one) for one in document["skipped"]],
        examined=sorted((phrase(kind), count) for kind, count in document["examined"].items() if count),
        ignored=len(document["ignored"]),
        is_judged=is_judged,
        can_be_accepted=any(one["source"] == Source.SNAPSHOT for one in document["drift"]),
    )


def _skipped(one: Document) -> Document:
    return {**one, "what": said(one["what"]), "reason": said(one["reason"]), "remedy": said(one["remedy"])}


def _grouped(differences: Iterable[Document]) -> list[Group]:
    """Return the differences by their source, the worst first."""
    ranks = [str(severity) for severity in Severity]
    ordered = sorted(differences, key=lambda difference: ranks.index(difference["severity"]))
    sources = {one["source"] for one in ordered}
    return [
        Group(
            str(source),
            source_title(source),
            [(severity_badge(one["severity"]), _difference(one)) for one in ordered if one["source"] == source],
        )
        for source in Source
        if source in sources
    ]


def _difference(one: Document) -> Document:
    changed = one["changed"] and {**one["changed"], "at": datetime.fromisoformat(one["changed"]["at"])}
    words = {key: said(one[key]) for key in ("expected", "found", "fix")}
    named = {key: phrase(one[key]) for key in ("kind", "attribute")}
    return {**one, **words, **named, "changed": changed}


def worded(difference: Difference) -> Difference:
    """Return a difference in the page's language."""
    return replace(
        difference,
        kind=phrase(difference.kind),
        attribute=phrase(difference.attribute),
        expected=said(difference.expected),
        found=said(difference.found),
        fix=said(difference.fix),
    )


def source_title(source: Source) -> str:
    """Return who says what the database should be, as a heading."""
    titles = {
        Source.HISTORY: _("History of the SQL files"),
        Source.REQUIRED: _("Required tables"),
        Source.MODELS: _("Models"),
        Source.SNAPSHOT: _("What the last run left"),
        Source.REPLAY: _("All migrations and files from nothing"),
        Source.ROUNDTRIP: _("Up, down and up again"),
        Source.VERIFY: _("Verify scripts"),
        Source.AGAINST: _("The other database"),
    }
    return titles.get(source, capfirst(str(source)))


# Health


@dataclass(frozen=True, slots=True)
class Topic:
    """How many checks of one topic gave each answer; a check may belong to several."""

    name: str
    counts: list[tuple[SafeString, int]]
    is_well: bool


@dataclass(frozen=True, slots=True)
class Worst:
    """One finding with the title of its check."""

    badge: SafeString
    title: str
    object: str
    observed: str


@dataclass(frozen=True, slots=True)
class CheckPart:
    """One check of a report."""

    id: str
    title: str
    badge: SafeString
    examined: int
    reason: str
    remedy: str
    findings: list[tuple[SafeString, Document]]
    total: int

    @property
    def is_cut(self) -> bool:
        """Whether there are more findings than the page shows."""
        return self.total > len(self.findings)


@dataclass(frozen=True, slots=True)
class HealthPage:
    """A look at the health, the worst first."""

    at: datetime
    tone: str
    title: str
    summary: list[tuple[SafeString, int]]
    topics: list[Topic]
    found: list[CheckPart]
    blind: list[CheckPart]
    well: list[CheckPart]


def origins_of(document: Document) -> set[str]:
    """Return the files that made what was found, as far as the page shows it."""
    findings = (finding for check in document["checks"] for finding in check["findings"][:SHOWN])
    return {finding["origin"]["file"] for finding in findings if finding["origin"]}


def health_page(document: Document, at: datetime, urls: Mapping[str, str]) -> HealthPage:
    """Return the page of a look at the health; ``urls`` lead to the records of files."""
    parts = [(check, _part(check, urls)) for check in document["checks"]]
    critical, warning = document["summary"]["critical"], document["summary"]["warning"]
    return HealthPage(
        at=at,
        tone="bad" if critical else "warn" if warning else "good",
        title=_("Critical") if critical else _("Worth a look") if warning else _("Well"),
        summary=counted(document["summary"]),
        topics=topics_of(document),
        found=[part for check, part in parts if check["findings"]],
        blind=[part for check, part in parts if check["status"] == Status.SKIPPED and check["applies"]],
        well=[part for check, part in parts if check["status"] == Status.OK and not check["findings"]],
    )


def _part(check: Document, urls: Mapping[str, str]) -> CheckPart:
    return CheckPart(
        id=check["id"],
        title=phrase(check["title"]),
        badge=severity_badge(check["status"]),
        examined=check["examined"],
        reason=said(check["reason"]),
        remedy=said(check["remedy"]),
        findings=[
            (severity_badge(finding["severity"]), _finding(finding, urls)) for finding in check["findings"][:SHOWN]
        ],
        total=len(check["findings"]),
    )


def _finding(finding: Document, urls: Mapping[str, str]) -> Document:
    """Return a finding in the page's language, with links."""
    return {
        **finding,
        "observed": said(finding["observed"]),
        "threshold": said(finding["threshold"]),
        "fix": [{**fix, "note": said(fix["note"])} for fix in finding["fix"]],
        "origin": _origin(finding["origin"], urls),
    }


def _origin(origin: Document | None, urls: Mapping[str, str]) -> Document | None:
    """Return where an object came from, with the address of the statement's line where its file has a record."""
    if origin is None:
        return None
    url = urls.get(origin["file"], "")
    return {**origin, "url": f"{url}#L{origin['line']}" if url and origin["line"] else url}


def topics_of(document: Document) -> list[Topic]:
    """Return the checks' answers by topic, the topics with the worst answers first."""
    order = [Status.CRITICAL, Status.WARNING, Status.OK, Status.SKIPPED]
    counts: dict[str, dict[Status, int]] = {}
    for check in document["checks"]:
        for tag in set(check["tags"]) - {"before"}:
            counts.setdefault(tag, dict.fromkeys(order, 0))[Status(check["status"])] += 1
    worst_first = sorted(counts.items(), key=lambda item: ([-item[1][status] for status in order[:2]], item[0]))
    return [
        Topic(
            phrase(name),
            counted({str(status): count for status, count in found.items()}),
            is_well=not any(found[status] for status in order[:2]),
        )
        for name, found in worst_first
    ]


def worst_of(document: Document) -> list[Worst]:
    """Return the findings that are warnings or worse, the worst first, each with the title of its check."""
    found = [
        (HealthSeverity(finding["severity"]), check["title"], finding)
        for check in document["checks"]
        for finding in check["findings"]
        if finding["severity"] != HealthSeverity.INFO
    ]
    found.sort(key=lambda one: -one[0].rank)
    return [
        Worst(severity_badge(severity), phrase(title), finding["object"], said(finding["observed"]))
        for severity, title, finding in found
    ]
