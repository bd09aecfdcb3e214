"""The `scope` of a request, line by line of the checklist.

Source: ASGI HTTP & WebSocket message format 2.5, "HTTP Connection Scope".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.asgi import AsgiServer, Receive, Scope, Send, respond

pytestmark = [pytest.mark.sanitize, pytest.mark.io_threads]


class Recorder:
    """An application that keeps the scopes it is called with."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        await respond(send, b"ok")


def scope_of(head: bytes, **options: Any) -> Scope:
    """Sends one request with these bytes and returns its scope."""
    app = Recorder()
    with AsgiServer(app, **options) as server, server.connect() as client:
        client.send(head)
        client.response(head=head.startswith(b"HEAD"))
    return app.scopes[0]


def simple_scope(target: str = "/", **options: Any) -> Scope:
    return scope_of(f"GET {target} HTTP/1.1\r\nHost: test\r\n\r\n".encode("latin-1"), **options)


def test_type_and_asgi_versions():
    scope = simple_scope()
    assert scope["type"] == "http"
    assert scope["asgi"] == {"version": "3.0", "spec_version": "2.5"}


def test_keys_are_exactly_those_of_the_specification():
    assert list(simple_scope(state={})) == [
        *("type", "asgi", "http_version", "method", "scheme", "path", "raw_path"),
        *("query_string", "root_path", "headers", "client", "server", "extensions", "state"),
    ]


def test_without_a_lifespan_state_there_is_no_state():
    assert "state" not in simple_scope(state=None)


def test_what_one_application_changes_the_next_request_does_not_see():
    app = Recorder()
    with AsgiServer(app, state={"shared": 1}) as server:
        server.request()
        first = app.scopes[0]
        first["asgi"]["version"] = "9"
        first["extensions"]["mine"] = {}
        first["state"]["mine"] = 1
        first["headers"].append((b"x", b"y"))
        first["type"] = first["path"] = "changed"
        server.request()
    second = app.scopes[1]
    assert second["asgi"] == {"version": "3.0", "spec_version": "2.5"}
    assert "mine" not in second["extensions"]
    assert second["state"] == {"shared": 1}
    assert (b"x", b"y") not in second["headers"]
    assert (second["type"], second["path"]) == ("http", "/")


def test_state_is_a_shallow_copy_made_for_each_request():
    pool: list[int] = []
    state: dict[str, Any] = {"pool": pool}
    app = Recorder()
    with AsgiServer(app, state=state) as server:
        server.request()
        state["later"] = 1  # The lifespan may add to it while it starts up.
        server.request()
    assert app.scopes[0]["state"] == {"pool": pool}
    assert app.scopes[0]["state"]["pool"] is pool
    assert app.scopes[1]["state"] == {"pool": pool, "later": 1}


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_http_version(version):
    scope = scope_of(f"GET / HTTP/{version}\r\nHost: test\r\n\r\n".encode())
    assert scope["http_version"] == version


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PATCH", "OPTIONS", "PROPFIND", "M-X"])
def test_method_is_passed_through_known_or_not(method):
    head = f"{method} / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n".encode()
    assert scope_of(head)["method"] == method


# A decision, see docs/reference/errors.md, BadMethod.
@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "get"])
def test_methods_that_no_application_gets(method):
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("it was called")

    with AsgiServer(app) as server:
        assert server.request(method).status == 501


def test_scheme():
    assert simple_scope()["scheme"] == "http"


@pytest.mark.parametrize(
    ("target", "path", "raw_path", "query"),
    [
        ("/", "/", b"/", b""),
        ("/?", "/", b"/", b""),
        ("/a/b?c=d", "/a/b", b"/a/b", b"c=d"),
        ("/a?b?c", "/a", b"/a", b"b?c"),
        ("/a%20b", "/a b", b"/a%20b", b""),
        ("/%E2%82%AC", "/€", b"/%E2%82%AC", b""),
        ("/%F0%9F%90%8D", "/🐍", b"/%F0%9F%90%8D", b""),
        ("/%2Fa%2f", "//a/", b"/%2Fa%2f", b""),
        ("/a?%20", "/a", b"/a", b"%20"),
        ("/%ff%fe", "/\ufffd\ufffd", b"/%ff%fe", b""),
        ("/%ED%A0%80", "/\ufffd\ufffd\ufffd", b"/%ED%A0%80", b""),
        ("/" + "p" * 5000, "/" + "p" * 5000, b"/" + b"p" * 5000, b""),
        ("http://test/x%20y?q", "/x y", b"/x%20y", b"q"),
    ],
)
def test_path_is_decoded_raw_path_and_query_string_are_not(target, path, raw_path, query):
    scope = simple_scope(target)
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == (path, raw_path, query)


