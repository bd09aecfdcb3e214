"""A tercel.App whose functions run on threads, and may stay there."""

from __future__ import annotations

import threading
import time

import tercel

app = tercel.App()


@app.get("/")
def name() -> str:
    return threading.current_thread().name


@app.get("/stuck")
def stuck() -> None:
    print("begun", flush=True)
    time.sleep(60)
