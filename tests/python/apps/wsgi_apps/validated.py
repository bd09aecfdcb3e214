"""The applications of the frameworks, each in wsgiref's checks of what it and the server do."""

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any
from wsgiref.validate import validator


def _validated(name: str) -> Callable[..., Iterable[bytes]]:
    checked = validator(import_module(f"wsgi_apps.{name}_app").app)

    # The validator takes any arguments, so it does not look like what it is.
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return checked(environ, start_response)

    return app


def __getattr__(name: str) -> Callable[..., Iterable[bytes]]:
    """Makes `flask`, `django`, `bottle` and `falcon` when they are asked for."""
    if name.startswith("_"):
        raise AttributeError(name)
    return _validated(name)
