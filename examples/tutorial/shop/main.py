"""docs/tutorial/09-the-whole.md"""

# [app]
from __future__ import annotations

import uuid

import tercel
from shop import changes, pictures, things
from tercel import Request, Response

app = tercel.App(title="Things", version="1.0", description="What the shop has.")
app.include(things.router)
app.include(pictures.router)
app.include(changes.router)


# [/app]
# [hooks]
@app.on_request
def name_request(request: Request) -> None:
    request.state["id"] = request.header("x-request-id") or str(uuid.uuid4())


@app.on_response
def tell_name(request: Request, response: Response, succeeded: bool) -> None:
    response.headers.append(("x-request-id", request.state["id"]))


# [/hooks]
# [health]
@app.get("/health", include_in_schema=False)
async def health() -> str:
    return "ok"


# [/health]
