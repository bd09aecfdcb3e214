"""Asks an ASGI application as httpx does it, without a server."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

__all__ = ["InProcess"]


class InProcess:
    """Has the methods of an httpx.Client that ask: get(), post() ...

    Args:
        raises: what the application raises is raised by the request.
        root_path: where the application is; a part of the paths that are asked for.
    """

    def __init__(self, app: Any, *, raises: bool = False, root_path: str = "") -> None:
        self._app, self._raises, self._root_path = app, raises, root_path

    def __getattr__(self, method: str) -> Any:
        return lambda path, **options: self.request(method.upper(), path, **options)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(
                self._app, raise_app_exceptions=self._raises, root_path=self._root_path
            )
            async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())
