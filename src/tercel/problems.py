"""What keeps a server from starting, as exceptions that explain themselves.

The text of each is one sentence for the person who starts the server: what is wrong, and what to
change. The command line prints it and exits with `exit_status`; nobody needs the traceback.
"""

__all__ = ["ImportFailed", "LifespanError", "SettingError", "StartError", "TargetError"]


class StartError(Exception):
    """The server cannot start, or did not stop as it should.

    Attributes:
        exit_status: what the command line exits with: 1 for what went wrong on this machine, 2 for
            what was asked for, 3 for an application that refused to start up or shut down.
    """

    exit_status = 1


class SettingError(StartError, ValueError):
    """A setting has a wrong name or value, or two contradict each other."""

    exit_status = 2


class TargetError(StartError):
    """There is no application where the target points to."""


class ImportFailed(StartError):
    """The application raised while it was imported or made; `__cause__` is what it raised."""


class LifespanError(StartError):
    """The application answered start-up or shutdown with a failure, too late, or not at all."""

    exit_status = 3
