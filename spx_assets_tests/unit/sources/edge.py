"""How well one simple pressure average forecasts the simulated market: the yardstick of its planted edge."""

import polars as pl

from spx_assets import calendar


def correlation(rows: pl.DataFrame, *, minutes: int = 30, bars: int = 20) -> float:
    """Correlation of the mean buy pressure of `bars` bars with the return of the next `minutes`, scaled by current volatility."""
    span = pl.col("high") - pl.col("low")
    pressure = pl.when(span > 0).then((pl.col("close") - pl.col("low")) / span).otherwise(0.5)
    day = calendar.trading_day_expr(pl.col("ts")).alias("day")
    frame = rows.with_columns(day, pressure.alias("p")).with_columns(
        pl.col("p").rolling_mean(bars).over("day").alias("signal"),
        (pl.col("close").shift(-minutes).over("day") / pl.col("open").shift(-1).over("day") - 1).alias("y"),
        pl.col("close").log().diff().rolling_std(60).over("day").alias("sigma"),
    )
    return float(frame.drop_nulls().select(pl.corr("signal", pl.col("y") / pl.col("sigma"))).item())
