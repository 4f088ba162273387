"""Data quality of a trading day: bars and inputs that are missing, far off, or were refused.

Belongs here: counting them against the weeks before, and the rows of `monitoring.data_quality`. Does not: refusing rows
(`sources.quality`), table contracts (`lake.contract`), drift.

No table of market hours is right for every provider: a minute is expected if it had a bar on at least half of the trading days
of the four weeks before.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from spx_assets import calendar
from spx_assets.features import catalog
from spx_assets.lake.measure_tables import DATA_QUALITY
from spx_assets.lake.tables import QUARANTINE
from spx_assets.lake.windows import Chunk, Chunks, Window
from spx_assets.monitoring import plots
from spx_assets.settings import Settings
from spx_assets.settings.monitoring import QualitySettings
from spx_assets.sources import feeds

WEEKS_BEFORE = 4
FEWEST_DAYS = 5
"""Days before without which nothing is expected of a day but what lies between its first and its last bar."""
MINUTES = 24 * 60
MINUTE_US = 60_000_000
F32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Before:
    """What the weeks before were like."""

    expected: npt.NDArray[np.bool_] | None
    """Minutes of the trading day that usually have a bar; None where too few days tell."""
    missing: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]
    sd: npt.NDArray[np.float64]


def quality(features: Window) -> Chunks:
    """Quality of every trading day that the feed's clock has reached in the weeks of `features` (gold/market_features)."""
    return Chunks(_chunks(features))


def fingerprints(settings: Settings, weeks: Iterable[date]) -> dict[date, str]:
    """What the quality of each week depends on besides its inputs: which of its days are holidays."""
    closed = sorted(settings.calendar.holidays)
    return {week: ",".join(str(day) for day in closed if calendar.week_of_day(day) == week) for week in weeks}


def _chunks(features: Window) -> Iterator[Chunk]:
    lake, clocks = features.lake, feeds.clocks(features.lake, snapshot=features.snapshot)
    for weeks in features.chunks():
        rows = [row for week in weeks for name, clock in sorted(clocks.items()) for row in _week(features, week, name, clock)]
        frame = pl.DataFrame(rows, schema=DATA_QUALITY.schema(), orient="row").sort(DATA_QUALITY.key)
        told = plots.newest(frame, weeks, of=["instrument"], values=["missing_bars", "missing_share", "outlier_share"])
        yield Chunk(weeks, frame, told=told, fingerprints=fingerprints(lake.settings, weeks))


def _week(features: Window, week: date, instrument: str, clock: datetime) -> Iterator[dict[str, Any]]:
    start, end = calendar.week_window(week)
    names = [feature.name for feature in catalog.market_inputs()]
    opens = max(start - timedelta(weeks=WEEKS_BEFORE), features.start)
    if clock <= start:
        return
    frame = features.read(opens, end, columns=["ts", "trading_day", *names], instruments=[instrument])
    X = frame.select(names).to_numpy().astype(np.float32, copy=False)
    ts, day = frame["ts"].dt.timestamp("us").to_numpy(), frame["trading_day"].to_numpy()
    earlier = ts < np.datetime64(start.replace(tzinfo=None), "us").astype(np.int64)
    before = _before(ts[earlier], X[earlier])
    refused = features.lake.read(QUARANTINE.name, start=start, end=end, instruments=[instrument], snapshot=features.snapshot)
    refused = refused.with_columns(trading_day=calendar.trading_day_expr(pl.col("ts")))
    settings = features.lake.settings
    for today in calendar.trading_days(week, week + timedelta(days=5)):
        if calendar.day_window(today)[0] >= clock or today in settings.calendar.holidays:
            continue
        own = day == np.datetime64(today)
        reasons = refused.filter(pl.col("trading_day") == today)["reason"]
        bars = _bars(ts[own], before.expected, today=today, clock=clock, rules=settings.monitoring.quality)
        known = _inputs(X[own], before, names, settings.monitoring.quality)
        counts = {"duplicates": int((reasons == "duplicate_minute").sum()), "quarantined": len(reasons)}
        problems = [*bars.pop("problems"), *known.pop("problems")]
        problems += [f"{len(reasons)} rows refused: {', '.join(sorted(reasons.unique()))}"] if len(reasons) else []
        yield {
            "trading_day": today,
            "ts": calendar.day_window(today)[0],
            "instrument": instrument,
            **bars,
            **known,
            **counts,
            "passed": not problems,
            "problems": "; ".join(problems),
        }


