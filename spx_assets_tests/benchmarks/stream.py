"""A new bar: from complete to the first forecast made of it, and what a listener costs."""

import asyncio
import time
from datetime import UTC, datetime

import numpy as np

from serving.contracts import PredictRequest
from serving.service import Service
from serving.stream.contracts import BarEvent
from serving.stream.hub import Hub
from serving.stream.outlet import MemoryStore
from serving.stream.worker import Worker
from spx_assets.settings import Settings, SimulatorSettings, StreamSettings, load
from spx_assets.sources.bars import Bar
from spx_assets_tests.benchmarks.line import Line
from spx_assets_tests.integration.serving import homes

DAYS = 40
BARS = 200
SPEED = 1200.0
"""Bars a second / 60: a pause of 50 ms before each, as an idle process has one."""
LISTENERS = 1000


def run() -> list[Line]:
    settings = load().model_copy(
        update={"simulator": SimulatorSettings(days=DAYS), "stream": StreamSettings(source="simulator", speed=SPEED)}
    )
    homes.market(settings)
    homes.model(settings)
    return [*_bars(settings), asyncio.run(_listeners(settings))]


def _bars(settings: Settings) -> list[Line]:
    """The worker beside a service, each bar asked for at once."""
    service = Service(settings)
    service.look()
    seconds: list[float] = []

    def ask(bar: Bar) -> None:
        began = time.perf_counter()
        answer = service.predict(PredictRequest(instrument=bar.instrument))
        assert answer.timestamp == bar.ts
        seconds.append(worker.last_bar_s + time.perf_counter() - began)

    worker = Worker(settings, MemoryStore(service.vectors, ask))
    worker.run(bars=BARS)
    milliseconds = np.array(seconds) * 1e3
    return [
        Line("new bar until it is forecast, median", float(np.median(milliseconds)), 20.0, "ms"),
        Line("new bar until it is forecast, 99 of 100", float(np.percentile(milliseconds, 99)), 20.0, "ms"),
    ]


async def _listeners(settings: Settings) -> Line:
    """One event to a thousand listeners."""
    hub = Hub(settings.stream, lambda: datetime.now(UTC))
    subscriptions = [hub.subscribe() for _ in range(LISTENERS)]
    now = datetime.now(UTC)
    prices = dict.fromkeys(("open", "high", "low", "close", "bid_close", "ask_close", "spread", "volume"), 6650.5)
    event = BarEvent(
        instrument="SPX500_USD", timestamp=now, known_at=now, provider="simulator", bid_size=None, ask_size=None, **prices
    )
    rounds = settings.stream.backlog
    began = time.perf_counter()
    for _ in range(rounds):
        hub.publish(event)
    spent = (time.perf_counter() - began) / rounds
    assert hub.dropped == 0
    assert (await subscriptions[0].next()).instrument == "SPX500_USD"
    return Line("one event queued for 1,000 listeners", spent * 1e3, 5.0, "ms")
