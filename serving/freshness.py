"""Whether there is something to forecast from: is the market open, is the last bar young enough, can the lake be read.

Belongs here: the 503s of feed and lake, by the feed's clock now or at a time in the past. Does not: models, inputs that a model
lacks (`forecasts`), news (`vectors`).
"""

from collections.abc import Callable
from datetime import UTC, date, datetime

from serving.problems import LakeUnavailable, MarketClosed, StaleFeatures, WarmingUp
from serving.refresh import FAILURES, Refresh
from serving.vectors import Vector, VectorStore
from spx_assets import calendar
from spx_assets.settings import Settings

NEVER = datetime.min.replace(tzinfo=UTC)


class Freshness:
    """Judges the newest vectors; each method gives what may be used or raises the `Problem` that stands against it."""

    def __init__(self, settings: Settings, now: Callable[[], datetime], vectors: VectorStore, refresh: Refresh) -> None:
        self._now, self._vectors, self._refresh = now, vectors, refresh
        self._limit_s = settings.serving.max_bar_age_s
        self._holidays = frozenset(settings.calendar.holidays)
        self._open = NEVER, NEVER
        """From when until when the market is known to be open: a trading day has no pause, and the calendar takes 20 us."""

    def vector(self, instrument: str) -> Vector:
        """The newest vector while the market is open; a standing feed never closes."""
        store = self._vectors
        live = store.live.get(instrument)
        if live:
            self.require_open(instrument, self._now())
        vector = store.vectors.get(instrument)
        if self._refresh.defects >= FAILURES:
            raise StaleFeatures(
                f"models and features could not be refreshed {self._refresh.defects} times in a row, so whether {instrument} has "
                "a newer bar is not known; /health has the reason, the log of the service the traceback"
            )
        if store.unreadable and (vector is None or (store.failures >= FAILURES and not store.streamed(vector))):
            raise LakeUnavailable(store.unreadable)
        if vector:
            return vector
        if instrument in store.failed:
            raise WarmingUp(store.failed[instrument])
        bound = f"{instrument} has no bars in the lake yet; run `spx backfill gold/market_features`"
        raise WarmingUp(bound if live is not None else f"{instrument} has no feed; import candles with `spx import candles`")

    def require_open(self, instrument: str, at: datetime) -> None:
        """Weekends and the holidays of the settings. The calendar knows no daily break of an instrument (indices pause from
        16:15 or 17:00 New York): in one, a live feed answers `stale_features` once its last bar is too old.
        """
        since, until = self._open
        if since <= at < until:
            return
        opens = next_session(at, self._holidays)
        if opens > at:
            raise MarketClosed(f"{instrument} trades again from {opens:%Y-%m-%dT%H:%MZ}", next_open=opens)
        self._open = at, calendar.day_window(calendar.trading_day(at))[1]

    def age_s(self, vector: Vector) -> float:
        """Age of the last bar by the feed's clock, which on a standing feed is one minute after its last row."""
        live = self._vectors.live.get(vector.instrument)
        age = vector.age(self._now() if live else vector.clock).total_seconds()
        if live:
            self.require_young(vector.instrument, age)
        return max(age, 0.0)

    def require_young(self, instrument: str, age_s: float) -> None:
        """StaleFeatures if the last bar ended too long ago."""
        if age_s > self._limit_s:
            raise StaleFeatures(
                f"the last bar of {instrument} ended {age_s:.0f} s ago, SPX_SERVING__MAX_BAR_AGE_S is {self._limit_s}; "
                "see whether its feed delivers and bronze/candles is materialised, or whether its market pauses within the day "
                "(a daily break is not in the calendar)"
            )


def next_session(at: datetime, holidays: frozenset[date]) -> datetime:
    """The first instant at or after `at` in a trading day that is no holiday of the settings."""
    opens = calendar.next_open(at)
    while (day := calendar.trading_day(opens)) in holidays:
        opens = calendar.next_open(calendar.day_window(day)[1])
    return opens
