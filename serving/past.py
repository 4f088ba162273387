"""Forecasts of a time in the past: what was known then, by a model that had been trained before.

Belongs here: which version answers for a time, the state of the feed then, the level of the interval. Does not: rows known by a
time (`spx_assets.features.as_of`), the fields of an answer (`forecasts`).

Everything here reads the lake or the artifact store and runs on a background thread.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl

from serving.freshness import Freshness
from serving.problems import BadRequest, FutureTimestamp, LakeUnavailable, Problem, StaleNews, WarmingUp
from serving.served import ServedModel
from serving.vectors import READ_ERRORS, Vector, VectorStore
from serving.versions import Versions
from spx_assets import calendar
from spx_assets.calendar import ONE_MINUTE
from spx_assets.features import as_of, readiness
from spx_assets.features.online import NoBarsError
from spx_assets.features.readiness import NotReadyError
from spx_assets.lake import Lake, known
from spx_assets.lake.errors import LakeMissingError
from spx_assets.lake.tables import CANDLES, PROMOTIONS, VERSIONS
from spx_assets.scoring import levels
from spx_assets.scoring.walk_forward import History
from spx_assets.settings import Settings
from spx_assets.sources import feeds, live
from spx_assets.sources.bindings import Feed
from spx_assets.sources.heard import heard as heard_then

MOVES = ("model_name", "moves_current", "effective_at", "decided_at", "served")
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Before any candle, and far enough from the first date there is for a look-back of a year."""


class Past:
    """Models and vectors as of a time."""

    def __init__(
        self,
        settings: Settings,
        now: Callable[[], datetime],
        versions: Versions,
        freshness: Freshness,
        vectors: VectorStore,
    ) -> None:
        self._settings, self._now = settings, now
        self._versions, self._freshness, self._vectors = versions, freshness, vectors

    def instant(self, at: datetime) -> datetime:
        """The time in UTC; `FutureTimestamp` if it has not come, `BadRequest` if it is before all markets."""
        try:
            utc = at.astimezone(UTC)
        except OverflowError:
            raise BadRequest(f"timestamp {at} is not a time of this calendar") from None
        if utc > self._now():
            raise FutureTimestamp(f"timestamp {utc:%Y-%m-%dT%H:%M:%SZ} has not come yet; leave it out for a forecast from now")
        if utc < EARLIEST:
            raise BadRequest(f"timestamp {utc.isoformat()} is before {EARLIEST:%Y}; there are no bars of then")
        return utc

    def model(self, name: str, version: str | None, at: datetime) -> ServedModel:
        """The version named, else the one that answers for the time; `UnknownVersion` or `NoModelAt`."""
        if version is not None:
            return self._versions.get(name, version)
        found = self._versions.get(name, self._versions.at(name, at, served_then=self._served(name, at)))
        return replace(found, alias="walk_forward")

    def vector(self, instrument: str, at: datetime, *, rows: int, news: bool) -> tuple[Vector, float]:
        """The vector known at the time, and its age then in seconds; a `Problem` as it would have been said then."""
        try:
            lake = Lake.open(self._settings, read_only=True)
            snapshot = lake.snapshot()
            feed = feeds.feeds(lake, snapshot=snapshot).get(instrument)
            if feed is None:
                raise WarmingUp(f"{instrument} has no feed; import candles with `spx import candles`")
            if at > feed.end and not feed.live:
                raise FutureTimestamp(
                    f"timestamp {at:%Y-%m-%dT%H:%M:%SZ} is later than the clock of {instrument}, which stands at "
                    f"{feed.end:%Y-%m-%dT%H:%M:%SZ} until newer bars are imported"
                )
            # A standing feed never closes where it stands: what is asked for then is what is answered without a timestamp.
            standing = not feed.live and at == feed.end
            if not standing:
                self._freshness.require_open(instrument, at)

            def streamed(last: datetime | None) -> pl.DataFrame:
                after = None if last is None else last + ONE_MINUTE
                return live.candles(feed, live.uncovered(feed, live.rows(lake, feed, start=after, end=at, snapshot=snapshot)))

            heard = heard_then(lake, feed, snapshot=snapshot)
            found = as_of.vector(lake, instrument=instrument, at=at, rows=rows, snapshot=snapshot, streamed=streamed, heard=heard)
            made = found.vector
            newest = self._vectors.vectors.get(instrument)
            if newest is not None and _waits(feed, newest.ts, found.last, at):
                raise WarmingUp(
                    f"the bar of {instrument} at {newest.ts:%Y-%m-%dT%H:%MZ} was streamed and is not in the lake yet; ask again "
                    f"in {self._settings.stream.flush_s:g} s"
                )
            age = (at - made.ts - ONE_MINUTE).total_seconds()
            if not standing:
                self._freshness.require_young(instrument, age)
            if not feed.live:
                _require_its_rows(lake, feed, found.stored, at=at, snapshot=snapshot)
            weeks = feeds.weeks_with_rows(lake, instrument=instrument)
            readiness.require(lake, instrument=instrument, ts=found.stored, weeks=weeks, snapshot=snapshot)
            behind = readiness.news(lake, instrument=instrument, ts=made.ts, snapshot=snapshot)
        except (NoBarsError, NotReadyError) as error:
            raise WarmingUp(str(error)) from error
        except Problem:
            raise
        except READ_ERRORS as error:
            raise LakeUnavailable(error) from error
        if news and behind:
            raise StaleNews(behind)
        return Vector(instrument, made.ts, found.close, made.recent, made.stamps, at, behind), age

    def level(self, model: ServedModel, instrument: str, ts: datetime) -> float | None:
        """The level of the interval of a bar, of labels that had ended before its trading day; None for the nominal one."""
        version = model.manifest.version
        try:
            return levels.at(levels.read(Lake.open(self._settings, read_only=True), [version]), version, instrument, ts)
        except LakeMissingError:
            return None  # nothing was ever forecast from it
        except READ_ERRORS as error:
            raise LakeUnavailable(error) from error

    def _served(self, name: str, at: datetime) -> str | None:
        """The version that was served at the time by the feed's clock; None before the first, or where nothing tells."""
        try:
            lake = Lake.open(self._settings, read_only=True)
            promotions = lake.read(PROMOTIONS, columns=MOVES)
        except READ_ERRORS as error:
            raise LakeUnavailable(error) from error
        history = History(versions=VERSIONS.empty(), promotions=promotions)
        found: str | None = history.champion_at(name, pl.Series([at], dtype=pl.Datetime("us", "UTC")))[0]
        return found


