"""A picture of each forecaster's days: AUC, error beside that of a forecast of zero, coverage, a line a family.

Belongs here: drawing rows of `gold.forecast_scores`. Does not: making them. Dagster plots a week's numbers over the newest 120
weeks counted from today, so of older candles it shows none, and of no candles a day.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from itertools import cycle

import polars as pl

from spx_assets import calendar
from spx_assets.lake import Chunk, Chunks, Window
from spx_assets.lake.tables import FORECAST_SCORES

SHOWN = timedelta(weeks=25)
"""Before the newest week of a picture."""
FEWEST_DAYS = 2
SIZE, DPI = (7.2, 5.4), 80
PANELS = {"auc": "AUC within the day", "rmse_ratio": "RMSE / that of zero", "coverage_interval": "coverage"}
BASES = {"auc": 0.5, "rmse_ratio": 1.0}
PALETTE = 48
BASE, COLOURS = "#8a8a8a", ("#1f5fa8", "#c2571a", "#2f7d4f", "#7a4fa3", "#a8871f", "#333333")


def beside(chunks: Chunks, forecasts: Window) -> Chunks:
    """The chunks of `gold.forecast_scores`, the last week of each with the pictures of the half year that it ends."""

    def pictured() -> Iterator[Chunk]:
        opens = calendar.week_window(forecasts.weeks[0])[0]
        days = forecasts.lake.read(FORECAST_SCORES, start=opens - SHOWN, end=opens, snapshot=forecasts.snapshot)
        for chunk in chunks:
            newest = max(chunk.weeks)
            days = pl.concat([days, chunk.frame]).filter(pl.col("ts") >= calendar.week_window(newest)[0] - SHOWN)
            yield replace(chunk, pictures={newest: files(days)})

    return Chunks(pictured())


def files(days: pl.DataFrame) -> dict[str, bytes]:
    """`<forecaster> by day` to a PNG, for forecasters with two days or more that have scores."""
    ratio = pl.col("rmse_bp") / pl.col("rmse_zero_bp")
    told = days.filter(pl.col("labelled") > 0).with_columns(rmse_ratio=ratio).sort("trading_day")
    return {
        f"{rows['model_name'][0]} by day": _drawn(rows)
        for rows in told.partition_by("model_name", maintain_order=True)
        if rows["trading_day"].n_unique() >= FEWEST_DAYS
    }


def _drawn(rows: pl.DataFrame) -> bytes:
    # Here, because matplotlib takes 0.4 CPU s to import, and every process that opens the graph imports this module.
    from matplotlib.figure import Figure
    from PIL import Image

    figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained")
    for axes, (column, title) in zip(figure.subplots(len(PANELS), 1, sharex=True), PANELS.items(), strict=True):
        for own, colour in zip(rows.sort("family").partition_by("family", maintain_order=True), cycle(COLOURS), strict=False):
            days = own.sort("trading_day")
            axes.plot(days["trading_day"], days[column], color=colour, linewidth=1, label=days["family"][0])
        if column in BASES:
            axes.axhline(BASES[column], color=BASE, linewidth=1)
        axes.set_ylabel(title, fontsize=8)
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(fontsize=7, frameon=False, ncols=6, loc="lower left", bbox_to_anchor=(0, 1))
    drawn, written = BytesIO(), BytesIO()
    figure.savefig(drawn, format="png")
    # Half a year is 120 KB in full colour, of a palette a fifth; Dagster keeps it in its event log.
    Image.open(drawn).convert("RGB").quantize(PALETTE, method=Image.Quantize.FASTOCTREE).save(
        written, format="png", optimize=True
    )
    return written.getvalue()
