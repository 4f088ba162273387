"""Writes to a socket that belong together leave together.

Belongs here: holding what is written in one turn of the event loop. Does not: HTTP.

uvicorn writes an answer's head and its body apart, and uvloop sends each at once: a second system call and a second packet that
wakes the client, a tenth of the CPU of a small answer. TCP_CORK would hold them too, for two more system calls.
"""

import asyncio
from typing import Any

MOST = 64 * 1024
"""Held before the turn is over; beyond it the transport must tell a writer to wait."""


class Corked:
    """A transport whose writes of one turn are one; everything else is that of the transport behind it."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.plain = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._bytes = 0

    def write(self, data: bytes) -> None:
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)
        self._bytes += len(data)
        if self._bytes > MOST:
            self._flush()

    def close(self) -> None:
        self._flush()
        self.plain.close()

    def abort(self) -> None:
        self._held.clear()
        self.plain.abort()

    def is_closing(self) -> bool:
        return self.plain.is_closing()

    def _flush(self) -> None:
        held = self._held
        if held and not self.plain.is_closing():
            self.plain.write(held[0] if len(held) == 1 else b"".join(held))
        held.clear()
        self._bytes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)
