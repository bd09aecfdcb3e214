"""Backends that are hostile or broken, and clients that are, with a tercel.proxy.Forward between.

Whatever a backend sends, a client sees one well-formed response or a visible break, and the next
request is answered as if nothing had been; whatever a client sends, the backend sees requests that
have one meaning. The client is the strict one of support/http1.py.
"""

from __future__ import annotations

import socket
import time

import pytest

from support.front_of_proxy import (
    Front,
    Way,
    backend_fixture,
    proxy_fixture,
    start,
    way_fixture,
)
from support.http1 import BadResponse, RawClient
from support.plain_backend import PlainBackend, Talk, answer, answer_all, raw
from support.server import ServerThread
from tercel.proxy import Forward

backend = backend_fixture()
way = way_fixture()
proxy = proxy_fixture()


def assert_goes_on(proxy: Front, backend: PlainBackend) -> None:
    """The next request is answered, and nothing of the one before is in its answer."""
    backend.talk = answer_all
    backend.hang_up()
    response = proxy.ask("GET", "/next")
    assert (response.status, response.get("x-backend")) == (200, "plain")


def test_a_proxy_that_is_its_own_backend_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    proxy = Forward(f"http://127.0.0.1:{port}", connections=64)
    with ServerThread(proxy, bind=[f"127.0.0.1:{port}"]), RawClient(("127.0.0.1", port)) as client:
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        response = client.response()
    assert (response.status, response.body) == (508, b"The request goes round in circles.\n")
    assert response.get("via") == ", ".join(["1.1 tercel"] * 8)


OK = b"HTTP/1.1 200 OK\r\n"

# --- backends

MALFORMED = {
    "no HTTP": b"SSH-2.0-OpenSSH\r\n\r\n",
    "HTTP/2": b"HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/0.9": b"<html>hello</html>",
    "status 0": b"HTTP/1.1 000 No\r\nContent-Length: 0\r\n\r\n",
    "status 99": b"HTTP/1.1 99 No\r\nContent-Length: 0\r\n\r\n",
    "status 1000": b"HTTP/1.1 1000 No\r\nContent-Length: 0\r\n\r\n",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "two lengths": OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "a list of lengths": OK + b"Content-Length: 5, 6\r\n\r\nhello!",
    "a negative length": OK + b"Content-Length: -1\r\n\r\n",
    "a signed length": OK + b"Content-Length: +5\r\n\r\nhello",
    "a hexadecimal length": OK + b"Content-Length: 0x5\r\n\r\nhello",
    "a huge length": OK + b"Content-Length: 18446744073709551617\r\n\r\nhello",
    "an empty length": OK + b"Content-Length: \r\n\r\nhello",
    "both framings": OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "a coding with a tab": OK + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a blank before the colon": OK + b"Content-Length : 5\r\n\r\nhello",
    "a folded line": OK + b"X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "NUL in a value": OK + b"X-A: b\0c\r\nContent-Length: 0\r\n\r\n",
    "CR in a value": OK + b"X-A: b\rX-B: c\r\nContent-Length: 0\r\n\r\n",
    "an empty name": OK + b": b\r\nContent-Length: 0\r\n\r\n",
    "100 without end": b"HTTP/1.1 100 Continue\r\n\r\n" * 100,
    "103 without end": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100,
    "1xx with a body": b"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nhello",
    "101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    "a field too many": OK + b"X: y\r\n" * 5000 + b"Content-Length: 0\r\n\r\n",
    "a line without end": OK + b"X-A: " + b"b" * 1_000_000,
    "a head without end": OK + b"X-A: b\r\n" * 200_000,
    "nothing": b"",
    "half a line": b"HTTP/1.1 20",
    "half a head": OK + b"Content-Le",
}


@pytest.mark.parametrize("end", ["close", "reset"])
def test_what_is_no_response_is_answered_for(proxy: Front, backend: PlainBackend, end: str) -> None:
    for name, wire in MALFORMED.items():
        backend.talk = raw(wire, end=end)
        response = proxy.ask()
        assert proxy.refused(response, 502), name
        # Nothing of what the backend wrote.
        assert not response.get("x-a"), name
    assert_goes_on(proxy, backend)


