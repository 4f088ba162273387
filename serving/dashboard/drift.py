"""The panel of drift: the newest day's inputs, the days before, the page that shows it to people.

Belongs here: reading `monitoring.drift_reports`, `.feature_drift` and `.reports`, the file of a report. Does not: measuring.
"""

from datetime import date
from pathlib import Path

import polars as pl

from serving.dashboard.contracts import Drift, DriftDay, DriftFeature
from serving.problems import LakeUnavailable
from serving.vectors import READ_ERRORS
from spx_assets.lake import Lake
from spx_assets.lake.measure_tables import DRIFT_REPORTS, REPORTS
from spx_assets.lake.monitoring_tables import FEATURE_DRIFT
from spx_assets.settings import Settings

DAYS, FEATURES, TREND = 60, 15, 20
_VERDICTS = """SELECT trading_day AS day, share, drifted, features, drifted_features, reason FROM monitoring.drift_reports
    WHERE instrument = $instrument ORDER BY trading_day DESC LIMIT $most"""
_INPUTS = """SELECT trading_day, feature, statistic, psi, p_adjusted, drifted FROM monitoring.feature_drift
    WHERE instrument = $instrument AND trading_day BETWEEN $first AND $last"""
_PAGE = "SELECT path, trading_day FROM monitoring.reports WHERE instrument = $instrument ORDER BY trading_day DESC LIMIT 1"


def of(settings: Settings, instrument: str) -> Drift:
    """What was measured last; no days where nothing was."""
    try:
        lake = Lake.open(settings, read_only=True)
        return _read(lake, instrument, lake.snapshot())
    except READ_ERRORS as error:
        raise LakeUnavailable(error) from error


def report(home: Path, name: str) -> Path | None:
    """The file of a report; None for whatever is not the name of one."""
    folder = home / "reports" / "drift"
    path = folder / name
    return path if path.parent == folder and not name.startswith(".") and path.suffix == ".html" and path.is_file() else None


def _read(lake: Lake, instrument: str, snapshot: int) -> Drift:
    there = {table.name: lake.listing(table, snapshot).exists for table in (DRIFT_REPORTS, FEATURE_DRIFT, REPORTS)}
    whose = {"instrument": instrument}
    days: list[DriftDay] = []
    if there[DRIFT_REPORTS.name]:
        found = lake.sql(_VERDICTS, {**whose, "most": DAYS}).reverse()
        days = [DriftDay(**row) for row in found.iter_rows(named=True)]
    features: list[DriftFeature] = []
    if days and there[FEATURE_DRIFT.name]:
        trend = [day.day for day in days[-TREND:]]
        features = _features(lake.sql(_INPUTS, {**whose, "first": trend[0], "last": trend[-1]}), trend)
    page: tuple[str | None, date | None] = None, None
    if there[REPORTS.name]:
        pages = lake.sql(_PAGE, whose)
        if pages.height:
            name = Path(pages["path"][0]).name
            page = (name, pages["trading_day"][0]) if report(lake.settings.home, name) else page
    return Drift(instrument=instrument, days=days, features=features, report=page[0], report_day=page[1])


def _features(found: pl.DataFrame, trend: list[date]) -> list[DriftFeature]:
    """The inputs of the last day that lie farthest off, the drifted first, with their statistic on the days of `trend`."""
    last = found.filter(pl.col("trading_day") == trend[-1]).sort(
        "drifted", "statistic", "feature", descending=[True, True, False]
    )
    shown = last.head(FEATURES)
    known: dict[str, dict[date, float]] = {}
    for feature, day, statistic in found.select("feature", "trading_day", "statistic").iter_rows():
        known.setdefault(feature, {})[day] = statistic
    return [
        DriftFeature(**row, trend=[known[row["feature"]].get(day) for day in trend])
        for row in shown.drop("trading_day").iter_rows(named=True)
    ]
