"""The same small application in each framework, as its own documentation would write it.

| request | answer |
|---|---|
| GET /json | `{"message": "hello"}`, with two cookies |
| GET /items/{name}?q=... | `{"name": ..., "q": ...}`, decoded |
| GET /stream | 20 lines "part 0" to "part 19", streamed |
| POST /raw | `{"size": ..., "sha": ...}` of the body, read as a stream where the framework can |
| POST /upload | `{"filename": ..., "size": ..., "sha": ...}` of the multipart field `file` |
| GET /raise | an exception that nobody handles |
| GET /background | "accepted", and "background done" is printed afterwards |
| GET /state | what start-up left, "ready"; without lifespan "none" |
| any | carries the header `x-middleware: seen` |

The names "started" and "stopped" are printed by lifespan.
"""