def _waits(feed: Feed, newest: datetime, last: datetime, at: datetime) -> bool:
    """Whether bars that had ended by `at` may be in the stream's journal alone. `last` is the last of then that the lake has.

    Bars are stored in their order: where the newest is in the lake, or a later one than `at`, all up to `at` are.
    """
    ended = at - ONE_MINUTE
    reach = feed.streamed[1] if feed.streamed else feed.end
    return last < newest <= ended or (newest >= feed.end and ended >= reach)


def _require_its_rows(lake: Lake, feed: Feed, last: datetime, *, at: datetime, snapshot: int) -> None:
    """What the newest vector of a standing feed asks for too: NotReadyError if the candles that the bar at `last` looks back on
    are of a market that was replaced, or the feed has rows up to `at` that bronze/candles lack.
    """
    name, end = feed.instrument, last + ONE_MINUTE
    anchor = calendar.anchor(calendar.trading_day(last), lake.settings.lookback_days)
    bars = lake.read(CANDLES, start=anchor, end=end, columns=["ts", "source"], instruments=[name], snapshot=snapshot)
    # A quiet minute before candles that are there lacks nothing, however the feed went on in their week.
    later = known.last(lake, CANDLES, instrument=name, start=end, end=max(end, feed.own_end), at=at, snapshot=snapshot).of_all
    if bars.height:
        until = end if later is not None else min(feed.own_end, at)
        readiness.require_its_rows(lake, feed, bars, until=until, snapshot=snapshot)
