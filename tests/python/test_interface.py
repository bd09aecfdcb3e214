"""Which objects are taken for ASGI applications, and what is said about the others."""

from __future__ import annotations

import functools

import pytest

from tercel.problems import TargetError
from tercel.server.interface import require_asgi, require_factory


async def asgi(scope, receive, send): ...


def asgi_that_returns_an_awaitable(scope, receive, send): ...


def wraps_anything(*args, **kwargs): ...


class AsgiObject:
    async def __call__(self, scope, receive, send): ...

    async def method(self, scope, receive, send): ...


class AsgiClass:
    def __init__(self, scope, receive, send): ...

    def __await__(self): ...


class WsgiObject:
    def __call__(self, environ, start_response): ...


class Asgi2Class:
    def __init__(self, scope): ...

    async def __call__(self, receive, send): ...


def wsgi(environ, start_response): ...


def asgi2(scope): ...


def factory(): ...


async def of_a_request(request): ...


async def async_factory(): ...


async def async_of_four(a, b, c, d): ...


async def with_defaults(scope, receive=None, send=None): ...


def with_option(scope, receive, send, option=None): ...


def of_four(a, b, c, d): ...


@pytest.mark.parametrize(
    "application",
    [
        asgi,
        asgi_that_returns_an_awaitable,
        wraps_anything,
        with_option,
        with_defaults,
        AsgiObject(),
        AsgiObject().method,
        AsgiClass,
        functools.partial(asgi),
        functools.partial(of_four, 1),
        functools.partial(AsgiObject()),
    ],
    # Without the addresses of str(): several processes have to collect the same names.
    ids=[
        "function",
        "returns-an-awaitable",
        "wraps-anything",
        "with-option",
        "with-defaults",
        "object",
        "method",
        "class",
        "partial-function",
        "partial-of-four",
        "partial-object",
    ],
)
def test_asgi_applications_are_recognised(application):
    require_asgi(application, "main:app")


@pytest.mark.parametrize(
    ("application", "sentence"),
    [
        (wsgi, "main:app, of type function, looks like a WSGI application"),
        (WsgiObject(), "main:app, of type WsgiObject, looks like a WSGI application"),
        (asgi2, "main:app, of type function, is an application for ASGI 2"),
        (Asgi2Class, "main:app, of type type, is a class"),
        (factory, "main:app, of type function, takes no arguments"),
        (of_four, "main:app, of type function, is not an ASGI application"),
        (of_a_request, "main:app, of type function, is not an ASGI application"),
        (async_of_four, "main:app, of type function, is not an ASGI application"),
        (async_factory, "main:app, of type function, is an async function without arguments: if it"
                        " makes the application, make it a plain function and add --factory."),
        ({}, "main:app, of type dict, is not an application: it cannot be called."),
        (None, "main:app, of type NoneType, is not an application: it cannot be called."),
    ],
)  # fmt: skip
def test_others_are_refused_with_advice(application, sentence: str):
    with pytest.raises(TargetError) as caught:
        require_asgi(application, "main:app")
    assert str(caught.value).startswith(sentence)
    assert str(caught.value).endswith(".")


def test_advice_for_python_is_in_its_words():
    with pytest.raises(TargetError, match=r"add factory=True\.$"):
        require_asgi(factory, "app", in_python=True)
    with pytest.raises(TargetError, match=r"interface='asgi3' if it is ASGI\.$"):
        require_asgi(wsgi, "app", in_python=True)
    with pytest.raises(TargetError, match=r"remove factory=True\.$"):
        require_factory(asgi, "app", in_python=True)


def test_the_setting_overrules_the_look_but_not_what_cannot_be_called():
    require_asgi(wsgi, "main:app", "asgi3")
    with pytest.raises(TargetError):
        require_asgi({}, "main:app", "asgi3")


def test_applications_of_frameworks_are_what_they_are():
    fastapi = pytest.importorskip("fastapi")
    starlette = pytest.importorskip("starlette.applications")
    falcon = pytest.importorskip("falcon")
    falcon_asgi = pytest.importorskip("falcon.asgi")
    quart = pytest.importorskip("quart")
    litestar = pytest.importorskip("litestar")
    for application in (
        fastapi.FastAPI(),
        starlette.Starlette(),
        falcon_asgi.App(),
        quart.Quart("x"),
        litestar.Litestar(),
    ):
        require_asgi(application, "app")
    with pytest.raises(TargetError, match="looks like a WSGI application"):
        require_asgi(falcon.App(), "app")
