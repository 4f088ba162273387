"""Listeners of the market stream: who gets what, and who is dropped."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from serving.stream.contracts import BarEvent, HeartbeatEvent
from serving.stream.hub import Hub, Subscription, TooManyListenersError
from spx_assets.settings import StreamSettings

NOW = datetime(2025, 10, 15, 16, 0, tzinfo=UTC)


def hub(**settings: float) -> Hub:
    return Hub(StreamSettings(**settings), lambda: NOW)


def bar(instrument: str, close: float) -> BarEvent:
    return BarEvent(
        instrument=instrument,
        timestamp=NOW,
        open=close,
        high=close,
        low=close,
        close=close,
        bid_close=None,
        ask_close=None,
        spread=None,
        volume=0.0,
        bid_size=None,
        ask_size=None,
        known_at=NOW,
        provider="simulator",
    )


async def taken(subscription: Subscription, count: int) -> list[tuple[str, float | None]]:
    found = [json.loads((await asyncio.wait_for(subscription.next(), 30)).text) for _ in range(count)]
    return [(event["type"], event.get("close")) for event in found]


def test_a_listener_gets_what_it_asked_for_and_every_heartbeat() -> None:
    async def listen() -> None:
        made = hub()
        everything, one = made.subscribe(), made.subscribe(frozenset({"EUR_USD"}))
        for event in (bar("SPX500_USD", 6650.0), bar("EUR_USD", 1.16), HeartbeatEvent(timestamp=NOW)):
            made.publish(event)
        assert await taken(everything, 3) == [("bar", 6650.0), ("bar", 1.16), ("heartbeat", None)]
        assert await taken(one, 2) == [("bar", 1.16), ("heartbeat", None)]

    asyncio.run(listen())


def test_who_lags_behind_is_dropped_and_nobody_else_loses_an_event() -> None:
    async def listen() -> None:
        made = hub(backlog=3)
        quick, slow = made.subscribe(), made.subscribe()
        for close in range(1, 5):
            made.publish(bar("SPX500_USD", close))
            assert await taken(quick, 1) == [("bar", float(close))]
        assert (slow.dropped.is_set(), quick.dropped.is_set()) == (True, False)
        assert (made.listeners, made.dropped) == (1, 1)
        made.publish(bar("SPX500_USD", 5.0))
        assert await taken(quick, 1) == [("bar", 5.0)]

    asyncio.run(listen())


def test_it_beats_while_it_runs() -> None:
    async def listen() -> None:
        made = hub(heartbeat_s=0.01)
        subscription = made.subscribe()
        made.start()
        assert await taken(subscription, 2) == [("heartbeat", None)] * 2
        made.stop()
        await asyncio.sleep(0.05)
        made.unsubscribe(subscription)
        assert made.listeners == 0

    asyncio.run(listen())


def test_beyond_the_limit_nobody_is_taken() -> None:
    made = hub(max_listeners=2)
    first = made.subscribe()
    made.subscribe()
    with pytest.raises(TooManyListenersError, match="SPX_STREAM__MAX_LISTENERS is 2"):
        made.subscribe()
    made.unsubscribe(first)
    made.subscribe()
