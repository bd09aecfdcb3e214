"""Which objects are taken for ASGI and WSGI applications, and what is said about the others."""

from __future__ import annotations

import functools

import pytest

from tercel.problems import TargetError
from tercel.server.interface import require_interface
from tercel.server.interface_mistakes import require_factory


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

    def method(self, environ, start_response): ...


class WsgiClass:
    """As in PEP 3333: an instance is the iterable of a response."""

    def __init__(self, environ, start_response): ...

    def __iter__(self): ...


class PairOfNumbers:
    def __init__(self, one, other): ...


class Asgi2Class:
    def __init__(self, scope): ...

    async def __call__(self, receive, send): ...


def wsgi(environ, start_response): ...


def wsgi_generator(environ, start_response):
    yield b""


def wsgi_with_option(environ, start_response, option=None): ...


@functools.wraps(wsgi)
def wraps_wsgi(*args, **kwargs): ...


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
    assert require_interface(application, "main:app") == "asgi3"


@pytest.mark.parametrize(
    "application",
    [
        wsgi,
        wsgi_generator,
        wsgi_with_option,
        wraps_wsgi,
        WsgiObject(),
        WsgiObject().method,
        WsgiClass,
        functools.partial(wsgi),
        functools.partial(WsgiObject()),
    ],
    ids=[
        "function",
        "generator",
        "with-option",
        "wrapper-that-says-so",
        "object",
        "method",
        "class",
        "partial-function",
        "partial-object",
    ],
)
def test_wsgi_applications_are_recognised(application):
    assert require_interface(application, "main:app") == "wsgi"


@pytest.mark.parametrize(
    ("application", "sentence"),
    [
        (asgi2, "main:app, of type function, is an application for ASGI 2"),
        (Asgi2Class, "main:app, of type type, is a class"),
        (factory, "main:app, of type function, takes no arguments"),
        (PairOfNumbers, "main:app, of type type, is a class"),
        (of_four, "main:app, of type function, is neither an ASGI application"),
        (of_a_request, "main:app, of type function, is neither an ASGI application"),
        (async_of_four, "main:app, of type function, is neither an ASGI application"),
        (async_factory, "main:app, of type function, is an async function without arguments: if it"
                        " makes the application, make it a plain function and add --factory."),
        ({}, "main:app, of type dict, is not an application: it cannot be called."),
        (None, "main:app, of type NoneType, is not an application: it cannot be called."),
    ],
)  # fmt: skip
def test_others_are_refused_with_advice(application, sentence: str):
    with pytest.raises(TargetError) as caught:
        require_interface(application, "main:app")
    assert str(caught.value).startswith(sentence)
    assert str(caught.value).endswith(".")


def test_advice_for_python_is_in_its_words():
    with pytest.raises(TargetError, match=r"add factory=True\.$"):
        require_interface(factory, "app", in_python=True)
    with pytest.raises(TargetError, match=r"give interface=\.$"):
        require_interface(of_four, "app", in_python=True)
    with pytest.raises(TargetError, match=r"remove factory=True\.$"):
        require_factory(asgi, "app", in_python=True)


def test_the_setting_overrules_the_look_but_not_what_cannot_be_called():
    assert require_interface(wsgi, "main:app", "asgi3") == "asgi3"
    assert require_interface(asgi, "main:app", "wsgi") == "wsgi"
    assert require_interface(wraps_anything, "main:app", "wsgi") == "wsgi"
    with pytest.raises(TargetError):
        require_interface({}, "main:app", "asgi3")


@pytest.mark.parametrize(
    ("maker", "expected"),
    [
        ("fastapi:FastAPI", "asgi3"),
        ("starlette.applications:Starlette", "asgi3"),
        ("falcon.asgi:App", "asgi3"),
        ("litestar:Litestar", "asgi3"),
        ("django.core.handlers.asgi:ASGIHandler", "asgi3"),
        ("falcon:App", "wsgi"),
        ("bottle:Bottle", "wsgi"),
        ("django.core.handlers.wsgi:WSGIHandler", "wsgi"),
        ("quart:Quart", "asgi3"),
        ("flask:Flask", "wsgi"),
    ],
)
def test_applications_of_frameworks_are_what_they_are(maker: str, expected: str):
    module, _, name = maker.partition(":")
    kind = getattr(pytest.importorskip(module), name)
    # What is looked at is of the class; some want settings to be made.
    assert require_interface(object.__new__(kind), "app") == expected
