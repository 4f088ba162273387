"""Table contracts: every table of the lake, its columns, types, nullability, units and meaning.

Belongs here: what a table is. From it come the DDL, the check before each commit, Dagster's column schema and the docs.
Does not: reading or writing rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

import polars as pl

from spx_assets.features import catalog

UTC_US = pl.Datetime("us", "UTC")

POLARS: dict[str, pl.DataType] = {
    "VARCHAR": pl.String(),
    "TIMESTAMPTZ": UTC_US,
    "DATE": pl.Date(),
    "DOUBLE": pl.Float64(),
    "FLOAT": pl.Float32(),
    "BIGINT": pl.Int64(),
    "INTEGER": pl.Int32(),
    "TINYINT": pl.Int8(),
    "BOOLEAN": pl.Boolean(),
}


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    description: str
    nullable: bool = False
    unit: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def polars(self) -> pl.DataType:
        return POLARS[self.type]


@dataclass(frozen=True)
class Table:
    """A table contract. `key` is unique; `time` is the column that places a row in a trading week (None: not partitioned).

    `clocked`: no row may start after the feed's clock. `small`: a commit of few rows stays in the catalog itself instead of a
    Parquet file of its own.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    time: str | None = "ts"
    clocked: bool = True
    records: bool = field(default=True, kw_only=True)
    small: bool = field(default=False, kw_only=True)

    @property
    def layer(self) -> str:
        return self.name.split(".")[0]

    @property
    def partitions(self) -> str:
        """Name of the table of partition records beside this one."""
        return f"{self.name}_partitions"

    def schema(self) -> dict[str, pl.DataType]:
        return {column.name: column.polars for column in self.columns}

    def empty(self) -> pl.DataFrame:
        return pl.DataFrame(schema=self.schema())

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


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
        Column("interval_low_bp", "DOUBLE", "Lower end of the conformal interval", unit="basis points"),
        Column("interval_high_bp", "DOUBLE", "Upper end of the conformal interval", unit="basis points"),
        Column("is_champion", "BOOLEAN", "Served at that bar by the feed's clock"),
    ),
    key=("instrument", "ts", "model_name", "family"),
)


def _metric(name: str, text: str, unit: str = "") -> Column:
    return Column(name, "DOUBLE", text, nullable=True, unit=unit)


VERSIONS = Table(
    "models.versions",
    "Every trained model version with its out-of-time metrics beside their baselines",
    (
        Column("model_name", "VARCHAR", "Forecaster, e.g. spx500_h30"),
        Column("family", "VARCHAR", "Model family"),
        Column("week", "DATE", "Newest trading week the version has seen"),
        Column("ts", "TIMESTAMPTZ", "Start of that week"),
        Column("version", "VARCHAR", "Version id; unique over all names, sorts by time"),
        Column("created_at", "TIMESTAMPTZ", "When it was trained"),
        Column("horizon_minutes", "INTEGER", "Forecast horizon", unit="minutes"),
        Column("instruments", "VARCHAR", "Comma-separated scope"),
        Column("training_start", "TIMESTAMPTZ", "First row seen"),
        Column("training_cutoff", "TIMESTAMPTZ", "No row or label later than this was seen"),
        Column("calibration_end", "TIMESTAMPTZ", "End of the calibration segment's label lives"),
        Column("digest", "VARCHAR", "sha256 over the artifact's files"),
        Column("features", "INTEGER", "Number of model inputs"),
        Column("feature_set_hash", "VARCHAR", "Hash of the ordered model inputs and their definitions"),
        Column("rows_fit", "BIGINT", "Rows of the fit segment"),
        Column("rows_oot", "BIGINT", "Rows of the out-of-time segment"),
        _metric("effective_obs", "Effective out-of-time sample size from label uniqueness"),
        _metric("log_loss_calibration", "Cross-fitted log loss on the calibration segment; ranks the candidates"),
        _metric("auc", "Area under the ROC curve, out of time"),
        _metric("auc_low", "Lower end of its 95 % interval"),
        _metric("auc_high", "Upper end of its 95 % interval"),
        _metric("auc_fit", "Area under the ROC curve on the fit segment"),
        _metric("accuracy", "Share of directions forecast right"),
        _metric("log_loss", "Log loss of the calibrated probability"),
        _metric("log_loss_base", "Log loss of the base rate on the same rows"),
        _metric("log_loss_skill_low", "Lower end of the 90 % HAC interval of log_loss_base - log_loss"),
        _metric("log_loss_skill_high", "Upper end of that interval"),
        _metric("p_direction", "One-sided p-value of the direction head against the base rate (HAC)"),
        _metric("brier", "Brier score"),
        _metric("brier_base", "Brier score of the base rate"),
        _metric("ece", "Expected calibration error in 10 equal-count bins"),
        _metric("rmse_bp", "RMSE of the return head", "basis points"),
        _metric("rmse_zero_bp", "RMSE of a forecast of zero", "basis points"),
        _metric("rmse_mean_bp", "RMSE of the fit segment's mean", "basis points"),
        _metric("rmse_ar1_bp", "RMSE of an AR(1) on the last known return of the same horizon", "basis points"),
        _metric("mae_bp", "Mean absolute error of the return head", "basis points"),
        _metric("r2_zero", "1 - MSE / MSE of zero"),
        _metric("ic", "Pearson correlation of expected and realised return"),
        _metric("ic_low", "Lower end of its 95 % HAC interval"),
        _metric("ic_high", "Upper end of its 95 % HAC interval"),
        _metric("p_return", "One-sided Clark-West p-value of the return head against zero"),
        _metric("coverage_interval", "Share of realised returns inside the conformal interval"),
        _metric("coverage", "Share of labelled out-of-time rows the version can forecast"),
        Column("parent_version", "VARCHAR", "Champion at the time of training", nullable=True),
        Column("lake_snapshot", "BIGINT", "Lake snapshot the training set was read at"),
        Column("training_hash", "VARCHAR", "Content hash of the training set"),
        Column("run_id", "VARCHAR", "Dagster run"),
        _metric("training_seconds", "Wall time of the training", "seconds"),
    ),
    key=("version",),
    clocked=False,
    small=True,
)

