"""Runs any ``manage.py`` command in this process, as from a command line, and returns its whole answer."""

from __future__ import annotations

import io
import sys
from unittest import mock

from django.core.management import get_commands, load_command_class
from django.core.management.base import OutputWrapper

from tests.helpers import Ran, plain


def manage(name: str, *arguments: str) -> Ran:
    """Run ``manage.py NAME ARGUMENTS``."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    command = load_command_class(get_commands()[name], name)
    command.stdout, command.stderr = OutputWrapper(out), OutputWrapper(err)
    argv = ["manage.py", name, *arguments, "--no-color"]
    with mock.patch.object(sys, "argv", argv):
        try:
            command.run_from_argv(argv)
        except SystemExit as end:
            code = int(end.code or 0)
    return Ran(plain(out.getvalue()), plain(err.getvalue()), code)
