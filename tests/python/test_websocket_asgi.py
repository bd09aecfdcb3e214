"""WebSockets in ASGI, line by line of the checklist: scope, receive(), send(), and the ends.

Source: ASGI HTTP & WebSocket message format 2.5, "WebSocket"; its extension "WebSocket Denial
Response".
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from typing import Any

import pytest

from support.asgi import DISPATCHES, LOOPS, WAIT_S, AsgiServer, Message, Receive, Scope, Send
from support.websocket import BINARY, CLOSE, TEXT, WebSocketClient, closing, frame, handshake
from tercel import ClientDisconnected

pytestmark = [pytest.mark.sanitize, pytest.mark.io_threads]

CONNECT = {"type": "websocket.connect"}
ACCEPT = {"type": "websocket.accept"}


def disconnect(code: int, reason: str = "") -> Message:
    return {"type": "websocket.disconnect", "code": code, "reason": reason}


class Log:
    """What an application notes, and a way for the test to wait for it."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._changed = threading.Condition()

    def __call__(self, item: Any) -> None:
        with self._changed:
            self.items.append(item)
            self._changed.notify_all()

    def wait(self, count: int) -> list[Any]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.items) >= count, WAIT_S), self.items
        return self.items


@pytest.fixture
def log() -> Log:
    return Log()


async def accept(receive: Receive, send: Send, **values: Any) -> None:
    assert await receive() == CONNECT
    await send({**ACCEPT, **values})


async def hear_all(receive: Receive, log: Log) -> None:
    """Notes messages up to the disconnect."""
    while True:
        message = await receive()
        log(message)
        if message["type"] == "websocket.disconnect":
            return


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await accept(receive, send)
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


# --- scope


def test_scope_is_that_of_a_websocket(log: Log) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        log(scope)
        await echo(scope, receive, send)

    state = {"shared": 1}
    with AsgiServer(app, state=state) as server:
        fields = [
            "Sec-WebSocket-Protocol: chat , superchat",
            "Sec-WebSocket-Protocol: ,, v2",
            "X-Twice: 1",
            "X-Twice: 2",
        ]
        with WebSocketClient(server.address, "/a%20b?c=%64", *fields) as client:
            client.text("x")
            client.read_message()
        (scope,) = log.wait(1)
    assert scope["type"] == "websocket"
    assert scope["asgi"] == {"version": "3.0", "spec_version": "2.5"}
    assert scope["http_version"] == "1.1"
    assert scope["scheme"] == "ws"
    assert scope["path"] == "/a b"
    assert scope["raw_path"] == b"/a%20b"
    assert scope["query_string"] == b"c=%64"
    assert scope["root_path"] == ""
    assert scope["subprotocols"] == ["chat", "superchat", "v2"]
    assert scope["extensions"] == {"websocket.http.response": {}}
    assert scope["state"] == state
    assert scope["state"] is not state
    assert isinstance(scope["client"][1], int)
    assert scope["server"] == server.address
    assert [pair for pair in scope["headers"] if pair[0] == b"x-twice"] == [
        (b"x-twice", b"1"),
        (b"x-twice", b"2"),
    ]
    assert "method" not in scope


def test_subprotocols_are_a_list_when_none_is_offered(log: Log) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        log(scope["subprotocols"])
        await echo(scope, receive, send)

    with AsgiServer(app) as server, WebSocketClient(server.address):
        assert log.wait(1) == [[]]


def test_scheme_is_that_of_the_proxy(log: Log) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        log(scope["scheme"])
        await echo(scope, receive, send)

    with AsgiServer(app) as server, WebSocketClient(server.address, "/", "X-Forwarded-Proto: wss"):
        assert log.wait(1) == ["wss"]


# --- accepting and refusing


