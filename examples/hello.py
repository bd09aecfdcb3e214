"""The application of README.md."""

# [app]
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def hello(name: str = "world") -> dict[str, str]:
    return {"message": f"Hello, {name}"}


# [/app]
