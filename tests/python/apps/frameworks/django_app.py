"""Django's ASGI application, which takes no part in lifespan. Routes: frameworks/__init__.py."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import path
from django.utils.decorators import sync_and_async_middleware

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[f"{__name__}.mark"],
    DATA_UPLOAD_MAX_MEMORY_SIZE=None,
    SECRET_KEY="of no use to anyone",
)

# Tasks are kept alive by somebody: the loop holds them weakly.
tasks: set[asyncio.Task[None]] = set()


@sync_and_async_middleware
def mark(get_response: Callable[[HttpRequest], Any]) -> Any:
    async def middleware(request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = await get_response(request)
        response["x-middleware"] = "seen"
        return response

    return middleware


async def json(request: HttpRequest) -> HttpResponseBase:
    response = JsonResponse({"message": "hello"})
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


async def item(request: HttpRequest, name: str) -> HttpResponseBase:
    return JsonResponse({"name": name, "q": request.GET["q"]})


async def stream(request: HttpRequest) -> HttpResponseBase:
    async def parts() -> AsyncIterator[str]:
        for number in range(20):
            yield f"part {number}\n"
            await asyncio.sleep(0.001)

    return StreamingHttpResponse(parts(), content_type="text/plain")


async def raw(request: HttpRequest) -> HttpResponseBase:
    body = request.body
    return JsonResponse({"size": len(body), "sha": hashlib.sha256(body).hexdigest()})


async def upload(request: HttpRequest) -> HttpResponseBase:
    file = request.FILES["file"]
    data = file.read()
    sha = hashlib.sha256(data).hexdigest()
    return JsonResponse({"filename": file.name, "size": len(data), "sha": sha})


async def fail(request: HttpRequest) -> HttpResponseBase:
    raise RuntimeError("nobody handles this")


async def background(request: HttpRequest) -> HttpResponseBase:
    async def work() -> None:
        await asyncio.sleep(0.1)
        print("background done", flush=True)

    task = asyncio.create_task(work())
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return HttpResponse("accepted")


def state(request: HttpRequest) -> HttpResponseBase:
    """Not async: Django runs it on a thread of its own."""
    return HttpResponse("none")


urlpatterns = [
    path("json", json),
    path("items/<str:name>", item),
    path("stream", stream),
    path("raw", raw),
    path("upload", upload),
    path("raise", fail),
    path("background", background),
    path("state", state),
]

app = get_asgi_application()
