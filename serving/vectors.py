"""The newest feature vectors of each instrument, from the lake.

Belongs here: when the lake is looked at, what is kept of it, what is said when it cannot be read. Does not: reading
one vector (`newest`), HTTP, models.

All reads run on one background thread; requests only look at what it left, so none waits for the lake.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

import duckdb

from serving.glance import Glance
from serving.newest import Vector, newest
from serving.problems import lake_words
from spx_assets import SpxError, calendar
from spx_assets.features import online, readiness
from spx_assets.lake import Lake, serving_tables
from spx_assets.settings import Settings
from spx_assets.sources import feeds, news_feeds
from spx_assets.sources.bindings import Feed

__all__ = ["READ_ERRORS", "Vector", "VectorStore"]
LOG = logging.getLogger(__name__)
READ_ERRORS = (SpxError, duckdb.Error, OSError)


class VectorStore:
    """One vector an instrument, computed again when the lake has a new snapshot. `refresh` runs on one thread only.

    A new bar makes all its rows again, as no state is kept: 60 rows cost little more than one, whose history is the same.
    """

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self._settings, self._now = settings, now
        self._behind = timedelta(seconds=settings.serving.max_bar_age_s)
        self._glance = Glance(settings)
        self._snapshot: int | None = None
        self._rows: Mapping[str, int] = MappingProxyType({})
        self.vectors: Mapping[str, Vector] = MappingProxyType({})
        self.live: Mapping[str, bool] = MappingProxyType({})
        """Instruments that have a feed, and whether its clock is the wall's."""
        self.polled: Mapping[str, datetime | None] = MappingProxyType({})
        """News providers that the settings say are polled, and when each was last heard; None: never."""
        self._news = online.News()
        self.unreadable: str | None = None
        """Why the lake cannot be read; None while it can."""
        self.failures = 0
        """How often in a row the lake could not be read."""
        self.failed: Mapping[str, str] = MappingProxyType({})
        """Instruments whose vector could not be made, and why."""
        self._merging = threading.Lock()
        self._made: Mapping[str, Vector] = {}
        """Vectors from the lake."""
        self._streamed: dict[str, Vector] = {}
        """Vectors from a stream, the newest of each instrument."""
        self._again = False
        """Whether the lake is to be read whatever its snapshot."""
        self._followed: set[str] = set()
        """Instruments of which a stream gives every new bar: the lake need not be asked."""
        self.bindings: Mapping[str, str] = {}
        """How instruments were bound when the lake was last read."""
        self._wanted: Mapping[str, int] = {}
        """How many bars a vector was to hold when the lake was last read."""
        self._failed: Mapping[str, str] = {}
        """What the lake last said of instruments it has no vector of, whether or not a stream has."""
        self._refused: set[str] = set()
        """Those of them whose batch row would have other numbers, no bar streamed since."""
        self.remake: Callable[[str, int], None] | None = None
        """What a stream in this process offers: the newest vector of an instrument put again with so many rows."""

    def put(self, vector: Vector) -> None:
        """Let the vector of a new bar answer from now on. Any thread may call; no request waits.

        An older bar of the same market is passed over: threads may overtake one another, Redis may be restored from a dump.
        """
        with self._merging:
            if vector.older_than(self._streamed.get(vector.instrument)):
                return
            self._refused.discard(vector.instrument)
            self._streamed[vector.instrument] = vector
            self._followed.add(vector.instrument)
            self._merge()

    def release(self, instrument: str | None = None) -> None:
        """The stream of an instrument, or of all, is not to be relied on: the lake answers as soon as it has as new a bar.

        Until then its last vector does, but not of a market that is no longer bound, nor against the lake's refusal.
        """
        with self._merging:
            gone = set(self._followed) if instrument is None else {instrument} & self._followed
            if gone:
                self._followed -= gone
                self._again = True
                self._merge()

    def withdraw(self, instrument: str) -> None:
        """The streamed vector of an instrument may not answer any more."""
        with self._merging:
            if self._streamed.pop(instrument, None) is not None:
                self._followed.discard(instrument)
                self._again = True
                self._merge()

    def rows(self, instrument: str) -> int:
        """How many bars of its day a vector of the instrument holds, for the model that looks at most of them."""
        return max(self._rows.get(instrument, 1), 1)

    def streamed(self, vector: Vector) -> bool:
        """Whether a stream that is followed gave the vector: the lake has no newer bar than it."""
        return vector.instrument in self._followed and self._streamed.get(vector.instrument) is vector

    def _follows(self, feed: Feed) -> bool:
        """Whether a stream of this very market gives every new bar."""
        with self._merging:
            streamed = self._streamed.get(feed.instrument)
            return feed.instrument in self._followed and streamed is not None and streamed.binding == feed.binding

    def _reaches(self, instrument: str, rows: int) -> bool:
        """Whether the streamed vector holds so many bars, made again with them where it can be: a model looks at more."""
        if self.remake is None:
            return rows <= len(self._streamed[instrument].recent)
        if rows > self.rows(instrument):
            self.remake(instrument, rows)
        return True

    def _bound(self, streamed: Vector) -> bool:
        """Whether a streamed vector is of the market that its instrument is bound to, as far as is known."""
        return self.bindings.get(streamed.instrument, streamed.binding) == streamed.binding

    def _answers(self, streamed: Vector, known: Vector) -> bool:
        """Whether the streamed vector does and not the lake's: the newer answers, of the same bar the longer, then the stream's.

        But a worker elsewhere may not know yet that a model looks at more bars. Until it does the lake's vector that reaches so
        far answers, a few seconds older and of the same day: else that model would be warming up in the middle of it.
        """
        rows = self._wanted.get(streamed.instrument, 1)
        short, late = len(streamed.recent) < rows <= len(known.recent), streamed.ts - known.ts
        if short and late <= self._behind and calendar.trading_day(streamed.ts) == calendar.trading_day(known.ts):
            return False
        return (streamed.ts, len(streamed.recent)) >= (known.ts, len(known.recent))

    def _merge(self) -> None:
        """Only a stream that is followed knows better than a lake that refuses. Of another market than the bound one its vector
        waits: the worker may know of a new binding a second before the lake is read here. Without a stream it goes.
        """
        self._streamed = {name: each for name, each in self._streamed.items() if name in self._followed or self._bound(each)}
        vectors = dict(self._made)
        for name, streamed in self._streamed.items():
            if not self._bound(streamed) or (name in self._refused and name not in self._followed):
                continue
            known = vectors.get(name)
            if known is None or self._answers(streamed, known):
                vectors[name] = streamed
        self.vectors = MappingProxyType(vectors)
        self.failed = MappingProxyType({name: why for name, why in self._failed.items() if name not in vectors})

    def refresh(self, rows: Mapping[str, int]) -> None:
        """Looks at the lake; with a new snapshot, or other `rows` an instrument, makes their vectors again."""
        wanted = dict(rows)
        again, self._again = self._again, False
        if not again and self.unreadable is None and wanted == self._rows and self._glance.still():
            return
        seen = self._glance.look()
        self._glance.note(None)
        try:
            lake = Lake.open(self._settings, read_only=True)
            snapshot = lake.snapshot()
            if self._snapshot is not None and lake.only_changed(serving_tables.ALL, self._snapshot, snapshot):
                self._snapshot = snapshot  # the ledger commits every few seconds
            if again or snapshot != self._snapshot or wanted != self._rows:
                bound = feeds.feeds(lake)
                self._make(lake, [(feed, wanted[name]) for name, feed in sorted(bound.items()) if name in wanted], snapshot)
                self.live = MappingProxyType({name: feed.live for name, feed in bound.items()})
                heard = news_feeds.feeds(lake, snapshot=snapshot)
                live = self._settings.news.live
                self.polled = MappingProxyType({name: heard[name].polled_at if name in heard else None for name in live})
                self._snapshot, self._rows = snapshot, wanted
        except READ_ERRORS as error:
            self._again = self._again or again
            if self.unreadable is None:
                LOG.error("the lake cannot be read: %s", error)
            self.unreadable = lake_words(error)
            self.failures += 1
            return
        self._glance.note(seen)
        self.unreadable, self.failures = None, 0

    def stale_news(self, vector: Vector) -> str | None:
        """Why a model that learned from news may not answer; None if it may. No article is an answer of a provider, too.

        Beside a standing feed the news stand still as well, and a home that polls no provider has none to miss.
        """
        if vector.news or not self.live.get(vector.instrument):
            return vector.news
        now, limit = self._now(), self._settings.news.max_poll_age_s
        for provider, polled in self.polled.items():
            if polled is None or (now - polled).total_seconds() > limit:
                said = "was never polled" if polled is None else f"was last heard at {polled:%Y-%m-%dT%H:%M:%SZ}"
                return (
                    f"the news provider {provider} {said}, SPX_NEWS__MAX_POLL_AGE_S is {limit}; see whether the job that polls "
                    "it runs and what its last run said"
                )
        return None

    def _make(self, lake: Lake, bound: list[tuple[Feed, int]], snapshot: int) -> None:
        vectors, failed, refused = {}, {}, set[str]()
        for feed, rows in bound:
            if self._follows(feed) and self._reaches(feed.instrument, rows):
                continue
            at = self._now() if feed.live else feed.end
            try:
                vectors[feed.instrument] = newest(lake, feed, self._news, rows=rows, at=at, snapshot=snapshot)
            except SpxError as error:
                if isinstance(error, readiness.NotReadyError):
                    refused.add(feed.instrument)
                failed[feed.instrument] = str(error)
                if self.failed.get(feed.instrument) != str(error):
                    LOG.error("no vector of %s: %s", feed.instrument, error)
        with self._merging:
            self._made, self._failed, self._refused = vectors, failed, refused
            self._wanted = {feed.instrument: rows for feed, rows in bound}
            self.bindings = {feed.instrument: feed.binding for feed, _ in bound}
            self._merge()
