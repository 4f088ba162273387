"""Labels of whole weeks: the asset body of gold/labels.

Belongs here: reading candles a chunk of weeks at a time and labelling each instrument. Does not: the label rule.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime

import polars as pl

from spx_assets import calendar
from spx_assets.labels.forward import forward_returns
from spx_assets.lake.tables import LABELS
from spx_assets.lake.windows import Chunk, Chunks, Window

COLUMNS = ("instrument", "ts", "trading_day", "open", "close")


def by_week(candles: Window, *, clocks: Mapping[str, datetime]) -> Chunks:
    """Labels of the weeks of `candles` at every horizon of the settings.

    No label straddles a week, because none straddles a trading day: each chunk needs its own weeks only. `clocks` holds the
    clock of each feed; an instrument without one has ended.
    """
    return Chunks(_chunks(candles, clocks))


def _chunks(candles: Window, clocks: Mapping[str, datetime]) -> Iterator[Chunk]:
    rules = candles.lake.settings.labels
    for weeks in candles.chunks():
        frames = [
            forward_returns(
                bars, horizons=rules.horizons, tolerance_min=rules.tolerance_min, clock=clocks.get(str(bars["instrument"][0]))
            )
            for bars in _bars(candles, weeks).partition_by("instrument", maintain_order=True)
        ]
        yield Chunk(weeks, pl.concat([LABELS.empty(), *frames]))


def _bars(candles: Window, weeks: tuple[date, ...]) -> pl.DataFrame:
    """Candles of `weeks` alone, in one read, whatever lies between them."""
    first, last = min(weeks), max(weeks)
    bars = candles.read(calendar.week_window(first)[0], calendar.week_window(last)[1], columns=COLUMNS)
    if len(weeks) == len(calendar.week_range(first, last)):
        return bars
    return bars.filter(calendar.week_expr(pl.col("trading_day")).is_in(weeks))
