"""What to say of a target that names nothing, and of an application that raised on import.

Imported when there is something to say.
"""

from __future__ import annotations

import os
import sys
from pkgutil import iter_modules
from traceback import TracebackException
from types import TracebackType
from typing import Any

from tercel.server.importer import as_module
from tercel.table import closest

__all__ = ["application_traceback", "for_file", "no_attribute", "no_module"]


def for_file(file: str, path: str) -> str:
    """Returns what to write for the application `path` in the module that `file` is the path of."""
    folder, _, name = file.rpartition("/")
    if file.startswith(("/", "../")):
        return f"write --app-dir {folder or '/'} {as_module(name)}:{path}"
    return f"write {as_module(file)}:{path}"


def no_module(name: str, missing: str, folder: str) -> str:
    """Returns the sentence about the target `name`, of which the module `missing` is not there."""
    parent, _, last = missing.rpartition(".")
    places = list(sys.modules[parent].__path__) if parent in sys.modules else [folder]
    match = closest(last, [module.name for module in iter_modules(places)])
    if match is None:
        return (
            f"There is no module {missing!r} in {places[0]}: change the target {name!r},"
            " or give the folder of the application with --app-dir."
        )
    found = f"{parent}.{match}" if parent else match
    return f"There is no module {missing!r} in {places[0]}: did you mean {found}?"


def no_attribute(owner: Any, module_name: str, name: str) -> str:
    """Returns the sentence about `owner`, in that module, which has no attribute `name`."""
    what = f"{module_name} has no attribute {name!r}"
    known = [known for known in dir(owner) if not known.startswith("__")]
    if match := closest(name, known):
        return f"{what}: did you mean {match}?"
    # Objects that can be called, and are neither classes nor functions, are mostly applications.
    likely = [
        known
        for known in known
        if callable(value := getattr(owner, known, None))
        and not isinstance(value, type)
        and not hasattr(value, "__code__")
    ]
    if likely:
        return f"{what}: it may be {' or '.join(likely[:3])}."
    return f"{what}: name the variable that holds the application."


# --- what the application raised

# The folder of tercel's own modules.
_PACKAGE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")


def application_traceback(error: BaseException) -> str:
    """Returns the traceback of `error` from the first frame that is the application's."""
    trace = error.__traceback__
    while trace is not None and _is_ours(trace):
        trace = trace.tb_next
    # A syntax error has no frame of the application: its text says where it is.
    return "".join(TracebackException(type(error), error, trace).format())


def _is_ours(trace: TracebackType) -> bool:
    name = trace.tb_frame.f_code.co_filename
    ours = ("<frozen importlib.", _PACKAGE)
    return name.startswith(ours) or name.endswith("/importlib/__init__.py")
