"""docs/tutorial/01-a-function.md"""

# [whole]
import tercel

app = tercel.App(title="Things")


@app.get("/things/{thing_id}")
async def get_thing(thing_id: int, verbose: bool = False) -> dict[str, int | str]:
    """Returns one thing."""
    thing: dict[str, int | str] = {"id": thing_id, "name": f"thing {thing_id}"}
    return thing if verbose else {"id": thing_id}


# [/whole]
