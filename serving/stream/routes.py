"""The market stream over a WebSocket, and the same as server-sent events.

Belongs here: one connection's life: what is sent, when it ends. Does not: events and queues (`hub`), keys (`gate`).

A listener that does not read is not waited for: its queue fills, it is dropped, and whatever it was being sent is given up. It is
told so if it reads on in time, else its connection is cut (`serving.unread`).
"""

import asyncio
from functools import partial
from typing import Annotated, Any

from litestar import Request, WebSocket, get, websocket
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Dependency, Parameter
from litestar.response import Response
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from serving.keys import Key
from serving.problems import BadRequest, TooManyListeners, specs
from serving.security import CALLER
from serving.stream.contracts import MarketEvent
from serving.stream.hub import LEAVING, SLOW, Hub, Subscription, TooManyListenersError
from serving.unserved import ENDS

Injected = Annotated[Hub, Dependency(skip_validation=True)]
Chosen = Annotated[
    list[str] | None,
    Parameter(query="instrument", description="Only bars and forecasts of this instrument; may be repeated", max_items=64),
]


@websocket("/ws/market-stream")
async def market_socket(socket: WebSocket[Any, Any, Any], hub: Injected, instrument: Chosen = None) -> None:
    """Every new bar and forecast as a JSON text frame, and a heartbeat every 5 seconds."""
    await socket.accept()
    try:
        subscription = hub.subscribe(frozenset(instrument or ()), key=_key(socket.scope))
    except TooManyListenersError as error:
        await socket.close(SLOW.code, str(error))
        return

    async def send() -> None:
        while True:
            await socket.send_text((await subscription.next()).text)

    async def receive() -> None:
        # What a client says is read and means nothing; its leaving is noticed so.
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass

    await _until_over(hub, subscription, send(), receive())
    if subscription.dropped.is_set():
        await socket.close(*subscription.why)


@get(
    "/market-stream",
    summary="New bars and forecasts as they come",
    tags=["stream"],
    responses={
        200: ResponseSpec(
            MarketEvent,  # type: ignore[arg-type]
            generate_examples=False,
            media_type="text/event-stream",
            description="Server-sent events named bar, forecast and heartbeat; `data` is JSON",
        ),
        **specs(BadRequest, TooManyListeners),
    },
    raises=[],
)
async def market_events(request: Request[Any, Any, Any], hub: Injected, instrument: Chosen = None) -> Response[None]:
    """The same events as over the WebSocket /ws/market-stream, without end. A client that does not keep up is cut off."""
    try:
        subscription = hub.subscribe(frozenset(instrument or ()), key=_key(request.scope))
    except TooManyListenersError as error:
        raise TooManyListeners(str(error)) from error
    return _Events(hub, subscription)


class _Events(Response[None]):
    """An answer without end."""

    def __init__(self, hub: Hub, subscription: Subscription) -> None:
        super().__init__(None)
        self._hub, self._subscription = hub, subscription

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIResponse:
        return _EventStream(self._hub, self._subscription)


class _EventStream(ASGIResponse):
    def __init__(self, hub: Hub, subscription: Subscription) -> None:
        super().__init__()
        self._hub, self._subscription = hub, subscription

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        scope["state"][ENDS] = partial(self._subscription.drop, LEAVING)
        await send({"type": "http.response.start", "status": 200, "headers": headers})

        async def sending() -> None:
            await send({"type": "http.response.body", "body": b": the market stream\n\n", "more_body": True})
            while True:
                event = await self._subscription.next()
                body = f"event: {event.kind}\ndata: {event.text}\n\n".encode()
                await send({"type": "http.response.body", "body": body, "more_body": True})

        async def leaving() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        await _until_over(self._hub, self._subscription, sending(), leaving())
        if self._subscription.dropped.is_set():
            body = f'event: dropped\ndata: {{"reason": "{self._subscription.why.words}"}}\n\n'.encode()
            await send({"type": "http.response.body", "body": body, "more_body": False})


def _key(scope: Scope) -> str | None:
    """The id of the key that a listener came with."""
    key: Key | None = scope["state"].get(CALLER)
    return key.id if key else None


async def _until_over(hub: Hub, subscription: Subscription, *work: Any) -> None:
    """Until the listener leaves, is dropped, or the connection breaks."""
    tasks = [asyncio.create_task(each) for each in (*work, subscription.dropped.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        hub.unsubscribe(subscription)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


ROUTES = [market_socket, market_events]
