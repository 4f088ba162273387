"""The panel of candles: the last day's bars and the forecasts that were answered from them.

Belongs here: bars of the lake, of the stream's rows there and of this process, each minute once. Does not: the newest forecast
(`signal`), outcomes (`record`).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import polars as pl

from serving.dashboard.contracts import Candles, Forecasts, Market
from serving.ledger import ids
from serving.problems import LakeUnavailable
from serving.stream.contracts import BarEvent
from serving.vectors import READ_ERRORS
from spx_assets.lake import Lake
from spx_assets.lake.serving_tables import PREDICTIONS
from spx_assets.lake.tables import CANDLES
from spx_assets.settings import Settings
from spx_assets.sources import feeds, live
from spx_assets.sources.bindings import Feed

SPAN = timedelta(hours=24)
BARS = ("ts", "open", "high", "low", "close")
MOST_FORECASTS = 1_500
"""A day has 1,380 bars; another model may have been promoted within it."""
_ANSWERED = """SELECT ts, arg_max(predicted_price, id) AS price, arg_max(expected_return_bp, id) AS expected,
        arg_max(interval_low_bp, id) AS low, arg_max(interval_high_bp, id) AS high
    FROM serving.predictions
    WHERE id >= $first AND instrument = $instrument AND horizon_minutes = $horizon AND ts >= $start
      AND features_source = 'online' AND alias NOT IN ('version', 'walk_forward') AND predicted_price IS NOT NULL
    GROUP BY ts ORDER BY ts DESC LIMIT $most"""


def of(settings: Settings, instrument: str, horizon: int, *, now: datetime, heard: Iterable[BarEvent]) -> Market:
    """The last 24 hours before the newest bar. `heard` are bars of the stream that the lake may not have yet."""
    try:
        lake = Lake.open(settings, read_only=True)
        snapshot = lake.snapshot()
        feed = feeds.feeds(lake, snapshot=snapshot).get(instrument)
        if feed is None:
            return _nothing(instrument, horizon, now)
        clock = now if feed.live else feed.end
        bars = _bars(lake, feed, clock, heard, snapshot)
        return Market(
            instrument=instrument,
            horizon_minutes=horizon,
            provider=feed.provider,
            live=feed.live,
            clock=clock,
            candles=Candles(ts=_millis(bars["ts"]), **{name: bars[name].to_list() for name in BARS[1:]}),
            forecasts=_forecasts(lake, instrument, horizon, bars["ts"], snapshot),
        )
    except READ_ERRORS as error:
        raise LakeUnavailable(error) from error


def _bars(lake: Lake, feed: Feed, clock: datetime, heard: Iterable[BarEvent], snapshot: int) -> pl.DataFrame:
    own = [feed.instrument]
    # A market that has been closed: as far back as a long weekend.
    for back in (SPAN, timedelta(days=5)):
        stored = lake.read(CANDLES, start=clock - back, end=clock, columns=BARS, instruments=own, snapshot=snapshot)
        rows = live.rows(lake, feed, start=clock - back, end=clock, snapshot=snapshot)
        streamed = live.uncovered(feed, rows).select(BARS)
        found = pl.concat([streamed, stored])
        if found.height:
            break
    new = [{name: getattr(bar, name) for name in ("open", "high", "low", "close")} | {"ts": bar.timestamp} for bar in heard]
    if new:
        found = pl.concat([found, pl.DataFrame(new, schema={name: found.schema[name] for name in BARS})])
    bars = found.unique("ts", keep="last", maintain_order=True).sort("ts")
    return bars.filter(pl.col("ts") > pl.col("ts").max() - SPAN)


def _forecasts(lake: Lake, instrument: str, horizon: int, bars: pl.Series, snapshot: int) -> Forecasts:
    if bars.is_empty() or not lake.listing(PREDICTIONS, snapshot).exists:
        return Forecasts(ts=[], price=[], low=[], high=[])
    start = bars[0]
    asked = {"instrument": instrument, "horizon": horizon, "start": start, "first": ids.earliest(start), "most": MOST_FORECASTS}
    found = lake.sql(_ANSWERED, asked).sort("ts")
    close = found["price"] / (1 + found["expected"] / 1e4)
    return Forecasts(
        ts=_millis(found["ts"]),
        price=found["price"].to_list(),
        low=(close * (1 + found["low"] / 1e4)).to_list(),
        high=(close * (1 + found["high"] / 1e4)).to_list(),
    )


def _nothing(instrument: str, horizon: int, now: datetime) -> Market:
    none: list[float] = []
    return Market(
        instrument=instrument,
        horizon_minutes=horizon,
        provider=None,
        live=False,
        clock=now,
        candles=Candles(ts=[], open=none, high=none, low=none, close=none),
        forecasts=Forecasts(ts=[], price=none, low=none, high=none),
    )


def _millis(ts: pl.Series) -> list[int]:
    return ts.dt.epoch("ms").to_list()
