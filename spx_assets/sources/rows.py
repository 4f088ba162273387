"""The frames between a provider and the lake: raw rows, and judged rows as they lie in the landing folder.

Belongs here: names and types. Does not: what a row must satisfy (`quality`) or where it came from.
"""

import polars as pl

UTC_US = pl.Datetime("us", "UTC")

# A minute with its prices; what the simulator yields and what a candle carries besides its identity.
PRICED: dict[str, pl.DataType] = {
    "ts": UTC_US,
    "open": pl.Float64(),
    "high": pl.Float64(),
    "low": pl.Float64(),
    "close": pl.Float64(),
    "bid_close": pl.Float64(),
    "ask_close": pl.Float64(),
    "spread": pl.Float64(),
    "volume": pl.Float64(),
}
# What a provider yields, in the order of its file; null where a cell could not be read. `line` counts from 0.
ROWS: dict[str, pl.DataType] = {"line": pl.Int64(), **PRICED}
# Rows after `quality.judge`: `reason` is null for a candle, `raw` (JSON of the row as it came) only set for the others.
JUDGED: dict[str, pl.DataType] = {**ROWS, "reason": pl.String(), "raw": pl.String()}


def conform(frame: pl.DataFrame, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """The columns of `schema` in its order and types; those the frame lacks are null."""
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name) for name, dtype in schema.items()
    )
