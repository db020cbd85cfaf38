"""Says in the page's language what services say in English.

Services, commands and documents speak English: their words are interfaces. What of them reaches a page is translated
here. A sentence that nobody translated stays as it is.
"""

from __future__ import annotations

from django.utils.translation import gettext


def phrase(text: str) -> str:
    """Return a service's words in the page's language."""
    return gettext(text) if text else ""
