"""An API that moves, route by route, from an old server to tercel.

BACKEND=http://127.0.0.1:9000 tercel serve moving:app
"""

import os

# [moving]
import tercel
from tercel.proxy import Forward

app = tercel.App(title="Shop")


@app.get("/orders/{number}")
async def get_order(number: int) -> dict[str, int]:
    return {"number": number}


# What has not moved yet.
app.mount("/", Forward(os.environ["BACKEND"]))
# [/moving]

# [prefix]
app.mount("/reports", Forward("unix:/run/reports.sock"))
# [/prefix]
