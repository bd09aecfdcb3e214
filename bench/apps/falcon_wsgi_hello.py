"""Falcon's JSON hello over WSGI: what a server is worth under a fast framework."""

import falcon


class Hello:
    """The resource of `/`."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Answers with the same 19 bytes as `wsgi_hello.BODY`, as they are."""
        response.content_type = falcon.MEDIA_JSON
        response.data = b'{"message":"Hello"}'


app = falcon.App()
app.add_route("/", Hello())
