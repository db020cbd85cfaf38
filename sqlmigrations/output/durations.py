"""Words durations for people."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext as _


def duration(milliseconds: float) -> str:
    """Return a duration in the page's language: ``12 ms``, ``3.4 s``, ``2 min 5 s``, ``1 h 2 min``."""
    if round(milliseconds) < 10:
        return _("%(number)s ms") % {"number": number_format(round(milliseconds, 1), 1)}
    if round(milliseconds) < 1_000:
        return _("%(number)s ms") % {"number": number_format(round(milliseconds))}
    if round(milliseconds / 100) < 600:
        return _("%(number)s s") % {"number": number_format(round(milliseconds / 1_000, 1), 1)}
    seconds = round(milliseconds / 1_000)
    if seconds < 3_600:
        return _("%(minutes)s min %(seconds)s s") % {"minutes": seconds // 60, "seconds": seconds % 60}
    minutes = round(seconds / 60)
    return _("%(hours)s h %(minutes)s min") % {"hours": number_format(minutes // 60), "minutes": minutes % 60}
