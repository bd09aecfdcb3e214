"""An API with what stands around handlers: routers, hooks, mounts, sinks and background work.

`app` has hooks, so all of its requests go through Python; `app_without` has none.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Annotated, Any

import pydantic

import tercel
from tercel import BackgroundTasks, Depends, Header, HTTPError, Query, Request, Response

log: list[str] = []


class Model(pydantic.BaseModel):
    name: str = pydantic.Field(min_length=2)


class Paging:
    """A class that is depended on."""

    def __init__(self, limit: Annotated[int, Query(ge=1, le=100, description="How many.")] = 10):
        self.limit = limit


class Scope:
    """An object that is depended on, with a coroutine to be called."""

    async def __call__(self, scope: str = "all") -> str:
        return f"scope {scope}"


async def signed_in(key: Annotated[str, Header("X-Key")] = "") -> None:
    if key != "secret":
        raise HTTPError(401, headers={"www-authenticate": "Key"})


async def keeps_errors() -> AsyncIterator[int]:
    with contextlib.suppress(ValueError):
        yield 1


def add_routes(app: tercel.App) -> None:
    things = tercel.Router(prefix="/things", tags=["things"], dependencies=[Depends(signed_in)])

    @things.get("/{thing_id}")
    async def get_thing(thing_id: int) -> int:
        return thing_id

    @things.post("", status=201)
    async def add_thing(thing: Model | None = None) -> str:
        return thing.name if thing else "nothing"

    inner = tercel.Router(prefix="/parts")

    @inner.get("/{part}", tags=["parts"])
    async def get_part(thing_id: int, part: str) -> list[Any]:
        return [thing_id, part]

    things.include(inner, prefix="/{thing_id}")
    app.include(things)
    app.include(things, prefix="/v2", tags=["v2"])

    @app.get("/page")
    async def page(
        paging: Annotated[Paging, Depends(Paging)], scope: Annotated[str, Depends(Scope())]
    ) -> list[Any]:
        return [paging.limit, scope]

    @app.get("/kept")
    async def kept(one: Annotated[int, Depends(keeps_errors)]) -> int:
        raise ValueError("kept")

    @app.post("/models")
    async def models(models: list[Model]) -> list[str]:
        return [model.name for model in models]

    @app.post("/work", status=202)
    async def work(background: BackgroundTasks, fail: bool = False, slow: float = 0.0) -> str:
        async def finish(name: str, *, after: float) -> None:
            await asyncio.sleep(after)
            log.append(name)

        def on_thread() -> None:
            log.append(f"thread {threading.current_thread() is not threading.main_thread()}")

        log.append("handler")
        if fail:
            background.add(_fail)
        background.add(finish, "finished", after=slow)
        background.add(on_thread)
        return "accepted"

    @app.get("/stream")
    async def stream(background: BackgroundTasks) -> tercel.StreamingResponse:
        background.add(log.append, "streamed")
        return tercel.StreamingResponse(["a", "b"], media_type="text/plain")

    @app.get("/log")
    async def take_log() -> list[str]:
        taken = log.copy()
        log.clear()
        return taken

    @app.get("/state")
    async def state(request: Request) -> list[Any]:
        return [request.route, request.state]

    @app.get("/fail")
    async def fail(kind: str = "other") -> None:
        raise KeyError(kind) if kind == "key" else ZeroDivisionError(kind)

    app.mount("/asgi", inner_app)
    app.mount("/asgi/deep", deep_app)
    app.mount("/wsgi", wsgi_app)

    @app.sink(r"/old/(?P<rest>.*)")
    def old(request: Request, rest: str) -> Response:
        return Response(f"{request.method} {rest} {request.body.decode()}", status=203)

    @app.sink("/old/new/")
    async def newer(request: Request) -> dict[str, str]:
        return {"newer": request.path}

    @app.error_handler(KeyError)
    def no_key(error: Exception) -> Response:
        return HTTPError(404, f"no {error}").response()


def _fail() -> None:
    raise OSError("the disk is full")


async def inner_app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        log.append("inner started")
        scope["state"]["inner"] = "yes"
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": f"{scope['root_path']} {scope['path']}"})
        return await send({"type": "websocket.close"})
    if scope["path"].endswith("/raise"):
        raise KeyError("the inner application's")
    message = await receive()
    body = message["body"]
    text = f"{scope['root_path']} {scope['path']} {scope.get('state')} {body.decode()}"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": text.encode()})


async def deep_app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"deep"})


def wsgi_app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    body = environ["wsgi.input"].read()
    return [f"{environ['SCRIPT_NAME']} {environ['PATH_INFO']} {body.decode()}".encode()]


app_without = tercel.App(title="Around")
add_routes(app_without)

app = tercel.App(title="Around", dependencies=[Depends(lambda: log.append("dependency"))])
add_routes(app)


class Middleware:
    """Notes what it is called for."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def process_startup(self) -> None:
        log.append(f"{self.name} startup")

    async def process_request(self, request: Request) -> Response | None:
        log.append(f"{self.name} request {request.path}")
        if request.header("x-stop") == self.name:
            return Response(f"stopped by {self.name}", status=418)
        request.state["by"] = self.name
        return None

    def process_resource(self, request: Request, arguments: dict[str, Any]) -> None:
        log.append(f"{self.name} resource {request.route}")

    async def process_response(
        self, request: Request, response: Response, req_succeeded: bool
    ) -> None:
        log.append(f"{self.name} response {response.status} {req_succeeded}")
        response.headers.append((f"x-{self.name}", request.state.get("by", "-")))

    async def process_shutdown(self) -> None:
        print(f"{self.name} shutdown", flush=True)


app.add_middleware(Middleware("first"))
app.add_middleware(Middleware("second"))


@app.pre_validation
def before_validation(request: Request) -> Any:
    return {"told": request.route} if request.header("x-tell") else None


@app.pre_handler
async def double(request: Request, arguments: dict[str, Any]) -> None:
    if "thing_id" in arguments:
        arguments["thing_id"] *= 2


@app.on_error
def on_error(request: Request, error: Exception) -> Any:
    return {"divided": str(error)} if isinstance(error, ZeroDivisionError) else None


@app.on_response
async def replace(request: Request, response: Response, succeeded: bool) -> Any:
    return Response("replaced") if request.header("x-replace") else None
