"""Labels of whole weeks: the asset body of gold/labels.

Belongs here: reading candles a chunk of weeks at a time and labelling each instrument, what of a week its feed's clock decides.
Does not: the label rule.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import polars as pl

from spx_assets import calendar
from spx_assets.labels.forward import forward_returns
from spx_assets.lake import Lake
from spx_assets.lake.tables import LABELS
from spx_assets.lake.windows import Chunk, Chunks, Window

COLUMNS = ("instrument", "ts", "trading_day", "open", "close")


def by_week(candles: Window, *, clocks: Mapping[str, datetime]) -> Chunks:
    """Labels of the weeks of `candles` at every horizon of the settings.

    No label straddles a week, because none straddles a trading day: each chunk needs its own weeks only. `clocks` holds the
    clock of each feed; an instrument without one has ended.
    """
    return Chunks(_chunks(candles, clocks))


def fingerprints(lake: Lake, weeks: Sequence[date], clocks: Mapping[str, datetime], *, snapshot: int) -> dict[date, str]:
    """What of the weeks' labels the clocks decide: nothing but while a label may still end beside its feed's last bar.

    Up to the tolerance after that bar a label's exit is there and its life has not ended: as the clock goes on, it is known.
    """
    reach, marks = timedelta(minutes=lake.settings.labels.tolerance_min), dict[date, list[str]]()
    for name, clock in sorted(clocks.items()):
        minute = clock.astimezone(UTC).replace(second=0, microsecond=0)
        week = calendar.week_of(minute)
        if week not in weeks:
            continue
        bars = lake.read(
            "bronze.candles", start=minute - reach, end=minute, columns=["ts"], instruments=[name], snapshot=snapshot
        )
        if bars.height and minute < calendar.day_window(calendar.trading_day(bars["ts"][-1]))[1]:
            marks.setdefault(week, []).append(f"{name} to {minute:%Y-%m-%dT%H:%MZ}")
    return {week: ", ".join(told) for week, told in marks.items()}


def _chunks(candles: Window, clocks: Mapping[str, datetime]) -> Iterator[Chunk]:
    rules = candles.lake.settings.labels
    for weeks in candles.chunks():
        frames = [
            forward_returns(
                bars, horizons=rules.horizons, tolerance_min=rules.tolerance_min, clock=clocks.get(str(bars["instrument"][0]))
            )
            for bars in _bars(candles, weeks).partition_by("instrument", maintain_order=True)
        ]
        told = fingerprints(candles.lake, weeks, clocks, snapshot=candles.snapshot)
        yield Chunk(weeks, pl.concat([LABELS.empty(), *frames]), fingerprints=told)


def _bars(candles: Window, weeks: tuple[date, ...]) -> pl.DataFrame:
    """Candles of `weeks` alone, in one read, whatever lies between them."""
    first, last = min(weeks), max(weeks)
    bars = candles.read(calendar.week_window(first)[0], calendar.week_window(last)[1], columns=COLUMNS)
    if len(weeks) == len(calendar.week_range(first, last)):
        return bars
    return bars.filter(calendar.week_expr(pl.col("trading_day")).is_in(weeks))
