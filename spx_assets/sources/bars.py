"""Bars as they are completed: the one thing every stream yields.

Belongs here: the bar, what a source of bars is, the pace at which a past market is played. Does not: where bars come from
(`market_replay`, `oanda_stream`), what is done with them (`serving.stream`).
"""

import threading
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from spx_assets import calendar

LONGEST_PAUSE = timedelta(minutes=5)
"""Silence of a played market beyond which it is closed: that time is skipped."""


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One finished minute of one instrument, mid prices. `binding` names the feed it belongs to as that was bound then."""

    instrument: str
    ts: datetime
    provider: str
    binding: str
    open: float
    high: float
    low: float
    close: float
    volume: float
    known_at: datetime
    bid_close: float | None = None
    ask_close: float | None = None
    spread: float | None = None
    bid_size: float | None = None
    ask_size: float | None = None

    @property
    def end(self) -> datetime:
        return self.ts + calendar.ONE_MINUTE


class BarSource(Protocol):
    """Where a worker's bars come from. Per instrument they ascend strictly in `ts`; none is ever taken back."""

    trouble: str | None
    """Why no bar comes for the time being; None while all is well."""

    def bars(self, stop: threading.Event) -> Iterator[Bar]:
        """Bars as they are completed, until `stop` is set or there are no more. Raises what no waiting would cure."""
        ...


def paced(bars: Iterable[Bar], *, speed: float, stop: threading.Event) -> Iterator[Bar]:
    """The bars of a past market, `speed` of its minutes a minute of the wall's; closed hours are skipped. At 0 none waits."""
    last: datetime | None = None
    due = time.monotonic()
    for bar in bars:
        if speed > 0 and bar.end != last:
            gap = calendar.ONE_MINUTE if last is None else bar.end - last
            gap = calendar.ONE_MINUTE if gap > LONGEST_PAUSE else gap
            # Against a schedule, not against the bar before: what a bar takes does not slow the market down.
            due = max(due + gap.total_seconds() / speed, time.monotonic() - calendar.ONE_MINUTE.total_seconds() / speed)
            if stop.wait(max(0.0, due - time.monotonic())):
                return
        if stop.is_set():
            return
        last = bar.end
        yield bar
