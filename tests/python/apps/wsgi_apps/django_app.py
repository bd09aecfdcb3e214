"""Django's WSGI application. Routes: wsgi_apps/__init__.py, and an async view at /async."""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[f"{__name__}.mark"],
    DATA_UPLOAD_MAX_MEMORY_SIZE=None,
    SECRET_KEY="of no use to anyone",
)


def mark(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Any:
    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response["x-middleware"] = "seen"
        return response

    return middleware


def json(request: HttpRequest) -> HttpResponseBase:
    response = JsonResponse({"message": "hello"})
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


def item(request: HttpRequest, name: str) -> HttpResponseBase:
    return JsonResponse({"name": name, "q": request.GET["q"]})


def stream(request: HttpRequest) -> HttpResponseBase:
    def parts() -> Iterator[str]:
        for number in range(20):
            yield f"part {number}\n"

    return StreamingHttpResponse(parts(), content_type="text/plain")


def file(request: HttpRequest) -> HttpResponseBase:
    opened = open(os.environ["WSGI_FILE"], "rb")  # noqa: SIM115 - Django closes it.
    return FileResponse(opened, content_type="application/octet-stream")


def raw(request: HttpRequest) -> HttpResponseBase:
    digest, size = hashlib.sha256(), 0
    while part := request.read(65536):
        digest.update(part)
        size += len(part)
    return JsonResponse({"size": size, "sha": digest.hexdigest()})


async def read_async(request: HttpRequest) -> HttpResponseBase:
    """Django runs it on a thread of its own, while that of the request waits."""
    body = request.body
    return JsonResponse({"size": len(body), "sha": hashlib.sha256(body).hexdigest()})


def upload(request: HttpRequest) -> HttpResponseBase:
    sent = request.FILES["file"]
    data = sent.read()
    sha = hashlib.sha256(data).hexdigest()
    return JsonResponse({"filename": sent.name, "size": len(data), "sha": sha})


def fail(request: HttpRequest) -> HttpResponseBase:
    raise RuntimeError("nobody handles this")


def log(request: HttpRequest) -> HttpResponseBase:
    print("a line of the log", file=request.META["wsgi.errors"])
    assert request.META["wsgi.errors"] is not sys.stderr
    return HttpResponse("logged")


urlpatterns = [
    path("json", json),
    path("items/<str:name>", item),
    path("stream", stream),
    path("file", file),
    path("raw", raw),
    path("async", read_async),
    path("upload", upload),
    path("raise", fail),
    path("log", log),
]

app = get_wsgi_application()
