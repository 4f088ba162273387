"""Silver: features of each bar, one table a family, and daily bars.

Belongs here: one asset a table. Does not: kernels, look-back arithmetic.
"""

import dagster as dg

from spx_assets.features import batch
from spx_assets.lake import Chunks, Window
from spx_assets.partitions import DAILY_BACK, ONE_WEEK_BACK

CANDLES = {"candles": dg.AssetIn(["bronze", "candles"], partition_mapping=ONE_WEEK_BACK)}


@dg.asset(key=["silver", "returns"], ins=CANDLES)
def returns(candles: Window) -> Chunks:
    """Past returns over 1 to 360 minutes and what they say of drift and reversal."""
    return batch.by_day(candles, family="returns")


@dg.asset(key=["silver", "technical"], ins=CANDLES)
def technical(candles: Window) -> Chunks:
    """Trend, momentum and oscillator indicators; level features for people, stationary forms for models."""
    return batch.by_day(candles, family="technical")


@dg.asset(key=["silver", "volatility"], ins=CANDLES)
def volatility(candles: Window) -> Chunks:
    """Range-based and close-to-close volatility per bar, its own volatility and its regime."""
    return batch.by_day(candles, family="volatility")


@dg.asset(key=["silver", "microstructure"], ins=CANDLES)
def microstructure(candles: Window) -> Chunks:
    """Spread, order-flow proxies, pressure, impact and volume activity."""
    return batch.by_day(candles, family="microstructure")


@dg.asset(key=["silver", "calendar"], ins=CANDLES)
def calendar(candles: Window) -> Chunks:
    """Time of day, day of week and session of each bar."""
    return batch.by_day(candles, family="calendar")


@dg.asset(key=["silver", "daily_bars"], ins={"candles": dg.AssetIn(["bronze", "candles"])})
def daily_bars(candles: Window) -> Chunks:
    """One bar an instrument and trading day."""
    return batch.daily_bars(candles)


@dg.asset(
    key=["silver", "timeframes"],
    ins={**CANDLES, "daily_bars": dg.AssetIn(["silver", "daily_bars"], partition_mapping=DAILY_BACK)},
)
def timeframes(candles: Window, daily_bars: Window) -> Chunks:
    """Indicators of 5-minute, 15-minute, hourly and daily bars, completed bars only."""
    return batch.timeframes(candles, daily_bars)
