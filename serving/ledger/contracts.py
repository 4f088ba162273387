"""What the ledger's routes answer, as msgspec structs.

Belongs here: field names, types and meanings; /docs is made from them. Does not: reading (`history`).
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from serving.contracts import Alias, Gate, Head, Interval, Source


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a forecast."""

    status: Annotated[str, msgspec.Meta(description="settled; or why there is no outcome: crosses_close, gap, no_bar")]
    realised_return_bp: Annotated[float | None, msgspec.Meta(description="Return over the horizon, labelled as in training")]
    hit: Annotated[bool | None, msgspec.Meta(description="The market went the stated way; null on a tie or without an outcome")]
    settled_at: datetime


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as it was given, and what came of it; fields as in the answer of POST /predict."""

    id: str
    answered_at: datetime
    instrument: str
    timestamp: Annotated[datetime, msgspec.Meta(description="Start of the bar the forecast was made from, UTC")]
    horizon_minutes: int
    prediction: Literal["up", "down"]
    probability: float
    confidence: float
    signal_strength: float
    signal: Literal["buy", "sell", "hold"]
    signal_threshold: float
    gate: Gate
    return_head: Head
    expected_return_bp: float
    predicted_price: float | None
    interval_bp: Interval
    horizon_crosses_close: bool
    features_used: int
    features_source: Source
    in_sample: bool
    as_of: Annotated[datetime | None, msgspec.Meta(description="Past instant that was asked about; null for now")]
    feature_age_s: float | None
    model_name: str
    model_version: str
    model_digest: str
    alias: Alias
    outcome: Annotated[Outcome | None, msgspec.Meta(description="Null until the horizon has passed and the job `settle` has run")]


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Answers, newest first."""

    predictions: list[Recorded]
    next_cursor: Annotated[str | None, msgspec.Meta(description="Ask on with it as `cursor`; null where there is nothing older")]


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """The newest signal of an instrument and horizon."""

    instrument: str
    horizon_minutes: int
    signal: Literal["buy", "sell", "hold"]
    prediction: Literal["up", "down"]
    probability: float
    confidence: float
    signal_strength: float
    expected_return_bp: float
    predicted_price: float | None
    timestamp: Annotated[datetime, msgspec.Meta(description="Start of the bar it is from, UTC")]
    expires_at: Annotated[datetime, msgspec.Meta(description="End of the bar and the horizon, by the clock of the feed")]
    gate: Gate
    model_name: str
    model_version: str
    model_digest: str


class Signals(msgspec.Struct, frozen=True, kw_only=True):
    signals: list[Signal]
