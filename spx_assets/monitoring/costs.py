"""What a day took: calls of providers, minutes of runs, and what they cost where a price is set.

Belongs here: rows of `monitoring.costs`, sums of a day and a month. Does not: counting calls (`sources.spent`), Dagster's run
records, which the asset hands in.

Days are those of the wall: what was spent on a Saturday is of the Saturday, whatever market the home has.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from spx_assets import calendar
from spx_assets.lake.measure_tables import COSTS
from spx_assets.lake.windows import Chunk, Chunks
from spx_assets.settings import CostSettings
from spx_assets.sources import spent

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake


@dataclass(frozen=True)
class Run:
    """A run of a job: when it began and how long it took, so far if it goes on."""

    job: str
    start: datetime
    minutes: float


@dataclass(frozen=True)
class Total:
    """What a period cost in all, beside its limit."""

    period: str
    cost: float
    limit: float


def by_week(lake: "Lake", weeks: Sequence[date], runs: Iterable[Run]) -> Chunks:
    """Costs of every day of the weeks; `runs` are those that began in them."""
    return Chunks(_chunks(lake, weeks, list(runs)))


def _chunks(lake: "Lake", weeks: Sequence[date], runs: list[Run]) -> Iterator[Chunk]:
    start, end = calendar.run_window(weeks)
    prices = lake.settings.costs
    taken: dict[tuple[date, str, str], float] = {}
    for hour in spent.hours(lake.settings.home, start, end):
        key = (calendar.trading_day(hour.start), hour.provider, "calls")
        taken[key] = taken.get(key, 0.0) + hour.calls
    for run in runs:
        if start <= run.start < end:
            key = (calendar.trading_day(run.start), run.job, "minutes")
            taken[key] = taken.get(key, 0.0) + run.minutes
    rows = [_row(*key, amount, prices) for key, amount in taken.items()]
    yield Chunk(tuple(weeks), pl.DataFrame(rows, schema=COSTS.schema(), orient="row").sort(COSTS.key))


def _row(day: date, item: str, unit: str, amount: float, prices: CostSettings) -> dict[str, Any]:
    price = prices.per_call.get(item) if unit == "calls" else prices.per_minute
    cost = None if price is None else amount * price
    known = {"trading_day": day, "ts": calendar.day_window(day)[0], "item": item, "unit": unit}
    return {**known, "amount": amount, "price": price, "cost": cost}


def spent_beyond(rows: pl.DataFrame, limits: CostSettings) -> list[Total]:
    """Of the newest day in `rows` of `monitoring.costs` and of its month, those that cost more than their limit."""
    day = rows["trading_day"].max()
    if not isinstance(day, date):
        return []
    month = rows.filter(pl.col("trading_day") > day.replace(day=1) - timedelta(days=1), pl.col("trading_day") <= day)
    of_day = float(rows.filter(pl.col("trading_day") == day)["cost"].sum())
    totals = [
        Total(str(day), of_day, limits.per_day),
        Total(f"{day:%Y-%m}", float(month["cost"].sum()), limits.per_month),
    ]
    return [total for total in totals if total.cost > total.limit]
