"""Logging as a file of the setting `log_config` has it. Imported when there is one."""

from __future__ import annotations

import logging.config
import os
from typing import Any

from tercel.problems import SettingError

__all__ = ["configure_from"]


def configure_from(path: str) -> None:
    """Configures logging as the file says: .json, .toml, or what `fileConfig` reads.

    Raises:
        SettingError: it cannot be read or is not a logging configuration.
    """
    try:
        config = _read(path)
        if config is None:
            logging.config.fileConfig(path, disable_existing_loggers=False)
            return
        # Without this, dictConfig() silences the loggers it does not name: ours and others'.
        config.setdefault("disable_existing_loggers", False)
        logging.config.dictConfig(config)
    except OSError as error:
        raise SettingError(f"log-config {path} cannot be read: {error.strerror}.") from None
    except Exception as error:
        # Both functions raise whatever their handlers and formatters raise.
        reason = " ".join(str(error).split()) or type(error).__name__
        cause = f" ({error.__cause__})" if error.__cause__ else ""
        raise SettingError(
            f"log-config {path} is not a logging configuration: {reason}{cause}."
        ) from None


def _read(path: str) -> dict[str, Any] | None:
    """Returns the dictionary in a .json, .toml or .yaml file; None for an INI file."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix == ".json":
        import json

        with open(path, "rb") as file:
            config = json.load(file)
    elif suffix == ".toml":
        import tomllib

        with open(path, "rb") as file:
            config = tomllib.load(file)
    else:
        # fileConfig() takes a missing file for an empty one.
        with open(path, "rb"):
            return None
    if not isinstance(config, dict):
        raise ValueError("it must be an object at the top")
    return config
