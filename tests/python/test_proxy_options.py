"""Mistakes with tercel.proxy: each is one sentence, where it is made, and without a secret."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tercel
from tercel.proxy import Forward

URL = "http://127.0.0.1:9000"


def hooked(app: tercel.App) -> tercel.App:
    app.on_request(lambda request: None)
    return app


def mounted() -> tercel.App:
    app = tercel.App()
    app.mount("/old", Forward(URL))
    return app


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Forward(5), "the backend of Forward is a URL, not 5"),
        (lambda: Forward("127.0.0.1:9000"), "is a URL, as https://backend.internal:8443, or a"),
        (lambda: Forward("ftp://h"), "is a URL, as https://backend.internal:8443, or a socket"),
        (lambda: Forward("http://"), "is a URL, as https://backend.internal:8443, or a socket"),
        (lambda: Forward("http://h\u00e9"), "is a URL, as https://backend.internal:8443"),
        (lambda: Forward("http://h/path"), "has a scheme, a host and a port only, not"),
        (lambda: Forward("http://h?q"), "has a scheme, a host and a port only, not"),
        (lambda: Forward("http://u@h"), "has a scheme, a host and a port only, not"),
        (lambda: Forward("http://h:99999"), "the port of 'http://h:99999' is from 1 to 65535"),
        (lambda: Forward("http://h:0"), "the port of 'http://h:0' is from 1 to 65535"),
        (lambda: Forward("http://h:x"), "the port of 'http://h:x' is from 1 to 65535"),
        (lambda: Forward("http://[::1"), "is a URL, as https://backend.internal:8443, or a soc"),
        (lambda: Forward("http://a b"), "is a URL, as https://backend.internal:8443"),
        (lambda: Forward("http://h\n"), "is a URL, as https://backend.internal:8443"),
        (lambda: Forward("unix:/a\ud800"), "is a socket with an absolute path of at most 107"),
        (lambda: Forward("unix:app.sock"), "is a socket with an absolute path of at most 107"),
        (lambda: Forward("unix:/" + "a" * 107), "with an absolute path of at most 107 bytes"),
        (lambda: Forward(URL, connections=0), "connections of Forward is from 1 to 65535, not 0"),
        (lambda: Forward(URL, connections=1.5), "connections of Forward is a whole number"),
        (lambda: Forward(URL, connect_timeout=0), "connect_timeout of Forward, in seconds, is"),
        (lambda: Forward(URL, response_timeout="5"), "in seconds, is a number, not '5'"),
        (lambda: Forward(URL, progress_timeout=-1), "progress_timeout of Forward, in seconds,"),
        (lambda: Forward(URL, x_forwarded="yes"), "x_forwarded of Forward is one of append, rep"),
        (lambda: Forward(URL, forwarded=[]), "forwarded of Forward is one of append, replace,"),
        (lambda: Forward(URL, via="a b"), "via of Forward is a name without blanks, or None, not"),
        (lambda: Forward(URL, via=5), "via of Forward is a name without blanks, or None, not 5"),
        (lambda: Forward(URL, request_headers="X"), "request_headers of Forward is a dict of te"),
        (lambda: Forward(URL, request_headers={5: "x"}), "has 5, which is no name of a field"),
        (lambda: Forward(URL, request_headers={"a b": "x"}), "'a b', which is no name of a field"),
        (lambda: Forward(URL, request_headers={"Host": "x"}), "has Host, which is the proxy's to"),
        (
            lambda: Forward(URL, response_headers={"Content-Length": "5"}),
            "response_headers of Forward has Content-Length, which is the proxy's to write",
        ),
        (
            lambda: Forward(URL, request_headers={"X-A": "1", "x-a": "2"}),
            "request_headers of Forward has x-a twice",
        ),
        (
            lambda: Forward(URL, request_headers={"X-Key": "secret\r\nX: y"}),
            "has a value for X-Key that is no printable ASCII text",
        ),
        (
            lambda: Forward(URL, request_headers={"X-A": "a" * 8193}),
            "no printable ASCII text of at most 8192 bytes",
        ),
        (
            lambda: Forward(URL, request_headers={"Sec-WebSocket-Key": "x"}),
            "has Sec-WebSocket-Key, which is the proxy's to write",
        ),
        (
            lambda: Forward(URL, request_headers={f"x-{n}": "" for n in range(33)}),
            "request_headers of Forward has at most 32 fields",
        ),
        *(
            (lambda host=host: Forward(f"http://{host}/"), "the backend of Forward is a URL, as")
            for host in (
                *("999.1.1.1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "127.1", "0x7f.1", "1", "a.1."),
                *(
                    "a..b",
                    ".a",
                    "-a",
                    "a-",
                    "a" * 64,
                    "a." * 127 + "b",
                    "[1::2::3]",
                    "[::g]",
                    "[fe80::1%25eth0]",
                ),
            )
        ),
        (lambda: Forward(URL, keep_host="no"), "keep_host of Forward is True or False, not 'no'"),
        (lambda: Forward(URL, retries=3), "retries of Forward is True or False, not 3"),
        (lambda: Forward(URL, strip_prefix="/old"), "strip_prefix of Forward is True or False"),
        (lambda: Forward("https://h", verify="/ca.pem"), "verify of Forward is True or False, not"),
        (lambda: Forward("https://h", ca=5), "ca of Forward is the path of a file, not 5"),
        (lambda: Forward("https://h", ca=b"/ca"), "ca of Forward is the path of a file, not b'"),
        (lambda: Forward("https://h", ca=""), "ca of Forward is the path of a file, of printable"),
        (lambda: Forward("https://h", key="/\ud800"), "key of Forward is the path of a file, of p"),
        (lambda: Forward("https://h", ca="/a\0b"), "ca of Forward is the path of a file, of print"),
        (lambda: Forward(URL, ca="ca.pem"), "ca, verify, certificate and key of Forward are for"),
        (lambda: Forward(URL, verify=False), "key of Forward are for https, not for http://127"),
        (lambda: Forward("https://h", key="key.pem"), "key of Forward is that of a certificate,"),
        (lambda: Forward("https://h", ca="/nothing.pem"), "https://h cannot be forwarded to: "),
        (lambda: Forward("https://h", certificate="/nothing"), "https://h cannot be forwarded to"),
        (lambda: hooked(mounted()), "those for the Forward at /old do not come to Python: give"),
        (
            lambda: hooked(tercel.App()).mount("/", Forward(URL)),
            "hooks are called for every request, and those for the Forward at / do not come to",
        ),
        (lambda: mounted().mount("/old", Forward(URL)), "two applications are mounted at /old"),
    ],
)
def test_mistakes_are_said(make: Callable[[], Any], sentence: str) -> None:
    with pytest.raises((ValueError, TypeError)) as raised:
        make()
    said = str(raised.value)
    assert sentence in said
    assert "secret" not in said
    assert "\n" not in said


def test_what_is_taken(tmp_path: Path) -> None:
    assert repr(Forward("http://[::1]:9000")) == "<Forward to http://[::1]:9000>"
    Forward("https://backend.internal")
    for host in ("a_b", "1a.b-c.example.", "10.0.0.1", "a.0xg", "1.a", "[::ffff:1.2.3.4]", "xn--a"):
        Forward(f"http://{host}:1")
    Forward("HTTP://backend.internal/")
    Forward(f"unix:{tmp_path}/app.sock", via=None, request_headers={"X-A": "", "X-B": None})
    # One proxy may be mounted in several places.
    app, forward = tercel.App(), Forward(URL)
    app.mount("/a", forward)
    app.mount("/b", forward)
    app.on_startup(lambda: None)