def test_accept_sends_subprotocol_and_headers() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"X-One", b"1"), (b"set-cookie", b"a=b"), (b"set-cookie", b"c=d")]
        await accept(receive, send, subprotocol="v2", headers=headers)
        await receive()

    with AsgiServer(app) as server:
        offer = "Sec-WebSocket-Protocol: v1, v2"
        with WebSocketClient(server.address, "/", offer) as client:
            assert client.response.get("sec-websocket-protocol") == "v2"
            assert client.response.get("x-one") == "1"
            assert client.response.all("set-cookie") == ["a=b", "c=d"]


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"subprotocol": "v3"}, ValueError),
        ({"subprotocol": b"v1"}, TypeError),
        ({"headers": [(b"sec-websocket-protocol", b"v1")]}, ValueError),
        ({"headers": [(b"Sec-WebSocket-Accept", b"x")]}, ValueError),
        ({"headers": [(b"a", b"b\r\nc: d")]}, ValueError),
        ({"headers": [("a", "b")]}, TypeError),
    ],
)
def test_a_wrong_accept_raises_and_can_be_mended(
    log: Log, values: dict[str, Any], error: type[Exception]
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        with pytest.raises(error):
            await send({**ACCEPT, **values})
        log("raised")
        await send({**ACCEPT, "subprotocol": "v1"})
        await receive()

    offer = "Sec-WebSocket-Protocol: v1"
    with AsgiServer(app) as server, WebSocketClient(server.address, "/", offer) as client:
        assert client.response.get("sec-websocket-protocol") == "v1"
        assert log.wait(1) == ["raised"]


def test_the_handshake_is_complete_only_when_the_application_accepts() -> None:
    proceed = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert await receive() == CONNECT
        await asyncio.to_thread(proceed.wait, WAIT_S)
        await send(ACCEPT)
        await receive()

    with AsgiServer(app) as server, server.connect() as client:
        client.send(handshake())
        assert client.silent_for(0.2)
        proceed.set()
        assert client.response().status == 101


def test_close_before_accept_is_403_at_that_moment() -> None:
    proceed = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        await asyncio.to_thread(proceed.wait, WAIT_S)

    with AsgiServer(app) as server, server.connect() as client:
        client.send(handshake())
        assert client.response().status == 403
        # The connection goes on.
        client.send(handshake())
        assert client.response().status == 403
        proceed.set()


def test_a_denial_response_is_what_the_application_says() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        start = {"type": "websocket.http.response.start", "status": 401}
        await send({**start, "headers": [(b"www-authenticate", b"Basic")]})
        await send({"type": "websocket.http.response.body", "body": b"who ", "more_body": True})
        await send({"type": "websocket.http.response.body", "body": b"are you"})
        with pytest.raises(RuntimeError):
            await send({"type": "websocket.http.response.body", "body": b"late"})
        assert (await receive())["type"] == "websocket.disconnect"

    with AsgiServer(app) as server, server.connect() as client:
        client.send(handshake())
        response = client.response()
        assert (response.status, response.body) == (401, b"who are you")
        assert response.get("www-authenticate") == "Basic"


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ([{"type": "websocket.send", "text": "x"}], "not accepted yet"),
        ([{"type": "websocket.http.response.body"}], "not accepted yet"),
        ([ACCEPT, ACCEPT], "is open"),
        ([ACCEPT, {"type": "websocket.http.response.start", "status": 403}], "is open"),
        ([{"type": "websocket.what"}], "unknown ASGI message"),
        ([{"type": "http.response.start", "status": 200}], "unknown ASGI message"),
        ([ACCEPT, {"type": "websocket.close"}, {"type": "websocket.send", "text": "x"}], "closed"),
        ([ACCEPT, {"type": "websocket.close"}, {"type": "websocket.close"}], "closed"),
    ],
)
def test_messages_out_of_order_raise(log: Log, messages: list[Message], told: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        for message in messages[:-1]:
            await send(message)
        try:
            await send(messages[-1])
        except RuntimeError as error:
            log(str(error))

    with AsgiServer(app) as server, server.connect() as client:
        client.send(handshake())
        (text,) = log.wait(1)
        assert told in text


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({}, ValueError),
        ({"text": None, "bytes": None}, ValueError),
        ({"text": "a", "bytes": b"a"}, ValueError),
        ({"text": b"a"}, TypeError),
        ({"bytes": "a"}, TypeError),
        ({"text": "\ud800"}, UnicodeEncodeError),
    ],
)
def test_a_wrong_message_raises_and_sends_nothing(message: Message, error: type[Exception]) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)
        with pytest.raises(error):
            await send({"type": "websocket.send", **message})
        await send({"type": "websocket.send", "text": "right"})
        await receive()

    with AsgiServer(app) as server, WebSocketClient(server.address) as client:
        assert client.read_message() == "right"


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 70000, -1])
def test_a_code_that_may_not_be_sent_raises(code: int) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)
        with pytest.raises(ValueError, match=str(code)):
            await send({"type": "websocket.close", "code": code})
        await send({"type": "websocket.close", "code": 3000, "reason": "ok"})

    with AsgiServer(app) as server, WebSocketClient(server.address) as client:
        assert client.read_close().code == 3000


