"""Bodies that go through the gateway inside of the kernel: the same bytes, and the same ends, as if
they were copied.

Of plain HTTP on both sides, with a length, whose bytes nobody looks at. The thresholds are those of
net/pipe_pool.h and http/handler.h; each system call that may fail is tested in
tests/cpp/proxy/relay_pipe_test.cc and tests/cpp/server/connection_pipe_test.cc.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.http1 import Closed, RawClient, Response
from support.s3_gateway import Front, backend, fields_of, front_fixture, origin_fixture
from support.s3_gateway import raw_request as raw
from support.s3_origin import Origin
from support.sigv4 import UNSIGNED
from support.waiting import wait_until
from tercel.s3 import Limit

KIB = 1024
# Read at once, the least that a pipe is taken for, all that one holds, and several of them.
THRESHOLDS = (64 * KIB, 128 * KIB, 256 * KIB, 320 * KIB, 512 * KIB)
SIZES = sorted({size + more for size in THRESHOLDS for more in (-1, 0, 1)} | {0, 1, 3_000_001})
BODY = os.urandom(3_000_001)
LARGE = os.urandom(8_000_000)

origin = origin_fixture(BODY)
front = front_fixture()


def pipes() -> int:
    """Returns how many ends of pipes this process has."""
    count = 0
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            count += os.readlink(f"/proc/self/fd/{number}").startswith("pipe:")
    return count


def ask(
    client: RawClient, front: Front, method: str, path: str, body: bytes | None = None
) -> Response:
    """Returns the answer to a signed request on a connection that stays."""
    client.send(raw(method, path, fields_of(method, path, front.host, body)))
    if body:
        client.send(body)
    return client.response()


def test_a_large_body_goes_through_a_pipe_and_none_is_left(front: Front, origin: Origin) -> None:
    before = pipes()
    origin.objects["/back/large"] = LARGE
    assert front.send("GET", "/back/large").body == LARGE
    assert pipes() > before
    # They are kept for a moment only.
    wait_until(lambda: pipes() <= before, "no pipe is left")
    assert front.send("PUT", "/back/other", body=LARGE).status == 200
    assert pipes() > before
    assert origin.objects["/back/other"] == LARGE


def test_bodies_of_every_size_on_one_connection(front: Front, origin: Origin) -> None:
    with front.connect() as client:
        for size in SIZES:
            body = BODY[:size]
            path = f"/back/{size}"
            put = ask(client, front, "PUT", path, body)
            assert put.status == 200, size
            assert origin.objects[path] == body
            got = ask(client, front, "GET", path)
            assert got.body == body, size
            etag = f'"{hashlib.md5(body).hexdigest()}"'
            assert put.get("etag") == got.get("etag") == etag
    assert origin.open_connections <= 2  # They were kept: one for each thread.


def test_a_request_behind_a_body_is_not_taken_for_it(front: Front, origin: Origin) -> None:
    with front.connect() as client:
        put = raw("PUT", "/back/new", fields_of("PUT", "/back/new", front.host, BODY))
        get = raw("GET", "/back/key", fields_of("GET", "/back/key", front.host, None))
        sender = threading.Thread(target=client.send, args=(put + BODY + get,))
        sender.start()
        assert client.response().status == 200
        assert client.response().body == BODY
        sender.join()
    assert origin.objects["/back/new"] == BODY


def test_a_slow_reader_gets_all_of_it(front: Front, origin: Origin) -> None:
    origin.objects["/back/large"] = LARGE
    path = "/back/large"
    with RawClient(("127.0.0.1", front.port), receive_buffer=8192) as client:
        client.send(raw("GET", path, fields_of("GET", path, front.host, None)))
        time.sleep(0.3)  # Everything on the way is full.
        assert client.response().body == LARGE


def test_a_slow_writer_is_waited_for(front: Front, origin: Origin) -> None:
    path = "/back/slow"
    with front.connect() as client:
        client.send(raw("PUT", path, fields_of("PUT", path, front.host, BODY)))
        client.send_slowly(BODY, piece=100_000, pause=0.01)
        assert client.response().status == 200
    assert origin.objects[path] == BODY


def test_many_at_once_do_not_mix(front: Front, origin: Origin) -> None:
    bodies = [os.urandom(1) * 1_000_000 for _ in range(24)]

    def both(number: int) -> bool:
        path = f"/back/{number}"
        put = front.send("PUT", path, body=bodies[number])
        return put.status == 200 and front.send("GET", path).body == bodies[number]

    with ThreadPoolExecutor(8) as clients:
        assert all(clients.map(both, range(len(bodies))))


@pytest.mark.parametrize("what", ["reset", "close"])
@pytest.mark.parametrize("after", [200_000, 2_000_000, len(BODY) - 1])
def test_a_backend_that_goes_in_the_middle_is_seen(
    front: Front, origin: Origin, what: str, after: int
) -> None:
    origin.fail("answer body", what, after=after)
    with pytest.raises(Closed) as broken:
        front.send("GET", "/back/key")
    assert len(broken.value.got) <= after
    assert front.send("GET", "/back/key").body == BODY


def test_a_client_that_goes_in_the_middle_leaves_no_object(front: Front, origin: Origin) -> None:
    before = pipes()
    path = "/back/partial"
    with front.connect() as client:
        client.send(raw("PUT", path, fields_of("PUT", path, front.host, LARGE)))
        client.send(LARGE[:5_000_000])
    with front.connect() as client:
        client.send(raw("GET", "/back/key", fields_of("GET", "/back/key", front.host, None)))
        time.sleep(0.1)
    wait_until(lambda: origin.open_connections == 0 or not origin.hang_up(), "it is idle")
    assert path not in origin.objects
    assert not any(seen.complete for seen in origin.seen if seen.method == "PUT")
    wait_until(lambda: pipes() <= before, "no pipe is left")
    assert front.send("GET", "/back/key").body == BODY


def test_a_range_is_what_it_says(front: Front, origin: Origin) -> None:
    part = BODY[1_000_000:2_000_000]
    fields = {"Content-Range": f"bytes 1000000-1999999/{len(BODY)}", "ETag": '"e"'}
    origin.answers["GET", "/back/key"] = (206, part, fields)
    got = front.send("GET", "/back/key", headers={"range": "bytes=1000000-1999999"})
    assert (got.status, got.body) == (206, part)
    assert got.get("content-range") == fields["Content-Range"]


def test_a_head_has_no_body_and_the_next_answer_is_its_own(front: Front, origin: Origin) -> None:
    with front.connect() as client:
        client.send(raw("HEAD", "/back/key", fields_of("HEAD", "/back/key", front.host, None)))
        assert client.response(head=True).get("content-length") == str(len(BODY))
        assert ask(client, front, "GET", "/back/key").body == BODY


def test_objects_have_no_limit_unless_one_is_set(origin: Origin) -> None:
    size = 65 << 20  # The limit of other applications is 64 MiB.
    for settings, status in (({}, 200), ({"limit_request_body": "64MiB"}, 413)):
        with Front({"*": backend(origin)}, settings=settings) as front:
            fields = fields_of("PUT", "/back/new", front.host, None, payload=UNSIGNED)
            fields |= {"content-length": str(size), "expect": "100-continue"}
            with front.connect(timeout=60) as client:
                client.send(raw("PUT", "/back/new", fields))
                if status == 200:
                    assert client.interim_response().status == 100
                    client.send(bytes(size))
                assert client.response().status == status


def test_a_limit_of_bandwidth_counts_every_byte(origin: Origin) -> None:
    limit = Limit(bandwidth=2_000_000)
    before = pipes()
    with Front({"*": backend(origin)}, limits=[limit]) as front:
        begin = time.monotonic()
        assert front.send("GET", "/back/key").body == BODY
        assert front.send("GET", "/back/key").body == BODY
        assert time.monotonic() - begin > 0.9
        assert pipes() <= before


def test_the_audit_log_counts_what_went_through_pipes(origin: Origin, tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    with Front({"*": backend(origin)}, audit_log=log) as front:
        front.send("GET", "/back/key")
        front.send("PUT", "/back/new", body=LARGE)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["bytes_in"], line["bytes_out"]) for line in lines] == [
        (0, len(BODY)),
        (len(LARGE), 0),
    ]
