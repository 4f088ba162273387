"""At which level the intervals of each version are picked, a row a trading day: `models.interval_levels`, made and read.

Belongs here: which bars of which days a level is learned from, its rows, the one that holds at a bar. Does not: the rule
(`adaptive`), forecasts (`walk_forward`).

A level is learned from every bar the version could forecast, answered or not, from the first of its out-of-time segment on: rows
its half-widths were fitted on say nothing of what they miss.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from spx_assets import calendar
from spx_assets.lake.model_tables import INTERVAL_LEVELS
from spx_assets.scoring import adaptive
from spx_assets.scoring.adaptive import Day
from spx_assets.scoring.intervals import F64, Widths
from spx_assets.scoring.manifest import Manifest

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake

OUTCOME = ("instrument", "ts", "horizon_minutes", "return_bp")
"""Columns of gold/labels that tell what came of a forecast."""
OLDEST_DAYS = 5
"""Trading days for which a level goes on where later days have none: the forecasts of the week are not made yet."""

Levels = Mapping[tuple[str, str], Mapping[date, float]]
"""(version, instrument) -> trading day -> level asked for."""


def rows(
    manifest: Manifest, widths: Widths, made: pl.DataFrame, outcomes: pl.DataFrame, days: Mapping[str, Sequence[date]]
) -> pl.DataFrame:
    """Rows of `models.interval_levels` for the `days` of each instrument, from bars of them and of the days before.

    `made`: instrument, ts, trading_day, expected_bp, regime of bars in order of time. `outcomes`: OUTCOME of the same bars, null
    where there is none. A level looks at no bar of its own day or later.
    """
    own = outcomes.filter(pl.col("horizon_minutes") == manifest.horizon_minutes, pl.col("return_bp").is_not_null())
    told = made.join(own, on=["instrument", "ts"], how="inner", maintain_order="left")
    told = told.filter(pl.col("expected_bp").is_finite())
    if segment := manifest.segments.get("out_of_time"):
        told = told.filter(pl.col("ts") >= segment.start)
    life_min = manifest.horizon_minutes + 1
    by_day = dict(told.group_by("instrument", "trading_day", maintain_order=True))
    found = []
    for instrument, wanted in days.items():
        for day in wanted:
            before = [calendar.shift_trading_days(day, -back) for back in range(adaptive.DAYS, 0, -1)]
            known = [by_day[instrument, each] for each in before if (instrument, each) in by_day]
            level = adaptive.level(widths, map(_day, known), life_min=life_min)
            found.append(
                {
                    "trading_day": day,
                    "ts": calendar.day_window(day)[0],
                    "instrument": instrument,
                    "model_name": manifest.name,
                    "family": manifest.family,
                    "version": manifest.version,
                    "horizon_minutes": manifest.horizon_minutes,
                    "level": widths.nominal,
                    "asked": level.asked,
                    "outcomes": level.outcomes,
                    "covered": level.covered,
                    "known_at": known[-1]["ts"][-1] + life_min * calendar.ONE_MINUTE if known else None,
                }
            )
    return pl.DataFrame(found, schema=INTERVAL_LEVELS.schema())


def asked(made: pl.DataFrame, rows: pl.DataFrame, widths: Widths) -> F64:
    """The level asked for at each bar of `made` by the `rows` of its version; the nominal one on a weekend."""
    days = rows.select("instrument", "trading_day", "asked")
    joined = made.join(days, on=["instrument", "trading_day"], how="left", maintain_order="left")
    return joined["asked"].fill_null(widths.nominal).to_numpy()


def read(lake: "Lake", versions: Collection[str], *, snapshot: int | None = None) -> Levels:
    """The levels of these versions as they stand in the lake; none of a version that no forecasts were made for."""
    columns = ["version", "instrument", "trading_day", "asked"]
    stored = lake.read(INTERVAL_LEVELS, columns=columns, snapshot=snapshot).filter(pl.col("version").is_in(list(versions)))
    found: dict[tuple[str, str], dict[date, float]] = {}
    for version, instrument, day, level in stored.iter_rows():
        found.setdefault((version, instrument), {})[day] = level
    return found


def at(levels: Levels, version: str, instrument: str, ts: datetime) -> float | None:
    """The level for the bar at `ts`: that of its trading day, else of the last before it that has one; None for the nominal.

    A day's level rests on labels that had ended before the day began, whenever it is asked for. On a live feed the first day of a
    week has one of its own when its forecasts are made after the close; till then that of the day before goes on.
    """
    own = levels.get((version, instrument))
    day = calendar.trading_day(ts)
    if not own or not calendar.is_trading_day(day):
        return None
    for back in range(OLDEST_DAYS + 1):
        if (found := own.get(calendar.shift_trading_days(day, -back))) is not None:
            return found
    return None


def _day(told: pl.DataFrame) -> Day:
    residual = (told["return_bp"] - told["expected_bp"]).to_numpy()
    return Day(residual, told["regime"].to_numpy().astype(np.intp))
