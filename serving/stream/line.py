"""One streamed instrument: its history, the news its bars know, the vector of its newest bar.

Belongs here: keeping both up to date with the lake and with new bars, saying why there is no vector. Does not: threads, storing
bars (`keeper`), who gets the vector (`outlet`).
"""

import threading
from collections.abc import Callable
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


class Line:
    """One instrument. `take` and `newest` are for the thread of bars, `look` for another one that may wait for the lake."""

    def __init__(self, lake: Lake, feed: Feed, *, now: Callable[[], datetime], rest_follows: bool = False) -> None:
        self.feed = feed
        self._rest_follows = rest_follows
        self._lake, self._now = lake, now
        self._news = online.News()
        self._guard = threading.Lock()
        self._history: History | None = None
        self._snapshot: int | None = None
        self._heard: tuple[date, int, datetime] | None = None
        """For which trading day, at which snapshot and when the news were looked at."""
        self._articles: Articles | None = None
        self._behind: str | None = None
        self._recent: list[Bar] = []
        """Bars that the lake may not hold yet."""
        self.missing: str | None = "its history is not read yet"
        """Why there is no vector; None while there is one."""

    def take(self, bar: Bar, *, rows: int) -> Vector | None:
        """A new bar: its vector, if a batch row would have the same numbers."""
        with self._guard:
            self._recent.append(bar)
            if self._history is None:
                return None
            self._history.add([bar])
            return self._vector(rows)

    def newest(self, *, rows: int) -> Vector | None:
        """The vector of the newest bar, made again."""
        with self._guard:
            return None if self._history is None else self._vector(rows)

    def look(self, snapshot: int) -> bool:
        """Follows the lake; whether the newest vector is to be made again.

        NotReadyError and the like leave what there is: bars that it was made of have not changed.
        """
        known = self._snapshot
        if known is None or not self._lake.unchanged(BASE, known, snapshot):
            try:
                history = History.load(self._lake, self.feed, snapshot=snapshot, rest_follows=self._rest_follows)
            except READ_ERRORS as error:
                if self._history is None:
                    self.missing = str(error)
                return False
            with self._guard:
                self._recent = [bar for bar in self._recent if bar.ts > history.last]
                history.add(self._recent)
                self._history, self._snapshot = history, snapshot
                self._hear(snapshot)
            return True
        with self._guard:
            before = (self._articles, self._behind)
            if self._history is not None and self._news_due(snapshot):
                self._hear(snapshot)
            return before != (self._articles, self._behind)

    def _news_due(self, snapshot: int) -> bool:
        if self._heard is None:
            return True
        _, at, when = self._heard
        if self.feed.live and self._now() - when > HEARD_AGAIN:
            return True
        return at != snapshot and not self._lake.unchanged((NEWS_FILES, NEWS, NEWS_SENTIMENT), at, snapshot)

    def _hear(self, snapshot: int) -> None:
        """Read the articles that bars of the present day know, and judge whether all that were landed are scored.

        Judged to the day's end, so that it holds for each of its bars.
        """
        assert self._history is not None
        day, ts = self._history.day, self._history.last
        live = self._now() if self.feed.live else None
        name = self.feed.instrument
        try:
            self._articles = self._news.before(self._lake, name, day, snapshot=snapshot)
            self._behind = next(
                filter(
                    None,
                    (
                        readiness.news(self._lake, instrument=name, ts=at, snapshot=snapshot, now=live)
                        for at in (ts, calendar.day_window(day)[1])
                    ),
                ),
                None,
            )
        except READ_ERRORS as error:
            self._heard, self.missing = None, f"its news cannot be read: {error}"
            return
        self._heard, self.missing = (day, snapshot, self._now()), None

    def _vector(self, rows: int) -> Vector | None:
        history = self._history
        assert history is not None
        if self._heard is None or self._heard[0] != history.day:
            try:
                snapshot = self._lake.snapshot()
            except READ_ERRORS as error:
                self.missing = f"its news cannot be read: {error}"
                return None
            self._hear(snapshot)
        if self._heard is None or self._articles is None:
            return None
        made = history.vector(self._articles, rows=rows)
        clock = self._now() if self.feed.live else made.ts + calendar.ONE_MINUTE
        name, binding = self.feed.instrument, self.feed.binding
        return Vector(name, made.ts, history.close, made.recent, made.stamps, clock, self._behind, binding)
