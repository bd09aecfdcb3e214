"""Settings from their four sources, all read by the one table of the engine.

From the strongest to the weakest: command line, keyword arguments, `TERCEL_*` variables, TOML file.
`limit-request-body` is an option; `limit_request_body` the keyword and the TOML key;
`TERCEL_LIMIT_REQUEST_BODY` the variable. Every value becomes text and goes through
`_core.Settings.assign`, so what is accepted does not depend on where it was written.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tercel import _core
from tercel.problems import SettingError

__all__ = ["Row", "Settings", "closest", "load", "rows"]

# Where the name of a TOML file may stand, beside the option --config.
CONFIG_VARIABLE = "TERCEL_CONFIG"
_PREFIX = "TERCEL_"


class Row(NamedTuple):
    """One setting of the table.

    Attributes:
        name: as an option, without the dashes before it.
        kind: flag, toggle, count, bytes, seconds, mode, text, list or choice.
        group: title of the group it belongs to.
        default: the value it has if nobody sets it.
        default_text: the same as people write it.
        must_be: what a value must be; completes "must be".
        unit: of counts and rates, else empty.
        zero: what 0 and "off" mean where they are special, else empty.
        choices: what may be written, of a choice.
        process_only: for the command line and `tercel.serve`, not for `tercel.Server`.
    """

    name: str
    kind: str
    group: str
    help: str
    default: Any
    default_text: str
    must_be: str
    unit: str
    zero: str
    choices: list[str]
    process_only: bool

    @property
    def keyword(self) -> str:
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        return _PREFIX + self.keyword.upper()


def rows() -> list[Row]:
    """Returns the table in its order: by group, then by importance."""
    return [Row(**row) for row in _core.settings_table()]


class Settings(_core.Settings):
    """The settings of one server: `settings.port`, `settings.timeout_keep_alive` (seconds), ...

    Starts with the defaults. Read-only for everybody but `load`.
    """

    def __getattr__(self, name: str) -> Any:
        if name not in _NAMES:
            raise AttributeError(f"{name!r} is not a setting")
        return self.value(name)


_KINDS = {row["name"].replace("-", "_"): row["kind"] for row in _core.settings_table()}
_NAMES = frozenset(_KINDS)
_LISTEN = ("host", "port", "bind", "uds", "fd")
_MODES = frozenset(name for name, kind in _KINDS.items() if kind == "mode")


def load(
    *,
    command_line: Mapping[str, list[str]] | None = None,
    keywords: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    file: str | os.PathLike[str] | None = None,
    inherited: Sequence[str] = (),
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
    sources: list[dict[str, _Given]] = [
        {} if file is None else _from_file(file),
        _from_environ(environ),
        _from_keywords(keywords or {}),
        {
            _keyword(name): _Given(f"--{name}", texts)
            for name, texts in (command_line or {}).items()
        },
    ]
    if inherited and not any(name in given for given in sources for name in _LISTEN):
        sources.insert(0, {"bind": _Given("bind", list(inherited))})
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


class _Given(NamedTuple):
    """A setting as it was written: what it is called there, and its texts (one str: joined)."""

    label: str
    texts: list[str] | str


def _keyword(name: str) -> str:
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


def _refuse_port_beside_bind(given: Mapping[str, _Given]) -> None:
    """Refuses `port` or `host` in one breath with what replaces them: one would be ignored."""
    for name in ("host", "port"):
        for other in ("bind", "uds", "fd"):
            if name in given and other in given and given[other].texts:
                raise SettingError(
                    f"{given[other].label} replaces {given[name].label}: remove one of them."
                )


# --- one function for each source


def _from_environ(environ: Mapping[str, str]) -> dict[str, _Given]:
    given = {}
    for name in _NAMES:
        variable = _PREFIX + name.upper()
        if (text := environ.get(variable)) is not None:
            given[name] = _Given(variable, text)
    return given


def _from_keywords(keywords: Mapping[str, Any]) -> dict[str, _Given]:
    for name in keywords:
        if name not in _NAMES:
            raise TypeError(f"{name!r} is not a setting{_did_you_mean(name, _NAMES)}")
    return {
        name: _Given(name, _texts(value, name, name))
        for name, value in keywords.items()
        if value is not None
    }


def _from_file(path: str | os.PathLike[str]) -> dict[str, _Given]:
    import tomllib

    path = os.fspath(path)
    try:
        with open(path, "rb") as file:
            table = tomllib.load(file)
    except OSError as error:
        raise SettingError(f"The settings file {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"The settings file {path} is not TOML: {error}.") from None
    given = {}
    for key, value in table.items():
        name = _keyword(key)
        if name not in _NAMES:
            raise SettingError(f"{key!r} in {path} is not a setting{_did_you_mean(name, _NAMES)}")
        label = f"{name} in {path}"
        given[name] = _Given(label, _texts(value, name, label))
    return given


def _texts(value: Any, name: str, label: str) -> list[str]:
    """Returns `value` as the texts that a person would write for the setting `name`.

    Raises:
        SettingError: no setting is written as a value of this type.
    """
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in _texts(item, name, label)]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, int) and name in _MODES:
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


# --- help for the fingers


def closest(name: str, known: Iterable[str]) -> str | None:
    """Returns the one of `known` that `name` was probably meant to be, or None."""
    from difflib import get_close_matches

    found = get_close_matches(name, list(known), n=1)
    return found[0] if found else None


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    match = closest(name, known)
    return f": did you mean {match}?" if match else "."


def misspelt_variables(environ: Mapping[str, str]) -> list[str]:
    """Returns a sentence for each variable of `environ` that looks like a misspelt setting.

    They are not refused: a variable that begins with TERCEL_ may belong to somebody else.
    """
    known = {name.upper() for name in (*_NAMES, "config")}
    return [
        f"The variable {_PREFIX}{name} is not a setting: did you mean {_PREFIX}{match}?"
        for name in sorted(
            variable.removeprefix(_PREFIX) for variable in environ if variable.startswith(_PREFIX)
        )
        if name not in known and (match := closest(name, known))
    ]
