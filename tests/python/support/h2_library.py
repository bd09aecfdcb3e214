"""An HTTP/2 client made of the package `h2` and a loop over one socket.

    with LibraryClient(server.address) as client:
        stream = client.ask("/hello")
        assert client.answer(stream).status == 200

It is the state machine of others that judges: whatever tercel sends against RFC 9113 raises here.
"""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import Any

import h2.config
import h2.connection
import h2.events

from support.closing import Closing
from support.http1 import Address

Fields = list[tuple[str, str]]


@dataclass
class Answer:
    """What came on one stream so far."""

    status: int = 0
    interim: list[int] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    trailers: dict[str, str] = field(default_factory=dict)
    reset: int | None = None
    ended: bool = False


@dataclass
class Upload:
    """What is still to be sent on one stream."""

    rest: memoryview
    trailers: Fields


class LibraryClient(Closing):
    """One connection, blocking, with a time limit on every wait.

    Args:
        address: host and port of the server.
        context: of TLS; None for a connection in clear, with prior knowledge.
        timeout: seconds that a wait may take.

    Attributes:
        answers: by stream.
        pings: how many of ours came back.
        windows_used_up: how often an upload had to wait for the server's window.
    """

    def __init__(
        self, address: Address, context: ssl.SSLContext | None = None, *, timeout: float = 20.0
    ) -> None:
        self.timeout = timeout
        self.socket = socket.create_connection(address, timeout)
        # Else a second window update waits until the kernel of the server acknowledges the first.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            context.set_alpn_protocols(["h2"])
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
            assert self.socket.selected_alpn_protocol() == "h2"
        self.scheme = "http" if context is None else "https"
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.answers: dict[int, Answer] = {}
        self.pings = 0
        self.windows_used_up = 0
        self._uploads: dict[int, Upload] = {}
        self.connection.initiate_connection()
        self.flush()

    def close(self) -> None:
        self.socket.close()

    # --- sending

    def flush(self) -> None:
        if data := self.connection.data_to_send():
            self.socket.sendall(data)

    def begin(
        self,
        method: str,
        path: str,
        *,
        protocol: str = "",
        fields: Fields | None = None,
        end: bool = False,
    ) -> int:
        """Sends the head of a request, and returns its stream."""
        stream = self.connection.get_next_available_stream_id()
        head = [
            (":method", method),
            (":scheme", self.scheme),
            (":path", path),
            (":authority", "localhost"),
            *([(":protocol", protocol)] if protocol else []),
            *(fields or []),
        ]
        self.connection.send_headers(stream, head, end_stream=end)
        self.answers[stream] = Answer()
        self.flush()
        return stream

    def send(self, stream: int, data: bytes) -> None:
        """Sends a little, which fits in the windows, on a stream that was begun."""
        size = self.connection.max_outbound_frame_size
        for start in range(0, len(data), size):
            self.connection.send_data(stream, data[start : start + size])
        self.flush()

    def ask(
        self,
        path: str,
        body: bytes | None = None,
        *,
        method: str = "",
        fields: Fields | None = None,
        trailers: Fields | None = None,
    ) -> int:
        """Sends a request, of its body as much as the windows allow, and returns its stream."""
        method = method or ("GET" if body is None else "POST")
        stream = self.begin(method, path, fields=fields, end=body is None)
        if body is not None:
            self._uploads[stream] = Upload(memoryview(body), trailers or [])
        self._upload()
        self.flush()
        return stream

    def reset(self, stream: int, code: int = 8) -> None:
        self._uploads.pop(stream, None)
        self.connection.reset_stream(stream, code)
        self.flush()

    def _upload(self) -> None:
        """Sends a frame of each upload in turn, until all windows are used up."""
        went_on = True
        while went_on:
            went_on = False
            for stream, upload in list(self._uploads.items()):
                window = self.connection.local_flow_control_window(stream)
                size = min(window, self.connection.max_outbound_frame_size, len(upload.rest))
                if size == 0 and upload.rest:
                    continue
                part, upload.rest = upload.rest[:size], upload.rest[size:]
                over = not upload.rest
                self.connection.send_data(
                    stream, part.tobytes(), end_stream=over and not upload.trailers
                )
                went_on = True
                if over:
                    if upload.trailers:
                        self.connection.send_headers(stream, upload.trailers, end_stream=True)
                    del self._uploads[stream]
                self.flush()
        self.windows_used_up += len(self._uploads) > 0

    # --- reading

    def step(self) -> None:
        """Waits for bytes, and does what they ask for."""
        data = self.socket.recv(1 << 16)
        assert data, "the server closed the connection"
        for event in self.connection.receive_data(data):
            self._note(event)
        self._upload()
        self.flush()

    def _note(self, event: Any) -> None:
        answer = self.answers.get(getattr(event, "stream_id", 0) or 0, Answer())
        match event:
            case h2.events.InformationalResponseReceived():
                answer.interim.append(int(dict(event.headers)[b":status"]))
            case h2.events.ResponseReceived():
                texts = {name.decode(): value.decode() for name, value in event.headers}
                answer.status = int(texts.pop(":status"))
                answer.fields = texts
            case h2.events.TrailersReceived():
                answer.trailers = {name.decode(): value.decode() for name, value in event.headers}
            case h2.events.DataReceived():
                answer.body += event.data
                if event.flow_controlled_length:
                    self.connection.acknowledge_received_data(
                        event.flow_controlled_length, event.stream_id
                    )
            case h2.events.StreamEnded():
                answer.ended = True
            case h2.events.StreamReset():
                answer.reset = event.error_code
            case h2.events.PingAckReceived():
                self.pings += 1
            case h2.events.ConnectionTerminated():
                raise AssertionError(f"the server ended the connection: {event}")

    def answer(self, stream: int) -> Answer:
        """Reads until the stream is over."""
        end = time.monotonic() + self.timeout
        answer = self.answers[stream]
        while not answer.ended and answer.reset is None:
            assert time.monotonic() < end, f"no end of stream {stream}"
            self.step()
        return answer
