"""`manage.py runserver`: Django's command, with tercel for its server.

Options, checks, the reloader and what is said of an address in use are Django's own: this extends
the command of `django.contrib.staticfiles`, where that is installed, or else the one of the core.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.utils import autoreload
from django.utils.module_loading import import_string

import tercel
from tercel.contrib.django.listening import inherited_socket, leave_to_children, open_socket
from tercel.contrib.django.logs import ACCESS_FORMAT, keeps_access_log
from tercel.contrib.django.server import DevelopmentServer, Reins
from tercel.problems import SettingError
from tercel.settings import Settings, load

if apps.is_installed("django.contrib.staticfiles"):
    from django.contrib.staticfiles.management.commands.runserver import Command as Runserver
else:
    from django.core.management.commands.runserver import Command as Runserver

__all__ = ["Command"]

# Time for requests under way when an edit or Ctrl-C ends the server: Django's own leaves them none,
# and on Ctrl-C the reloader kills the process that serves after a quarter of a second.
_GRACE_S = 0.2
# Time before streams are told. So is an ASGI request, which Django takes for its client's leaving.
_STREAM_GRACE_S = 0.15


class Command(Runserver):
    help = (
        "Serves the project with tercel, for development: starts again after edits, and serves"
        " static files if django.contrib.staticfiles is installed."
    )

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--interface",
            choices=("auto", "asgi", "wsgi"),
            default="auto",
            help="Which application to serve. auto: ASGI if the setting ASGI_APPLICATION is there"
            " and threads are allowed, WSGI otherwise.",
        )

    def run(self, **options: Any) -> None:
        self.interface = _interface(options)
        try:
            self.tercel_settings = _settings(self.interface, threading=options["use_threading"])
        except SettingError as error:
            raise CommandError(str(error)) from None
        if self.tercel_settings.ssl_certfile:
            self.protocol = "https"

        class Serving(DevelopmentServer):
            settings = self.tercel_settings
            inherited = inherited_socket()
            reins = Reins()

        self.server_cls = Serving
        if not options["use_reloader"]:
            super().run(**options)
        elif os.environ.get(autoreload.DJANGO_AUTORELOAD_ENV) == "true":
            self._run_until_edit(Serving.reins, options)
        else:
            self._run_processes(options)

    def _run_until_edit(self, reins: Reins, options: dict[str, Any]) -> None:
        """The process that the reloader starts: leaves when a file changed, or by a signal."""
        status = 1
        try:
            super().run(**options)
            status = 0
        except SystemExit as leaving:
            # The reloader's are numbers: 3 for an edit, 0 for SIGTERM.
            status = leaving.code if isinstance(leaving.code, int) else 1
            raise
        finally:
            reins.end(status)

    def _run_processes(self, options: dict[str, Any]) -> None:
        """The process that the person started: runs the other one again and again."""
        sys.argv = _joined(sys.argv)
        # What is in the way of it is in the way of the other process, too, which says so.
        with suppress(OSError):
            listener = open_socket(
                self.addr,
                int(self.port),
                ipv6=self.use_ipv6,
                backlog=self.tercel_settings.backlog,
            )
            leave_to_children(listener)
        super().run(**options)

    def get_handler(self, *args: Any, **options: Any) -> Any:
        """Returns the application, within the handler of static files if they are to be served."""
        if self.interface == "wsgi":
            return super().get_handler(*args, **options)
        application = _asgi_application()
        wanted = settings.DEBUG or options.get("insecure_serving", False)
        if not wanted or not options.get("use_static_handler", False):
            return application
        from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler

        return ASGIStaticFilesHandler(application)

    def on_bind(self, server_port: int) -> None:
        """Says what runs where."""
        host = f"[{self.addr}]" if self._raw_ipv6 else "0.0.0.0" if self.addr == "0" else self.addr
        path = getattr(settings, f"{self.interface.upper()}_APPLICATION", None)
        name = f"application {path!r}" if path else "default application"
        self.stdout.write(
            f"{datetime.now():%B %d, %Y - %X}\n"
            f"Django version {self.get_version()}, using settings {settings.SETTINGS_MODULE!r}\n"
            f"tercel version {tercel.__version__}, serving the {self.interface.upper()} {name}\n"
            # Tools look for this line.
            f"Starting development server at {self.protocol}://{host}:{server_port}/\n"
            "Quit the server with CONTROL-C."
        )
        if os.environ.get("DJANGO_RUNSERVER_HIDE_WARNING") != "true":
            target = ":".join((path or f"project.{self.interface}.application").rsplit(".", 1))
            self.stdout.write(
                self.style.WARNING(
                    "WARNING: This command is for development: it watches files and serves static"
                    f" ones.\nIn production, use: tercel serve {target}"
                )
            )
        self.stdout.flush()


def _interface(options: dict[str, Any]) -> str:
    """Returns `asgi` or `wsgi`.

    A new project has WSGI_APPLICATION. ASGI_APPLICATION is there because somebody wrote it.
    """
    chosen: str = options["interface"]
    if chosen == "asgi" and not options["use_threading"]:
        raise CommandError("--nothreading is for WSGI: remove it, or --interface=asgi.")
    if chosen != "auto":
        return chosen
    asgi = getattr(settings, "ASGI_APPLICATION", None) and options["use_threading"]
    return "asgi" if asgi else "wsgi"


def _settings(interface: str, *, threading: bool) -> Settings:
    """Returns tercel's settings: what the command decides, and for the rest TERCEL_* variables.

    Raises:
        SettingError: one of those is wrong.
    """
    keywords: dict[str, Any] = {
        "interface": "wsgi" if interface == "wsgi" else "asgi3",
        "timeout_graceful_shutdown": _GRACE_S,
        "timeout_stream_grace": _STREAM_GRACE_S,
        "access_log_file": "-",
    }
    if not threading:
        keywords["threads"] = 1
    if not keeps_access_log():
        keywords["access_log_format"] = ACCESS_FORMAT
    return load(keywords=keywords, environ=os.environ)


def _asgi_application() -> Any:
    """Returns what ASGI_APPLICATION names, or Django's own if it is not set."""
    path = getattr(settings, "ASGI_APPLICATION", None)
    if path is None:
        from django.core.asgi import get_asgi_application

        return get_asgi_application()
    try:
        return import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(
            f"ASGI application {path!r} could not be loaded; error importing module."
        ) from error


def _joined(words: list[str]) -> list[str]:
    """Returns `words`, a command line, with the value of `--interface` in the same word.

    When an edit broke the project, Django runs its own command, and takes from the command line,
    word by word, what that does not know: a value by itself would be taken for the address.
    """
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] == "--interface":
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined
