"""What the newest reports say that people should know: drift, forecasters that became worse, no champion, days without bars.

Belongs here: from rows of reports to alerts. Does not: measuring, the words (`kinds`), when this is looked at
(`automation.alerts`).

Every alert has the key of its event, so that however often one looks it is kept once.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import polars as pl

from spx_assets import calendar
from spx_assets.lake import Lake
from spx_assets.lake.measure_tables import COSTS, DRIFT_REPORTS, REPORTS
from spx_assets.lake.model_tables import PROMOTIONS
from spx_assets.lake.monitoring_tables import FEATURE_DRIFT
from spx_assets.lake.tables import CANDLES
from spx_assets.monitoring import answering, costs
from spx_assets.monitoring.alerts import kinds
from spx_assets.monitoring.alerts.raising import Alert
from spx_assets.scoring import current
from spx_assets.settings import Settings
from spx_assets.sources import bindings

LATE = timedelta(hours=2)
"""After the close, in which the day's run makes what the provider sends late."""
METRICS = (("RMSE", "rmse_bp", "rmse_gate_bp"), ("Log loss", "log_loss", "log_loss_gate"))


def look(lake: Lake, settings: Settings, *, now: datetime) -> list[Alert]:
    """Everything that is to be told as things are."""
    of_models = [*_drifts(lake), *_degradations(lake, settings), *_no_champions(lake, settings)]
    return [*of_models, *_costs(lake, settings), *_missing(lake, settings, now)]


def _drifts(lake: Lake) -> Iterator[Alert]:
    """Of the newest week: a day that drifted may have been followed by one that did not before anyone looked."""
    reports = lake.read(DRIFT_REPORTS)
    week = calendar.week_expr(pl.col("trading_day"))
    for row in reports.filter(week == week.max().over("instrument"), pl.col("drifted")).sort("trading_day").iter_rows(named=True):
        instrument, day = row["instrument"], row["trading_day"]
        start, end = calendar.day_window(day)
        of_day = pl.col("instrument") == instrument
        inputs = lake.read(FEATURE_DRIFT, start=start, end=end).filter(of_day & pl.col("drifted"))
        pages = lake.read(REPORTS, start=start, end=end).filter(of_day)
        yield kinds.drift(
            instrument=instrument,
            day=day,
            share=row["share"],
            features=inputs.sort("statistic", descending=True)["feature"].to_list(),
            report=pages["path"][0] if pages.height else None,
        )


def _degradations(lake: Lake, settings: Settings) -> Iterator[Alert]:
    for name, rows in answering.performance(lake, settings):
        for row in rows.tail(1).filter("degraded").iter_rows(named=True):
            known = [(label, row[now], row[gate]) for label, now, gate in METRICS if row[now] is not None and row[gate]]
            metric, now, at_gate = max(known, key=lambda each: each[1] / each[2])
            yield kinds.degradation(name=name, day=row["trading_day"], metric=metric, now=now, at_gate=at_gate)


def _no_champions(lake: Lake, settings: Settings) -> Iterator[Alert]:
    """Forecasters that were judged and none of whose versions passed."""
    judged = lake.read(PROMOTIONS).filter("moves_current").group_by("model_name").agg(pl.col("week").max())
    weeks = dict(judged.iter_rows())
    for name in (name for name, _, _ in settings.model_names if name in weeks):
        state = current.read(settings.artifacts, name)
        if state is not None and state.champion is None:
            yield kinds.no_champion(name=name, served=state.flagged, week=weeks[name])


def _costs(lake: Lake, settings: Settings) -> Iterator[Alert]:
    """Of the newest day and its month what they cost beyond their limit."""
    for total in costs.spent_beyond(lake.read(COSTS), settings.costs):
        yield kinds.budget(what="everything", spent=total.cost, limit=total.limit, unit="of cost", period=total.period)


def _missing(lake: Lake, settings: Settings, now: datetime) -> Iterator[Alert]:
    """Of live feeds alone: others stand still by design."""
    live = [name for name, feed in bindings.feeds(lake).items() if feed.live and feed.bound_at < now - calendar.ONE_DAY]
    if not live:
        return
    day = calendar.newest_closed_day(now - LATE, set(settings.calendar.holidays))
    start, end = calendar.day_window(day)
    there = set(lake.read(CANDLES, start=start, end=end, columns=["instrument"])["instrument"])
    for instrument in live:
        if instrument not in there:
            yield kinds.missing_data(instrument=instrument, day=day)
