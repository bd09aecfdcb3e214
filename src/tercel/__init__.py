"""tercel: one HTTP engine in C++ for ASGI and WSGI applications, typed APIs and S3 gateways.

Importing the package is cheap: each public name below is loaded on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tercel._core import ClientDisconnected, __version__
    from tercel.api import (
        CORS,
        App,
        BackgroundTasks,
        Body,
        Cookie,
        Depends,
        Event,
        EventStream,
        File,
        FileResponse,
        Form,
        Header,
        HTTPError,
        InvalidMessage,
        MediaHandler,
        Path,
        Query,
        Rate,
        Request,
        Response,
        ResponseHeaders,
        Router,
        StreamingResponse,
        UploadFile,
        WebSocket,
        WebSocketDisconnect,
    )
    from tercel.loop import EventLoop
    from tercel.problems import ImportFailed, LifespanError, SettingError, StartError, TargetError
    from tercel.run import serve
    from tercel.server import Server

__all__ = [
    "CORS",
    "App",
    "BackgroundTasks",
    "Body",
    "ClientDisconnected",
    "Cookie",
    "Depends",
    "Event",
    "EventLoop",
    "EventStream",
    "File",
    "FileResponse",
    "Form",
    "HTTPError",
    "Header",
    "ImportFailed",
    "InvalidMessage",
    "LifespanError",
    "MediaHandler",
    "Path",
    "Query",
    "Rate",
    "Request",
    "Response",
    "ResponseHeaders",
    "Router",
    "Server",
    "SettingError",
    "StartError",
    "StreamingResponse",
    "TargetError",
    "UploadFile",
    "WebSocket",
    "WebSocketDisconnect",
    "__version__",
    "serve",
]

_HOME = {
    **dict.fromkeys(
        (
            "CORS",
            "App",
            "BackgroundTasks",
            "Body",
            "Cookie",
            "Depends",
            "Event",
            "EventStream",
            "FileResponse",
            "File",
            "Form",
            "HTTPError",
            "Header",
            "InvalidMessage",
            "MediaHandler",
            "Path",
            "Query",
            "Rate",
            "Request",
            "Response",
            "ResponseHeaders",
            "Router",
            "StreamingResponse",
            "UploadFile",
            "WebSocket",
            "WebSocketDisconnect",
        ),
        "tercel.api",
    ),
    "ClientDisconnected": "tercel._core",
    "EventLoop": "tercel.loop",
    "ImportFailed": "tercel.problems",
    "LifespanError": "tercel.problems",
    "Server": "tercel.server",
    "SettingError": "tercel.problems",
    "StartError": "tercel.problems",
    "TargetError": "tercel.problems",
    "__version__": "tercel._core",
    "serve": "tercel.run",
}


def __getattr__(name: str) -> Any:
    try:
        home = _HOME[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
