"""What goes over the wire: requests and answers as msgspec structs.

Belongs here: field names, types, units and meanings; /docs is made from them. Does not: how a field is computed.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

Gate = Literal["promoted", "kept_champion", "not_entered", "manual", "no_edge", "unjudged"]
Head = Literal["ok", "no_edge"]
Alias = Literal["champion", "challenger", "flagged", "last_verified", "manual", "version", "walk_forward"]
Source = Literal["online", "lake", "caller"]
FEATURE_AGE = (
    "Clock of the feed minus the end of the bar; 0 on a standing clock, but for rows at its end that were refused; for a "
    "timestamp, that minus the end of the bar; null for features of the caller's"
)
ALIAS = (
    "How the model came to answer: champion, challenger or flagged of current.json; last_verified, while the named one is "
    "refused; manual, loaded by an operator; version, named in the request; walk_forward, served or newest trained at the "
    "timestamp"
)
Value = float | None


class PredictRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    instrument: Annotated[str, msgspec.Meta(min_length=1, max_length=64, description="Traded symbol", examples=["SPX500_USD"])]
    horizon_minutes: (
        Annotated[
            int,
            msgspec.Meta(
                ge=1,
                le=1440,
                description="Forecast horizon; by default 30, else the shortest that has a model, even one that was refused",
            ),
        ]
        | None
    ) = None
    model_name: (
        Annotated[str, msgspec.Meta(max_length=128, description="A forecaster; by default the one of instrument and horizon")]
        | None
    ) = None
    model_version: (
        Annotated[str, msgspec.Meta(max_length=128, description="Any version of the forecaster in the artifact store")] | None
    ) = None
    timestamp: (
        Annotated[
            datetime,
            msgspec.Meta(
                tz=True,
                description="A time in the past, with its offset: answers from what was known then, by the model that was served "
                "then if it was trained before, else by the newest that was",
                examples=["2025-10-15T15:30:00Z"],
            ),
        ]
        | None
    ) = None
    features: (
        Annotated[
            dict[str, Value] | list[Value | dict[str, Value] | list[Value]],
            msgspec.Meta(
                description="Inputs of one's own: by name, or a list in the order of the manifest (GET /models/{name}); for a "
                "model of several rows a list of such rows, the newest last. Null only where the model takes nulls"
            ),
        ]
        | None
    ) = None
    include_features: Annotated[bool, msgspec.Meta(description="Answer with the inputs of the bar by name")] = False
    include_reasons: Annotated[bool, msgspec.Meta(description="Answer with the five inputs that moved the forecast most")] = False


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


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """What one input moves: the forecast less the forecast with the median of the training rows in its place."""

    feature: str
    value: Annotated[float | None, msgspec.Meta(description="The input of the bar; null where it is not known")]
    median: Annotated[float, msgspec.Meta(description="Its median over the rows the model was fitted on")]
    probability: Annotated[float, msgspec.Meta(description="What it adds to the calibrated probability of up")]
    return_bp: Annotated[float, msgspec.Meta(description="What it adds to the expected return, basis points")]


class Prediction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A forecast from the last finished bar, or from the one that was the last at the timestamp asked for."""

    id: str
    instrument: str
    timestamp: Annotated[
        datetime,
        msgspec.Meta(description="Start of the bar the forecast is made from, UTC; of a caller's features the time asked for"),
    ]
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
    predicted_price: Annotated[
        float | None,
        msgspec.Meta(description="Mid close of the bar moved by the expected return; null for features of the caller's"),
    ]
    interval_bp: Interval
    horizon_crosses_close: Annotated[bool, msgspec.Meta(description="The horizon ends after the trading day: never a signal")]
    features_used: int
    features_source: Annotated[
        Source, msgspec.Meta(description="online: the newest bar; lake: as known at the timestamp; caller: given in the request")
    ]
    feature_age_s: Annotated[float | None, msgspec.Meta(description=FEATURE_AGE)]
    in_sample: Annotated[bool, msgspec.Meta(description="The training saw this time: no evidence of skill, never settled")]
    model_name: str
    model_version: str
    model_digest: str
    alias: Annotated[Alias, msgspec.Meta(description=ALIAS)]
    skill: Skill
    latency_ms: float
    features: Annotated[dict[str, float | None] | None, msgspec.Meta(description="Inputs of the bar, if asked for")] = None
    reasons: Annotated[list[Reason] | None, msgspec.Meta(description="Largest effect first, if asked for")] = None


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    type: Annotated[str, msgspec.Meta(description="Model family")]
    features: int
    score: Annotated[float | None, msgspec.Meta(description="Out-of-time AUC")]
    loaded_at: datetime
    gate: Gate
    return_head: Head
    alias: Annotated[Alias, msgspec.Meta(description=ALIAS)]
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
    stream: Annotated[str | None, msgspec.Meta(description="What brings new bars at once; null: the lake alone has them")]
    manual: Annotated[dict[str, str], msgspec.Meta(description="Forecasters for which an operator's load or unload holds")]


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
    unknown: list[str] | None = None
    reasons: list[str] | None = None
