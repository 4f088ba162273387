"""Forecasts that are answered in the very turn of the event loop in which they are asked for.

Belongs here: telling such a request from others, handing it over whole, sending its answer. Does not: any judgement or answer
(`gate`, `direct`), limits of what arrives (`connections`).

Nearly every request for a forecast comes in one piece, and its answer is made without waiting for anything. uvicorn would make a
task, an event and a cycle of messages for it, and check each header of an answer that is ours: 60 of the 140 us that one took
(two slow cores). What takes longer, or is no forecast, goes the way of all requests from its beginning.
"""

import asyncio
from functools import partial
from typing import Any, cast

from litestar.types import HTTPScope

from serving.connections import LimitedHttp
from serving.direct import IN_ONE_PIECE, PATH
from serving.gate import Gate
from spx_assets.settings.serving import LimitSettings

_URL = PATH.encode()


def protocol(limits: LimitSettings) -> type[asyncio.Protocol]:
    """uvicorn's HTTP protocol within `limits`."""
    return cast(type[asyncio.Protocol], partial(ImmediateHttp, limits=limits))


class ImmediateHttp(LimitedHttp):
    """HTTP/1.1 within limits, that asks the application's gate for a forecast before it begins a cycle."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Behind proxies uvicorn stands around the application, to put the caller's address in its place: all go through it.
        handler = getattr(self.app, "asgi_handler", None)
        self._gate = handler if isinstance(handler, Gate) else None
        self._body: bytes | None = None
        """What is here of the body of a request that may be answered at once; None while there is no such request."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._body is not None:
            self._go_on()  # the rest of it is still to come

    def begin(self) -> None:
        if self.url == _URL and self._gate is not None and self._may_be_at_once():
            self._body = b""
        else:
            super().begin()

    def on_body(self, body: bytes) -> None:
        if self._body is None:
            super().on_body(body)
            return
        self._body += body
        if len(self._body) > IN_ONE_PIECE:
            self._go_on()

    def on_message_complete(self) -> None:
        if self._body is not None:
            assert self._gate is not None
            answer = self._gate.at_once(cast(HTTPScope, self.scope), self._body, self.server_state.default_headers)
            if answer is not None:
                self._body = None
                self.arrived()
                # With those of the same turn: each sent apart would wake the clients each time, a fifth of the service's CPU.
                self.transport.write(answer)
                self.on_response_complete()
                return
            self._go_on()
        super().on_message_complete()

    def _may_be_at_once(self) -> bool:
        """Whether a request leaves nothing open but its body: none before it waits, and the connection stays."""
        parser, cycle = self.parser, self.cycle
        return (
            parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and (cycle is None or cycle.response_complete)
            and not self.flow.write_paused
            and not self.transport.is_closing()
        )

    def _go_on(self) -> None:
        """Begins the usual cycle with what is here."""
        body, self._body = self._body, None
        super().begin()
        if body:
            super().on_body(body)
