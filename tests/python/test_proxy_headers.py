"""What an application and the access log see of a client behind proxies.

What of a field is believed, and what not, is tested in C++ (proxy_headers_test.cc): here is that it
arrives, under the settings that people write.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.asgi import AsgiServer, Receive, Scope, Send, respond
from support.fixtures import ServeProcess
from tercel.problems import SettingError
from tercel.settings import load

pytestmark = pytest.mark.sanitize

ALL = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-prefix"]


def seen(*fields: str, target: str = "/a", **options: Any) -> tuple[Any, str, str, str, str]:
    """Returns client, scheme, root_path, path and the Host field of a request with `fields`."""
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await respond(send, b"ok")

    lines = "".join(f"{field}\r\n" for field in fields)
    with AsgiServer(app, **options) as server, server.connect() as client:
        client.send(f"GET {target} HTTP/1.1\r\nHost: inner\r\n{lines}\r\n")
        assert client.response().status == 200
        name = client.socket.getsockname()
    scope = scopes[0]
    # On a Unix socket nobody has a name.
    named = scope["client"] is not None and isinstance(name, tuple)
    who = "peer" if named and scope["client"] == name[:2] else scope["client"]
    host = dict(scope["headers"])[b"host"].decode()
    return who, scope["scheme"], scope["root_path"], scope["path"], host


def test_by_default_a_local_proxy_tells_client_and_scheme():
    assert seen(
        "X-Forwarded-For: 6.6.6.6, 192.0.2.1",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: outer",
        "X-Forwarded-Prefix: /api",
        "X-Real-IP: 6.6.6.6",
        "Forwarded: for=6.6.6.6;host=outer",
    ) == (("192.0.2.1", 0), "https", "", "/a", "inner")


def test_the_fields_stay_as_they_came():
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await respond(send)

    with AsgiServer(app) as server:
        server.request(headers=[("X-Forwarded-For", "192.0.2.1")])
    assert (b"x-forwarded-for", b"192.0.2.1") in scopes[0]["headers"]


def test_the_port_is_the_clients_if_it_is_told():
    assert seen("X-Forwarded-For: [2001:db8::1]:4711")[0] == ("2001:db8::1", 4711)


def test_who_is_not_told_is_none():
    assert seen("X-Forwarded-For: unknown")[0] is None


def test_a_peer_that_is_not_trusted_is_not_believed():
    fields = ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https"]
    nothing = ("peer", "http", "", "/a", "inner")
    assert seen(*fields, forwarded_allow_ips=["10.0.0.0/8"]) == nothing
    assert seen(*fields, forwarded_allow_ips=[]) == nothing
    assert seen(*fields, proxy_headers=False) == nothing
    assert seen(*fields, forwarded_allow_ips=["*"])[0] == ("192.0.2.1", 0)


def test_the_default_is_local_also_on_ipv6_and_unix_sockets(tmp_path: Path):
    field = "X-Forwarded-For: 192.0.2.1"
    assert seen(field, bind="[::1]:0")[0] == ("192.0.2.1", 0)
    assert seen(field, bind=f"unix:{tmp_path / 's'}")[0] == ("192.0.2.1", 0)
    only_tcp = ["127.0.0.1,::1"]
    assert seen(field, bind=f"unix:{tmp_path / 't'}", forwarded_allow_ips=only_tcp)[0] is None


def test_host_and_prefix_when_they_are_named():
    fields = ["X-Forwarded-Host: outer:8443", "X-Forwarded-Prefix: /api/"]
    assert seen(*fields, forwarded_headers=ALL) == ("peer", "http", "/api", "/api/a", "outer:8443")
    # Instead of what the setting says.
    assert seen(*fields, forwarded_headers=ALL, root_path="/other")[2:4] == ("/api", "/api/a")
    assert seen(root_path="/other", forwarded_headers=ALL)[2:4] == ("/other", "/other/a")
    assert seen(*fields, target="/a%20b", forwarded_headers=ALL)[3] == "/api/a b"


def test_forwarded_when_it_is_named():
    field = 'Forwarded: for="[2001:db8::1]:4711";proto=https;host=outer'
    assert seen(field, "X-Forwarded-For: 6.6.6.6", forwarded_headers=["forwarded"]) == (
        *(("2001:db8::1", 4711), "https", "", "/a", "outer"),
    )


def test_a_path_from_which_the_prefix_was_not_taken_stays():
    assert seen(target="/api/a", root_path="/api", root_path_strip=True)[2:4] == ("/api", "/api/a")
    assert seen(target="/a%20b", root_path="/api", root_path_strip=True)[2:4] == ("/api", "/a b")
    field = "X-Forwarded-Prefix: /api"
    options = {"forwarded_headers": ALL, "root_path_strip": True}
    assert seen(field, target="/api/a", **options)[2:4] == ("/api", "/api/a")


def test_the_access_log_names_the_client(serve: ServeProcess):
    server = serve("process:app", access_log_format="%h %{remote}p %m %U", lifespan="off")
    server.request("GET", "/one", headers=[("X-Forwarded-For", "192.0.2.1:4711")])
    server.wait_for(r"^192\.0\.2\.1 4711 GET /one$")
    server.request("GET", "/two", headers=[("X-Forwarded-For", "unknown")])
    server.wait_for(r"^- - GET /two$")


def test_lists_may_be_written_with_commas(serve: ServeProcess):
    server = serve(
        "process:app",
        lifespan="off",
        access_log_format="%h %m",
        arguments=[
            "--forwarded-allow-ips",
            "10.0.0.0/8,127.0.0.1",
            "--forwarded-headers=X-Real-IP",
        ],
    )
    server.request(headers=[("X-Real-IP", "192.0.2.1"), ("X-Forwarded-For", "6.6.6.6")])
    server.wait_for(r"^192\.0\.2\.1 GET$")


def test_fields_that_tell_the_same_are_refused():
    with pytest.raises(
        SettingError, match=r"^forwarded-headers names two fields that say the same thing: "
    ):
        load(keywords={"forwarded_headers": ["forwarded", "x-forwarded-for"]})
    with pytest.raises(SettingError, match=r"^forwarded-headers has a name that is not one of "):
        load(keywords={"forwarded_headers": "x_forwarded_for"})


def test_a_block_with_bits_behind_its_prefix_is_refused():
    with pytest.raises(SettingError) as caught:
        load(command_line={"forwarded-allow-ips": ["10.0.0.1/8"]})
    assert str(caught.value) == (
        "--forwarded-allow-ips must be IP addresses, blocks such as 10.0.0.0/8, unix, or * for"
        ' everybody, or empty for nobody, not "10.0.0.1/8".'
    )
