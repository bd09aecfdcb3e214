"""From `module:attribute` to the application object.

An error of the person (a wrong name) becomes one sentence that names what is there instead. An
error of the application keeps its traceback, as `__cause__`. The words for both:
`import_mistakes`.
"""

from __future__ import annotations

import inspect
import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from tercel.problems import ImportFailed, SettingError, TargetError
from tercel.server.signals import INTERRUPTIONS

__all__ = ["as_module", "call_factory", "load_application"]


def load_application(target: str, *, app_dir: str = ".", factory: bool = False) -> Any:
    """Returns the object that `target` names, having put `app_dir` first on the import path.

    Args:
        target: `module:attribute`; both may be dotted.
        factory: the attribute is called, without arguments, and what it returns is the application.

    Raises:
        TargetError: the target is malformed, or names nothing.
        SettingError: there is no folder `app_dir`.
        ImportFailed: importing the module, or calling the factory, raised.
    """
    module_name, _, path = target.partition(":")
    if not module_name or not path:
        raise TargetError(
            f"{target!r} names no application: write module:attribute, for example"
            f" {as_module(module_name) or 'main'}:app."
        )
    if module_name != as_module(module_name):
        from tercel.server.import_mistakes import for_file

        raise TargetError(f"{module_name!r} is the path of a file: {for_file(module_name, path)}.")
    folder = os.path.realpath(app_dir)
    if not os.path.isdir(folder):
        raise SettingError(f"app-dir must be a folder that exists, not {folder!r}.")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    application = _attribute(_module(module_name, folder), module_name, path)
    return call_factory(application, target) if factory else application


def call_factory(factory: Any, name: str, *, in_python: bool = False) -> Any:
    """Returns what `factory()` returns. `name` is what to call it.

    Args:
        in_python: the advice is for who calls tercel from Python, not for the command line.

    Raises:
        TargetError: it cannot be called, takes arguments, or is asynchronous.
        ImportFailed: it raised.
    """
    from tercel.server.interface_mistakes import require_factory

    require_factory(factory, name, in_python=in_python)
    try:
        made = factory()
    except INTERRUPTIONS:
        raise
    except BaseException as error:
        raise ImportFailed(f"{name} failed: it raised {_short(error)}.") from error
    if inspect.iscoroutine(made):
        made.close()
        raise TargetError(f"{name} returned a coroutine: a factory must be a plain function.")
    return made


# --- steps of load_application


def as_module(name: str) -> str:
    """Returns `name` without what makes it the path of a file."""
    return name.removesuffix(".py").strip("./").replace("/", ".")


def _module(name: str, folder: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        # Only the target itself, or a package above it, is the person's mistake. What the module
        # imports in turn is the application's.
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise _import_failed(name, error) from error
        from tercel.server.import_mistakes import no_module

        raise TargetError(no_module(name, error.name, folder)) from None
    except INTERRUPTIONS:
        raise
    except BaseException as error:
        raise _import_failed(name, error) from error


def _import_failed(name: str, error: BaseException) -> ImportFailed:
    return ImportFailed(f"{name} could not be imported: it raised {_short(error)}.")


def _short(error: BaseException) -> str:
    """Returns what to call `error` in a sentence: with its status, if it is `sys.exit(status)`."""
    name = type(error).__name__
    return f"{name} ({error.code})" if isinstance(error, SystemExit) else name


def _attribute(module: ModuleType, module_name: str, path: str) -> Any:
    value: Any = module
    for name in path.split("."):
        try:
            value = getattr(value, name)
        except AttributeError:
            from tercel.server.import_mistakes import no_attribute

            raise TargetError(no_attribute(value, module_name, name)) from None
    return value
