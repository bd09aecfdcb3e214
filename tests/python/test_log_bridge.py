"""What the engine says reaches Python's logging, and never from inside a request."""

from __future__ import annotations

import asyncio
import logging

import pytest

from support.fixtures import ServeThread
from tercel import _core

pytestmark = pytest.mark.sanitize


async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"text"})


def test_a_warning_of_the_engine_is_a_record_of_the_logger(serve_here: ServeThread, caplog):
    server = serve_here(app, access_log_file="/dev/full")
    with caplog.at_level(logging.WARNING, "tercel"):
        assert server.request().status == 200
        server.__exit__(None, None, None)
        _core.deliver_log()
    [record] = [record for record in caplog.records if "access log" in record.getMessage()]
    assert record.name == "tercel"
    assert record.levelno == logging.WARNING
    assert record.getMessage() == "the access log lost 1 line(s): No space left on device"


def test_a_line_is_delivered_without_being_asked_for(caplog):
    async def scenario():
        import tercel

        server = tercel.Server(app, port=0, access_log_file="/dev/full")
        serving = asyncio.create_task(server.serve())
        await server.wait_started()
        host, port = server.addresses[0]
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        writer.close()
        server.shutdown()
        await serving
        del server, serving

    asyncio.run(scenario())
    assert "the access log lost 1 line(s)" in caplog.text
