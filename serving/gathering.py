"""Writes to a socket that belong together leave together.

Belongs here: gathering what is written in one turn of the event loop. Does not: HTTP.

uvicorn writes an answer's head and its body apart, and uvloop sends each at once: a second system call and a second packet that
wakes the client, a tenth of the CPU of a small answer.
"""

import asyncio
from typing import Any


class Gathered:
    """A transport whose writes of one turn are one; everything else is that of the transport behind it."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.plain = transport
        self._loop = loop
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)

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

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)
