"""May the vector of a bar be served: has the lake all that the batch row of that bar is made from, and as new.

Belongs here: judging the look-back of one bar by partition records. Does not: computing the vector (`online`), remaking weeks,
what a caller answers meanwhile.

The batch path cannot pass over a missing or stale week, because a plan makes it first. The online path reads what there is, so
without this check a bar after a hole in the candles, or beside old daily bars, would get other numbers than its batch row.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from spx_assets import SpxError, calendar
from spx_assets.calendar import ONE_MINUTE
from spx_assets.features import catalog
from spx_assets.features.batch import daily_frame
from spx_assets.features.definitions.news import LATEST_DAYS
from spx_assets.features.definitions.timeframes import DAILY_DAYS
from spx_assets.lake.news_tables import NEWS_FILES
from spx_assets.lake.records import newest
from spx_assets.lake.staleness import Input, Node, status
from spx_assets.news import code
from spx_assets.settings import Settings
from spx_assets.sources import feeds, news_feeds
from spx_assets.sources.bindings import Feed

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake

CANDLES = Node("bronze/candles", "bronze.candles", code_version="1")
"""The candles, as the asset graph records them."""
NEWS = "bronze.news"
SENTIMENT = "silver.news_sentiment"
_WORDING = ("article_id", "revision", "known_at", "duplicate_of")


class NotReadyError(SpxError):
    """The lake does not hold what the vector of a bar is made from; the message names what to run."""


def articles() -> Node:
    """The articles, as the asset graph records them."""
    return Node("bronze/news", NEWS, code_version=code.articles())


def daily_bars(settings: Settings) -> Node:
    """The daily bars, as the asset graph records them."""
    version = f"{catalog.code_version('daily_bars')}-{settings.lookback_days}"
    return Node("silver/daily_bars", "silver.daily_bars", (Input(CANDLES.asset, CANDLES.table),), version)


def require(lake: "Lake", *, instrument: str, ts: datetime, weeks: Collection[date], snapshot: int) -> None:
    """NotReadyError unless candles and daily bars are there for the whole look-back of the bar at `ts`, and fresh.

    `weeks` are those for which the instrument's feed has rows: what lies before its history is not missing. In the bar's own
    week only the days before its own count, so an open week whose last day is still growing is compared by its rows.
    """
    day = calendar.trading_day(ts)
    own = calendar.week_of_day(day)
    first = calendar.week_of_day(calendar.shift_trading_days(day, -DAILY_DAYS))
    window = sorted(week for week in weeks if first <= week <= own)
    made = newest(lake, CANDLES.table, CANDLES.asset, weeks=window, snapshot=snapshot)
    if unmade := [week for week in window if week not in made]:
        raise _missing(CANDLES.asset, "was never made", instrument, ts, unmade)
    state = status(lake, daily_bars(lake.settings), window, snapshot=snapshot)
    wrong = [week for week in window if state[week] != "fresh"]
    if wrong[-1:] == [own] and _days_stand(lake, instrument, own, day, snapshot):
        wrong.pop()
    if wrong:
        raise _missing("silver/daily_bars", "is missing or older than the candles", instrument, ts, wrong)


def require_its_rows(lake: "Lake", feed: Feed, bars: pl.DataFrame, *, until: datetime, snapshot: int) -> None:
    """NotReadyError if a standing feed was bound or imported anew and bronze/candles has not followed.

    `bars` are the last candles of its instrument, `until` is where its own rows end that are to be there. Where the candles are
    fresh and end before that, the last of the feed's rows were refused: there is no newer bar.
    """
    end, first = bars["ts"][-1] + ONE_MINUTE, None
    sources = {feed.source(file) for file in feed.files} or {feed.source()}
    foreign = bars.filter(~pl.col("source").is_in(sources | {feed.live_source}))
    if foreign.height:
        first = calendar.week_of(foreign["ts"][0])
    elif end < until:
        weeks = calendar.weeks_between(end, until)
        state = status(lake, CANDLES, weeks, feeds.fingerprints(lake, weeks), snapshot=snapshot)
        first = next((week for week in weeks if state[week] != "fresh"), None)
    if first is not None:
        raise NotReadyError(
            f"the feed of {feed.instrument} was bound or imported anew and has rows up to {until:%Y-%m-%dT%H:%MZ}, "
            f"bronze/candles hold older ones, up to {end:%Y-%m-%dT%H:%MZ}; run `spx backfill gold/market_features --from {first}`"
        )


def news(lake: "Lake", *, instrument: str, ts: datetime, snapshot: int, now: datetime | None = None) -> str | None:
    """Why the articles that the bar at `ts` looks back on are not all scored in the lake; None if they are.

    `now` is the wall clock of a live feed: articles that came since the last scores may wait for the next ones as long as a
    poll may.
    """
    if lake.read(NEWS_FILES, snapshot=snapshot).is_empty():
        return None
    start, end = ts - timedelta(days=LATEST_DAYS), ts + timedelta(microseconds=1)
    weeks = sorted(set(calendar.weeks_between(start, end)) & set(news_feeds.weeks_with_articles(lake)))
    heard = status(lake, articles(), weeks, news_feeds.fingerprints(lake, weeks, snapshot=snapshot), snapshot=snapshot)
    # By what they hold: made again from the same batches, the articles have a newer record and the same scores.
    told = lake.read(NEWS, start=start, end=end, columns=_WORDING, snapshot=snapshot)
    scored = lake.read(SENTIMENT, start=start, end=end, columns=_WORDING, instruments=[instrument], snapshot=snapshot)
    if all(state == "fresh" for state in heard.values()) and told.equals(scored):
        return None
    if now is not None:
        last = [record.committed_at for record in newest(lake, SENTIMENT, "silver/news_sentiment", snapshot=snapshot).values()]
        if last and now - max(last) <= timedelta(seconds=lake.settings.news.max_poll_age_s):
            return None
    return (
        f"articles that {instrument} at {ts:%Y-%m-%dT%H:%MZ} looks back on were landed and not scored since; run "
        f"`spx backfill silver/news_sentiment gold/news_signals --from {calendar.week_of(start)}`"
    )


def _days_stand(lake: "Lake", instrument: str, week: date, day: date, snapshot: int) -> bool:
    """Are the stored daily bars of `week` up to the day before `day` those that its candles give now."""
    start, end = calendar.week_window(week)[0], calendar.day_window(day)[0]
    columns = ["instrument", "ts", "trading_day", "open", "high", "low", "close", "volume"]
    candles = lake.read(CANDLES.table, start=start, end=end, columns=columns, instruments=[instrument], snapshot=snapshot)
    stored = lake.read("silver.daily_bars", start=start, end=end, instruments=[instrument], snapshot=snapshot)
    return daily_frame(candles).equals(stored)


def _missing(asset: str, what: str, instrument: str, ts: datetime, weeks: Sequence[date]) -> NotReadyError:
    return NotReadyError(
        f"{instrument} at {ts:%Y-%m-%dT%H:%MZ}: {asset} {what} for {len(weeks)} week(s) that the bar looks back on, the first "
        f"{weeks[0]}; run `spx backfill gold/market_features --from {weeks[0]}`"
    )
