"""`tercel openapi main:app` and `tercel routes main:app`: what a tercel.App consists of."""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from tercel.cli.options import UsageError
from tercel.problems import StartError, TargetError
from tercel.server.importer import load_application
from tercel.server.logs import kept_enabled
from tercel.server.serving import prepare
from tercel.settings import Settings

if TYPE_CHECKING:
    from tercel.api.app import App
    from tercel.api.route import Route

__all__ = ["openapi", "routes"]

# Returns target and settings, or None: help was asked for.
Read = Callable[[list[str], str], tuple[str, Settings] | None]

_HELP = """\
usage: tercel {command} main:app [options]

{about}

{options}\
  --app-dir FOLDER   put first on the import path; default "."
  --factory          main:app is called, and returns the application
  --env-file FILE    variables for the application
Other options of `tercel serve`, and its settings files and variables, may be there: they change
nothing.
"""
_OPENAPI = "Prints the OpenAPI document of the application, or writes it into a file."
_ROUTES = "Lists the routes of the application: method, path, name, and where it is defined."
_OUTPUT = "  -o, --output FILE  write there, instead of standard output\n"

_BOLD, _DIM, _RESET = "\33[1m", "\33[2m", "\33[0m"


def openapi(words: list[str], read: Read) -> None:
    """Prints or writes the document of the application that `words` name."""
    if _asks_for_help(words):
        print(_HELP.format(command="openapi", about=_OPENAPI, options=_OUTPUT), end="")
        return
    rest, output = _take_output(words)
    app, _ = _load("openapi", rest, read)
    document = msgspec.json.format(msgspec.json.encode(app.openapi()), indent=2) + b"\n"
    if output is None:
        print(document.decode(), end="")
        return
    try:
        with open(output, "wb") as file:
            file.write(document)
    except OSError as error:
        raise StartError(f"{output} cannot be written: {error.strerror}.") from None


def routes(words: list[str], read: Read) -> None:
    """Prints the table of routes of the application that `words` name."""
    if _asks_for_help(words):
        print(_HELP.format(command="routes", about=_ROUTES, options=""), end="")
        return
    app, settings = _load("routes", words, read)
    app._freeze()
    colors = settings.use_colors
    if colors is None:
        colors = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    rows = [_row(route) for route in (*app._routes, *app._websockets)]
    print(_table(rows, colors=colors), end="")


# --- words


def _asks_for_help(words: list[str]) -> bool:
    return "-h" in words or "--help" in words


def _take_output(words: list[str]) -> tuple[list[str], str | None]:
    """Returns the words without `-o FILE`, and the file. The last of several wins."""
    rest: list[str] = []
    output = None
    following = iter(words)
    for word in following:
        name, equals, value = word.partition("=")
        if word in ("-o", "--output"):
            output = next(following, "")
        elif name == "--output" and equals:
            output = value
        else:
            rest.append(word)
            continue
        if not output or output.startswith("--"):
            raise UsageError(f"{name} needs a value.")
    return rest, None if output == "-" else output


# --- the application


def _load(command: str, words: list[str], read: Read) -> tuple[App, Settings]:
    found = read(words, f"tercel {command}")
    assert found is not None
    target, settings = found
    if not target:
        raise UsageError(f"Name the application: tercel {command} main:app.")
    make_loop = prepare(settings)
    with asyncio.Runner(loop_factory=make_loop) as runner:
        application = runner.run(_import(target, settings))
    from tercel.api import App

    if not isinstance(application, App):
        kind = type(application).__name__
        raise TargetError(
            f"{target}, of type {kind}, is not a tercel.App: tercel does not know its routes."
        )
    return application, settings


async def _import(target: str, settings: Settings) -> object:
    # In a running loop, as `serve` does it.
    with kept_enabled():
        return load_application(target, app_dir=settings.app_dir, factory=settings.factory)


# --- the table


def _row(route: Route) -> tuple[str, str, str, str]:
    return route.method, route.path, route.name, _where(route)


def _where(route: Route) -> str:
    """Returns file and line of a route's function, from here if that is shorter."""
    function = inspect.unwrap(route.function)
    module = str(function.__module__)
    if module.startswith("tercel.api."):
        return "tercel"
    code = getattr(function, "__code__", None)
    if code is None:
        return module
    path = os.path.relpath(code.co_filename)
    return f"{min(path, code.co_filename, key=len)}:{code.co_firstlineno}"


def _table(rows: list[tuple[str, str, str, str]], *, colors: bool) -> str:
    """Returns the rows as lines, the first three columns as wide as they have to be."""
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    lines = []
    for method, path, name, where in rows:
        cells = [
            _colored(method, widths[0], _BOLD if colors else ""),
            path.ljust(widths[1]),
            name.ljust(widths[2]),
            _colored(where, 0, _DIM if colors else ""),
        ]
        lines.append("  ".join(cells) + "\n")
    return "".join(lines)


def _colored(text: str, width: int, color: str) -> str:
    spaces = " " * (width - len(text))
    return f"{color}{text}{_RESET}{spaces}" if color else text + spaces
