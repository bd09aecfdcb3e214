"""Settings in a TOML file: its keys are the keywords of `tercel.serve`."""

from __future__ import annotations

import os
import tomllib

from tercel import _core
from tercel.problems import SettingError
from tercel.settings import Given, did_you_mean, keyword_of, texts_of

__all__ = ["read"]


def read(path: str | os.PathLike[str]) -> dict[str, Given]:
    """Returns the settings that the file names.

    Raises:
        SettingError: it cannot be read, is not TOML, or a name or the type of a value is wrong.
    """
    path = os.fspath(path)
    try:
        with open(path, "rb") as file:
            table = tomllib.load(file)
    except OSError as error:
        raise SettingError(f"The settings file {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"The settings file {path} is not TOML: {error}.") from None
    given: dict[str, Given] = {}
    for key, value in table.items():
        name = keyword_of(key)
        if _core.setting_kind(name) is None:
            if isinstance(value, dict):
                raise SettingError(
                    f"[{key}] in {path} is a table, and settings stand in none: move them to the"
                    " top of a file of their own, for example port = 8000."
                )
            raise SettingError(f"{key!r} in {path} is not a setting{did_you_mean(name)}")
        label = f"{name} in {path}"
        given[name] = (label, texts_of(value, name, label))
    return given
