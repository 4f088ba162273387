"""Minute bars from ticks.

Belongs here: which tick counts in which minute, when a minute is complete, its prices. Does not: where ticks come from
(`oanda_stream`), minutes that no tick was seen of (there is no bar).

A tick belongs to the minute of its own time, the provider's. A minute ends with the first tick of a later one, or by the
worker's clock, a little after its end, once the provider was heard after it: silence may be a lost connection, whose ticks are
missing. What comes for a minute that has ended is late and changes nothing: its bar is out.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from spx_assets import calendar
from spx_assets.sources.bars import Bar
from spx_assets.sources.bindings import Feed


@dataclass(frozen=True, slots=True)
class Tick:
    """Best bid and ask at one instant; sizes where the provider gives them."""

    instrument: str
    time: datetime
    bid: float
    ask: float
    bid_size: float | None = None
    ask_size: float | None = None

    @property
    def priced(self) -> bool:
        """Whether it is a price: positive, finite, the ask not below the bid."""
        return 0.0 < self.bid <= self.ask and math.isfinite(self.ask)


@dataclass(slots=True)
class _Open:
    """A minute that goes on."""

    ts: datetime
    open: float
    high: float
    low: float
    last: Tick
    mid: float
    ticks: int = 1

    def add(self, tick: Tick, mid: float) -> None:
        self.high, self.low = max(self.high, mid), min(self.low, mid)
        self.last, self.mid = tick, mid
        self.ticks += 1


def minute_of(at: datetime) -> datetime:
    """Start of the minute that holds an instant."""
    return at.replace(second=0, microsecond=0)


class Minutes:
    """The minutes of one feed. Ticks before `whole_from` are of a minute whose beginning nobody heard: they make no bar."""

    def __init__(self, feed: Feed, *, grace: timedelta) -> None:
        self._feed, self._grace = feed, grace
        self._open: _Open | None = None
        self.whole_from: datetime | None = None
        self.late = 0
        """Ticks of minutes that had ended."""
        self.refused = 0
        """Ticks that are no prices, or of closed hours."""

    def begin(self, at: datetime) -> datetime:
        """Ticks are heard from `at` on; from when minutes are whole. A minute that went on is not: it is forgotten."""
        self._open = None
        start = minute_of(at)
        self.whole_from = start if start == at else start + calendar.ONE_MINUTE
        return self.whole_from

    def tick(self, tick: Tick, *, now: datetime) -> Iterator[Bar]:
        """Take a tick; yields the bar that it ends, if it does."""
        ts = minute_of(tick.time)
        if not tick.priced or not calendar.is_trading_day(calendar.trading_day(ts)):
            self.refused += 1
            return
        if self.whole_from is None or ts < self.whole_from:
            self.late += 1
            return
        mid = (tick.bid + tick.ask) / 2
        if self._open is not None and ts == self._open.ts:
            self._open.add(tick, mid)
            return
        if self._open is not None:
            yield self._close(now)
        self._open = _Open(ts, mid, mid, mid, tick, mid)

    def advance(self, now: datetime, *, heard: datetime) -> Iterator[Bar]:
        """Yields the bar whose minute has ended by the clock; `heard` is when anything of the provider was heard last."""
        if self._open is not None and heard >= self._end and now >= self._end + self._grace:
            yield self._close(now)

    def lose(self) -> None:
        """Ticks are heard no more: the minute that goes on is not whole."""
        self._open = self.whole_from = None

    def due(self, *, heard: datetime) -> datetime | None:
        """When the minute that goes on ends by the clock; None while that waits for the provider to be heard."""
        return self._end + self._grace if self._open is not None and heard >= self._end else None

    @property
    def _end(self) -> datetime:
        assert self._open is not None
        return self._open.ts + calendar.ONE_MINUTE

    def _close(self, now: datetime) -> Bar:
        assert self._open is not None
        done, self._open = self._open, None
        self.whole_from = done.ts + calendar.ONE_MINUTE
        return Bar(
            instrument=self._feed.instrument,
            ts=done.ts,
            provider=self._feed.provider,
            binding=self._feed.binding,
            open=done.open,
            high=done.high,
            low=done.low,
            close=done.mid,
            volume=float(done.ticks),
            known_at=max(now, done.ts + calendar.ONE_MINUTE),
            bid_close=done.last.bid,
            ask_close=done.last.ask,
            spread=done.last.ask - done.last.bid,
            bid_size=done.last.bid_size,
            ask_size=done.last.ask_size,
        )
