"""The API of harness/api.py in Falcon's ASGI application. Source: its documentation, recipe
"Msgspec Integration", with the decoder and the encoder made once, as the recipe advises.
"""

from typing import Any

import falcon
import falcon.asgi
import msgspec
from falcon.media import JSONHandler
from orders_msgspec import Order, Receipt


class Hello:
    async def on_get(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        response.media = {"message": "Hello"}


class Item:
    async def on_get(
        self, request: falcon.asgi.Request, response: falcon.asgi.Response, item_id: int
    ) -> None:
        response.media = {
            "item_id": item_id,
            "limit": request.get_param_as_int("limit", default=10),
            "verbose": request.get_param_as_bool("verbose", default=False),
        }


class Orders:
    POST_SCHEMA = Order

    async def on_post(
        self, request: falcon.asgi.Request, response: falcon.asgi.Response, order: Order
    ) -> None:
        response.media = Receipt(order.customer, len(order.lines), order.total, order.express)
        response.status = falcon.HTTP_201


class Validation:
    """The recipe's middleware: what a resource has a schema for arrives as an object of it."""

    async def process_resource(
        self,
        request: falcon.asgi.Request,
        response: falcon.asgi.Response,
        resource: object,
        params: dict[str, Any],
    ) -> None:
        if schema := getattr(resource, f"{request.method}_SCHEMA", None):
            params[schema.__name__.lower()] = msgspec.convert(await request.get_media(), schema)


async def refuse(
    request: falcon.asgi.Request,
    response: falcon.asgi.Response,
    error: msgspec.ValidationError,
    params: dict[str, Any],
) -> None:
    raise falcon.HTTPUnprocessableEntity(description=str(error))


app = falcon.asgi.App(middleware=[Validation()])
app.add_error_handler(msgspec.ValidationError, refuse)
_json = JSONHandler(dumps=msgspec.json.Encoder().encode, loads=msgspec.json.Decoder().decode)
app.req_options.media_handlers[falcon.MEDIA_JSON] = _json
app.resp_options.media_handlers[falcon.MEDIA_JSON] = _json
app.add_route("/hello", Hello())
app.add_route("/items/{item_id:int}", Item())
app.add_route("/orders", Orders())
