"""Settings from their four sources, all read by the one table of the engine.

From the strongest to the weakest: command line, keyword arguments, `TERCEL_*` variables, TOML file.
`limit-request-body` is an option; `limit_request_body` the keyword and the TOML key;
`TERCEL_LIMIT_REQUEST_BODY` the variable. Every value becomes text and goes through
`_core.Settings.assign`, so what is accepted does not depend on where it was written.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from tercel import _core
from tercel._core import Settings
from tercel.problems import SettingError

__all__ = ["Settings", "load", "misspelt_variables"]

# Where the name of a TOML file may stand, beside the option --config.
CONFIG_VARIABLE = "TERCEL_CONFIG"
_PREFIX = "TERCEL_"
_PLATFORM_WORKERS = "WEB_CONCURRENCY"
_LISTEN = ("host", "port", "bind", "uds", "fd")

# A setting as it was written: what it is called there, and its texts (one str: joined).
Given = tuple[str, list[str] | str]


def load(
    *,
    command_line: Mapping[str, list[str]] | None = None,
    keywords: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    file: str | os.PathLike[str] | None = None,
    inherited: Sequence[str] = (),
    platform: Mapping[str, str] | None = None,
) -> Settings:
    """Returns the settings that the sources together make.

    Args:
        command_line: texts by option name; those of the caller's parser.
        keywords: values by keyword. None as a value leaves the setting alone.
        environ: the variables to look at. Unknown `TERCEL_*` ones are not refused: they may belong
            to somebody else.
        file: a TOML file; the variable TERCEL_CONFIG of `environ` names one if this is None.
        inherited: what to listen on if no source names an address: sockets that a service manager
            opened, as `bind` has them.
        platform: variables by which a platform speaks to any server: `WEB_CONCURRENCY`, the number
            of workers if no source names it.

    Raises:
        SettingError: a name or a value is wrong, two settings contradict each other, or the file
            cannot be read.
        TypeError: a keyword is not a setting.
    """
    environ = environ if environ is not None else {}
    if file is None:
        file = environ.get(CONFIG_VARIABLE)
    if file == "":
        raise SettingError(
            f"The path of the settings file (--config, {CONFIG_VARIABLE}) must not be empty."
        )
    sources: list[dict[str, Given]] = [
        _from_platform(platform or {}),
        {} if file is None else _from_file(file),
        _from_environ(environ),
        _from_keywords(keywords or {}),
        {keyword_of(name): (f"--{name}", texts) for name, texts in (command_line or {}).items()},
    ]
    if inherited and not any(name in given for given in sources for name in _LISTEN):
        sources.insert(0, {"bind": ("bind", list(inherited))})
    settings = Settings()
    for given in sources:
        _refuse_port_beside_bind(given)
        for name, (label, texts) in given.items():
            if isinstance(texts, str):
                _raise(settings.assign_joined(name, texts, label), texts, label)
            else:
                _raise(settings.assign(name, texts, label))
    _raise(settings.check())
    return settings


def keyword_of(name: str) -> str:
    return name.replace("-", "_")


def _raise(problem: str | None, text: str = "", label: str = "") -> None:
    if problem is None:
        return
    if label == "TERCEL_PORT" and text.startswith("tcp://"):
        problem += (
            " Kubernetes sets this variable for a Service named tercel:"
            " set enableServiceLinks to false in the pod, or give --port."
        )
    raise SettingError(problem)


def _refuse_port_beside_bind(given: Mapping[str, Given]) -> None:
    """Refuses `port` or `host` in one breath with what replaces them: one would be ignored."""
    for name in ("host", "port"):
        for other in ("bind", "uds", "fd"):
            if name not in given or other not in given:
                continue
            label, texts = given[other]
            if texts:
                raise SettingError(f"{label} replaces {given[name][0]}: remove one of them.")


# --- one function for each source


def _from_environ(environ: Mapping[str, str]) -> dict[str, Given]:
    return {
        name: (variable, environ[variable])
        for variable in environ
        if (name := _setting_of(variable)) is not None
    }


def _from_platform(environ: Mapping[str, str]) -> dict[str, Given]:
    count = environ.get(_PLATFORM_WORKERS, "").strip()
    return {"workers": (_PLATFORM_WORKERS, count)} if count else {}


def _setting_of(variable: str) -> str | None:
    """Returns the setting that `variable` is for, or None."""
    name = variable.removeprefix(_PREFIX)
    is_ours = name != variable and name == name.upper() and "-" not in name
    name = name.lower()
    return name if is_ours and _core.setting_kind(name) is not None else None


def _from_file(path: str | os.PathLike[str]) -> dict[str, Given]:
    from tercel.settings_file import read

    return read(path)


def _from_keywords(keywords: Mapping[str, Any]) -> dict[str, Given]:
    for name in keywords:
        if "-" in name or _core.setting_kind(name) is None:
            raise TypeError(f"{name!r} is not a setting{did_you_mean(name)}")
    return {
        name: (name, texts_of(value, name, name))
        for name, value in keywords.items()
        if value is not None
    }


def texts_of(value: Any, name: str, label: str) -> list[str]:
    """Returns `value` as the texts that a person would write for the setting `name`.

    Raises:
        SettingError: no setting is written as a value of this type.
    """
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in texts_of(item, name, label)]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, int) and _core.setting_kind(name) == "mode":
        # The number is what the literal 0o660 stood for; people write it in octal.
        return [oct(value)]
    if isinstance(value, (str, int, float)):
        return [str(value)]
    if isinstance(value, os.PathLike):
        return [os.fsdecode(value)]
    raise SettingError(
        f"{label} must be a text, a number, true or false, or a list of texts,"
        f" not {type(value).__name__}."
    )


# --- names that are none


def did_you_mean(name: str) -> str:
    from tercel.table import closest_keyword

    match = closest_keyword(name)
    return f": did you mean {match}?" if match else "."


def misspelt_variables(environ: Mapping[str, str]) -> list[str]:
    """Returns a sentence for each variable of `environ` that looks like a misspelt setting.

    They are not refused: a variable that begins with TERCEL_ may belong to somebody else.
    """
    unknown = sorted(
        variable.removeprefix(_PREFIX)
        for variable in environ
        if variable.startswith(_PREFIX)
        and variable != CONFIG_VARIABLE
        and _setting_of(variable) is None
    )
    if not unknown:
        return []
    from tercel.table import closest_keyword

    return [
        f"The variable {_PREFIX}{name} is not a setting: did you mean {_PREFIX}{match.upper()}?"
        for name in unknown
        if (match := closest_keyword(name.lower(), "config"))
    ]
