"""Reverse proxies for servers in processes of their own, to the backends of the environment."""

import os

import tercel
from tercel.proxy import Forward

alone = Forward(os.environ["BACKEND"])

app = tercel.App()
app.mount("/up", alone)
app.mount("/down", Forward(os.environ["SOURCE"]))