def test_path_has_no_surrogates():
    simple_scope("/%ff%ED%A0%80")["path"].encode("utf-8")


@pytest.mark.parametrize("root_path", ["", "/api"])
def test_asterisk_form(root_path: str):
    scope = scope_of(b"OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n", root_path=root_path)
    assert (scope["path"], scope["raw_path"]) == ("*", b"*")


def test_root_path_is_put_in_front_of_path():
    scope = simple_scope("/a%20b?q", root_path="/api")
    assert scope["root_path"] == "/api"
    assert scope["path"] == "/api/a b"
    assert scope["raw_path"] == b"/a%20b"
    assert simple_scope()["root_path"] == ""


def test_headers_are_pairs_of_bytes_in_lower_case_and_in_order():
    scope = scope_of(
        b"GET / HTTP/1.1\r\nHost: test\r\nX-B: 1\r\nCookie: a=1\r\nx-b: 2\r\nX-A:\r\n"
        b"Cookie: b=2\r\nX-Latin: \xe9\r\n\r\n"
    )
    assert scope["headers"] == [
        *((b"host", b"test"), (b"x-b", b"1"), (b"cookie", b"a=1"), (b"x-b", b"2")),
        *((b"x-a", b""), (b"cookie", b"b=2"), (b"x-latin", b"\xe9")),
    ]
    assert type(scope["headers"]) is list
    assert {type(pair) for pair in scope["headers"]} == {tuple}


def test_underscore_headers_do_not_alias_dash_headers():
    scope = scope_of(b"GET / HTTP/1.1\r\nHost: test\r\nX_Real_IP: 1\r\nX-Real-IP: 2\r\n\r\n")
    assert [pair for pair in scope["headers"] if pair[0] == b"x-real-ip"] == [(b"x-real-ip", b"2")]


def test_client_and_server_are_host_and_port():
    app = Recorder()
    with AsgiServer(app) as server, server.connect() as client:
        client.request()
        client.request()
        assert app.scopes[0]["client"] == client.socket.getsockname()
        assert app.scopes[0]["server"] == server.address
    assert [type(part) for part in app.scopes[0]["client"]] == [str, int]
    assert [type(part) for part in app.scopes[0]["server"]] == [str, int]
    assert app.scopes[1]["client"] == app.scopes[0]["client"]


def test_each_connection_has_its_own_client():
    app = Recorder()
    with AsgiServer(app) as server:
        expected = []
        for _ in range(600):  # More than the table of addresses holds.
            with server.connect() as client:
                client.request()
                expected.append(client.socket.getsockname())
    assert [scope["client"] for scope in app.scopes] == expected


def test_ipv6_addresses_are_cut_to_host_and_port():
    app = Recorder()
    with AsgiServer(app, bind="[::1]:0") as server, server.connect() as client:
        client.request()
        assert app.scopes[0]["client"] == client.socket.getsockname()[:2]
        assert app.scopes[0]["server"] == ("::1", server.address[1])


def test_unix_socket_has_its_path_as_server_and_no_client(tmp_path: Path):
    path = str(tmp_path / "socket")
    scope = simple_scope(bind=f"unix:{path}")
    assert scope["server"] == (path, None)
    assert scope["client"] is None


@pytest.mark.parametrize(
    ("version", "headers", "offered"),
    [
        ("1.1", "", {"pathsend", "zerocopysend", "early_hint"}),
        ("1.1", "TE: trailers\r\n", {"pathsend", "zerocopysend", "early_hint", "trailers"}),
        ("1.0", "", {"pathsend", "zerocopysend"}),
        ("1.0", "TE: trailers\r\n", {"pathsend", "zerocopysend"}),
    ],
)
def test_extensions_are_those_that_this_request_can_use(version, headers, offered):
    scope = scope_of(f"GET / HTTP/{version}\r\nHost: test\r\n{headers}\r\n".encode())
    assert scope["extensions"] == {f"http.response.{name}": {} for name in offered}