def test_bodies_that_are_malformed_look_broken(proxy: Front, backend: PlainBackend) -> None:
    chunked = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    for body in (
        b"zz\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"-1\r\nhello",
        b"5 \r\nhello\r\n0\r\n\r\n",
        b"ffffffffffffffffff\r\nhello",
        b"5\nhello\n0\n\n",
        b"5\r\nhe",
        b"5\r\nhello\r\n",
        b"0\r\nX-T: " + b"t" * 1_000_000,
    ):
        backend.talk = raw(chunked, body)
        try:
            response = proxy.ask()
        except BadResponse:
            continue
        # It was known before anything was sent.
        assert proxy.refused(response, 502), body
    backend.talk = raw(OK + b"Content-Length: 10\r\n\r\nhello")
    with pytest.raises(BadResponse):
        proxy.ask()
    assert_goes_on(proxy, backend)


def test_an_answer_that_nobody_asked_for_is_no_answer(proxy: Front, backend: PlainBackend) -> None:
    """Response splitting: what follows a response must not answer the next client."""
    poison = answer(200, b"poison")

    def talk_so(talk: Talk, backend: PlainBackend) -> None:
        while (asked := talk.head()) is not None:
            backend.seen.append(asked)
            if asked.target == "/first":
                talk.send(answer(200, b"first") + poison)
            elif asked.target == "/late":
                talk.send(answer(200, b"late"))
                time.sleep(0.05)
                talk.send(poison)
            else:
                talk.send(answer(200, b"own"))

    backend.talk = talk_so
    with proxy.connect() as client:
        for target, body in (
            ("/first", b"first"),
            ("/own", b"own"),
            ("/late", b"late"),
            ("/own", b"own"),
        ):
            assert client.request("GET", proxy.target(target)).body == body
            time.sleep(0.15)
    # HEAD, 204 and 304 have no body, whatever the backend thinks.
    for method, head in (
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 44\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 No\r\nContent-Length: 44\r\n\r\n"),
    ):
        backend.talk = raw(head + poison, end="wait")
        backend.hang_up()
        with proxy.connect() as client:
            assert client.request(method, proxy.target("/")).body == b""
            backend.talk = answer_all
            assert client.request("GET", proxy.target("/")).get("x-backend") == "plain"


def test_it_fails_at_every_stage(way: Way, backend: PlainBackend) -> None:
    """Reset, closed and stalled: before the head, in it, in the body."""
    with start(way, backend.url, response_timeout=0.4, progress_timeout=0.4) as proxy:
        for end in ("close", "reset", "wait"):
            for part in (b"", OK, OK + b"Content-Length: 10\r\n"):
                backend.talk = raw(part, end=end)
                assert proxy.refused(proxy.ask(), 504 if end == "wait" else 502), (part, end)
            backend.talk = raw(OK + b"Content-Length: 10\r\n\r\nhello", end=end)
            with pytest.raises(BadResponse):
                proxy.ask()
        # It takes no more of an upload.
        backend.talk = lambda talk, backend: (talk.head(), time.sleep(3))[0]
        with proxy.connect() as client:
            client.send(
                f"PUT {proxy.target('/')} HTTP/1.1\r\nHost: test\r\nContent-Length: 900000\r\n\r\n"
            )
            client.send(b"x" * 900_000)
            assert proxy.refused(client.response(), 504)
        assert_goes_on(proxy, backend)


def test_no_backend(way: Way) -> None:
    with PlainBackend() as gone:
        url = gone.url
    with start(way, url) as proxy:
        begin = time.monotonic()
        for _ in range(3):
            assert proxy.refused(proxy.ask(), 502)
            assert proxy.refused(proxy.ask("PUT", "/", body=b"x" * 1000), 502)
        assert time.monotonic() - begin < 5
    with start(way, "http://nobody.invalid", connect_timeout=2) as proxy:
        assert proxy.ask().status in (502, 504)


def test_a_backend_that_answers_before_it_has_read(proxy: Front, backend: PlainBackend) -> None:
    def talk_so(talk: Talk, backend: PlainBackend) -> None:
        talk.head()
        talk.send(answer(413, b"too much", "Connection: close"))
        talk.wait_gone()

    backend.talk = talk_so
    with proxy.connect() as client:
        client.send(
            f"PUT {proxy.target('/')} HTTP/1.1\r\nHost: test\r\nContent-Length: 900000\r\n\r\nx"
        )
        response = client.response()
        assert (response.status, response.body) == (413, b"too much")
    assert_goes_on(proxy, backend)


