"""What the pages of an action show: what it will do, and how far it has come. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sqlmigrations.models import FAILURES, EventType, MigrationEvent
from sqlmigrations.output.badges import badge
from sqlmigrations.output.exit_codes import ExitCode
from sqlmigrations.output.highlight import excerpt
from sqlmigrations.output.phrases import phrase, said
from sqlmigrations.output.record_page import Happening, Highlighter, happening
from sqlmigrations.service.actions import Action, Asked, Foreseen

#: Scripts that a confirmation shows; more are named.
SHOWN = 50

#: How long nothing may have been heard of an action before the page wonders.
SILENCE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Shown:
    """A script that will run, as far as a page can bear it."""

    name: str
    note: str
    html: SafeString
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What an action will do."""

    title: str
    explanation: str
    button: str
    is_dangerous: bool
    parts: list[Shown]
    more: list[str]


def command_line(asked: Asked) -> str:
    """Return the command that does the same in a terminal."""
    return shlex.join(["python", "manage.py", *asked.command])


def title_of(asked: Asked) -> str:
    """Return what an action is called."""
    name = asked.names[0] if asked.names else ""
    return {
        Action.APPLY: _("Apply what is pending"),
        Action.RETRY: _("Try %(name)s again"),
        Action.REVERT: _("Revert %(name)s"),
        Action.FAKE: _("Mark %(name)s as applied"),
        Action.VALIDATE: _("Validate the schema"),
        Action.EXAMINE: _("Examine the health"),
        Action.ACCEPT: _("Accept the schema as it is"),
    }[asked.action] % {"name": name}


def confirmation_of(asked: Asked, foreseen: Foreseen | None, sql_html: Highlighter) -> Confirmation:
    """Return the page on which an action is confirmed."""
    parts = foreseen.parts if foreseen else ()
    shown = []
    for number, part in enumerate(parts[:SHOWN]):
        window = excerpt(said(part.text), None)
        html = sql_html(window.text, first_line=window.first_line, anchor=f"P{number}-")
        shown.append(Shown(part.name, phrase(part.note), html, is_cut=window.is_cut))
    return Confirmation(
        title=title_of(asked),
        explanation=_explanation(asked, len(parts)),
        button=_button(asked.action),
        is_dangerous=asked.action in (Action.REVERT, Action.FAKE, Action.ACCEPT),
        parts=shown,
        more=[part.name for part in parts[SHOWN:]],
    )


def _explanation(asked: Asked, count: int) -> str:
    match asked.action:
        case Action.APPLY | Action.RETRY:
            return ngettext(
                "This script will run, in a transaction of its own.",
                "These scripts will run in this order, each file in a transaction of its own.",
                count,
            )
        case Action.REVERT:
            return ngettext(
                "This down script will run, as it was kept when the file was applied. What it drops is gone.",
                "These down scripts will run in this order. What they drop is gone.",
                count,
            )
        case Action.FAKE:
            return _("Nothing of this will run: the history will say that the database holds it. Be sure that it does.")
        case Action.VALIDATE:
            return _("The whole schema is compared with what it should be. Nothing is locked or changed.")
        case Action.EXAMINE:
            return _("All health checks run, read-only and with short timeouts. Nothing is locked or changed.")
        case Action.ACCEPT:
            return _("These differences will no longer be drift: what is there becomes what should be there.")


def _button(action: Action) -> str:
    return {
        Action.APPLY: _("Apply"),
        Action.RETRY: _("Try again"),
        Action.REVERT: _("Revert"),
        Action.FAKE: _("Mark as applied"),
        Action.VALIDATE: _("Validate"),
        Action.EXAMINE: _("Examine"),
        Action.ACCEPT: _("Accept"),
    }[action]


# The progress


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an action has come."""

    title: str
    tone: str
    word: str
    sentence: str
    is_over: bool
    user: str
    reason: str
    command: str
    happenings: list[Happening]
    output: str
    counts: list[SafeString]


def progress_of(asked: Asked, events: Sequence[MigrationEvent]) -> Progress:
    """Return the page that follows an action, from the events of its run, oldest first."""
    ended = next((event for event in events if event.type == EventType.ENDED), None)
    told = [event for event in events if event.type not in (EventType.REQUESTED, EventType.ENDED)]
    tone, word, sentence = _verdict(events, ended)
    counts: dict[str, int] = {}
    for event in told:
        if event.type != EventType.STARTED:
            counts[event.type] = counts.get(event.type, 0) + 1
    return Progress(
        title=title_of(asked),
        tone=tone,
        word=word,
        sentence=sentence,
        is_over=ended is not None,
        user=asked.user,
        reason=asked.reason,
        command=command_line(asked),
        happenings=[happening(event) for event in reversed(told)],
        output=str(ended.details.get("output", "")) if ended else "",
        counts=[badge(type, f"{count} {EventType(type).label}") for type, count in counts.items()],
    )


def _verdict(events: Sequence[MigrationEvent], ended: MigrationEvent | None) -> tuple[str, str, str]:
    """Return tone, word and sentence of how it stands."""
    if ended is not None:
        code = ended.details.get("code")
        if code == 0:
            return "good", _("Done"), _("It came to its end, and all went well.")
        has_failed = any(event.type in FAILURES for event in events)
        if code == ExitCode.FOUND and not has_failed:
            return "warn", _("Done"), _("It came to its end, and something was found.")
        if code == ExitCode.DISAGREES and not has_failed:
            return "warn", _("Done"), _("It came to its end. Files and history disagree about something.")
        return "bad", _("Failed"), _("It ended with exit code %(code)s.") % {"code": code}
    if events and timezone.now() - events[-1].at > SILENCE:
        sentence = _("Nothing was heard of it for some minutes: a long statement is at work, or its process was ended.")
        return "warn", _("Silent"), sentence
    return "calm", _("At work"), _("This page follows it.")
