"""Which rows are candles: every rule with its reason, and the split into candles and quarantine.

Belongs here: judging rows. Does not: parsing cells (`files`), writing tables (`feeds`).

The rules, in this order, the first that a row breaks is its reason (`files` has two before them: too_many_cells, a row with
more than the header has columns, so that which is which is unknown, and no_instrument, one that names none in a file of several):

=================== =============================================================================================
unreadable_time     the stamp is missing, malformed, or no time of its zone
not_a_number        open, high, low, close or volume is missing, unreadable, NaN or infinite
non_positive_price  a price, bid or ask at or below zero
negative_volume     a volume below zero
high_below_low      high < low, or open or close outside [low, high]
negative_spread     ask < bid at the close of the minute
market_closed       from Friday 17:00 to Sunday 17:00 New York
in_the_future       the minute was not over when the file was imported
duplicate_minute    an earlier row of the same file is a candle of the same minute
out_of_order        outside the longest run of rows with rising stamps: one wild stamp costs one row, not all after it
=================== =============================================================================================
"""

from bisect import bisect_left
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from spx_assets import calendar
from spx_assets.sources.rows import ROWS, conform

PRICES = ("open", "high", "low", "close")


def judge(rows: pl.DataFrame, *, now: datetime) -> pl.DataFrame:
    """`rows` (`rows.ROWS`, file order) with a `reason`: null for candles."""
    rows = conform(rows, ROWS)
    judged = rows.with_columns(reason=_row_reason(now))
    good = judged.filter(pl.col("reason").is_null())
    ts = good["ts"].dt.timestamp("us").to_numpy()
    late = _not_first(ts)
    if late.any() or (len(ts) > 1 and bool((np.diff(ts) < 0).any())):
        reasons = np.where(late, "duplicate_minute", "")
        rest = np.flatnonzero(~late)
        reasons[rest[~_rising(ts[rest])]] = "out_of_order"
        found = pl.DataFrame({"line": good["line"], "again": pl.Series(reasons.astype(str)).replace("", None)})
        judged = judged.join(found, on="line", how="left", maintain_order="left")
        judged = judged.with_columns(pl.coalesce("reason", "again").alias("reason")).drop("again")
    return judged


def _row_reason(now: datetime) -> pl.Expr:
    """What is wrong with a row taken alone."""
    priced = [*PRICES, "bid_close", "ask_close"]
    numbers = [*PRICES, "volume"]
    weekday = calendar.trading_day_expr(pl.col("ts")).dt.weekday()
    rules = (
        ("unreadable_time", pl.col("ts").is_null()),
        ("not_a_number", pl.any_horizontal(*((~pl.col(c).is_finite()).fill_null(True) for c in numbers))),
        (
            "not_a_number",
            pl.any_horizontal(*((~pl.col(c).is_finite()).fill_null(False) for c in ("bid_close", "ask_close", "spread"))),
        ),
        ("non_positive_price", pl.any_horizontal(*((pl.col(c) <= 0).fill_null(False) for c in priced))),
        ("negative_volume", pl.col("volume") < 0),
        (
            "high_below_low",
            (pl.max_horizontal("open", "close", "low") > pl.col("high")) | (pl.min_horizontal("open", "close") < pl.col("low")),
        ),
        ("negative_spread", ((pl.col("ask_close") < pl.col("bid_close")) | (pl.col("spread") < 0)).fill_null(False)),
        ("market_closed", weekday > 5),
        ("in_the_future", pl.col("ts") + pl.duration(minutes=1) > now),
    )
    reason = pl.lit(None, dtype=pl.String)
    for name, broken in reversed(rules):
        reason = pl.when(broken).then(pl.lit(name)).otherwise(reason)
    return reason


def _not_first(ts: NDArray[np.int64]) -> NDArray[np.bool_]:
    late = np.ones(len(ts), dtype=np.bool_)
    late[np.unique(ts, return_index=True)[1]] = False
    return late


def _rising(ts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Members of one longest strictly rising subsequence (patience sorting)."""
    if len(ts) < 2 or bool((np.diff(ts) > 0).all()):
        return np.ones(len(ts), dtype=np.bool_)
    tails: list[int] = []
    at: list[int] = []
    before = np.full(len(ts), -1)
    for i, value in enumerate(ts.tolist()):
        k = bisect_left(tails, value)
        before[i] = at[k - 1] if k else -1
        if k == len(tails):
            tails.append(value)
            at.append(i)
        else:
            tails[k], at[k] = value, i
    kept = np.zeros(len(ts), dtype=np.bool_)
    i = at[-1]
    while i >= 0:
        kept[i] = True
        i = int(before[i])
    return kept


def place(judged: pl.DataFrame) -> pl.DataFrame:
    """Give every refused row a stamp inside the weeks of the candles, so that some week shows it.

    A row without a usable stamp stands at the candle before it in the file (the first candle, if there is none).
    """
    candle = pl.when(pl.col("reason").is_null()).then("ts")
    good = judged.filter(pl.col("reason").is_null())["ts"]
    first, last = good.min(), good.max()
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    lo, hi = calendar.week_window(calendar.week_of(first))[0], calendar.week_window(calendar.week_of(last))[1]
    wild = (
        pl.col("ts").is_null()
        | pl.col("reason").is_in(["out_of_order", "in_the_future"])
        | ~pl.col("ts").is_between(lo, hi, closed="left")
    )
    stand_in = candle.forward_fill().fill_null(first)
    return judged.with_columns(ts=pl.when(pl.col("reason").is_not_null() & wild).then(stand_in).otherwise("ts"))


def split(judged: pl.DataFrame, *, instrument: str, source: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(candles, quarantine) of judged rows: the columns of bronze.candles and bronze.quarantine.

    A finished bar of an archive could be known one minute after its start.
    """
    good = pl.col("reason").is_null()
    candles = judged.filter(good).select(
        pl.lit(instrument).alias("instrument"),
        "ts",
        calendar.trading_day_expr(pl.col("ts")).alias("trading_day"),
        *PRICES,
        "bid_close",
        "ask_close",
        pl.coalesce("spread", pl.col("ask_close") - pl.col("bid_close")).alias("spread"),
        "volume",
        pl.lit(source).alias("source"),
        (pl.col("ts") + pl.duration(minutes=1)).alias("known_at"),
    )
    quarantine = judged.filter(~good).select(
        pl.lit(instrument).alias("instrument"),
        "ts",
        "line",
        "reason",
        pl.col("raw").fill_null(""),
        pl.lit(source).alias("source"),
    )
    return candles, quarantine