# --- clients


def test_what_has_two_meanings_does_not_go_on(proxy: Front, backend: PlainBackend) -> None:
    """Request smuggling: the front refuses it, and no byte of it comes to the backend."""
    target = proxy.target("/")
    for fields in (
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "Content-Length: 5, 5\r\n\r\nhello",
        "Content-Length: +5\r\n\r\nhello",
        "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "X: y\r\n z\r\n\r\n",
        "X: y\0z\r\n\r\n",
        "X: y\rz\r\n\r\n",
        "Host: other\r\n\r\n",
        "Expect: 200-ok\r\n\r\n",
    ):
        with proxy.connect() as client:
            client.send(f"POST {target} HTTP/1.1\r\nHost: test\r\n{fields}")
            assert 400 <= client.response().status < 502, fields
    for line in (f"GET {target} HTTP/1.1", f"GET {target}#a HTTP/1.1", "GET http://a b/ HTTP/1.1"):
        with proxy.connect() as client:
            host = "" if line.endswith(f"{target} HTTP/1.1") else "Host: test\r\n"
            client.send(f"{line}\r\n{host}\r\n")
            assert client.response().status == 400, line
    assert not backend.seen


def test_one_request_at_a_time_whatever_comes_behind(proxy: Front, backend: PlainBackend) -> None:
    """Pipelined requests, and bodies that look like requests, stay apart."""
    target = proxy.target("/")
    smuggled = f"GET {target}admin HTTP/1.1\r\nHost: test\r\n\r\n"
    with proxy.connect() as client:
        client.send(
            f"PUT {target}a HTTP/1.1\r\nHost: test\r\nContent-Length: {len(smuggled)}\r\n\r\n"
            f"{smuggled}GET {target}b HTTP/1.1\r\nHost: test\r\n\r\n"
            f"PUT {target}c HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
            f"{len(smuggled):x}\r\n{smuggled}\r\n0\r\n\r\n"
            f"GET {target}d HTTP/1.1\r\nHost: test\r\n\r\n"
        )
        for _ in range(4):
            assert client.response().status == 200
    assert [one.target for one in backend.seen] == ["/a", "/b", "/c", "/d"]


def test_a_client_cannot_remove_what_the_proxy_says(proxy: Front, backend: PlainBackend) -> None:
    """Connection lists fields that are ours: they are written all the same."""
    proxy.ask(
        headers=[
            ("Connection", "X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, Via, Host"),
            ("Connection", "X-Forwarded-Prefix, Content-Length"),
        ],
        method="PUT",
        body=b"hello",
    )
    told = backend.seen[-1]
    assert told.get("x-forwarded-for") == "127.0.0.1"
    assert told.get("x-forwarded-proto") == "http"
    assert told.get("x-forwarded-host") == told.get("host") == "test"
    assert told.get("via") == "1.1 tercel"
    assert told.get("x-forwarded-prefix") == ("/old" if proxy.mounted else None)
    assert told.body == b"hello"


def test_fields_as_many_as_there_may_be(proxy: Front, backend: PlainBackend) -> None:
    with proxy.connect() as client:
        many = [(f"X-{number}", "y" * 100) for number in range(90)]
        assert client.request("GET", proxy.target("/"), headers=many).status == 200
        assert len([one for one in backend.seen[-1].fields if one[0].startswith("x-")]) >= 90
    # Lists that grow with ours at their end: refused, not cut.
    vias = [("Via", "1.0 " + "v" * 4000)] * 5
    response = proxy.ask(headers=vias)
    assert response.status in (200, 431)


def test_an_old_client(proxy: Front, backend: PlainBackend) -> None:
    with proxy.connect() as client:
        client.send(f"GET {proxy.target('/old')} HTTP/1.0\r\n\r\n")
        response = client.response()
        assert (response.status, response.version) == (200, "1.1")
        client.expect_closed()
    assert backend.seen[-1].get("host") == backend.url.removeprefix("http://")


def test_an_absolute_target(proxy: Front, backend: PlainBackend) -> None:
    with proxy.connect() as client:
        client.send(f"GET http://named{proxy.target('/a?b')} HTTP/1.1\r\nHost: other\r\n\r\n")
        assert client.response().status == 200
    assert backend.seen[-1].target == "/a?b"
    assert backend.seen[-1].get("host") == "named"
