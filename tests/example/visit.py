"""Visit pages of the example's site as an administrator; run as a process of its own, with the example's settings.

The argument is a JSON list of paths, each with the form to send to it or null. Printed is a JSON list of answers, each
with its status, where it leads and what it complains of.
"""

from __future__ import annotations

import json
import re
import sys

import django
from django.core.management import call_command
from django.test import Client


def main() -> None:
    """Make Django's tables and an administrator, then visit the pages."""
    django.setup()
    from django.contrib.auth.models import User  # needs the apps

    call_command("migrate", verbosity=0)
    client = Client()
    client.force_login(User.objects.create_superuser("visitor"))
    answers = []
    for path, form in json.loads(sys.argv[1]):
        response = client.get(path) if form is None else client.post(path, form)
        complaints = re.findall(r'<ul class="errorlist[^"]*"[^>]*><li>(.*?)</li>', response.text)
        answers.append([response.status_code, response.headers.get("Location"), complaints])
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()
