"""Table contracts: every table of the lake, its columns, types, nullability, units and meaning.

Belongs here: the tables of bronze, silver and gold, and the registry of all. From a contract come the DDL, the check before
each commit, Dagster's column schema and the docs. Does not: what a contract is (`schema`), reading or writing rows.
"""

from collections.abc import Iterable
from functools import cache

from spx_assets.features import catalog
from spx_assets.lake import measure_tables
from spx_assets.lake.live_tables import CANDLES_LIVE
from spx_assets.lake.model_tables import FEATURE_IMPORTANCE, INTERVAL_LEVELS, PROMOTIONS, VERSIONS
from spx_assets.lake.monitoring_tables import ALERTS, DELIVERIES, FEATURE_DRIFT
from spx_assets.lake.news_tables import NEWS, NEWS_FEEDS, NEWS_FILES, NEWS_QUARANTINE, NEWS_SENTIMENT, news_signals
from spx_assets.lake.schema import UTC_US, Column, Table
from spx_assets.lake.serving_tables import JOURNALS, OUTCOMES, PREDICTIONS, VECTORS

__all__ = ["CANDLES_LIVE", "FEATURE_IMPORTANCE", "PROMOTIONS", "UTC_US", "VERSIONS", "Column", "Table", "registry", "table"]

INSTRUMENT = Column("instrument", "VARCHAR", "Traded symbol, e.g. SPX500_USD")
TS = Column("ts", "TIMESTAMPTZ", "Start of the minute, UTC")
TRADING_DAY = Column("trading_day", "DATE", "Date on which the 17:00-to-17:00 New York day ends")
ROW_KEY = (INSTRUMENT, TS, TRADING_DAY)


def _price(name: str, text: str, *, nullable: bool = False) -> Column:
    return Column(name, "DOUBLE", text, nullable=nullable, unit="price", low=0.0)


CANDLES = Table(
    "bronze.candles",
    "One-minute candles of the mid price, only minutes that traded",
    (
        *ROW_KEY,
        _price("open", "First mid price of the minute"),
        _price("high", "Highest mid price"),
        _price("low", "Lowest mid price"),
        _price("close", "Last mid price"),
        _price("bid_close", "Last bid price", nullable=True),
        _price("ask_close", "Last ask price", nullable=True),
        Column(
            "spread", "DOUBLE", "ask_close - bid_close; null where only one side is known", nullable=True, unit="price", low=0.0
        ),
        Column("volume", "DOUBLE", "Traded or tick volume; 0 where the feed reports none", unit="units", low=0.0),
        Column("source", "VARCHAR", "Provider and file the row was read from"),
        Column("known_at", "TIMESTAMPTZ", "When the finished bar could be known, UTC"),
    ),
    key=("instrument", "ts"),
)

QUARANTINE = Table(
    "bronze.quarantine",
    "Rows of a feed that are not candles, with the reason",
    (
        INSTRUMENT,
        Column("ts", "TIMESTAMPTZ", "Start of the minute, or of the last readable minute before the row"),
        Column("line", "BIGINT", "Row number in the source, from 0"),
        Column("reason", "VARCHAR", "Why the row was refused"),
        Column("raw", "VARCHAR", "The row as JSON"),
        Column("source", "VARCHAR", "Provider and file the row was read from"),
    ),
    key=("instrument", "source", "line"),
    clocked=False,
    records=False,
    small=True,
)

FEEDS = Table(
    "bronze.feeds",
    "Which source each instrument is bound to",
    (
        INSTRUMENT,
        Column("provider", "VARCHAR", "simulator, files, oanda or dukascopy"),
        Column("live", "BOOLEAN", "True: wall-clock feed; false: the clock stands one minute after the last bar"),
        Column(
            "config", "VARCHAR", "JSON: first and last position of the files in force, or the simulator's settings and its end"
        ),
        Column("bound_at", "TIMESTAMPTZ", "When the binding was made"),
    ),
    key=("instrument",),
    time=None,
    small=True,
)

