"""Drift and alerts as rows of the lake.

Belongs here: reading the newest report, keeping an alert. Does not: HTTP (`routes`).
"""

import uuid
from datetime import UTC, datetime

import polars as pl

from serving.monitoring.contracts import Alert, AlertRequest, DriftCheck, DriftedFeature
from serving.problems import LakeUnavailable, NoDriftReport
from serving.vectors import READ_ERRORS
from spx_assets.lake import Lake
from spx_assets.lake.monitoring_tables import ALERTS, FEATURE_DRIFT
from spx_assets.settings import Settings

NEWEST = """
SELECT trading_day, instrument, feature, statistic, p_adjusted, drifted FROM monitoring.feature_drift
WHERE ($instrument IS NULL OR instrument = $instrument) AND trading_day = (
    SELECT max(trading_day) FROM monitoring.feature_drift WHERE $instrument IS NULL OR instrument = $instrument
)
ORDER BY statistic DESC, instrument, feature"""


def newest_report(settings: Settings, instrument: str | None) -> DriftCheck:
    """What was measured of the newest day, of all instruments or of one; NoDriftReport if nothing was."""
    try:
        lake = Lake.open(settings, read_only=True)
        listed = lake.listing(FEATURE_DRIFT, lake.snapshot())
        measured = listed.exists and (listed.files or listed.inlined)
        found = lake.sql(NEWEST, {"instrument": instrument}) if measured else FEATURE_DRIFT.empty()
    except READ_ERRORS as error:
        raise LakeUnavailable(error) from error
    if found.is_empty():
        of = f" of {instrument}" if instrument else ""
        raise NoDriftReport(
            f"monitoring.feature_drift holds no report{of}; the drift assets fill it, which measure a trading day once it is over"
        )
    drifted = found.filter("drifted")
    return DriftCheck(
        drift_detected=not drifted.is_empty(),
        drift_score=drifted.height / found.height,
        drifted_features=drifted["feature"].unique(maintain_order=True).to_list(),
        trading_day=found["trading_day"][0],
        instruments=sorted(found["instrument"].unique()),
        features_checked=found.height,
        details=[
            DriftedFeature(**row)
            for row in drifted.select("instrument", "feature", "statistic", "p_adjusted").iter_rows(named=True)
        ],
    )


def keep(settings: Settings, asked: AlertRequest, *, source: str) -> Alert:
    """The alert as a row that waits for its delivery."""
    made = Alert(
        id=str(uuid.uuid4()),
        created_at=datetime.now(UTC),
        kind=asked.kind,
        severity=asked.severity,
        message=asked.message,
        source=source,
        delivery="pending",
    )
    row = {name: getattr(made, name) for name in Alert.__struct_fields__} | {"delivered_at": None}
    try:
        Lake.existing(settings).append(ALERTS, pl.DataFrame([row], schema=ALERTS.schema()))
    except READ_ERRORS as error:
        raise LakeUnavailable(error) from error
    return made
