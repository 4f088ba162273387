"""Connections whose client does not read: cut within a bounded time.

Belongs here: how long bytes may lie unsent, cutting, the WebSocket protocol that keeps to it. Does not: what arrives
(`connections`), which listener lags behind (`stream.hub`).

Neither uvicorn nor the loop waits for a writer with an end: a transport that is closed stays, with its descriptor and its buffer,
until the last byte has left. A slow line is not a deaf client: only who takes less than 1 KiB a second is cut.
"""

import asyncio
import fcntl
import termios
from array import array
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from serving.unserved import Cut

LEAST_BYTES_S = 1024
"""What a client has to take that is to stay: less than any line gives, and the 64 KiB that may wait are gone in a minute."""


class Watched:
    """A transport with a clock that runs while too much waits to be sent, and after `close`; else it is the one behind it."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, *, write_s: float) -> None:
        self._plain, self._loop, self._write_s = transport, loop, write_s
        self.write, self.is_closing = transport.write, transport.is_closing
        self._waiting = 0
        self._clock: asyncio.TimerHandle | None = None

    def close(self) -> None:
        self._plain.close()
        if self._plain.get_write_buffer_size():
            self.paused()

    def paused(self) -> None:
        """The loop asked the writer to wait."""
        if self._clock is None:
            self._start()

    def resumed(self) -> None:
        """The writer may go on."""
        if not self.is_closing():
            self.lost()

    def lost(self) -> None:
        """There is nothing more to wait for."""
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _start(self) -> None:
        self._waiting = self._unread()
        self._clock = self._loop.call_later(self._write_s, self._look)

    def _look(self) -> None:
        self._clock = None
        if self._waiting - self._unread() >= LEAST_BYTES_S * self._write_s:
            self._start()
        else:
            Cut.number += 1
            self._plain.abort()

    def _unread(self) -> int:
        """Bytes that the client has not taken. The kernel holds some megabytes and asks for more only when a third of them is
        gone, which takes a slow line half a minute: so what it holds is counted, too.
        """
        held = array("i", [0])
        socket = self._plain.get_extra_info("socket")
        if socket is not None and socket.fileno() >= 0:
            fcntl.ioctl(socket.fileno(), termios.TIOCOUTQ, held)
        return self._plain.get_write_buffer_size() + held[0]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)


class WatchedSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSockets on a transport that is watched."""

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watched.paused()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._watched.resumed()

    def shutdown(self) -> None:
        super().shutdown()
        if not self.writable.is_set():
            self.transport.abort()  # the goodbye would not be read

    def connection_lost(self, exc: Exception | None) -> None:
        self._watched.lost()
        super().connection_lost(exc)

    @property
    def _watched(self) -> Watched:
        return cast(Watched, self.transport)