FEED_FILES = Table(
    "bronze.feed_files",
    "Content-addressed files in the landing folder that a feed reads, oldest first; where two hold a minute the newer file wins",
    (
        INSTRUMENT,
        Column("position", "INTEGER", "Order of import, from 0"),
        Column("sha256", "VARCHAR", "Digest of the original file, its name in the landing folder"),
        Column("rows_sha256", "VARCHAR", "Digest of its judged rows: <digest>.rows.parquet in the landing folder"),
        Column("name", "VARCHAR", "Original file name or the provider's address"),
        Column("rules", "VARCHAR", "JSON: time zone and stamp rule it was read by, or the range asked of the provider"),
        Column("rows", "BIGINT", "Rows in the file, bad ones included"),
        Column("first_ts", "TIMESTAMPTZ", "First candle"),
        Column("last_ts", "TIMESTAMPTZ", "Last candle"),
        Column("imported_at", "TIMESTAMPTZ", "When it was imported"),
    ),
    key=("instrument", "position"),
    time=None,
    small=True,
)

DAILY_BARS = Table(
    "silver.daily_bars",
    "One bar an instrument and trading day, built from its one-minute candles",
    (
        INSTRUMENT,
        Column("ts", "TIMESTAMPTZ", "Start of the trading day, 17:00 New York the evening before"),
        TRADING_DAY,
        _price("open", "First mid price of the day"),
        _price("high", "Highest mid price"),
        _price("low", "Lowest mid price"),
        _price("close", "Last mid price"),
        Column("volume", "DOUBLE", "Sum of the minutes' volume", unit="units", low=0.0),
        Column("bars", "INTEGER", "Minutes that traded", low=1),
        Column("last_ts", "TIMESTAMPTZ", "Start of the last minute that traded"),
    ),
    key=("instrument", "trading_day"),
    small=True,
)

LABELS = Table(
    "gold.labels",
    "Forward return and direction of every bar at every horizon; null where the horizon crosses a gap or the day's end",
    (
        *ROW_KEY,
        Column("horizon_minutes", "INTEGER", "Forecast horizon", unit="minutes", low=1),
        _price("entry", "Open of the first bar after ts", nullable=True),
        _price("exit", "Close of the last bar in (ts+h-tolerance, ts+h]", nullable=True),
        Column("return_bp", "DOUBLE", "1e4 * (exit/entry - 1)", nullable=True, unit="basis points"),
        Column("direction", "TINYINT", "1 up, 0 down, null on a tie or without a return", nullable=True, low=0, high=1),
        Column("label_end", "TIMESTAMPTZ", "End of the label's life: ts + h + 1 minute"),
    ),
    key=("instrument", "ts", "horizon_minutes"),
)

FORECASTS = Table(
    "gold.forecasts",
    "Walk-forward forecasts: per bar and family, by the newest version trained before the week began",
    (
        *ROW_KEY,
        Column("model_name", "VARCHAR", "Forecaster, e.g. spx500_h30"),
        Column("family", "VARCHAR", "Model family, e.g. lightgbm"),
        Column("version", "VARCHAR", "Model version"),
        Column("horizon_minutes", "INTEGER", "Forecast horizon", unit="minutes", low=1),
        Column("expected_return_bp", "DOUBLE", "Return head", unit="basis points"),
        Column("probability_up", "DOUBLE", "Calibrated direction head", low=0, high=1),
        Column("interval_low_bp", "DOUBLE", "Lower end of the conformal interval of its day's level", unit="basis points"),
        Column("interval_high_bp", "DOUBLE", "Upper end of it", unit="basis points"),
        Column("is_champion", "BOOLEAN", "Served at that bar by the feed's clock"),
    ),
    key=("instrument", "ts", "model_name", "family"),
)

