"""Bars for the feature tests: made by hand, made at random, and real ones.

Belongs here: histories and a lake of frames in memory. Does not: assertions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import spx_assets_tests
from spx_assets import calendar
from spx_assets.features.bars import Bars, DailyBars
from spx_assets.lake.tables import Table, table
from spx_assets.lake.windows import Window
from spx_assets.settings import Settings

DATA = Path(spx_assets_tests.__file__).parents[2] / "shared" / "data" / "candles"
MINUTE_US = 60_000_000


def bars(close: Sequence[float], *, start: datetime = datetime(2019, 5, 1, 21, tzinfo=UTC), volume: float = 100.0) -> Bars:
    """One bar a minute that opens at the close before and has no wicks."""
    c = np.array(close, dtype=np.float64)
    o = np.concatenate((c[:1], c[:-1]))
    ts = round(start.timestamp()) * 1_000_000 + MINUTE_US * np.arange(len(c))
    return Bars(ts, o, np.maximum(o, c), np.minimum(o, c), c, np.full(len(c), volume), np.full(len(c), np.nan))


def walk(
    rows: int,
    *,
    seed: int = 0,
    price: float = 2700.0,
    gaps: float = 0.0,
    start: datetime = datetime(2019, 5, 1, 21, tzinfo=UTC),
    volume: bool = True,
    known_spread: float = 0.9,
) -> Bars:
    """A random walk with wicks, changing volatility, volume, and a spread that is null on some bars.

    `start` is the beginning of a trading day (17:00 New York, Wednesday 2019-05-01: Thursday's).
    """
    rng = np.random.default_rng(seed)
    sigma = 2e-4 * np.exp(0.5 * np.sin(np.arange(rows) / 97.0))
    close = price * np.exp(np.cumsum(rng.standard_t(4, rows) * sigma))
    open_ = np.concatenate(([price], close[:-1])) * (1.0 + 2e-5 * rng.standard_normal(rows))
    high = np.maximum(open_, close) * (1.0 + np.abs(rng.normal(0, 1e-4, rows)))
    low = np.minimum(open_, close) * (1.0 - np.abs(rng.normal(0, 1e-4, rows)))
    traded = np.round(rng.lognormal(5, 1, rows)) if volume else np.zeros(rows)
    spread = np.where(rng.random(rows) < known_spread, 0.4 + 0.1 * rng.random(rows), np.nan)
    ts = round(start.timestamp()) * 1_000_000 + MINUTE_US * np.arange(rows)
    kept = rng.random(rows) >= gaps
    kept[0] = True
    prices = (open_[kept], high[kept], low[kept], close[kept])
    return Bars(ts[kept].astype(np.int64), *prices, traded[kept], spread[kept])


def days(count: int = 260, *, before: date = date(2019, 5, 2), seed: int = 1) -> DailyBars:
    """A random walk of trading days that ends on the last one before `before`."""
    rng = np.random.default_rng(seed)
    close = 2500.0 * np.exp(np.cumsum(0.008 * rng.standard_normal(count)))
    dates = [calendar.shift_trading_days(before, i - count) for i in range(count)]
    number = np.array([(d - date(1970, 1, 1)).days for d in dates])
    return DailyBars(number, close * 1.004, close * 0.995, close)


@cache
def real(name: str) -> pl.DataFrame:
    """A real file as rows of bronze.candles; skips where the data folder is absent."""
    path = DATA / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"real candles are absent: {path}")
    raw = pl.read_parquet(path).with_columns(pl.col("ts").dt.cast_time_unit("us").dt.convert_time_zone("UTC"))
    nothing = pl.lit(None, dtype=pl.Float64)
    if "bid_c" in raw.columns:
        mid = {n: (pl.col(f"bid_{n[0]}") + pl.col(f"ask_{n[0]}")) / 2 for n in ("open", "high", "low", "close")}
        spread = pl.col("ask_c") - pl.col("bid_c")
        raw = raw.with_columns(**mid, spread=spread, bid_close="bid_c", ask_close="ask_c", volume=pl.lit(0.0)).filter(
            (pl.col("spread") >= 0) & (pl.col("high") >= pl.max_horizontal("open", "close", "low"))
        )
    else:
        raw = raw.with_columns(spread=nothing, bid_close=nothing, ask_close=nothing)
    frame = raw.with_columns(
        calendar.trading_day_expr(pl.col("ts")).alias("trading_day"),
        pl.col("volume").cast(pl.Float64),
        source=pl.lit(name),
        known_at=pl.col("ts") + timedelta(minutes=1),
    ).filter(pl.col("trading_day").dt.weekday() < 6)
    candles = table("bronze.candles").schema()
    return frame.select(candles.keys()).cast(dict(candles)).unique(["instrument", "ts"]).sort("instrument", "ts")  # type: ignore[arg-type]


@dataclass(frozen=True)
class FrameLake:
    """Reads tables that are frames in memory, as the lake reads its own."""

    tables: Mapping[str, pl.DataFrame]
    settings: Settings = field(default_factory=Settings)

    def snapshot(self) -> int:
        return 0

    def read(
        self,
        name: str | Table,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        columns: Sequence[str] | None = None,
        instruments: Sequence[str] | None = None,
        snapshot: int | None = None,
    ) -> pl.DataFrame:
        contract = name if isinstance(name, Table) else table(name)
        rows = self.tables.get(contract.name, contract.empty())
        for bound, keep in ((start, pl.col(contract.time or "").ge), (end, pl.col(contract.time or "").lt)):
            if bound is not None:
                rows = rows.filter(keep(bound))
        if instruments is not None:
            rows = rows.filter(pl.col("instrument").is_in(list(instruments)))
        return rows.sort(contract.key).select(columns or list(contract.schema()))

    def window(self, name: str, weeks: Sequence[date], *, weeks_before: int = 0) -> Window:
        """The window a partition mapping with that look-back gives."""
        start = calendar.week_window(min(weeks) - timedelta(days=7 * weeks_before))[0]
        end = calendar.week_window(max(weeks))[1]
        return Window(self, table(name), start, end, tuple(weeks), 0)  # type: ignore[arg-type]
