"""A process that replaces weeks of candles while a home is copied or cleaned.

Belongs here: its start, its orders, its end. Does not: what it writes (`lakes.keep_replacing`), assertions.

It knows the lake alone, whose import and first write take 2 s of CPU, and serves one home after another: the server that `lakes`
forks from loads the whole graph first, 6 CPU s a worker.
"""

import multiprocessing
from multiprocessing.synchronize import Event
from typing import Any

from spx_assets.settings import Settings
from spx_assets_tests import lakes

SPAWNED = multiprocessing.get_context("spawn")


class Writer:
    """The process, from its start to `close`."""

    def __init__(self) -> None:
        self._orders, self._told = SPAWNED.Queue(), SPAWNED.Queue()
        self._warm, self._stop = SPAWNED.Event(), SPAWNED.Event()
        self._process = SPAWNED.Process(target=_serve, args=(self._orders, self._warm, self._stop, self._told))
        self._process.start()

    def begin(self, settings: Settings) -> None:
        """Write to this home; it has, when this returns."""
        self._warm.clear()
        self._stop.clear()
        self._orders.put(settings)
        assert self._warm.wait(60)

    def end(self) -> tuple[int, str | None]:
        """No longer: how often weeks were replaced, and the error that ended it, if one did."""
        self._stop.set()
        told: tuple[int, str | None] = self._told.get(timeout=60)
        return told

    def close(self) -> None:
        self._stop.set()
        self._orders.put(None)
        self._process.join(30)
        self._process.kill()


def _serve(orders: Any, warm: Event, stop: Event, told: Any) -> None:
    while settings := orders.get():
        lakes.keep_replacing(settings, 1, warm, stop, told)
