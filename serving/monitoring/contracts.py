"""What the routes below /monitoring take and give.

Belongs here: field names, types, meanings. Does not: how a field is computed (`rows`).
"""

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec

Severity = Literal["info", "warning", "critical"]


class DriftedFeature(msgspec.Struct, frozen=True, kw_only=True):
    instrument: str
    feature: str
    statistic: Annotated[float, msgspec.Meta(description="Distance of the day's values from those of the training window")]
    p_adjusted: Annotated[float | None, msgspec.Meta(description="Adjusted for the number of inputs; null where there is none")]


class DriftCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The newest report."""

    drift_detected: Annotated[bool, msgspec.Meta(description="Some input drifted")]
    drift_score: Annotated[float, msgspec.Meta(description="Share of the inputs that drifted")]
    drifted_features: Annotated[list[str], msgspec.Meta(description="Their names, the largest statistic first")]
    trading_day: Annotated[date, msgspec.Meta(description="The day that was measured")]
    instruments: list[str]
    features_checked: Annotated[int, msgspec.Meta(description="Inputs measured, over all instruments")]
    details: Annotated[list[DriftedFeature], msgspec.Meta(description="The drifted inputs, in the order of drifted_features")]


class AlertRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    message: Annotated[str, msgspec.Meta(min_length=1, max_length=2000, description="What happened, in words")]
    severity: Severity = "warning"
    kind: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,63}$", description="What it is about")] = "drift"


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert as it was kept."""

    id: str
    created_at: datetime
    kind: str
    severity: Severity
    message: str
    source: str
    delivery: Annotated[Literal["pending"], msgspec.Meta(description="Nobody was told yet")]
