"""OANDA's live minutes: bars from streamed prices, and from REST candles wherever the stream was not heard.

Belongs here: which minutes the stream has whole, filling the others in order. Does not: the connection (`oanda_prices`), building
a minute (`minutes`), candles over REST (`oanda`).

A minute of which some second was not heard is never made from ticks: it is asked for once it is over, and later bars wait for it.
So no bar is out of order and none is made of half its ticks. While it is not to be had there are no bars: the feed gets stale.
"""

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from spx_assets.settings import OandaSettings
from spx_assets.sources import oanda
from spx_assets.sources.bars import Bar
from spx_assets.sources.bindings import Feed
from spx_assets.sources.errors import SourceError, UnauthorisedError
from spx_assets.sources.minutes import Minutes, Tick
from spx_assets.sources.oanda_prices import FIRST_PAUSE_S, Down, Heard, Prices, Refused, Up

LOG = logging.getLogger(__name__)
SETTLE = timedelta(seconds=1)
"""A candle is complete at the provider a moment after its minute."""
AGAIN = timedelta(seconds=5)
"""Pause before a candle that was not to be had is asked for again."""
IDLE_S = 1.0


class _Line:
    """One feed: its minutes, the gap before them, the bars that wait for it."""

    def __init__(self, feed: Feed, *, grace: timedelta) -> None:
        self.feed, self.minutes = feed, Minutes(feed, grace=grace)
        self.next = feed.end
        """Start of the first minute that no bar was given of."""
        self.gap_end: datetime | None = None
        self.ask_at: datetime | None = None
        self.waiting: list[Bar] = []

    def heard_from(self, at: datetime) -> None:
        """Prices are heard from `at` on: all before is a gap."""
        self.gap_end = self.minutes.begin(at)
        self.ask_at = self.gap_end + SETTLE

    def filled(self, candles: pl.DataFrame, *, known_at: datetime) -> Iterator[Bar]:
        """Candles of the gap as bars."""
        feed = self.feed
        for row in candles.iter_rows(named=True):
            bar = Bar(instrument=feed.instrument, provider=feed.provider, binding=feed.binding, known_at=known_at, **row)
            self.next = bar.end
            yield bar

    def caught_up(self) -> Iterator[Bar]:
        """The gap is filled: the bars that waited for it."""
        assert self.gap_end is not None
        self.next = max(self.next, self.gap_end)
        self.gap_end = self.ask_at = None
        waited, self.waiting = self.waiting, []
        yield from self.give(iter(waited))

    def give(self, bars: Iterator[Bar]) -> Iterator[Bar]:
        """Bars of ticks, at once or behind the gap."""
        for bar in bars:
            if self.gap_end is not None:
                self.waiting.append(bar)
            elif bar.ts >= self.next:
                self.next = bar.end
                yield bar


class OandaBars:
    """Live minutes of feeds at OANDA."""

    def __init__(
        self,
        settings: OandaSettings,
        bound: Sequence[Feed],
        *,
        grace: timedelta,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._now, self._settings = now, settings
        self._lines = {oanda.symbol_of(feed): _Line(feed, grace=grace) for feed in bound}
        self._heard = now()
        self._prices = Prices(settings, list(self._lines), now=now, first_pause_s=first_pause_s)
        self.trouble: str | None = None
        self.heard_from: datetime | None = None
        """Since when prices are heard without a break; None while they are not."""

    def bars(self, stop: threading.Event) -> Iterator[Bar]:
        """Bars as minutes end; UnauthorisedError or BadAnswerError where OANDA refuses."""
        self._prices.start(stop)
        while not stop.is_set():
            heard = self._hear()
            if heard is not None:
                yield from self._on(heard)
            now = self._now()
            for line in self._lines.values():
                yield from line.give(line.minutes.advance(now, heard=self._heard))
                if line.ask_at is not None and now >= line.ask_at:
                    yield from self._fill(line, stop)

    def _hear(self) -> Heard | None:
        """What was heard next, or None when something else is due."""
        dues = [due for line in self._lines.values() for due in (line.minutes.due(heard=self._heard), line.ask_at) if due]
        wait_s = min([IDLE_S, *((due - self._now()).total_seconds() for due in dues)])
        try:
            return self._prices.heard.get(timeout=max(wait_s, 0.001))
        except queue.Empty:
            return None

    def _on(self, heard: Heard) -> Iterator[Bar]:
        match heard.said:
            case Refused(error):
                raise error
            case Down(reason):
                self.heard_from = None
                self.trouble = f"OANDA's price stream is down and is tried again: {reason}"
                LOG.warning("%s", self.trouble)
                for line in self._lines.values():
                    line.minutes.lose()
                return
            case Up():
                self.trouble, self.heard_from = None, heard.at
                for line in self._lines.values():
                    line.heard_from(heard.at)
            case Tick() as tick:
                line_of = self._lines.get(tick.instrument)
                if line_of is not None:
                    yield from line_of.give(line_of.minutes.tick(tick, now=heard.at))
        self._heard = heard.at

    def _fill(self, line: _Line, stop: threading.Event) -> Iterator[Bar]:
        """The bars of the gap from REST, then those that waited; later once more if it is not all to be had."""
        assert line.gap_end is not None

        def sleep(seconds: float) -> None:
            stop.wait(seconds)

        try:
            with oanda.client(self._settings, sleep=sleep) as http:
                frame, whole = oanda.recent(http, oanda.symbol_of(line.feed), line.next, line.gap_end)
        except UnauthorisedError:
            raise
        except SourceError as error:
            self.trouble = f"minutes of {line.feed.instrument} from {line.next:%Y-%m-%dT%H:%MZ} on are missing: {error}"
            LOG.warning("%s", self.trouble)
            line.ask_at = self._now() + AGAIN
            return
        yield from line.filled(frame, known_at=self._now())
        if whole:
            self.trouble = None
            yield from line.caught_up()
        else:
            line.ask_at = self._now() + AGAIN
