"""Numbers of each week that people see as lines over the partitions of an asset.

Belongs here: which numbers, under names that are the same in every week. Does not: showing them (`assets.io`).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import polars as pl

from spx_assets import calendar


def newest(
    rows: pl.DataFrame, weeks: Iterable[date], *, of: Sequence[str], values: Sequence[str]
) -> dict[date, Mapping[str, float]]:
    """`values` of the newest trading day of each week, named by the columns `of` and their own name; what is null is left out."""
    week = calendar.week_expr(pl.col("trading_day"))
    last = rows.sort("trading_day").group_by([week.alias("week"), *of], maintain_order=True).last()
    return {
        made: {
            " ".join([*(row[name] for name in of), value.replace("_", " ")]): float(row[value])
            for row in last.filter(pl.col("week") == made).iter_rows(named=True)
            for value in values
            if row[value] is not None
        }
        for made in weeks
    }
