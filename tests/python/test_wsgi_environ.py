"""The environ of a WSGI request: each key, from raw requests.

Source: PEP 3333, "environ Variables"; RFC 3875 section 4.1.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from support.fixtures import ServeThread
from support.wsgi import Environ, Kept, StartResponse, plain, validated

pytestmark = pytest.mark.sanitize


class Keeper:
    """An application that keeps each environ, in a validator."""

    def __init__(self) -> None:
        self._kept = Kept()
        self.app = validated(self._app)

    def _app(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        self._kept.put(dict(environ))
        return plain(start_response, "seen")

    def get(self) -> Environ:
        return self._kept.get()


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
def environ_of(serve_here: ServeThread, keeper: Keeper) -> Any:
    """The environ of a raw request: `environ_of("GET / HTTP/1.1", "Host: a", body=b"")`."""
    servers: dict[str, Any] = {}

    def ask(*lines: str, body: bytes = b"", **settings: Any) -> Environ:
        key = repr(sorted(settings.items()))
        if key not in servers:
            servers[key] = serve_here(keeper.app, **settings)
        with servers[key].connect() as client:
            client.send("\r\n".join(lines) + "\r\n\r\n")
            client.send(body)
            response = client.response(head=lines[0].startswith("HEAD"))
            assert response.status == 200
            environ = keeper.get()
            environ["test.server"] = client.socket.getpeername()
            environ["test.client"] = client.socket.getsockname()
            return environ

    return ask


def test_every_variable_of_a_request(environ_of):
    environ = environ_of(
        "POST /a/b?c=d HTTP/1.1", "Host: example.org:81", "Content-Type: text/plain",
        "Content-Length: 2", "X-Own: 1", body=b"hi",
    )  # fmt: skip
    server, client = environ.pop("test.server"), environ.pop("test.client")
    streams = {key for key in environ if key.startswith("wsgi.")}
    variables = {key: environ[key] for key in environ.keys() - streams}
    assert variables == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a/b",
        "QUERY_STRING": "c=d",
        "REQUEST_URI": "/a/b?c=d",
        "RAW_URI": "/a/b?c=d",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "2",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": environ["SERVER_SOFTWARE"],
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "HTTP_HOST": "example.org:81",
        "HTTP_X_OWN": "1",
    }
    assert environ["SERVER_SOFTWARE"].startswith("tercel/")
    assert all(type(value) is str for value in variables.values())


def test_the_environ_is_a_dict_with_what_wsgi_wants(serve_here: ServeThread):
    kept = Kept()

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        kept.put(environ)
        return plain(start_response)

    server = serve_here(app)
    server.request()
    environ = kept.get()
    assert type(environ) is dict
    assert environ["wsgi.version"] == (1, 0)
    assert environ["wsgi.url_scheme"] == "http"
    assert environ["wsgi.run_once"] is False
    assert environ["wsgi.input_terminated"] is True
    assert environ["wsgi.multiprocess"] is False
    assert callable(environ["wsgi.file_wrapper"])
    assert callable(environ["wsgi.early_hints"])
    for name in ("write", "writelines", "flush"):
        assert callable(getattr(environ["wsgi.errors"], name))
    for name in ("read", "readline", "readlines", "__iter__"):
        assert callable(getattr(environ["wsgi.input"], name))


@pytest.mark.parametrize("threads", [1, 3])
def test_multithread_is_the_truth(serve_here: ServeThread, keeper: Keeper, threads: int):
    serve_here(keeper.app, threads=threads).request()
    assert keeper.get()["wsgi.multithread"] is (threads > 1)


def test_what_a_request_does_not_have_is_there_and_empty_or_is_not_there(environ_of):
    environ = environ_of("GET / HTTP/1.1", "Host: a")
    assert environ["QUERY_STRING"] == ""
    assert environ["SCRIPT_NAME"] == ""
    assert not environ.keys() & {"CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_CONTENT_LENGTH"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "M-SEARCH", "PURGE"])
@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")
def test_the_method_is_that_of_the_request(environ_of, method: str):
    assert environ_of(f"{method} / HTTP/1.1", "Host: a")["REQUEST_METHOD"] == method


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_the_protocol_is_that_of_the_request(environ_of, version: str):
    assert environ_of(f"GET / HTTP/{version}", "Host: a")["SERVER_PROTOCOL"] == f"HTTP/{version}"


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", ""),
        ("/a%20b%2Fc", "/a b/c", ""),
        ("/gr%C3%BC%c3%9fe", "/gr\xc3\xbc\xc3\x9fe", ""),  # The bytes of UTF-8, as Latin-1.
        ("/%ff%00", "/\xff\x00", ""),  # What is no UTF-8 is no less.
        ("/a?b%20c?d=%C3%BC&", "/a", "b%20c?d=%C3%BC&"),
        ("/a//b/../c/.", "/a//b/../c/.", ""),
        ("http://other.example/x?y", "/x", "y"),
        ("http://other.example", "/", ""),
    ],
)
def test_the_path_is_the_bytes_of_the_target_decoded_once(
    environ_of, target: str, path: str, query: str
):
    environ = environ_of(f"GET {target} HTTP/1.1", "Host: other.example")
    assert environ["PATH_INFO"] == path
    assert environ["QUERY_STRING"] == query
    assert environ["REQUEST_URI"] == environ["RAW_URI"] == target


def test_a_request_for_the_server_itself_has_no_path(serve_here: ServeThread):
    kept = Kept()

    # Not validated: neither SCRIPT_NAME nor PATH_INFO has anything to say.
    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        kept.put(environ["PATH_INFO"])
        return plain(start_response)

    with serve_here(app).connect() as client:
        client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.response().status == 200
    assert kept.get() == ""


class TestScriptName:
    def test_is_the_prefix_that_the_proxy_took_off(self, environ_of):
        environ = environ_of("GET /a HTTP/1.1", "Host: a", root_path="/app")
        assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/app", "/a")

    @pytest.mark.parametrize(
        ("target", "script", "path"),
        [
            ("/app/a", "/app", "/a"),
            ("/app/", "/app", "/"),
            ("/app", "/app", ""),
            ("/%61pp/a", "/app", "/a"),
            # Another application's, whose name begins the same.
            ("/application/a", "", "/application/a"),
            ("/", "", "/"),
        ],
    )
    def test_is_taken_off_where_the_proxy_leaves_it(
        self, environ_of, target: str, script: str, path: str
    ):
        environ = environ_of(
            f"GET {target} HTTP/1.1", "Host: a", root_path="/app", root_path_strip=True
        )
        assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == (script, path)

    def test_is_what_a_trusted_proxy_names(self, environ_of):
        lines = ("GET /a HTTP/1.1", "Host: a", "X-Forwarded-Prefix: /proxied")
        environ = environ_of(*lines, root_path="/app", forwarded_headers=["x-forwarded-prefix"])
        assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/proxied", "/a")


class TestFields:
    def test_names_are_in_capitals_with_underscores(self, environ_of):
        environ = environ_of("GET / HTTP/1.1", "hOST: a", "x-Mixed-case: V", "X--: 2")
        assert environ["HTTP_X_MIXED_CASE"] == "V"
        assert environ["HTTP_X__"] == "2"

    def test_of_one_name_are_joined_in_order(self, environ_of):
        environ = environ_of("GET / HTTP/1.1", "Host: a", "Accept: b", "X: 1", "Accept: c", "X: 2")
        assert environ["HTTP_ACCEPT"] == "b,c"
        assert environ["HTTP_X"] == "1,2"

    def test_cookies_are_joined_as_cookies(self, environ_of):
        environ = environ_of("GET / HTTP/1.1", "Host: a", "Cookie: a=1", "Cookie: b=2; c=3")
        assert environ["HTTP_COOKIE"] == "a=1; b=2; c=3"

    def test_types_of_content_are_joined_like_others(self, environ_of):
        environ = environ_of("GET / HTTP/1.1", "Host: a", "Content-Type: b/c", "Content-Type: d/e")
        assert environ["CONTENT_TYPE"] == "b/c,d/e"
        assert "HTTP_CONTENT_TYPE" not in environ

    def test_with_an_underscore_are_dropped(self, environ_of):
        # CVE-2015-0219: X_Auth would be taken for X-Auth, which a proxy took out.
        environ = environ_of(
            "GET / HTTP/1.1", "Host: a", "X_Auth: spoofed", "X-Auth: real", "Content_Length: 7",
            "X-Auth_Two: spoofed",
        )  # fmt: skip
        assert environ["HTTP_X_AUTH"] == "real"
        assert not environ.keys() & {"CONTENT_LENGTH", "HTTP_CONTENT_LENGTH", "HTTP_X_AUTH_TWO"}

    def test_values_are_their_bytes_as_latin_1(self, environ_of):
        environ = environ_of("GET / HTTP/1.1", "Host: a", "X: \xfc\xff", "Y:", "Z:  a\tb  ")
        assert environ["HTTP_X"] == "\xfc\xff"
        assert environ["HTTP_Y"] == ""
        assert environ["HTTP_Z"] == "a\tb"

    def test_of_long_names_and_many_names_are_all_there(self, environ_of):
        names = [f"x-{number}-{'n' * (number % 60)}" for number in range(120)]
        environ = environ_of("GET / HTTP/1.1", "Host: a", *[f"{name}: {name}" for name in names])
        for name in names:
            assert environ["HTTP_" + name.upper().replace("-", "_")] == name

    def test_cannot_shadow_what_the_server_says(self, environ_of):
        environ = environ_of("GET / HTTP/1.1", "Host: a", "Remote-Addr: 6.6.6.6", "Proxy: evil")
        assert environ["REMOTE_ADDR"] == "127.0.0.1"
        assert environ["HTTP_REMOTE_ADDR"] == "6.6.6.6"


def test_a_chunked_body_that_is_here_has_a_length(environ_of):
    # Django, Bottle and others read nothing of a body without CONTENT_LENGTH. RFC 3875 section
    # 4.1.2 wants it once the transfer coding is taken off.
    environ = environ_of(
        "POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\n\r\n"
    )
    assert environ["CONTENT_LENGTH"] == "3"
    assert "HTTP_TRANSFER_ENCODING" not in environ


def test_a_chunked_body_that_is_too_long_to_wait_for_has_none(serve_here: ServeThread):
    kept = Kept()

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        kept.put(dict(environ))
        return plain(start_response, str(len(environ["wsgi.input"].read())))

    with serve_here(app).connect() as client:
        client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send(b"20000\r\n" + b"x" * 0x20000 + b"\r\n")
        environ = kept.get()
        client.send(b"0\r\n\r\n")
        assert client.response().body == b"131072"
    assert "CONTENT_LENGTH" not in environ
    assert environ["HTTP_TRANSFER_ENCODING"] == "chunked"


def test_on_a_unix_socket_the_server_still_has_a_name(
    serve_here: ServeThread, keeper: Keeper, tmp_path: Path
):
    path = str(tmp_path / "socket")
    assert serve_here(keeper.app, uds=path).request().status == 200
    environ = keeper.get()
    assert environ["SERVER_NAME"] == "localhost"
    assert environ["SERVER_PORT"] == "80"
    assert environ["REMOTE_ADDR"] == ""
    assert "REMOTE_PORT" not in environ


def test_each_request_has_an_environ_of_its_own(serve_here: ServeThread):
    barrier = threading.Barrier(2, timeout=10)

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        environ["mine"] = environ["PATH_INFO"]
        environ["wsgi.version"] = environ["PATH_INFO"]
        barrier.wait()
        answer = plain(start_response, repr((environ["mine"], environ["wsgi.version"])))
        barrier.wait()
        return answer

    server = serve_here(app, threads=2)
    for _ in range(3):
        with server.connect() as one, server.connect() as other:
            one.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
            other.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
            assert one.response().body == b"('/1', '/1')"
            assert other.response().body == b"('/2', '/2')"
