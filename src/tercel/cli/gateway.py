"""`tercel gateway s3.toml`: an S3 gateway without a line of Python."""

from __future__ import annotations

import os

from tercel import settings
from tercel.cli.options import UsageError, parse
from tercel.problems import SettingError
from tercel.settings import Settings, keyword_of

__all__ = ["gateway"]

_COMMAND = "tercel gateway"
_HELP = """\
usage: tercel gateway s3.toml [options]

Serves the S3 gateway that the file says: [buckets.NAME], [identities.NAME], [[policies]]. Its
[server] has settings of `tercel serve`; variables are stronger, and options of this command the
strongest. SIGHUP has the file read again.
"""


def gateway(words: list[str]) -> int:
    """Serves, and returns the exit status."""
    line = parse(words, _COMMAND)
    if line.help:
        print(_HELP, end="")
        return 0
    if not line.target:
        raise UsageError(f"Name the file of the gateway: {_COMMAND} s3.toml.")
    if line.config is not None:
        raise UsageError(f"{_COMMAND} has its settings in [server] of its file, without --config.")
    try:
        from tercel.s3.file import FileGateway, read_file
    except ImportError as error:
        raise SettingError(f"This build of tercel has no S3 gateway: {error}.") from None
    from tercel.run import inherited_binds, run

    path = os.path.abspath(line.target)

    def read() -> Settings:
        said = read_file(path).server
        weaker = {
            name: value
            for name, value in said.items()
            if f"TERCEL_{keyword_of(name).upper()}" not in os.environ
        }
        for name in ("app", "app_dir", "factory"):
            if name in said:
                raise SettingError(f"{name} in [server] of {path} is not for a gateway.")
        try:
            return settings.load(
                command_line=line.settings,
                keywords=weaker | {"factory": True},
                environ=os.environ,
                inherited=inherited_binds(os.environ),
                platform=os.environ,
            )
        except (TypeError, SettingError) as error:
            raise SettingError(f"{str(error).rstrip('.')} ([server] is in {path}).") from None

    def make() -> FileGateway:
        return FileGateway(path)

    make()  # Whoever made a mistake is told now, and without a traceback.
    return run(make, read(), read, own_process=True)
