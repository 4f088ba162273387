"""What a connection may cost before a request has arrived: its number, its size, its time.

Belongs here: limits that only the protocol under the framework can keep. Does not: rates and keys (`gate`), sizes of bodies,
which each route has (413), clients that do not read (`unread`).

uvicorn waits for a first request, for slow headers and for a slow body without end, takes headers of any size, and answers what
it refuses as text.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.corked import Corked
from serving.early_problems import HeadersTooLarge, MalformedRequest, TooManyConnections, TooSlow
from serving.problems import Problem
from serving.refusals import Refused, on_the_wire
from serving.unread import Watched
from serving.unserved import ENDS, LEFT, refused
from spx_assets.settings.serving import LimitSettings


class LimitedHttp(HttpToolsProtocol):
    """HTTP/1.1 within limits. A request that comes whole in one piece, as nearly all do, starts no timer."""

    def __init__(self, *args: Any, limits: LimitSettings, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.limits, self._most_headers, self._most_bytes = limits, limits.headers, limits.header_bytes
        self._in_head = self._arriving = True
        self._bytes = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._watched = Watched(transport, self.loop, write_s=self.limits.write_s)
        super().connection_made(cast(asyncio.Transport, Corked(cast(asyncio.Transport, self._watched), self.loop)))
        most = self.limits.connections
        if len(self.connections) > most:
            self._refuse(TooManyConnections(f"this worker has {most} open connections; close some, or come again in a moment"))
        else:
            self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        self._watched.lost()
        if self.cycle is not None:
            self.cycle.scope["state"][LEFT] = True
        super().connection_lost(exc)

    def shutdown(self) -> None:
        super().shutdown()
        if self.cycle is not None and not self.cycle.response_complete and (end := self.cycle.scope["state"].get(ENDS)):
            end()
            if self.flow.write_paused:
                self.transport.abort()  # it would not be read

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watched.paused()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._watched.resumed()

    def data_received(self, data: bytes) -> None:
        if not self._arriving:
            self._in_head, self._arriving, self._bytes = True, True, 0
        self._bytes += len(data)
        super().data_received(data)
        if self._arriving and not self.transport.is_closing():
            self._wait()

    def _wait(self) -> None:
        """A part of a request is here, or empty lines before one."""
        if self._in_head and self._bytes > self._most_bytes:
            self._refuse(self._too_large())
        elif self._deadline is None:
            self._start_clock()

    def on_message_begin(self) -> None:
        if not self._arriving:  # behind another in the same piece
            self._in_head, self._arriving, self._bytes = True, True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        if len(self.headers) > self._most_headers or (self._bytes > self._most_bytes and self._size() > self._most_bytes):
            problem = self._too_large()
            self.app = Refused(problem)
            try:
                super().on_headers_complete()
                refused[problem.code] += 1
            finally:
                self.app = self.config.loaded_app
        else:
            self.begin()

    def begin(self) -> None:
        """The head of a request is here and within the limits: the application gets it."""
        super().on_headers_complete()

    def arrived(self) -> None:
        """A request is here whole."""
        self._arriving = False
        if self._deadline is not None:
            self._stop_clock()

    def on_message_complete(self) -> None:
        self.arrived()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._arriving = False
        self._stop_clock()
        self.transport = cast(Corked, self.transport).plain
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        # The parser of URLs takes one of over 64 KiB for none.
        too_large = not self._in_head and self._size() > self._most_bytes
        self._refuse(self._too_large() if too_large else MalformedRequest("the bytes are no HTTP/1.1 request"))

    def _size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _too_large(self) -> HeadersTooLarge:
        most = f"{self.limits.headers} headers and {self.limits.header_bytes} bytes of them"
        return HeadersTooLarge(f"a request may have {most}, its line included; send fewer")

    def _start_clock(self) -> None:
        self._deadline = self.loop.call_later(self.limits.read_s, self._too_late)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self._refuse(TooSlow(f"the request did not arrive whole within {self.limits.read_s:g} s; send it again"))

    def _refuse(self, problem: Problem) -> None:
        """Answers and closes; where an answer is under way already, or nothing was asked, only closes."""
        asked = self.cycle is not None and not self.cycle.response_complete
        begun = asked and (self.cycle.response_started or self._in_head)
        if not begun and (asked or self._bytes or not isinstance(problem, TooSlow)):
            refused[problem.code] += 1
            self.transport.write(on_the_wire(problem))
        self.transport.close()