PROMOTIONS = Table(
    "models.promotions",
    "Every verdict of the gate with its numbers, and who was served from when; append only",
    (
        Column("model_name", "VARCHAR", "Forecaster"),
        Column("week", "DATE", "Trading week the verdict belongs to"),
        Column("decided_at", "TIMESTAMPTZ", "Wall time of the verdict"),
        Column("effective_at", "TIMESTAMPTZ", "The feed's clock from which it holds"),
        Column("family", "VARCHAR", "Model family"),
        Column("version", "VARCHAR", "Version judged"),
        Column("verdict", "VARCHAR", "promoted, kept_champion, no_edge, not_entered or manual"),
        Column("reason", "VARCHAR", "The verdict in words"),
        Column("direction_ok", "BOOLEAN", "The direction head beat the base rate"),
        Column("return_ok", "BOOLEAN", "The return head beat zero"),
        Column("moves_current", "BOOLEAN", "The newest week at the time: it moved what is served"),
        Column("champion_before", "VARCHAR", "Champion before the verdict", nullable=True),
        Column("champion_after", "VARCHAR", "Champion after it", nullable=True),
        Column("served", "VARCHAR", "Version served after it: the champion, else the flagged one", nullable=True),
        Column("rank", "INTEGER", "Rank of the candidate on the calibration segment, from 1"),
        Column("tests", "INTEGER", "Tests made for this name so far, this one included"),
        _metric("effective_obs", "Effective out-of-time observations"),
        _metric("p_direction", "One-sided p-value of the direction head against the base rate"),
        _metric("p_return", "One-sided Clark-West p-value of the return head against zero"),
        _metric("p_champion", "One-sided Diebold-Mariano p-value against the champion on shared later rows"),
        _metric("rows_champion", "Rows of that comparison"),
    ),
    key=("model_name", "version", "decided_at"),
    time=None,
    small=True,
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
    return Table(f"silver.{family}", catalog.FAMILIES[family], (*ROW_KEY, *columns), key=("instrument", "ts"))


@cache
def market_features() -> Table:
    """The model's market inputs, one row a bar, in catalog order."""
    columns = tuple(
        Column(f.name, "FLOAT", f.description, nullable=True, unit=f.unit, low=f.low, high=f.high) for f in catalog.model_inputs()
    )
    return Table(
        "gold.market_features", "Market inputs of the models, one row a bar", (*ROW_KEY, *columns), key=("instrument", "ts")
    )


@cache
def registry() -> dict[str, Table]:
    """Every table by its `layer.table` name."""
    feature_tables = [_feature_table(family) for family in catalog.FAMILIES]
    named: Iterable[Table] = (
        CANDLES,
        QUARANTINE,
        FEEDS,
        FEED_FILES,
        *feature_tables,
        DAILY_BARS,
        market_features(),
        LABELS,
        FORECASTS,
        VERSIONS,
        PROMOTIONS,
    )
    return {table.name: table for table in named}


def table(name: str) -> Table:
    """The contract of `layer.table`; KeyError names the known ones."""
    try:
        return registry()[name]
    except KeyError:
        raise KeyError(f"no table {name!r}; known: {', '.join(registry())}") from None
