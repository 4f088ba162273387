"""Contracts of the serving layer: every answer, the inputs it was made from, what came of it.

Belongs here: `serving.predictions`, `serving.vectors`, `serving.outcomes` and how far journals were taken over. Does not: the
other layers (`tables`), writing (`serving.ledger`), settling (`scoring.settlement`).
"""

from spx_assets.lake.schema import Column, Table

INSTRUMENT = Column("instrument", "VARCHAR", "Traded symbol, e.g. SPX500_USD")
BAR = Column("ts", "TIMESTAMPTZ", "Start of the bar the forecast was made from, UTC")
HORIZON = Column("horizon_minutes", "INTEGER", "Forecast horizon", unit="minutes", low=1)
DIGEST = Column("model_digest", "VARCHAR", "sha256 over the artifact's files")
DIRECTION = Column("prediction", "VARCHAR", "up or down: the likelier direction")
FEATURE_SET = Column("feature_set_hash", "VARCHAR", "Hash of the ordered model inputs and their definitions")

PREDICTIONS = Table(
    "serving.predictions",
    "Every answer of the service; never changed",
    (
        Column("id", "VARCHAR", "UUID of version 7: sorts by the time of the answer"),
        Column("answered_at", "TIMESTAMPTZ", "When it was answered, UTC"),
        INSTRUMENT,
        BAR,
        HORIZON,
        Column("model_name", "VARCHAR", "Forecaster, e.g. spx500_h30"),
        Column("model_version", "VARCHAR", "Version id"),
        DIGEST,
        Column("alias", "VARCHAR", "How the model came to answer: champion, challenger, flagged, version, ..."),
        Column("gate", "VARCHAR", "The gate's verdict on the model"),
        Column("return_head", "VARCHAR", "ok, or no_edge where the expected return has not beaten zero"),
        DIRECTION,
        Column("probability", "DOUBLE", "Calibrated probability of up", low=0, high=1),
        Column("confidence", "DOUBLE", "Calibrated probability of the stated direction", low=0, high=1),
        Column("signal_strength", "DOUBLE", "2 * confidence - 1", low=0, high=1),
        Column("signal", "VARCHAR", "buy, sell or hold"),
        Column("signal_threshold", "DOUBLE", "Confidence from which it would have signalled", low=0, high=1),
        Column("expected_return_bp", "DOUBLE", "Return head", unit="basis points"),
        Column(
            "predicted_price",
            "DOUBLE",
            "Mid close of the bar moved by the expected return; null for inputs of the caller",
            nullable=True,
            unit="price",
        ),
        Column("interval_low_bp", "DOUBLE", "Lower end of the conformal interval", unit="basis points"),
        Column("interval_high_bp", "DOUBLE", "Upper end of the conformal interval", unit="basis points"),
        Column("interval_level", "DOUBLE", "Share of realised returns that the interval is made to hold", low=0, high=1),
        Column("horizon_crosses_close", "BOOLEAN", "The horizon ends after the trading day: no outcome"),
        Column("tolerance_min", "INTEGER", "Longest gap that its label may span", unit="minutes", low=1),
        Column("features_used", "INTEGER", "Number of model inputs", low=0),
        Column("features_source", "VARCHAR", "online, lake (a past instant) or caller (given with the request, never settled)"),
        Column("in_sample", "BOOLEAN", "The model's training saw the bar: no outcome"),
        Column("as_of", "TIMESTAMPTZ", "Past instant that was asked about; null for an answer about now", nullable=True),
        Column(
            "feature_age_s",
            "DOUBLE",
            "Clock of the feed minus the end of the bar; null for inputs of the caller",
            nullable=True,
            unit="seconds",
        ),
        FEATURE_SET,
        Column("vector_digest", "VARCHAR", "Which row of serving.vectors; null for inputs of the caller", nullable=True),
        Column("caller_features", "VARCHAR", "JSON: inputs the caller gave, oldest bar first", nullable=True),
    ),
    key=("id",),
    time="answered_at",
    clocked=False,
    records=False,
    small=True,
)

VECTORS = Table(
    "serving.vectors",
    "Model inputs that answers were made from, once a bar and feature set",
    (
        INSTRUMENT,
        BAR,
        FEATURE_SET,
        Column("vector_digest", "VARCHAR", "xxh3_64 of its numbers: a corrected bar has a second vector"),
        Column("features", "VARCHAR", "JSON: model inputs by name in the order of the manifest, null where not known"),
    ),
    key=("instrument", "ts", "feature_set_hash", "vector_digest"),
    clocked=False,
    records=False,
    small=True,
)

OUTCOMES = Table(
    "serving.outcomes",
    "What came of the forecasts that were answered, once a forecast: every answer from it has the same outcome",
    (
        INSTRUMENT,
        BAR,
        HORIZON,
        DIGEST,
        DIRECTION,
        Column("status", "VARCHAR", "settled; or why there is no outcome: crosses_close, gap, no_bar"),
        Column("realised_return_bp", "DOUBLE", "1e4 * (exit/entry - 1) as in training", nullable=True, unit="basis points"),
        Column("hit", "BOOLEAN", "The market went the stated way; null on a tie or without an outcome", nullable=True),
        Column("bars", "VARCHAR", "Table the bars were read from; null without an outcome", nullable=True),
        Column("settled_at", "TIMESTAMPTZ", "Wall time of the verdict"),
        Column("bars_snapshot", "BIGINT", "Lake snapshot the bars were read at"),
    ),
    key=("instrument", "ts", "horizon_minutes", "model_digest", "prediction"),
    clocked=False,
    records=False,
    small=True,
)

JOURNALS = Table(
    "serving.journals",
    "How far each journal file that still lies in the home was taken over; written with its rows",
    (
        Column("journal", "VARCHAR", "File name; none is ever used twice"),
        Column("committed", "BIGINT", "Bytes whose rows are in the lake", unit="bytes", low=0),
        Column("committed_at", "TIMESTAMPTZ", "When they came"),
    ),
    key=("journal",),
    time=None,
    clocked=False,
    records=False,
    small=True,
)

ALL = (PREDICTIONS, VECTORS, OUTCOMES, JOURNALS)
