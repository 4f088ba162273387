"""What goes over the wire: requests and answers as msgspec structs.

Belongs here: field names, types, units and meanings; /docs is made from them. Does not: how a field is computed.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

Gate = Literal["promoted", "kept_champion", "not_entered", "manual", "no_edge", "unjudged"]
Head = Literal["ok", "no_edge"]
FEATURE_AGE = "Clock of the feed minus the end of the bar; 0 on a standing clock, but for rows at its end that were refused"


class PredictRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    instrument: Annotated[str, msgspec.Meta(min_length=1, max_length=64, description="Traded symbol", examples=["SPX500_USD"])]
    horizon_minutes: (
        Annotated[int, msgspec.Meta(ge=1, le=1440, description="Forecast horizon; by default 30, else the shortest served")]
        | None
    ) = None
    model_name: (
        Annotated[str, msgspec.Meta(max_length=128, description="A forecaster; by default the one of instrument and horizon")]
        | None
    ) = None


Sentiment = Literal["positive", "negative", "neutral", "custom"]


class StreamRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    count: Annotated[int, msgspec.Meta(ge=1, le=100, description="How many articles")] = 1
    title: (
        Annotated[
            str,
            msgspec.Meta(min_length=1, max_length=500, description="Headline; custom needs one, else it is the newsroom's"),
        ]
        | None
    ) = None
    instrument: (
        Annotated[str, msgspec.Meta(min_length=1, max_length=64, description="Whose newest bar is to know them; by default any")]
        | None
    ) = None


class StreamedArticle(msgspec.Struct, frozen=True, kw_only=True):
    article_id: str
    title: str
    known_at: Annotated[datetime, msgspec.Meta(description="From when bars know it, UTC: the newest one does")]


class Streamed(msgspec.Struct, frozen=True, kw_only=True):
    """Articles that wait in the drop folder for the next run of `job`."""

    file: str
    job: str
    articles: list[StreamedArticle]


class Interval(msgspec.Struct, frozen=True):
    """Conformal interval of the return in basis points: it holds the realised return in `level` of all cases."""

    low: float
    high: float
    level: float


class Skill(msgspec.Struct, frozen=True, kw_only=True):
    """Out-of-time metrics of the model, each beside its baseline on the same rows. Null where it was not measured."""

    effective_obs: float | None = None
    auc: float | None = None
    log_loss: float | None = None
    log_loss_base: float | None = None
    p_direction: float | None = None
    rmse_bp: float | None = None
    rmse_zero_bp: float | None = None
    rmse_ar1_bp: float | None = None
    r2_zero: float | None = None
    p_return: float | None = None


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """A forecast from the last finished bar."""

    id: str
    instrument: str
    timestamp: Annotated[datetime, msgspec.Meta(description="Start of the bar the forecast is made from, UTC")]
    horizon_minutes: int
    prediction: Annotated[Literal["up", "down"], msgspec.Meta(description="The likelier direction")]
    probability: Annotated[float, msgspec.Meta(description="Calibrated probability of up")]
    confidence: Annotated[float, msgspec.Meta(description="Calibrated probability of the stated direction")]
    signal_strength: Annotated[float, msgspec.Meta(description="2 * confidence - 1: 0 is a coin toss, 1 is certain")]
    signal: Annotated[
        Literal["buy", "sell", "hold"],
        msgspec.Meta(description="buy or sell if the gate passed, confidence reaches the threshold and the day is long enough"),
    ]
    gate: Annotated[Gate, msgspec.Meta(description="The gate's verdict on the model; no_edge and unjudged never signal")]
    return_head: Annotated[Head, msgspec.Meta(description="no_edge: expected_return_bp has not beaten a forecast of zero")]
    expected_return_bp: float
    predicted_price: Annotated[float, msgspec.Meta(description="Mid close of the bar moved by the expected return")]
    interval_bp: Interval
    horizon_crosses_close: Annotated[bool, msgspec.Meta(description="The horizon ends after the trading day: never a signal")]
    features_used: int
    feature_age_s: Annotated[float, msgspec.Meta(description=FEATURE_AGE)]
    model_name: str
    model_version: str
    model_digest: str
    skill: Skill
    latency_ms: float


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    type: Annotated[str, msgspec.Meta(description="Model family")]
    features: int
    score: Annotated[float | None, msgspec.Meta(description="Out-of-time AUC")]
    loaded_at: datetime
    gate: Gate
    return_head: Head
    alias: str
    version: str
    digest: str
    generation: int
    horizon_minutes: int
    instruments: tuple[str, ...]
    training_cutoff: datetime
    skill: Skill


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """healthy: every forecaster found is served as its current.json says; degraded: `problems` says what is not."""

    status: Literal["healthy", "degraded"]
    timestamp: datetime
    models_loaded: int
    models: list[str]
    instruments: Annotated[dict[str, datetime], msgspec.Meta(description="Last bar of each instrument that can be forecast")]
    problems: list[str]


class ApiInfo(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    version: str
    docs: str
    openapi: str
    routes: list[str]


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457 problem document. `code` is stable; `detail` is for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    next_open: datetime | None = None
    missing: list[str] | None = None
