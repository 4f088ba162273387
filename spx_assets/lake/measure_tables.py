"""Contracts of what is measured a trading day: reports of drift, of what is served, of data and costs.

Belongs here: the tables of `monitoring` that have one row a day and thing measured. Does not: drift of each input and alerts
(`monitoring_tables`), measuring (`monitoring`).
"""

from spx_assets.lake.schema import Column, Table

DAY = (
    Column("trading_day", "DATE", "Trading day that was measured"),
    Column("ts", "TIMESTAMPTZ", "Start of the trading day"),
)
INSTRUMENT = Column("instrument", "VARCHAR", "Traded symbol, e.g. SPX500_USD")
MODEL = (
    Column("model_name", "VARCHAR", "Forecaster, e.g. spx500_h30"),
    Column("version", "VARCHAR", "Version that was served"),
)
DISTANCE = (
    Column("rows", "BIGINT", "Rows that were compared", low=0),
    Column("statistic", "DOUBLE", "Kolmogorov-Smirnov distance of the newest days from the reference", low=0),
    Column("psi", "DOUBLE", "Population stability index in ten bins", nullable=True, low=0),
    Column("p", "DOUBLE", "p-value; null where the reference is too short to tell chance", nullable=True, low=0, high=1),
    Column("drifted", "BOOLEAN", "The distance is more than chance allows"),
)


def _number(name: str, text: str, unit: str = "") -> Column:
    return Column(name, "DOUBLE", text, nullable=True, unit=unit)


def _daily(name: str, description: str, columns: tuple[Column, ...], *key: str) -> Table:
    return Table(f"monitoring.{name}", description, (*DAY, *columns), key=("trading_day", *key), clocked=False, small=True)


DRIFT_REPORTS = _daily(
    "drift_reports",
    "Whether the inputs of the served model drifted, all of them together; made with monitoring.feature_drift",
    (
        INSTRUMENT,
        *MODEL,
        Column("as_of", "TIMESTAMPTZ", "End of the last bar that was measured"),
        Column("rows", "BIGINT", "Rows that were compared", low=0),
        Column("features", "INTEGER", "Inputs that were compared", low=0),
        Column("drifted_features", "INTEGER", "Inputs that drifted", low=0),
        Column("share", "DOUBLE", "Share of the inputs that drifted", low=0, high=1),
        Column("drifted", "BOOLEAN", "The share, or one of the key inputs, says that the market is another"),
        Column("reason", "VARCHAR", "The verdict in words"),
        Column("worst_feature", "VARCHAR", "Input that lies farthest off", nullable=True),
        Column("worst_statistic", "DOUBLE", "Its Kolmogorov-Smirnov distance", nullable=True, low=0),
    ),
    "instrument",
)

TARGET_DRIFT = _daily(
    "target_drift",
    "How far the realised returns lie from those the served model was trained on",
    (
        INSTRUMENT,
        *MODEL,
        Column("horizon_minutes", "INTEGER", "Forecast horizon", unit="minutes", low=1),
        *DISTANCE,
        Column("mean_bp", "DOUBLE", "Mean of the newest days' returns", unit="basis points"),
        Column("sd_bp", "DOUBLE", "Standard deviation of them", unit="basis points", low=0),
    ),
    "instrument",
    "model_name",
)

PREDICTION_DRIFT = _daily(
    "prediction_drift",
    "How far forecasts and served inputs lie from those of the training window",
    (
        INSTRUMENT,
        *MODEL,
        Column(
            "source",
            "VARCHAR",
            "forecasts (gold/forecasts), predictions or vectors (what was answered), attributions (what inputs count)",
        ),
        Column("quantity", "VARCHAR", "expected_return_bp, probability_up, or the input that lies farthest off"),
        *DISTANCE,
        Column(
            "share",
            "DOUBLE",
            "Share of the inputs that drifted; null but for vectors and attributions",
            nullable=True,
            low=0,
            high=1,
        ),
    ),
    "instrument",
    "model_name",
    "source",
    "quantity",
)