FORECAST_SCORES = Table(
    "gold.forecast_scores",
    "Walk-forward forecasts beside what came of them, a row a trading day, forecaster and family",
    (
        Column("trading_day", "DATE", "Trading day"),
        Column("ts", "TIMESTAMPTZ", "Start of the trading day"),
        Column("model_name", "VARCHAR", "Forecaster, e.g. spx500_h30"),
        Column("family", "VARCHAR", "Model family"),
        Column("version", "VARCHAR", "Version of the day's last forecast"),
        Column("horizon_minutes", "INTEGER", "Forecast horizon", unit="minutes", low=1),
        Column("rows", "BIGINT", "Forecasts of the day", low=1),
        Column("labelled", "BIGINT", "Of them with a known outcome: what the numbers below are of", low=0),
        Column("rmse_bp", "DOUBLE", "RMSE of the return head", nullable=True, unit="basis points", low=0),
        Column("rmse_zero_bp", "DOUBLE", "RMSE of a forecast of zero", nullable=True, unit="basis points", low=0),
        Column(
            "auc",
            "DOUBLE",
            "Area under the ROC curve within the day, whose mean over days lies above 0.5 without any skill; "
            "null on a day of one direction",
            nullable=True,
            low=0,
            high=1,
        ),
        Column("hit_rate", "DOUBLE", "Share of directions forecast right", nullable=True, low=0, high=1),
        Column("log_loss", "DOUBLE", "Log loss of the calibrated probability", nullable=True, low=0),
        Column("log_loss_half", "DOUBLE", "Log loss of a probability of one half", nullable=True, low=0),
        Column("coverage_interval", "DOUBLE", "Share of returns inside the forecast's interval", nullable=True, low=0, high=1),
        Column(
            "coverage_split",
            "DOUBLE",
            "The same had the interval not followed its coverage; null where the version's artifact is gone",
            nullable=True,
            low=0,
            high=1,
        ),
    ),
    key=("trading_day", "model_name", "family"),
    clocked=False,
)


def _feature_table(family: str) -> Table:
    columns = tuple(
        Column(
            f.name,
            "FLOAT" if f.model_input else "DOUBLE",
            f.description,
            nullable=True,
            unit=f.unit,
            low=f.low,
            high=f.high,
        )
        for f in catalog.family(family)
    )
    return Table(f"silver.{family}", catalog.MARKET_FAMILIES[family], (*ROW_KEY, *columns), key=("instrument", "ts"))


@cache
def market_features() -> Table:
    """The model's market inputs, one row a bar, in catalog order."""
    columns = tuple(
        Column(f.name, "FLOAT", f.description, nullable=True, unit=f.unit, low=f.low, high=f.high)
        for f in catalog.market_inputs()
    )
    return Table(
        "gold.market_features", "Market inputs of the models, one row a bar", (*ROW_KEY, *columns), key=("instrument", "ts")
    )


@cache
def registry() -> dict[str, Table]:
    """Every table by its `layer.table` name."""
    feature_tables = [_feature_table(family) for family in catalog.MARKET_FAMILIES]
    named: Iterable[Table] = (
        CANDLES,
        CANDLES_LIVE,
        QUARANTINE,
        FEEDS,
        FEED_FILES,
        NEWS_FEEDS,
        NEWS_FILES,
        NEWS,
        NEWS_QUARANTINE,
        *feature_tables,
        DAILY_BARS,
        NEWS_SENTIMENT,
        market_features(),
        news_signals(),
        LABELS,
        FORECASTS,
        FORECAST_SCORES,
        VERSIONS,
        FEATURE_IMPORTANCE,
        PROMOTIONS,
        INTERVAL_LEVELS,
        PREDICTIONS,
        VECTORS,
        OUTCOMES,
        JOURNALS,
        FEATURE_DRIFT,
        *measure_tables.ALL,
        ALERTS,
        DELIVERIES,
    )
    return {table.name: table for table in named}


def table(name: str) -> Table:
    """The contract of `layer.table`; KeyError names the known ones."""
    try:
        return registry()[name]
    except KeyError:
        raise KeyError(f"no table {name!r}; known: {', '.join(registry())}") from None
