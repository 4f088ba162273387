"""Answers of panels for a few seconds: however many pages are open, the lake is read once.

Belongs here: keeping and making again. Does not: what is made.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")
KEPT = 32
"""Answers kept: panels x instruments x horizons that pages look at, 60 KB the largest."""


class Remembered:
    """Answers by key. Who asks while one is being made waits for it instead of making it too."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[Hashable, tuple[float, asyncio.Future[Any]]] = OrderedDict()

    async def get(self, key: Hashable, ttl_s: float, make: Callable[[], Awaitable[T]]) -> T:
        """The answer for `key` that is at most `ttl_s` old, or a new one. A failure is told to all who wait and not kept."""
        at, made = self._kept.get(key, (0.0, None))
        if made is None or (made.done() and self._clock() - at > ttl_s):
            made = asyncio.ensure_future(make())
            self._kept[key] = (self._clock(), made)
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            made.add_done_callback(lambda done: self._drop_failed(key, done))
        found: T = await asyncio.shield(made)
        return found

    def _drop_failed(self, key: Hashable, done: "asyncio.Future[Any]") -> None:
        if (done.cancelled() or done.exception() is not None) and self._kept.get(key, (0.0, None))[1] is done:
            del self._kept[key]
