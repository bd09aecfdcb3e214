"""examples/feed in Falcon's ASGI application, on msgspec as in api_falcon.py."""

import re

import falcon
import falcon.asgi
import feed_store
import msgspec
from falcon.media import JSONHandler

_NAME = re.compile(r"[a-z0-9-]{1,40}\Z")


class Page(msgspec.Struct):
    messages: list[feed_store.Message]
    marker: int


class Store:
    """Middleware that connects when the server starts."""

    async def process_startup(self, scope: object, event: object) -> None:
        Messages.store = feed_store.connect()


class Messages:
    store: feed_store.Feeds

    async def on_post(
        self, request: falcon.asgi.Request, response: falcon.asgi.Response, feed: str
    ) -> None:
        _check(feed)
        new = msgspec.convert(await request.get_media(), feed_store.NewMessage)
        response.media = await self.store.post(feed, new)
        response.status = falcon.HTTP_201

    async def on_get(
        self, request: falcon.asgi.Request, response: falcon.asgi.Response, feed: str
    ) -> None:
        _check(feed)
        after = request.get_param_as_int("after", default=0, min_value=0)
        limit = request.get_param_as_int("limit", default=100, min_value=1, max_value=100)
        messages = await self.store.list(feed, after=after, limit=limit)
        response.media = Page(messages, messages[-1].number if messages else after)


def _check(feed: str) -> None:
    if not _NAME.match(feed):
        raise falcon.HTTPUnprocessableEntity(description="the name of the feed")


app = falcon.asgi.App(middleware=[Store()])
_json = JSONHandler(dumps=msgspec.json.Encoder().encode, loads=msgspec.json.Decoder().decode)
app.req_options.media_handlers[falcon.MEDIA_JSON] = _json
app.resp_options.media_handlers[falcon.MEDIA_JSON] = _json
app.add_route("/feeds/{feed}/messages", Messages())
