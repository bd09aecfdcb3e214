"""An API whose functions ask who asks, keep sessions, and add header fields to their answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import tercel
from tercel import (
    BackgroundTasks,
    Depends,
    EventStream,
    HTTPError,
    Response,
    ResponseHeaders,
    StreamingResponse,
)
from tercel.auth import JWT, APIKey, Basic, Bearer, Claims, Session, Sessions

app = tercel.App()

# --- credentials

KEYS = {"first-key": "ann", "second-key": "bob"}
SECRET = b"0123456789abcdef0123456789abcdef"


async def person_of(key: str) -> str | None:
    return {"k1": "carl"}.get(key)


def knows_token(token: str) -> Any:
    return {"t0k/en+==": {"name": "dora", "scope": "read write"}, "listed": {"scp": ["read"]}}.get(
        token, False
    )


def knows_password(user: str, password: str) -> str | None:
    return user if (user, password) == ("ann", "pässwört:1") else None


in_header = APIKey(keys=KEYS)
in_query = APIKey(query="key", verify=person_of, name="queryKey", description="For links.")
in_cookie = APIKey(cookie="key", verify=KEYS.get, name="cookieKey", optional=True)
bearer = Bearer(knows_token, realm="things", optional=False, token_bytes_max=64)
maybe_bearer = Bearer(knows_token, name="bearer", optional=True)
basic = Basic(knows_password, realm="Shop")
token = JWT(key=SECRET, algorithms=["HS256"], audience="shop", type=Claims)


@app.get("/key/header")
async def key_in_header(who: Annotated[str, Depends(in_header)]) -> str:
    return who


@app.get("/key/query")
async def key_in_query(who: Annotated[str, Depends(in_query)]) -> str:
    return who


@app.get("/key/cookie")
async def key_in_cookie(who: Annotated[Any, Depends(in_cookie)]) -> Any:
    return who


@app.get("/bearer")
async def with_bearer(who: Annotated[Any, Depends(bearer)]) -> Any:
    return who


@app.get("/bearer/maybe")
async def with_bearer_or_not(who: Annotated[Any, Depends(maybe_bearer)]) -> Any:
    return who


@app.delete("/bearer", dependencies=[Depends(bearer.requires("write"))])
async def with_scope() -> str:
    return "removed"


@app.get("/bearer/read")
async def with_other_scope(who: Annotated[Any, Depends(maybe_bearer.requires("read"))]) -> Any:
    return who


@app.get("/basic")
async def with_basic(who: Annotated[str, Depends(basic)], count: int = 0) -> str:
    return f"{who} {count}"


@app.get("/token")
async def with_token(claims: Annotated[Claims, Depends(token)]) -> str:
    return str(claims.sub)


@app.delete("/token", dependencies=[Depends(token.requires("things:write"))])
async def with_scope_of_token() -> str:
    return "removed"


admin = tercel.Router(prefix="/admin", dependencies=[Depends(in_header)])


@admin.get("")
async def page_of_admin(who: Annotated[str, Depends(in_header)]) -> str:
    return f"admin {who}"


app.include(admin)

# --- header fields

SHARED = Response("shared", headers={"x-own": "1"})


async def adds_behind(headers: ResponseHeaders) -> AsyncIterator[None]:
    yield
    headers.add("x-behind", "1")


@app.get("/headers/json", status=203)
async def headers_of_json(headers: ResponseHeaders) -> dict[str, int]:
    headers.add("x-one", "1")
    headers.add("X-One", "2")
    headers["x-two"] = "a"
    headers["X-Two"] = "b"
    headers.set_cookie("theme", "dark")
    headers.set_cookie("theme", "light", max_age=60, secure=False, httponly=False, samesite=None)
    return {"a": 1}


@app.get("/headers/none", status=204)
async def headers_of_nothing(headers: ResponseHeaders) -> None:
    headers.delete_cookie("theme")


@app.get("/headers/shared", dependencies=[Depends(adds_behind)])
async def headers_of_response(headers: ResponseHeaders) -> Response:
    headers["x-own"] = "2"
    headers["x-other"] = "2"
    return SHARED


@app.get("/headers/stream")
async def headers_of_stream(headers: ResponseHeaders) -> StreamingResponse:
    headers.set_cookie("a", "b")
    return StreamingResponse(["one", "two"], media_type="text/plain")


@app.get("/headers/events")
async def headers_of_events(headers: ResponseHeaders) -> EventStream:
    async def made() -> AsyncIterator[int]:
        yield 1

    headers.add("x-one", "1")
    return EventStream(made())


@app.get("/headers/tasks")
async def headers_and_tasks(headers: ResponseHeaders, background: BackgroundTasks) -> str:
    background.add(len, "x")
    headers.add("x-one", "1")
    return "done"


@app.get("/headers/raised")
async def headers_of_error(headers: ResponseHeaders) -> None:
    headers.add("x-one", "1")
    raise HTTPError(409)


@app.get("/headers/malformed")
async def malformed(headers: ResponseHeaders) -> None:
    headers.add("x-one", "1\r\nx-two: 2")


@app.get("/response")
async def cookies_of_response() -> Response:
    response = Response("x")
    response.set_cookie("__Host-id", "7")
    response.delete_cookie("old", path="/old", domain="example.org")
    return response


# --- sessions

OLD, NEW = "old secret, 16 bytes", "new secret, 16 bytes"
sessions = Sessions([NEW, OLD], secure=False)
CurrentSession = Annotated[Session, Depends(sessions)]


@app.get("/session")
async def session_as_it_is(session: CurrentSession) -> dict[str, Any]:
    return session


@app.post("/session")
async def change_session(
    changes: dict[str, Any], session: CurrentSession, fail: bool = False
) -> dict[str, Any]:
    session.update(changes)
    if fail:
        raise HTTPError(409)
    return session


@app.post("/session/cart/{item}")
async def add_to_cart(item: str, session: CurrentSession) -> int:
    cart = session.setdefault("cart", [])
    cart.append(item)
    return len(cart)


@app.delete("/session", status=204)
async def end_session(session: CurrentSession) -> None:
    session.clear()


@app.post("/session/unsendable")
async def unsendable(session: CurrentSession) -> None:
    session["object"] = object()
