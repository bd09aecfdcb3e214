"""Lets the interpreter's allocations fail: the Nth from a moment on that the path names.

| path | allocations count from | what happens then |
|---|---|---|
| `/now?n=N` | the first line of the application | reads the body, answers in two parts |
| `/suspends?n=N` | the same | the same, and suspends between the parts |
| `/next?n=N` | the end of the response | whatever follows: the next request |
| `/receives?n=N` | before it asks for a body | waits for the body, answers |

Needs `_testcapi`, which hooks the allocators of this process. Any other path takes the hooks out.
"""

import _testcapi
import asyncio
from typing import Any
from urllib.parse import parse_qs

BODY = b"a" * 100


async def answer(send: Any, *, suspend: bool = False) -> None:
    headers = [(b"content-length", b"%d" % (2 * len(BODY)))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY, "more_body": True})
    if suspend:
        await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": BODY})


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    path = scope["path"]
    nth = int(parse_qs(scope["query_string"].decode()).get("n", ["0"])[0])
    if path in ("/now", "/suspends", "/receives"):
        _testcapi.set_nomemory(nth, nth + 1)
        while (await receive()).get("more_body", False):
            pass
        await answer(send, suspend=path == "/suspends")
    elif path == "/next":
        await answer(send)
        _testcapi.set_nomemory(nth, nth + 1)
    else:
        await answer(send)
        _testcapi.remove_mem_hooks()
