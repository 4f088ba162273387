"""Contracts of the monitoring layer: drift of each input, every alert and its delivery.

Belongs here: `monitoring.feature_drift`, `monitoring.alerts` and `monitoring.deliveries`. Does not: the other layers (`tables`),
measuring drift, delivering alerts.
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
        Column("statistic", "DOUBLE", "Kolmogorov-Smirnov distance of the newest days from the training window's hours", low=0),
        Column(
            "p_adjusted",
            "DOUBLE",
            "Its p-value, adjusted for the number of inputs; null where there is none",
            nullable=True,
            low=0,
            high=1,
        ),
        Column("drifted", "BOOLEAN", "The distance is more than chance or the threshold allows"),
        Column("change", "DOUBLE", "The same distance of the day from the day before", nullable=True, low=0, high=2),
        Column("psi", "DOUBLE", "Population stability index in ten bins", nullable=True, low=0),
        Column("p", "DOUBLE", "p-value of the distances, not adjusted", nullable=True, low=0, high=1),
        Column("missing_share", "DOUBLE", "Share of the newest days' bars that lack it", nullable=True, low=0, high=1),
        Column("model_name", "VARCHAR", "Forecaster whose training window it is", nullable=True),
        Column("version", "VARCHAR", "Version that was served", nullable=True),
    ),
    key=("instrument", "trading_day", "feature"),
    clocked=False,
    small=True,
)

ALERTS = Table(
    "monitoring.alerts",
    "Every alert and what became of its delivery",
    (
        Column("id", "VARCHAR", "UUID; of kind and key where it has a key, so that none is kept twice"),
        Column("created_at", "TIMESTAMPTZ", "When it was raised, UTC"),
        Column("kind", "VARCHAR", "What it is about, e.g. drift"),
        Column("severity", "VARCHAR", "info, warning or critical"),
        Column("message", "VARCHAR", "What happened, in words"),
        Column("source", "VARCHAR", "Who raised it: the holder of a key, or an asset"),
        Column("delivery", "VARCHAR", "pending, delivered, failed, or held: for the daily digest alone"),
        Column("delivered_at", "TIMESTAMPTZ", "When it was delivered", nullable=True),
        Column("title", "VARCHAR", "The same in a line", nullable=True),
        Column("key", "VARCHAR", "The event it tells of, e.g. a run's id; null where each is an event of its own", nullable=True),
        Column("report", "VARCHAR", "File that goes with it, below the home", nullable=True),
        Column("attempts", "INTEGER", "Deliveries tried", nullable=True, low=0),
        Column("next_attempt_at", "TIMESTAMPTZ", "When the next one is due, after one that failed", nullable=True),
        Column("error", "VARCHAR", "Why the last one failed", nullable=True),
    ),
    key=("id",),
    time=None,
    records=False,
    small=True,
)

DELIVERIES = Table(
    "monitoring.deliveries",
    "Every attempt to tell people of an alert over a channel; append only",
    (
        Column("alert_id", "VARCHAR", "The alert"),
        Column("channel", "VARCHAR", "Name of the channel in the settings"),
        Column("attempt", "INTEGER", "Of this alert, from 1", low=1),
        Column("at", "TIMESTAMPTZ", "When, UTC"),
        Column("delivered", "BOOLEAN", "The channel took it"),
        Column("error", "VARCHAR", "Why it did not, without addresses or secrets", nullable=True),
    ),
    key=("alert_id", "channel", "attempt"),
    time=None,
    records=False,
    small=True,
)
