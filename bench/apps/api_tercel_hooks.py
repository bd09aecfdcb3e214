"""api_tercel.py with one hook around its requests, for what that costs."""

from api_tercel import app

import tercel

__all__ = ["app"]


@app.on_response
def name_response(request: tercel.Request, response: tercel.Response, succeeded: bool) -> None:
    response.headers.append(("x-name", "hooked"))
