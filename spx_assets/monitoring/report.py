"""The drift report for people: an HTML page of distributions, drawn by Evidently from a bounded sample.

Belongs here: which rows and inputs are drawn, the file, the rows of `monitoring.reports`. Does not: the verdict, which comes from
all rows (`feature_drift`): the page repeats it and says what it was drawn from.

Evidently is imported by the drawing alone: it takes 6 CPU s.
"""

import hashlib
import html
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from spx_assets import calendar
from spx_assets.features import inputs
from spx_assets.lake import Lake
from spx_assets.lake.measure_tables import DRIFT_REPORTS, REPORTS
from spx_assets.lake.windows import Chunk, Window
from spx_assets.monitoring.served import Record
from spx_assets.scoring.artifact import write_atomic

MOST_INPUTS = 20
"""Inputs on a page, the farthest first: 30 took 5.8 CPU s of the 5 that a page may, all 120 would take 20 CPU s and 20 MB."""
REFERENCE_DAYS = 20
"""Trading days of the training window that the other side of the page is drawn from, evenly spread."""


@dataclass(frozen=True)
class Page:
    """One drawn report."""

    week: date
    path: Path
    row: dict[str, Any]


def draw(drift: Window) -> tuple[list[Page], list[Chunk]]:
    """Draws a page for the newest measured day of each week of `drift` (monitoring/feature_drift) that drifted or is the newest.

    Of other weeks there is none: pages of five years would take half an hour and say nothing that the rows do not.
    """
    lake, pages, chunks = drift.lake, list[Page](), list[Chunk]()
    verdicts = lake.read(DRIFT_REPORTS.name, snapshot=drift.snapshot)
    newest = verdicts["trading_day"].max()
    record = Record(lake, drift.snapshot)
    for week in drift.weeks:
        start, end = calendar.week_window(week)
        own = verdicts.filter(pl.col("ts").is_between(start, end, closed="left")).sort("trading_day")
        for verdict in own.group_by("instrument", maintain_order=True).last().iter_rows(named=True):
            if verdict["drifted"] or verdict["trading_day"] == newest:
                pages += _page(lake, drift, record, week, verdict)
    for week in drift.weeks:
        rows = [page.row for page in pages if page.week == week]
        chunks.append(Chunk((week,), pl.DataFrame(rows, schema=REPORTS.schema(), orient="row").sort(REPORTS.key)))
    return pages, chunks


def _page(lake: Lake, drift: Window, record: Record, week: date, verdict: dict[str, Any]) -> Iterator[Page]:
    day, instrument = verdict["trading_day"], verdict["instrument"]
    served = record.at(verdict["model_name"], verdict["as_of"])
    if served is None or served.manifest.version != verdict["version"]:
        return
    far = drift.read(verdict["ts"], verdict["as_of"], instruments=[instrument])
    far = far.sort("drifted", "statistic", descending=True)
    names, drifted = far["feature"].head(MOST_INPUTS).to_list(), far.filter("drifted")["feature"].to_list()
    most, window_days = lake.settings.monitoring.report_rows, lake.settings.monitoring.drift.window_days
    known = _days(served.manifest.training_start.date(), served.manifest.training_cutoff.date())
    now = [calendar.shift_trading_days(day, -back) for back in range(window_days)]
    current, usual = (_sample(lake, drift.snapshot, instrument, names, days, most) for days in (now, known))
    if current.is_empty() or usual.is_empty():
        return
    said = (
        f"{instrument}, {window_days} trading days up to {day}, against the training window of {served.manifest.name} "
        f"{served.manifest.version}. {verdict['reason']}. Drifted: {', '.join(drifted) or 'none'}. Farthest off: "
        f"{', '.join(names[:5])}. Drawn from a sample of {current.height:,} rows and of {usual.height:,} rows from {len(known)} "
        f"days of the training window, for the {len(names)} inputs that lie farthest off; the verdict was reached on all rows "
        "and is in monitoring.feature_drift."
    )
    content = _html(current, usual, said)
    path = lake.settings.home / "reports" / "drift" / f"{instrument}-{day}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, content)
    row = {name: verdict[name] for name in ("trading_day", "ts", "instrument", "model_name", "version")}
    kept = {"path": str(path.relative_to(lake.settings.home)), "sha256": hashlib.sha256(content).hexdigest()}
    yield Page(week, path, {**row, **kept, "rows": current.height, "rows_reference": usual.height, "inputs": len(names)})


def _days(first: date, last: date) -> list[date]:
    """Trading days of the training window, evenly spread."""
    days = list(calendar.trading_days(first, last))
    return days[:: max(1, len(days) // REFERENCE_DAYS)][:REFERENCE_DAYS]


def _sample(lake: Lake, snapshot: int, instrument: str, names: Sequence[str], days: Sequence[date], most: int) -> pl.DataFrame:
    """At most `most` bars of these days, evenly spread over them."""
    frames = []
    for day in sorted(days):
        start, end = calendar.day_window(day)
        rows = inputs.read(
            lambda table, columns, start=start, end=end: lake.read(  # type: ignore[misc]
                table, start=start, end=end, columns=columns, instruments=[instrument], snapshot=snapshot
            ),
            names,
        ).select(names)
        frames.append(rows.gather_every(max(1, -(-rows.height * len(days) // most))) if rows.height else rows)
    return pl.concat(frames).head(most) if frames else pl.DataFrame()


def _html(current: pl.DataFrame, usual: pl.DataFrame, said: str) -> bytes:
    """The page, with `said` above it. An input that is unknown on either side has nothing to be drawn."""
    # Before the import: Evidently asks once whether it may report its use.
    os.environ["DO_NOT_TRACK"] = "1"
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    names = [name for name in current.columns if not (current[name].is_null().all() or usual[name].is_null().all())]
    definition = DataDefinition(numerical_columns=names)
    sides = (Dataset.from_pandas(side.select(names).to_pandas(), data_definition=definition) for side in (current, usual))
    page: str = Report([DataDriftPreset(columns=names, num_method="psi")]).run(*sides).get_html_str(as_iframe=False)
    return page.replace("<body>", f"<body><p style='font-family:sans-serif;margin:2em'>{html.escape(said)}</p>", 1).encode()
