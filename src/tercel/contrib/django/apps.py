"""The application that stands in INSTALLED_APPS."""

from django.apps import AppConfig
from django.core.checks import register

from tercel.contrib.django.checks import check_runserver

__all__ = ["TercelConfig"]


class TercelConfig(AppConfig):
    """Has a command, `runserver`, and a check that it is the one that runs. No models."""

    name = "tercel.contrib.django"
    # The last part of the name would be Django's own.
    label = "tercel"
    verbose_name = "tercel"

    def ready(self) -> None:
        register(check_runserver)
