"""Contracts of the monitoring layer: drift of each input, every alert and its delivery.

Belongs here: `monitoring.feature_drift` and `monitoring.alerts`. Does not: the other layers (`tables`), measuring drift,
delivering alerts.
"""

from spx_assets.lake.schema import Column, Table

FEATURE_DRIFT = Table(
    "monitoring.feature_drift",
    "How far each input of a trading day lies from the training window of the model that is served",
    (
        Column("trading_day", "DATE", "Trading day that was measured"),
        Column("ts", "TIMESTAMPTZ", "Start of the trading day"),
        Column("instrument", "VARCHAR", "Traded symbol, e.g. SPX500_USD"),
        Column("feature", "VARCHAR", "Model input"),
        Column("statistic", "DOUBLE", "Distance of the day's values from those of the training window", low=0),
        Column(
            "p_adjusted",
            "DOUBLE",
            "Its p-value, adjusted for the number of inputs; null where there is none",
            nullable=True,
            low=0,
            high=1,
        ),
        Column("drifted", "BOOLEAN", "The distance is more than chance or the threshold allows"),
    ),
    key=("instrument", "trading_day", "feature"),
    clocked=False,
    small=True,
)

ALERTS = Table(
    "monitoring.alerts",
    "Every alert and what became of its delivery",
    (
        Column("id", "VARCHAR", "UUID"),
        Column("created_at", "TIMESTAMPTZ", "When it was raised, UTC"),
        Column("kind", "VARCHAR", "What it is about, e.g. drift"),
        Column("severity", "VARCHAR", "info, warning or critical"),
        Column("message", "VARCHAR", "What happened, in words"),
        Column("source", "VARCHAR", "Who raised it: the holder of a key, or an asset"),
        Column("delivery", "VARCHAR", "pending, delivered or failed"),
        Column("delivered_at", "TIMESTAMPTZ", "When it was delivered", nullable=True),
    ),
    key=("id",),
    time=None,
    records=False,
    small=True,
)
