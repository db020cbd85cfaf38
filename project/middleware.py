"""A strict Content Security Policy, as sites that use the app may have one."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

POLICY = "; ".join(
    [
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


def content_security_policy(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Forbid inline styles and scripts, and everything that comes from elsewhere, on each page."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        # Django's pages for errors under DEBUG have their style inside.
        if not (settings.DEBUG and response.status_code in (404, 500)):
            response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return respond
