"""One streamed instrument: its history, the news its bars know, the vector of its newest bar.

Belongs here: keeping both up to date with the lake and with new bars, saying why there is no vector. Does not: threads, storing
bars (`keeper`), who gets the vector (`outlet`).
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from serving.stream.history import BASE, History
from serving.vectors import READ_ERRORS, Vector
from spx_assets import calendar
from spx_assets.features import online, readiness
from spx_assets.lake import Lake
from spx_assets.lake.news_tables import NEWS, NEWS_FILES, NEWS_SENTIMENT
from spx_assets.news.signals import Articles
from spx_assets.sources.bars import Bar
from spx_assets.sources.bindings import Feed

HEARD_AGAIN = timedelta(seconds=60)
"""How old a judgement on a live feed's news may be: it depends on the time, too."""


@dataclass(frozen=True)
class _News:
    """What bars of a trading day know of news, at which snapshot and when that was looked at."""

    day: date
    snapshot: int
    at: datetime
    articles: Articles
    behind: str | None

    def says_the_same(self, other: "_News | None") -> bool:
        return other is not None and (self.articles, self.behind) == (other.articles, other.behind)


class Line:
    """One instrument. `take` and `newest` are for the thread of bars, `look` for another one that may wait for the lake."""

    def __init__(self, lake: Lake, feed: Feed, *, now: Callable[[], datetime], rest_follows: bool = False) -> None:
        self.feed = feed
        self._rest_follows = rest_follows
        self._lake, self._now = lake, now
        self._guard = threading.Lock()
        """Held for what is in memory, never while the lake is read: the thread of bars would wait for it."""
        self._history: History | None = None
        self._snapshot: int | None = None
        self._told: _News | None = None
        self._news, self._hearing = online.News(), threading.Lock()
        """What articles are read with, which remembers them, and who reads."""
        self._recent: list[Bar] = []
        """Bars that the lake may not hold yet."""
        self.missing: str | None = "its history is not read yet"
        """Why there is no vector; None while there is one."""

    def take(self, bar: Bar, *, rows: int) -> Vector | None:
        """A new bar: its vector, if a batch row would have the same numbers."""
        with self._guard:
            self._recent.append(bar)
            if self._history is not None:
                self._history.add([bar])
        return self.newest(rows=rows)

    def newest(self, *, rows: int) -> Vector | None:
        """The vector of the newest bar, made again. The lake is read for the first bar of a trading day alone."""
        while True:
            with self._guard:
                history, told = self._history, self._told
                if history is None:
                    return None
                if told is not None and told.day == history.day:
                    return self._vector(history, told, rows)
                day, ts = history.day, history.last
            if not self._heard(day, ts):
                return None

    def look(self, snapshot: int) -> bool:
        """Follows the lake; whether the newest vector is to be made again.

        NotReadyError and the like leave what there is: bars that it was made of have not changed.
        """
        known = self._snapshot
        if known is None or not self._lake.unchanged(BASE, known, snapshot):
            return self._begin_again(snapshot)
        before = self._told
        if self._history is None or not self._news_due(before, snapshot):
            return False
        with self._guard:
            day, ts = self._history.day, self._history.last
        self._heard(day, ts, snapshot)
        after = self._told
        return after is None or not after.says_the_same(before)

    def _begin_again(self, snapshot: int) -> bool:
        """Take the history from the lake, and the news that its newest bar knows."""
        try:
            history = History.load(self._lake, self.feed, snapshot=snapshot, rest_follows=self._rest_follows)
        except READ_ERRORS as error:
            if self._history is None:
                self.missing = str(error)
            return False
        stored = history.last
        with self._guard:
            history.add(self._recent)
        news = self._hear(history.day, history.last, snapshot)
        with self._guard:
            self._recent = [bar for bar in self._recent if bar.ts > stored]
            history.add(self._recent)  # one may have come meanwhile
            self._history, self._snapshot = history, snapshot
            self._keep(news)
        return True

    def _news_due(self, told: _News | None, snapshot: int) -> bool:
        if told is None:
            return True
        if self.feed.live and self._now() - told.at > HEARD_AGAIN:
            return True
        return told.snapshot != snapshot and not self._lake.unchanged((NEWS_FILES, NEWS, NEWS_SENTIMENT), told.snapshot, snapshot)

    def _heard(self, day: date, ts: datetime, snapshot: int | None = None) -> bool:
        """Whether the news of a day could be looked at; `missing` says why not."""
        news = self._hear(day, ts, snapshot)
        with self._guard:
            self._keep(news)
        return isinstance(news, _News)

    def _keep(self, news: "_News | str") -> None:
        if isinstance(news, _News):
            self._told, self.missing = news, None
        else:
            self._told, self.missing = None, news

    def _hear(self, day: date, ts: datetime, snapshot: int | None) -> "_News | str":
        """Read the articles that bars of a day know, and judge whether all that were landed are scored; in words why not.

        Judged to the day's end, so that it holds for each of its bars.
        """
        live = self._now() if self.feed.live else None
        name = self.feed.instrument
        with self._hearing:
            try:
                at = self._lake.snapshot() if snapshot is None else snapshot
                articles = self._news.before(self._lake, name, day, snapshot=at)
                judged = (
                    readiness.news(self._lake, instrument=name, ts=until, snapshot=at, now=live)
                    for until in (ts, calendar.day_window(day)[1])
                )
                return _News(day, at, self._now(), articles, next(filter(None, judged), None))
            except READ_ERRORS as error:
                return f"its news cannot be read: {error}"

    def _vector(self, history: History, told: _News, rows: int) -> Vector:
        made = history.vector(told.articles, rows=rows)
        clock = self._now() if self.feed.live else made.ts + calendar.ONE_MINUTE
        name, binding = self.feed.instrument, self.feed.binding
        return Vector(name, made.ts, history.close, made.recent, made.stamps, clock, told.behind, binding)