# --- messages


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("dispatch", DISPATCHES)
def test_messages_come_and_go_in_every_dispatch_and_loop(loop: str, dispatch: str) -> None:
    with (
        AsgiServer(echo, loop=loop, dispatch=dispatch) as server,
        WebSocketClient(server.address) as client,
    ):
        for message in ["", "text", "\u00e9\u20ac\U0001f600" * 1000, "x" * 200_000]:
            client.text(message)
            assert client.read_message() == message
        for data in [b"", b"\xff\xfe", bytes(70_000)]:
            client.send(frame(BINARY, data))
            assert client.read_message() == data
        assert client.close(3001).code == 3001
        assert client.read_end() == b""


def test_a_received_message_has_the_key_of_what_it_is(log: Log) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)
        await hear_all(receive, log)

    with AsgiServer(app) as server, WebSocketClient(server.address) as client:
        client.text("a")
        client.send(frame(BINARY, b"b"))
        client.close(4000, b"bye")
        assert log.wait(3) == [
            {"type": "websocket.receive", "text": "a"},
            {"type": "websocket.receive", "bytes": b"b"},
            disconnect(4000, "bye"),
        ]


@pytest.mark.parametrize("data", [b"bytes", bytearray(b"array"), memoryview(b"view")])
def test_bytes_may_be_of_any_kind(data: Any) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)
        await send({"type": "websocket.send", "bytes": data, "text": None})
        await receive()

    with AsgiServer(app) as server, WebSocketClient(server.address) as client:
        assert client.read_message() == bytes(data)


def test_messages_that_are_here_resolve_without_suspending(log: Log) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)
        log(await receive())
        await asyncio.to_thread(ready.wait, WAIT_S)
        for _ in range(3):
            with pytest.raises(StopIteration) as done:
                receive().send(None)
            log(done.value.value["text"])
        with pytest.raises(StopIteration):
            send({"type": "websocket.send", "text": "sent"}).send(None)

    ready = threading.Event()
    with AsgiServer(app) as server, WebSocketClient(server.address) as client:
        client.text("0")
        log.wait(1)
        client.send(b"".join(frame(TEXT, str(i).encode()) for i in range(1, 4)))
        client.send(frame(9, b"ping"))
        assert client.read_frame().payload == b"ping"  # All of it was read.
        ready.set()
        assert log.wait(4)[1:] == ["1", "2", "3"]
        assert client.read_message() == "sent"


def test_cancelling_receive_loses_no_message(log: Log) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(receive(), 0.01)
        log("waiting")
        await hear_all(receive, log)

    with AsgiServer(app) as server, WebSocketClient(server.address) as client:
        log.wait(1)
        client.text("kept")
        client.close()
        assert log.wait(3)[1:] == [
            {"type": "websocket.receive", "text": "kept"},
            disconnect(1000),
        ]


def test_receive_may_be_awaited_several_times_at_once(log: Log) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)
        waiting = [asyncio.ensure_future(receive()) for _ in range(4)]
        await asyncio.sleep(0)
        log("waiting")
        log([await future for future in waiting])

    with AsgiServer(app) as server, WebSocketClient(server.address) as client:
        log.wait(1)
        client.text("a")
        client.text("b")
        client.close()
        got = log.wait(2)[1]
        assert [m.get("text") for m in got[:2]] == ["a", "b"]
        assert got[2:] == [disconnect(1000)] * 2


