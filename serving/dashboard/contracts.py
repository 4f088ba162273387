"""What the routes of the page answer, as msgspec structs.

Belongs here: field names, types and units. Does not: how a field is computed (the panels' modules).

Bars and points go as columns, times as milliseconds since 1970: 1,380 bars are 60 KB so, 190 KB as objects.
"""

from datetime import date, datetime
from typing import Literal

import msgspec

from serving.contracts import Health, ModelInfo, Prediction

Millis = int
State = Literal["ok", "warn", "bad", "off"]


class Candles(msgspec.Struct, frozen=True, kw_only=True):
    """Bars of a minute in the order of their start, mid prices."""

    ts: list[Millis]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]


class Forecasts(msgspec.Struct, frozen=True, kw_only=True):
    """Forecasts that were answered, by the bar they are from: price at the end of their horizon and its interval."""

    ts: list[Millis]
    price: list[float]
    low: list[float]
    high: list[float]


class Market(msgspec.Struct, frozen=True, kw_only=True):
    instrument: str
    horizon_minutes: int
    provider: str | None
    """Where its bars come from; null for an instrument without a feed."""
    live: bool
    clock: datetime
    candles: Candles
    forecasts: Forecasts


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """The newest forecast and what decides whether it signals."""

    forecast: Prediction
    threshold: float
    expires_at: datetime
    live: bool


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """A metric beside its baseline on the same rows; `better` is null where either is unknown."""

    name: str
    unit: str
    value: float | None
    baseline: float | None
    baseline_name: str
    better: bool | None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    verdict: str
    reason: str
    direction_ok: bool
    return_ok: bool
    decided_at: datetime


class Importance(msgspec.Struct, frozen=True):
    feature: str
    permutation: float
    gain: float | None = None


class Confusion(msgspec.Struct, frozen=True):
    true_up: int
    false_up: int
    true_down: int
    false_down: int


class Bin(msgspec.Struct, frozen=True):
    rows: int
    probability: float
    share: float
    low: float | None = None
    high: float | None = None


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """Of a version's report.json what the page draws; rows later than all that was trained, tuned or calibrated on."""

    start: datetime
    end: datetime
    rows: int
    roc: list[tuple[float, float]]
    confusion: Confusion
    calibration: list[Bin]
    ece: float | None = None
    ece_band: float | None = None
    importance: list[Importance]


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """The model that answers."""

    info: ModelInfo
    partition: date
    trained_at: datetime
    training_start: datetime
    rows: dict[str, int]
    verdict: Verdict | None
    metrics: list[Metric]
    evaluation: Evaluation | None
    lacking: str | None
    """Why there is no evaluation, and what to do."""


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """A forecast that was answered, once however often, and what came of it."""

    ts: Millis
    prediction: str
    confidence: float
    signal: str
    expected_return_bp: float
    low_bp: float
    high_bp: float
    status: str | None
    realised_return_bp: float | None
    hit: bool | None
    covered: bool | None
    model_version: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Forecasts newest first, and rates over those with an outcome in the days shown."""

    days: int
    forecasts: list[Settled]
    answered: int
    settled: int
    hit_rate: float | None
    coverage: float | None
    level: float | None
    window: int
    running_ts: list[Millis]
    running_hit_rate: list[float | None]
    running_coverage: list[float | None]


class DriftDay(msgspec.Struct, frozen=True, kw_only=True):
    day: date
    share: float
    drifted: bool
    features: int
    drifted_features: int
    reason: str


class DriftFeature(msgspec.Struct, frozen=True, kw_only=True):
    feature: str
    statistic: float
    psi: float | None
    p_adjusted: float | None
    drifted: bool
    trend: list[float | None]
    """The statistic of the days of `Drift.days`, oldest first."""


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    instrument: str
    days: list[DriftDay]
    features: list[DriftFeature]
    report: str | None
    report_day: date | None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What was made last of a table."""

    asset: str
    at: datetime
    week: date
    rows: int
    run_id: str


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the system: how it is, and in words."""

    name: str
    state: State
    text: str


class System(msgspec.Struct, frozen=True, kw_only=True):
    health: Health
    parts: list[Part]
    runs: list[Run]
    choices: dict[str, list[int]]
    """Horizons that are forecast of each instrument."""
    started_at: datetime
    version: str
