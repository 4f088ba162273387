"""POST /predict past the framework: from the bytes of a request to the bytes of its forecast.

Belongs here: reading a body that came in one piece, sending a forecast. Does not: any decision (`service`), what a request may
hold (`bodies`, `contracts`), what is asked of every call (`gate`, which stands before this), problem documents.

Only forecasts leave here. Whatever else a request comes to (a problem, a body in pieces) the framework's route makes of it, from
the beginning: it is the one that /docs describes. A defect goes on to the gate. The router, the request object, the injection of
dependencies and the response object, which a forecast is spared, cost 250 us of 330.
"""

import msgspec
from litestar._asgi.utils import is_valid_host
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, ReceiveMessage, Scope, Send

from serving.bodies import read
from serving.contracts import PredictRequest
from serving.problems import Problem
from serving.service import Service, at_once

PATH = "/predict"
IN_ONE_PIECE = 64 * 1024
"""Larger bodies are for the framework, which knows the route's limit."""
_DECODER = msgspec.json.Decoder(PredictRequest)
_ENCODE = msgspec.json.Encoder().encode
_TYPE = (b"content-type", b"application/json")


class Direct:
    """`app` with forecasts that are answered from memory taken before it."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.WEBSOCKET or scope["path"] != PATH or scope["method"] != "POST" or scope["root_path"]:
            await self._app(scope, receive, send)
            return
        message = await receive()
        body = self._taken(scope, message)
        if body is None:
            await self._app(scope, _again(message, receive), send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": [_TYPE, (b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def forecast(self, scope: Scope, content: bytes) -> bytes | None:
        """The forecast that the body of a request is answered with; None if it is not for here."""
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        if not is_valid_host(host):
            return None
        try:
            request = read(content, _DECODER)
            return _ENCODE(self._service.predict(request)) if at_once(request) else None
        except Problem:  # the route meets it again, and says what it is
            return None

    def _taken(self, scope: Scope, message: ReceiveMessage) -> bytes | None:
        """The forecast of a body that a message has whole."""
        if message["type"] != "http.request" or message["more_body"] or len(message["body"]) > IN_ONE_PIECE:
            return None
        return self.forecast(scope, message["body"])


def _again(message: ReceiveMessage, receive: Receive) -> Receive:
    """`receive` that gives `message` once more before it goes on."""
    held = [message]

    async def again() -> ReceiveMessage:
        return held.pop() if held else await receive()

    return again