def test_messages_of_a_peer_that_left_stay_readable(log: Log) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)
        log("accepted")
        await asyncio.to_thread(gone.wait, WAIT_S)
        with pytest.raises(ClientDisconnected):
            await send({"type": "websocket.send", "text": "late"})
        await hear_all(receive, log)
        log(await receive())

    gone = threading.Event()
    with AsgiServer(app) as server:
        with WebSocketClient(server.address) as client:
            log.wait(1)
            client.text("one")
            client.text("two")
            client.close(1001, b"away")
            client.raw.wait_gone()
        gone.set()
        assert log.wait(5)[1:] == [
            {"type": "websocket.receive", "text": "one"},
            {"type": "websocket.receive", "text": "two"},
            disconnect(1001, "away"),
            disconnect(1001, "away"),
        ]


# --- the end


@pytest.mark.parametrize(
    ("code", "reason", "told"),
    [
        (None, b"", disconnect(1005)),
        (1000, b"", disconnect(1000)),
        (4999, "gr\u00fc\u00dfe".encode(), disconnect(4999, "gr\u00fc\u00dfe")),
    ],
)
def test_the_code_and_the_reason_of_the_peer_are_told(
    log: Log, code: int | None, reason: bytes, told: Message
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)
        await hear_all(receive, log)

    with AsgiServer(app) as server, WebSocketClient(server.address) as client:
        client.send(closing(code, reason))
        assert client.read_close().code == code
        assert log.wait(1) == [told]
        client.raw.expect_closed()


@pytest.mark.parametrize("way", ["fin", "reset"])
def test_a_peer_that_leaves_without_a_word_is_1006(log: Log, way: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)
        log("accepted")
        await hear_all(receive, log)

    with AsgiServer(app) as server, WebSocketClient(server.address) as client:
        log.wait(1)
        client.raw.half_close() if way == "fin" else client.raw.reset()
        assert log.wait(2)[1:] == [disconnect(1006)]


@pytest.mark.parametrize("way", ["fin", "reset"])
def test_a_peer_that_leaves_before_accept_is_1006(
    log: Log, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        log(await receive())
        log(await receive())
        await send(ACCEPT)

    with AsgiServer(app, timeout_half_close="100ms") as server, server.connect() as client:
        client.send(handshake())
        log.wait(1)
        client.half_close() if way == "fin" else client.reset()
        assert log.wait(2) == [CONNECT, disconnect(1006)]
    # An application that ends with the OSError of send() has not failed.
    assert not caplog.records


def test_close_sends_code_and_reason_and_waits_for_the_peer(log: Log) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)
        await receive()
        await send({"type": "websocket.close", "code": 3003, "reason": "\u20ac" * 60})
        log("closed")
        log(await receive())

    with AsgiServer(app) as server, WebSocketClient(server.address) as client:
        client.text("go")
        got = client.read_close()
        assert (got.code, got.reason) == (3003, "\u20ac" * 41)  # 123 bytes.
        log.wait(1)
        client.text("ignored")
        client.send(closing(3003))
        assert log.wait(2)[1] == disconnect(3003)
        client.raw.expect_closed()


def test_a_peer_that_does_not_close_is_left_after_the_timeout(log: Log) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)
        await send({"type": "websocket.close"})
        log(await receive())

    with (
        AsgiServer(app, ws_close_timeout="200ms") as server,
        WebSocketClient(server.address) as client,
    ):
        assert client.read_close().code == 1000
        (told,) = log.wait(1)
        assert told["code"] == 1006
        client.raw.expect_closed()


def test_an_application_that_returns_closes_with_1000(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)

    with AsgiServer(app) as server, WebSocketClient(server.address) as client:
        assert client.close().code == 1000
    assert not caplog.records