def _minute(ts: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Minute of the trading day by New York's clock, 0 at 17:00."""
    local = pl.from_epoch(pl.Series(ts), time_unit="us").dt.replace_time_zone("UTC").dt.convert_time_zone("America/New_York")
    minutes = local.dt.hour().cast(pl.Int64) * 60 + local.dt.minute().cast(pl.Int64)
    return ((minutes.to_numpy() - calendar.OPEN_HOUR * 60) % MINUTES).astype(np.intp)


def _before(ts: npt.NDArray[np.int64], X: F32) -> Before:
    if not len(ts):
        nothing = np.full(X.shape[1], np.nan)
        return Before(None, nothing, nothing, nothing)
    days = len(np.unique((ts // MINUTE_US - _minute(ts)) // MINUTES))
    usual = np.bincount(_minute(ts), minlength=MINUTES) * 2 >= days
    known = ~np.isnan(X)
    n = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, X, 0.0).sum(axis=0, dtype=np.float64) / n
    spread = np.sqrt((np.where(known, X - mean, 0.0) ** 2).sum(axis=0, dtype=np.float64) / n)
    return Before(usual if days >= FEWEST_DAYS else None, 1.0 - known.mean(axis=0), mean, spread)


def _bars(
    ts: npt.NDArray[np.int64],
    expected: npt.NDArray[np.bool_] | None,
    *,
    today: date,
    clock: datetime,
    rules: QualitySettings,
) -> dict[str, Any]:
    """Columns about bars. A day that is under way is judged up to the feed's clock."""
    there = np.zeros(MINUTES, dtype=np.bool_)
    there[_minute(ts)] = True
    until = (
        MINUTES if clock >= calendar.day_window(today)[1] else int(_minute(np.array([round(clock.timestamp()) * 1_000_000]))[0])
    )
    if expected is None:
        traded = np.flatnonzero(there)
        expected = np.zeros(MINUTES, dtype=np.bool_)
        expected[traded.min(initial=MINUTES) : traded.max(initial=-1) + 1] = True
    usual = np.flatnonzero(expected[:until])
    lacking = ~there[usual]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lacking, [False]]).astype(np.int8)))
    pauses = edges[1::2] - edges[::2]
    share = float(lacking.mean()) if len(usual) else 0.0
    longest, gaps = int(pauses.max(initial=0)), int((pauses > rules.gap_min).sum())
    problems = []
    if not len(ts) and len(usual):
        problems.append("no bars at all; import the day, or name it in SPX_CALENDAR__HOLIDAYS")
    elif share > rules.missing_share:
        problems.append(f"{share:.1%} of the usual minutes have no bar")
    if gaps and len(ts):
        problems.append(f"{gaps} pauses of more than {rules.gap_min} minutes, the longest {longest}")
    bars, usually = int(there.sum()), len(usual)
    return {
        "bars": bars,
        "expected": usually,
        "missing_bars": share,
        "gaps": gaps,
        "longest_gap_min": longest,
        "problems": problems,
    }


def _inputs(X: F32, before: Before, names: list[str], rules: QualitySettings) -> dict[str, Any]:
    """Columns about model inputs, each against its own values of the weeks before."""
    found: dict[str, Any] = {"missing_share": 0.0, "worst_feature": None, "outlier_share": 0.0, "outlier_feature": None}
    usual = np.flatnonzero(before.missing < 1.0)
    problems = list[str]()
    if len(X) and len(usual):
        lacking = np.isnan(X[:, usual]).mean(axis=0)
        beyond = lacking - before.missing[usual]
        with np.errstate(invalid="ignore", divide="ignore"):
            far = np.abs(X[:, usual] - before.mean[usual]) > rules.sigma * before.sd[usual]
        outliers = far & (before.sd[usual] > 0)
        worst, farthest = int(beyond.argmax()), int(outliers.mean(axis=0).argmax())
        found = {
            "missing_share": float(lacking.mean()),
            "worst_feature": names[usual[worst]] if beyond[worst] > 0 else None,
            "outlier_share": float(outliers.mean()),
            "outlier_feature": names[usual[farthest]] if outliers.any() else None,
        }
        if beyond[worst] > rules.missing_share:
            was = before.missing[usual][worst]
            problems.append(f"{names[usual[worst]]} is unknown in {lacking[worst]:.1%} of the bars, usually in {was:.1%}")
        if found["outlier_share"] > rules.outlier_share:
            problems.append(f"{found['outlier_share']:.1%} of the inputs lie beyond {rules.sigma:g} standard deviations")
    return {**found, "problems": problems}
