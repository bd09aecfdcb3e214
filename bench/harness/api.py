"""The typed API that bench/apps/api_*.py have in common: what is asked of it, what a right answer
is, and how it is loaded.

    GET  /hello                                  {"message":"Hello"}
    GET  /items/{item_id}?limit=10&verbose=0     the three, as an integer, an integer and a boolean
    POST /orders                                 validates an order, returns a receipt

Before a server is measured each of its answers is compared, those to wrong requests among them, so
that no framework is fast because it does not validate. Tested by tests/python/test_api_bench.py.
"""

from __future__ import annotations

import copy
import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness import load
from harness.bench import BENCH, Running, Settings, running, timed
from harness.process import MeasureError
from harness.servers import Server
from harness.stats import Sample

CONNECTIONS = 64

_LINES = (
    ("FILT-0250", "Filter paper, 250 mm, box of 100", 3, 12.5, ["lab", "paper"]),
    ("BEAK-0600", "Beaker, borosilicate, 600 ml", 12, 7.25, ["lab", "glass"]),
    ("STIR-0040", "Stirring bar, PTFE, 40 mm", 5, 3.75, ["lab"]),
    ("BURE-0050", "Burette, class A, 50 ml, with stopcock", 2, 89.0, ["lab", "glass", "class-a"]),
    ("PIPE-1000", "Pipette tips, 1000 ul, sterile", 10, 24.5, ["sterile"]),
)
ORDER: Mapping[str, Any] = {
    "customer": "Ada Lovelace",
    "email": "ada.lovelace@analytical-engines.example",
    "note": "Please leave the parcel with the porter; the bell on the second floor is broken. "
    "Glass is to be packed apart from paper. Call before you come on a Friday: the laboratory "
    "closes at noon, and nobody else may sign for what is on this order.",
    "ship_to": {
        "street": "12 St James's Square",
        "city": "London",
        "postcode": "SW1Y 4JH",
        "country": "GB",
    },
    "lines": [
        dict(zip(("sku", "name", "quantity", "price", "tags"), line, strict=True))
        for line in _LINES
    ],
    "total": 566.25,
    "express": True,
}
RECEIPT = {"customer": "Ada Lovelace", "lines": 5, "total": 566.25, "express": True}


def _with(change: Callable[[dict[str, Any]], object]) -> bytes:
    """Returns the order as JSON after `change` of a copy of it."""
    order = copy.deepcopy(dict(ORDER))
    change(order)
    return json.dumps(order, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Call:
    """One request, and what answers it.

    Attributes:
        statuses: those that are right: frameworks differ in 200 and 201, in 400 and 422.
        expected: the JSON of the answer; None: it is refused, in the framework's own words.
    """

    method: str
    path: str
    statuses: tuple[int, ...]
    expected: Any = None
    body: bytes | None = None

    @property
    def request(self) -> bytes:
        """The request as it is sent, over HTTP/1.1."""
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        if self.body is None:
            return f"{head}\r\n".encode()
        length = f"Content-Type: application/json\r\nContent-Length: {len(self.body)}"
        return f"{head}{length}\r\n\r\n".encode() + self.body


def _refused(change: Callable[[dict[str, Any]], object]) -> Call:
    return Call("POST", "/orders", (422, 400), body=_with(change))


HELLO = Call("GET", "/hello", (200,), {"message": "Hello"})
PARAMS = Call(
    "GET",
    "/items/42?limit=20&verbose=true",
    (200,),
    {"item_id": 42, "limit": 20, "verbose": True},
)
POST = Call("POST", "/orders", (201, 200), RECEIPT, _with(lambda order: None))
# The last thing a validator comes to: the fifth line of an order.
INVALID = _refused(lambda order: order["lines"][-1].update(quantity=0))

# Asked once, before the load. A path that converts nothing is not found.
PARAMS_ALSO = (
    Call("GET", "/items/7", (200,), {"item_id": 7, "limit": 10, "verbose": False}),
    Call("GET", "/items/x", (422, 400, 404)),
    Call("GET", "/items/7?limit=x", (422, 400)),
)
ORDERS_ALSO = (
    POST,
    INVALID,
    _refused(lambda order: order["lines"][0].update(sku="x" * 17)),
    _refused(lambda order: order["lines"][2].update(price="dear")),
    _refused(lambda order: order["lines"][1]["tags"].append("x" * 17)),
    _refused(lambda order: order["ship_to"].pop("city")),
    _refused(lambda order: order["lines"].clear()),
    _refused(lambda order: order.update(customer="")),
    _refused(lambda order: order.update(total=-0.5)),
)


def check(port: int, call: Call, *, typed: bool = True) -> None:
    """Asks twice on one connection and compares.

    Args:
        typed: the answer has to say that it is JSON.

    Raises:
        MeasureError: status, content type or value are not those of `call`, or the answer is the
            last one of its connection.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {} if call.body is None else {"Content-Type": "application/json"}
    try:
        for _ in range(2):
            connection.request(call.method, call.path, call.body, headers)
            answer = connection.getresponse()
            got = answer.read()
            _compare(call, answer.status, answer.headers.get_content_type(), got, typed)
            if connection.sock is None:
                raise MeasureError(f"the connection ends after {call.method} {call.path}")
    except (OSError, http.client.HTTPException) as error:
        raise MeasureError(f"no answer to {call.method} {call.path}: {error}") from error
    finally:
        connection.close()


def _compare(call: Call, status: int, content_type: str, got: bytes, typed: bool) -> None:
    right = status in call.statuses
    if right and call.expected is not None:
        right = (content_type == "application/json" or not typed) and _same(got, call.expected)
    if not right:
        asked = f"{call.method} {call.path}"
        raise MeasureError(f"wrong answer to {asked}: {status} {content_type} {got[:80]!r}")


def _same(got: bytes, expected: object) -> bool:
    """True if `got` is JSON of `expected`, and its numbers and booleans are of the same types."""
    try:
        value = json.loads(got)
    except ValueError:
        return False
    # 1, 1.0 and True are equal in Python; their texts are not.
    return json.dumps(value, sort_keys=True) == json.dumps(expected, sort_keys=True)


@dataclass(frozen=True)
class Api:
    """A load of wrk on one route of the server's own application."""

    call: Call
    also: tuple[Call, ...] = ()  # What else has to be right.

    def __call__(self, server: Server, settings: Settings) -> Sample:
        """Starts `server`, checks its answers, warms up, measures once, and checks again."""
        with running(server, server.app, settings) as target:
            for call in (self.call, *self.also):
                check(target.port, call, typed=server.typed)
            self._apply(target, settings.warmup_s)
            sample = timed(target, lambda: self._apply(target, settings.seconds))
            check(target.port, self.call, typed=server.typed)
            return sample

    def _apply(self, target: Running, seconds: float) -> load.Load:
        script, arguments = None, []
        if self.call.body is not None:
            body = target.scratch / "body.json"
            body.write_bytes(self.call.body)
            script, arguments = BENCH / "load" / "post.lua", [str(body)]
        return load.wrk(
            f"http://127.0.0.1:{target.port}{self.call.path}",
            connections=CONNECTIONS,
            seconds=seconds,
            core=target.settings.client_core,
            script=script,
            arguments=arguments,
            refused=self.call.expected is None,
        )
