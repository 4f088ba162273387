"""The stream as the service has it: a worker of its own or Redis, and the forecasts that new bars bring.

Belongs here: which of both there is, what listeners are told of a bar. Does not: either of them, sockets.

A worker in the service's own process needs no Redis and no second command; its 5 ms of work a minute delay nobody.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from serving.contracts import PredictRequest
from serving.problems import Problem
from serving.stream import modes, refused
from serving.stream.contracts import BarEvent, ForecastEvent
from serving.stream.hub import Hub
from serving.stream.outlet import MemoryStore
from spx_assets.settings import Settings
from spx_assets.sources.bars import Bar

if TYPE_CHECKING:
    from serving.service import Service
    from serving.stream.worker import Worker


class Part(Protocol):
    """What brings vectors and bars into this process."""

    brings: str
    """What they come from, in words."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def problems(self) -> list[str]:
        """What is wrong, in words."""
        ...


class Stream:
    """New bars, from wherever they come, made known to requests and listeners."""

    def __init__(self, settings: Settings, service: "Service", *, now: Callable[[], datetime]) -> None:
        self._settings, self._service, self._now = settings, service, now
        self.hub = Hub(settings.stream, now)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.part: Part | None = None
        self._worker: Worker | None = None
        self._own = modes.worker_in_process(settings)

    async def start(self) -> None:
        """Begin; a service without a source and without Redis only beats."""
        self._loop = asyncio.get_running_loop()
        self.hub.start()
        self.part = self._made()
        if self.part is not None:
            self.part.start()

    async def stop(self) -> None:
        self.hub.stop()
        if self.part is not None:
            await asyncio.to_thread(self.part.stop)

    def problems(self) -> list[str]:
        """Why new bars do not come, in words."""
        aside = refused.problem(self._settings)
        return [*(self.part.problems() if self.part is not None else []), *([f"stream: {aside}"] if aside else [])]

    @property
    def brings(self) -> str | None:
        """What new bars come from, in words; None where nothing brings any."""
        return self.part.brings if self.part is not None else None

    @property
    def worker(self) -> "Worker | None":
        """The worker of this process, if it runs one."""
        return self._worker

    def _made(self) -> Part | None:
        vectors = self._service.vectors
        if self._settings.redis_url.get_secret_value():
            from serving.stream.follower import Follower  # imports the Redis client

            return Follower(self._settings, vectors, self._from_thread)
        if not self._own:
            return None
        from serving.stream.worker import Worker

        worker = Worker(self._settings, MemoryStore(vectors, self._from_thread), now=self._now)
        vectors.remake, self._worker = worker.remake, worker
        return worker

    def _from_thread(self, bar: Bar) -> None:
        """A bar is visible to requests; called from another thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._on_bar, bar)

    def _on_bar(self, bar: Bar) -> None:
        self.hub.publish(_event(bar))
        vector = self._service.vectors.vectors.get(bar.instrument)
        if vector is None or vector.ts != bar.ts:
            return  # not to be forecast, or a later bar is here already
        if not (self._own or self.hub.listeners):
            return  # of many services that share a stream, those forecast unasked that somebody listens to
        for name, model in self._service.models.models.items():
            if bar.instrument in model.manifest.instruments:
                self._forecast(bar.instrument, name)

    def _forecast(self, instrument: str, name: str) -> None:
        """What a model says of the newest bar, as it would answer a request: in the ledger before anybody hears it."""
        try:
            forecast = self._service.predict(PredictRequest(instrument=instrument, model_name=name))
        except Problem:
            return  # who asks is told; a stream has nothing to say
        self.hub.publish(ForecastEvent(instrument=instrument, forecast=forecast))


def _event(bar: Bar) -> BarEvent:
    return BarEvent(
        instrument=bar.instrument,
        timestamp=bar.ts,
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        bid_close=bar.bid_close,
        ask_close=bar.ask_close,
        spread=bar.spread,
        volume=bar.volume,
        bid_size=bar.bid_size,
        ask_size=bar.ask_size,
        known_at=bar.known_at,
        provider=bar.provider,
    )
