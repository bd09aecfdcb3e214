"""The first API of docs/guide/api.md."""

# [app]
import tercel

app = tercel.App()


@app.get("/hello/{name}")
async def hello(name: str, times: int = 1) -> dict[str, str]:
    return {"message": ", ".join(["Hello"] * times) + f", {name}"}


# [/app]
