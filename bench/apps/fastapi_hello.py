"""FastAPI's JSON hello: what a server is worth under the framework most people use."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def hello() -> dict[str, str]:
    """Returns the same 19 bytes as `hello.BODY`, made by FastAPI."""
    return {"message": "Hello"}
