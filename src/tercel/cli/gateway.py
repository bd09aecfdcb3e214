"""`tercel gateway s3.toml`: an S3 gateway without a line of Python; and `tercel check s3.toml`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tercel import settings
from tercel.cli.options import CommandLine, UsageError, parse
from tercel.problems import SettingError, StartError
from tercel.server.env_file import load_env_file
from tercel.settings import Settings, keyword_of

if TYPE_CHECKING:
    from tercel.s3.file import FileGateway, GatewayFile

__all__ = ["check_file", "gateway"]

_COMMAND = "tercel gateway"
_HELP = """\
usage: tercel gateway s3.toml [options]

Serves the S3 gateway that the file says: [buckets.NAME], [identities.NAME], [[policies]]. Its
[server] has settings of `tercel serve`; variables are stronger, and options of this command the
strongest. SIGHUP has the file read again. `tercel check s3.toml` looks at it without serving.
"""


def gateway(words: list[str]) -> int:
    """Serves, and returns the exit status."""
    line = parse(words, _COMMAND)
    if line.help:
        print(_HELP, end="")
        return 0
    if not line.target:
        raise UsageError(f"Name the file of the gateway: {_COMMAND} s3.toml.")
    from tercel.run import run

    served = _Served(line, _COMMAND)
    return run(served, served.load(), served.load, own_process=True)


def check_file(line: CommandLine) -> None:
    """Says that everything that can be known of a file without listening is right, or raises."""
    served = _Served(line, f"tercel check {line.target}")
    values = served.check()
    print(
        f"The file is right, {line.target} is an S3 gateway, it would listen on"
        f" {' and '.join(values.binds())}."
    )


class _Served:
    """A file, and what the command line says beside it. It is the factory of its gateway.

    Raises:
        SettingError: there is no S3 gateway in this build.
        UsageError: settings are to come from another file.
    """

    def __init__(self, line: CommandLine, command: str) -> None:
        if line.config is not None:
            where = "in [server] of its file, without --config"
            raise UsageError(f"{command} has its settings {where}.")
        try:
            from tercel.s3 import file
        except ImportError as error:
            raise SettingError(f"This build of tercel has no S3 gateway: {error}.") from None
        assert line.target is not None
        self.__tercel_name__ = line.target
        self._path = os.path.abspath(line.target)
        self._line = line
        self._file = file

    def __call__(self) -> FileGateway:
        gateway = self._file.FileGateway(self._path, self._check)
        gateway.warn()
        return gateway

    def load(self) -> Settings:
        """Returns the settings of a file of which a gateway can be made.

        Raises:
            SettingError: it cannot. Whoever made a mistake is told without a traceback.
        """
        values, _ = self._load()
        return values

    def check(self) -> Settings:
        """Returns the settings, if a server could start with them and the file.

        Raises:
            StartError: it could not.
        """
        from tercel.server.check import check

        values, file = self._load()
        check(self, values)
        _check_audit_log(file)
        return values

    def _load(self) -> tuple[Settings, GatewayFile]:
        values = self._settings_of(self._file.read_server(self._path))
        if values.env_file:
            # Before anything looks for the secrets in it.
            load_env_file(values.env_file)
        return values, self._file.file_for_a_start(self._path)

    def _settings_of(self, server: Mapping[str, Any]) -> Settings:
        from tercel.run import inherited_binds

        weaker = {
            name: value
            for name, value in server.items()
            if f"TERCEL_{keyword_of(name).upper()}" not in os.environ
        }
        for name in ("app", "app_dir", "factory"):
            if name in server:
                raise SettingError(f"{name} in [server] of {self._path} is not for a gateway.")
        try:
            return settings.load(
                command_line=self._line.settings,
                keywords=weaker | {"factory": True},
                environ=os.environ,
                inherited=inherited_binds(os.environ),
                platform=os.environ,
            )
        except (TypeError, SettingError) as error:
            raise SettingError(f"{str(error).rstrip('.')} ([server] is in {self._path}).") from None

    def _check(self, file: GatewayFile) -> None:
        """Raises StartError where a server that starts with this file would not serve."""
        from tercel.server.check import check_files

        # What it warns of, is told of the certificates that are read again.
        check_files(self._settings_of(file.server))
        _check_audit_log(file)


def _check_audit_log(file: GatewayFile) -> None:
    from tercel.server.check import cannot_append

    path = file.options.get("audit_log", "-")
    if path != "-" and (error := cannot_append(path)):
        raise StartError(f"The audit log cannot be written to {path}: {error.strerror}.")
