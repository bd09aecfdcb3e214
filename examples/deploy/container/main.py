"""The application in the image, with a route that probes and health checks ask."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def hello(name: str = "world") -> dict[str, str]:
    return {"message": f"Hello, {name}"}


@app.get("/health")
async def health() -> dict[str, bool]:
    """This process can answer. It asks neither the database nor anybody else."""
    return {"ok": True}
