"""Typed APIs: functions become endpoints, their annotations what a request must be.

Loaded when the first of these names is used, here or as `tercel.App`.
"""

from tercel.api.app import App
from tercel.api.background import BackgroundTasks
from tercel.api.cors import CORS
from tercel.api.dependencies import Depends
from tercel.api.disconnect import WebSocketDisconnect
from tercel.api.errors import HTTPError
from tercel.api.files import FileResponse
from tercel.api.limits import Rate
from tercel.api.markers import Body, Cookie, File, Form, Header, Path, Query
from tercel.api.media_handler import MediaHandler
from tercel.api.messages import InvalidMessage
from tercel.api.request import Request
from tercel.api.response import Response
from tercel.api.response_headers import ResponseHeaders
from tercel.api.router import Router
from tercel.api.streams import Event, EventStream, StreamingResponse
from tercel.api.uploads import UploadFile
from tercel.api.websocket import WebSocket

__all__ = [
    "CORS",
    "App",
    "BackgroundTasks",
    "Body",
    "Cookie",
    "Depends",
    "Event",
    "EventStream",
    "File",
    "FileResponse",
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
]
