"""WSGI applications, and the same small one in each framework, as its documentation would write it.

| request | answer |
|---|---|
| GET /json | `{"message": "hello"}`, with two cookies |
| GET /items/{name}?q=... | `{"name": ..., "q": ...}`, decoded |
| GET /stream | 20 lines "part 0" to "part 19", streamed |
| GET /file | the bytes of the file that $WSGI_FILE names, as the framework sends files |
| POST /raw | `{"size": ..., "sha": ...}` of the body |
| POST /upload | `{"filename": ..., "size": ..., "sha": ...}` of the multipart field `file` |
| GET /raise | an exception that nobody handles |
| GET /log | logs "a line of the log" where the framework logs errors to, if that is wsgi.errors |
| any | carries the header `x-middleware: seen` |
"""