def test_an_application_that_raises_closes_with_1011(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)
        await receive()
        raise LookupError("mine")

    with AsgiServer(app) as server, WebSocketClient(server.address) as client:
        client.text("go")
        assert client.read_close().code == 1011
        # The next one is served.
        with WebSocketClient(server.address) as other:
            other.text("go")
            assert other.read_close().code == 1011
    assert [r.exc_info[0] for r in caplog.records if r.exc_info] == [LookupError] * 2


@pytest.mark.parametrize("way", ["returns", "raises"])
def test_an_application_that_ends_before_it_accepts_is_500(
    way: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if way == "raises":
            raise LookupError("mine")

    with AsgiServer(app) as server, server.connect() as client:
        client.send(handshake())
        assert client.response().status == 500
    (record,) = caplog.records
    assert record.levelno == logging.ERROR


def test_a_denial_that_is_not_complete_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "websocket.http.response.start", "status": 400}
        await send({**start, "headers": [(b"content-length", b"10")]})
        await send({"type": "websocket.http.response.body", "body": b"half", "more_body": True})

    with AsgiServer(app) as server, server.connect() as client:
        client.send(handshake())
        assert b"half" in client.read_some()
        client.wait_gone()
    assert "without completing" in caplog.text


def test_send_after_the_application_ended_raises(log: Log) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)

        async def late() -> None:
            await asyncio.to_thread(closed.wait, WAIT_S)
            try:
                await send({"type": "websocket.send", "text": "late"})
            except RuntimeError as error:
                log(str(error))

        tasks.append(asyncio.ensure_future(late()))

    tasks: list[Any] = []
    closed = threading.Event()
    with AsgiServer(app) as server, WebSocketClient(server.address) as client:
        client.close()
        closed.set()
        assert "application returned or failed" in log.wait(1)[0]


def test_an_application_is_not_cancelled_when_its_client_closes(log: Log) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)
        await hear_all(receive, log)

    with (
        AsgiServer(app, cancel_on_disconnect=True) as server,
        WebSocketClient(server.address) as client,
    ):
        client.text("last")
        client.close()
        assert log.wait(2)[1] == disconnect(1000)


# --- around it


def test_context_is_a_copy_of_the_lifespans(log: Log) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        log(variable.get())
        variable.set("changed")
        await echo(scope, receive, send)

    context = contextvars.Context()
    context.run(variable.set, "lifespan")
    with AsgiServer(app, context=context) as server:
        for _ in range(2):
            with WebSocketClient(server.address) as client:
                client.close()
        assert log.wait(2) == ["lifespan"] * 2


def test_a_drain_closes_with_1012(log: Log) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await accept(receive, send)
        await send({"type": "websocket.send", "text": "open"})
        log("open")
        await hear_all(receive, log)
        with pytest.raises(ClientDisconnected):
            await send({"type": "websocket.send", "text": "late"})
        log("over")

    with AsgiServer(app) as server, WebSocketClient(server.address) as client:
        assert client.read_message() == "open"
        log.wait(1)
        server.call(lambda: server.native.drain(True))
        assert client.read_close().code == 1012
        client.send(closing(1012))
        client.raw.expect_closed()
        told = log.wait(3)[1:]
        assert told == [disconnect(1012, "the server is restarting"), "over"]


def test_without_websockets_the_request_is_one_of_http() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"plain"})

    with AsgiServer(app, ws="none") as server, server.connect() as client:
        client.send(handshake())
        response = client.response()
        assert (response.status, response.body) == (200, b"plain")


def test_bytes_sent_before_the_answer_are_the_first_of_the_websocket() -> None:
    with (
        AsgiServer(echo) as server,
        WebSocketClient(server.address, early=frame(TEXT, b"early")) as client,
    ):
        assert client.read_message() == "early"
        assert client.close().opcode == CLOSE


def test_a_refused_websocket_leaves_the_next_request_alone() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.close"})

    with AsgiServer(app) as server, server.connect() as client:
        client.send(handshake() + handshake())
        assert [client.response().status for _ in range(2)] == [403, 403]
