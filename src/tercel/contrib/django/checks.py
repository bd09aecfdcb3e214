"""What `manage.py check` says when another application's `runserver` hides tercel's."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.core.checks import CheckMessage, Warning
from django.core.management import BaseCommand, get_commands, load_command_class

__all__ = ["check_runserver"]

_OURS = "tercel.contrib.django"


def check_runserver(**options: Any) -> list[CheckMessage]:
    """Returns tercel.W001 if the first `runserver` of INSTALLED_APPS is not ours, nor built on it.

    A warning, not an error: whatever runs serves the project, too.
    """
    owner = get_commands()["runserver"]
    if owner == _OURS or _builds_on_ours(owner):
        return []
    name = owner.__class__.__module__ if isinstance(owner, BaseCommand) else owner
    return [
        Warning(
            f"runserver is that of {name!r}, not tercel's: put {_OURS!r} before it in"
            " INSTALLED_APPS.",
            id="tercel.W001",
        )
    ]


def _builds_on_ours(owner: str | BaseCommand) -> bool:
    """Whether the command extends the next one in INSTALLED_APPS, as WhiteNoise's does."""
    from tercel.contrib.django.management.commands.runserver import Command

    # What that application raises is not for this check to tell.
    with suppress(Exception):
        command = load_command_class(owner, "runserver") if isinstance(owner, str) else owner
        return isinstance(command, Command)
    return False
