"""How old is too old: rows of raw data, features and predictions by the age of their week.

Belongs here: which tables are of which kind, and their edges. Does not: deleting (`lake.retention`).

Age counts back from the newest bar of the row's own instrument, so a feed that stands loses nothing by standing. Landed files and
what feeds are bound to stay: a deleted week can be made again from them.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from spx_assets import calendar
from spx_assets.features import catalog
from spx_assets.lake import Lake, retention, tables
from spx_assets.lake.tables import Table
from spx_assets.settings import Settings

LOOKBACK_WEEKS = 61
"""The daily timeframe reads 60 weeks before a bar's own, the longest look-back there is; and its first day a few before that."""
RAW = ("bronze.candles", "bronze.candles_live", "bronze.quarantine", "bronze.news", "bronze.news_quarantine")
FEATURES = (
    *(f"silver.{family}" for family in catalog.MARKET_FAMILIES),
    *("silver.daily_bars", "silver.news_sentiment", "gold.market_features", "gold.news_signals", "gold.labels"),
)
PREDICTIONS = ("gold.forecasts", "serving.predictions", "serving.vectors", "serving.outcomes")


@dataclass(frozen=True)
class Deleted:
    """What retention took of a table: the rows of weeks before `before`."""

    table: str
    instrument: str | None
    before: date
    rows: int


def apply(lake: Lake, settings: Settings) -> list[Deleted]:
    """Delete what is older than the settings keep; nothing where they say nothing."""
    newest = newest_bars(lake)
    done = []
    for days, names, protected in _kinds(settings):
        for name in names if days is not None and newest else ():
            table = tables.table(name)
            if not lake.count(table):
                continue
            for instrument, at in _subjects(table, newest):
                before = edge(at, days=days or 0, training_weeks=settings.models.training_weeks if protected else None)
                rows = retention.delete_before(lake, table, before, instrument=instrument)
                done += [Deleted(name, instrument, before, rows)] if rows else []
    return done


def edge(newest: datetime, *, days: int, training_weeks: int | None) -> date:
    """The first week that is kept: that of the bar `days` before the newest, or the first one that training may read."""
    first = calendar.week_of(newest - timedelta(days=days))
    if training_weeks is None:
        return first
    return min(first, calendar.week_of(newest) - timedelta(weeks=training_weeks - 1 + LOOKBACK_WEEKS))


def newest_bars(lake: Lake) -> dict[str, datetime]:
    """The newest bar of each instrument."""
    if not lake.count("bronze.candles"):
        return {}
    return dict(lake.sql("SELECT instrument, max(ts) AS newest FROM bronze.candles GROUP BY ALL ORDER BY ALL").rows())


def _kinds(settings: Settings) -> list[tuple[int | None, tuple[str, ...], bool]]:
    """(days, tables, whether training reads them)."""
    kept = settings.upkeep.retention
    return [(kept.raw_days, RAW, True), (kept.features_days, FEATURES, True), (kept.predictions_days, PREDICTIONS, False)]


def _subjects(table: Table, newest: dict[str, datetime]) -> list[tuple[str | None, datetime]]:
    """The instruments of a table with their newest bars; of rows that belong to all, the instrument that stands furthest back."""
    if "instrument" in table.schema():
        return list(newest.items())
    return [(None, min(newest.values()))]
