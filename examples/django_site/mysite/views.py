"""A page with a style sheet, and one that is streamed."""

import asyncio
from collections.abc import AsyncIterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.templatetags.static import static


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse(
        f'<link rel="stylesheet" href="{static("mysite/hello.css")}"><h1>Hello</h1>'
    )


async def count(request: HttpRequest) -> StreamingHttpResponse:
    async def numbers() -> AsyncIterator[str]:
        for number in range(3):
            yield f"{number}\n"
            await asyncio.sleep(0.05)

    return StreamingHttpResponse(numbers(), content_type="text/plain")
