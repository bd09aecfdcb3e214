"""`tercel serve main:app` and its siblings.

Whatever keeps the server from starting ends in one sentence on standard error and an exit status: 2
for what was asked for, 1 for what went wrong, 3 for an application that refused to start up. The
only traceback a person sees is the application's own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from tercel import _core, settings
from tercel.cli import options
from tercel.problems import ImportFailed, StartError
from tercel.settings import Settings

__all__ = ["main"]

_USAGE = """\
tercel: an HTTP server for Python applications.

  tercel serve main:app [options]      serve the object `app` of main.py
  tercel check [main:app] [options]    look at settings and application, without serving
  tercel gateway s3.toml [options]     serve an S3 gateway
  tercel check s3.toml [options]       look at its file, without serving
  tercel settings                      list every setting
  tercel routes main:app               list the routes of a tercel.App
  tercel openapi main:app [-o FILE]    write its OpenAPI document
  tercel --version

`tercel serve --help` lists the options.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit status.

    Args:
        arguments: without the name of the program; None for those of the process.
    """
    _open_standard_streams()
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(words)
    except StartError as error:
        if isinstance(error, ImportFailed) and error.__cause__ is not None:
            from tercel.server.import_mistakes import application_traceback

            print(application_traceback(error.__cause__), file=sys.stderr, end="")
        print(f"tercel: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        return 130


def _open_standard_streams() -> None:
    """Opens the null device for standard input, output and error, as far as they are closed.

    Otherwise the next descriptors that are opened take their numbers, and what the application
    prints, and the access log, goes into the event loop's.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free, which is this one: those below are open by now.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
            if getattr(sys, name) is None:
                setattr(sys, name, os.fdopen(number, mode, closefd=False))


def _run(words: list[str]) -> int:
    command, rest = (words[0], words[1:]) if words else ("--help", [])
    if command in ("-h", "--help", "help"):
        print(_USAGE, end="")
    elif command in ("--version", "-V"):
        python = ".".join(str(part) for part in sys.version_info[:3])
        print(f"tercel {_core.__version__} (CPython {python})")
    elif command == "serve":
        return _serve(rest)
    elif command == "gateway":
        from tercel.cli.gateway import gateway

        return gateway(rest)
    elif command == "check":
        line = options.parse(rest, "tercel check")
        if not line.help and _is_file_of_gateway(line.target):
            from tercel.cli.gateway import check_file

            check_file(line)
            return 0
        read = _read(rest, "tercel check")
        if read is not None:
            from tercel.cli.commands import check

            check(*read)
    elif command == "settings":
        from tercel.cli.commands import settings_text

        print(settings_text(), end="")
    elif command == "routes":
        from tercel.cli.api import routes

        routes(rest, _read)
    elif command == "openapi":
        from tercel.cli.api import openapi

        openapi(rest, _read)
    else:
        from tercel.cli.mistakes import unknown_command

        raise options.UsageError(unknown_command(command))
    return 0


def _is_file_of_gateway(target: str | None) -> bool:
    return target is not None and target.endswith(".toml") and ":" not in target


def _serve(words: list[str]) -> int:
    read = _read(words, "tercel serve")
    if read is None:
        return 0
    target, values = read
    if not target:
        raise options.UsageError("Name the application to serve: tercel serve main:app.")
    from tercel.run import run

    def reread() -> Settings:
        again = _read(words, "tercel serve")
        assert again is not None
        return again[1]

    return run(target, values, reread, own_process=True)


def _read(words: list[str], command: str) -> tuple[str, Settings] | None:
    """Returns the target (perhaps empty) and the settings, or None when help was asked for."""
    from tercel.run import inherited_binds

    line = options.parse(words, command)
    if line.help:
        from tercel.cli.commands import show_help

        show_help(command)
        return None
    values = settings.load(
        command_line=line.settings,
        environ=os.environ,
        file=line.config,
        inherited=inherited_binds(os.environ),
        platform=os.environ,
    )
    return line.target or values.app, values