PERFORMANCE = _daily(
    "performance",
    "How the answers that were given came out, beside what the gate saw of the same version",
    (
        *MODEL,
        Column("horizon_minutes", "INTEGER", "Forecast horizon", unit="minutes", low=1),
        Column("days", "INTEGER", "Trading days judged together", low=0),
        Column("settled", "BIGINT", "Forecasts with an outcome, each once", low=0),
        _number("rmse_bp", "RMSE of the return head", "basis points"),
        _number("rmse_gate_bp", "The same at the gate", "basis points"),
        _number("mae_bp", "Mean absolute error of the return head", "basis points"),
        _number("mae_gate_bp", "The same at the gate", "basis points"),
        _number("log_loss", "Log loss of the probability of up"),
        _number("log_loss_gate", "The same at the gate"),
        _number("auc", "Area under the ROC curve"),
        _number("auc_gate", "The same at the gate"),
        _number("coverage_interval", "Share of realised returns inside the interval"),
        _number("coverage_gate", "The same at the gate"),
        _number("hit_rate", "Share of stated directions that came true"),
        _number("p_worse", "One-sided p-value (HAC) that an error is further above the gate's than tolerated"),
        Column("degraded", "BOOLEAN", "It is worse by more than the tolerance, and not by chance"),
        Column("reason", "VARCHAR", "The verdict in words"),
    ),
    "model_name",
    "version",
)

DATA_QUALITY = _daily(
    "data_quality",
    "What was missing, far off or refused of a trading day",
    (
        INSTRUMENT,
        Column("bars", "INTEGER", "Minutes with a bar", low=0),
        Column("expected", "INTEGER", "Minutes that usually have one, up to the feed's clock", low=0),
        Column("missing_bars", "DOUBLE", "Share of them without one", low=0, high=1),
        Column("gaps", "INTEGER", "Pauses longer than the setting within usual hours", low=0),
        Column("longest_gap_min", "INTEGER", "Longest pause within usual hours", unit="minutes", low=0),
        Column("missing_share", "DOUBLE", "Share of unknown inputs that are known on other days", low=0, high=1),
        Column("worst_feature", "VARCHAR", "Input that is missing most beyond its usual share", nullable=True),
        Column("outlier_share", "DOUBLE", "Share of known inputs farther from their mean than the setting allows", low=0, high=1),
        Column("outlier_feature", "VARCHAR", "Input with most of them", nullable=True),
        Column("duplicates", "INTEGER", "Rows refused because their minute was there already", low=0),
        Column("quarantined", "INTEGER", "Rows refused for any reason", low=0),
        Column("passed", "BOOLEAN", "Nothing to look at"),
        Column("problems", "VARCHAR", "What to look at, in words; empty if nothing"),
    ),
    "instrument",
)

REPORTS = _daily(
    "reports",
    "Pages that show drift to people, files below the home",
    (
        INSTRUMENT,
        *MODEL,
        Column("path", "VARCHAR", "File below the home"),
        Column("sha256", "VARCHAR", "Digest of the file"),
        Column("rows", "INTEGER", "Rows of the newest days it was drawn from", low=0),
        Column("rows_reference", "INTEGER", "Rows of the training window it was drawn from", low=0),
        Column("inputs", "INTEGER", "Inputs it shows", low=0),
    ),
    "instrument",
)

NEWS_DRIFT = _daily(
    "news_drift",
    "How many articles a trading day brought and how they sound, against the twelve weeks before",
    (
        INSTRUMENT,
        Column("articles", "INTEGER", "First tellings known on that day", low=0),
        Column("articles_usual", "DOUBLE", "Median of the days before; null without any", nullable=True, low=0),
        Column("sources", "INTEGER", "Publishers among them", low=0),
        Column("mean_score", "DOUBLE", "Mean of positive less negative probability", low=-1, high=1),
        Column("statistic", "DOUBLE", "Kolmogorov-Smirnov distance of the scores", nullable=True, low=0, high=1),
        Column("p_articles", "DOUBLE", "p-value of the number, adjusted for two", nullable=True, low=0, high=1),
        Column("p_score", "DOUBLE", "p-value of the scores, adjusted for two", nullable=True, low=0, high=1),
        Column("drifted", "BOOLEAN", "One of the two is more than chance allows"),
    ),
    "instrument",
)

COSTS = _daily(
    "costs",
    "What a day of the wall took: calls of providers, minutes of runs, their cost where a price is set",
    (
        Column("item", "VARCHAR", "Provider that was asked, or job that ran"),
        Column("unit", "VARCHAR", "calls or minutes"),
        Column("amount", "DOUBLE", "How many", low=0),
        Column("price", "DOUBLE", "Price of one, where one is set", nullable=True, low=0),
        Column("cost", "DOUBLE", "Price times amount", nullable=True, low=0),
    ),
    "item",
    "unit",
)

ALL = (DRIFT_REPORTS, TARGET_DRIFT, PREDICTION_DRIFT, PERFORMANCE, DATA_QUALITY, REPORTS, NEWS_DRIFT, COSTS)
