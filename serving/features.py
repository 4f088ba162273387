"""GET /features/{instrument}: the online vector as requests are answered from it.

Belongs here: the route, its answer, ages by family. Does not: features (`spx_assets.features`), when a vector may not be used
(`freshness`).
"""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
import numpy as np
from litestar import get
from litestar.params import Dependency, Parameter

from serving.problems import (
    BadRequest,
    LakeUnavailable,
    MarketClosed,
    StaleFeatures,
    StaleNews,
    UnknownFeature,
    UnknownInstrument,
    WarmingUp,
    specs,
)
from serving.served import INPUTS
from serving.service import Service
from spx_assets.features import catalog

if TYPE_CHECKING:
    from serving.vectors import Vector

Injected = Annotated[Service, Dependency(skip_validation=True)]
FAMILIES = {feature.name: feature.family for feature in catalog.model_inputs()}
PLACES = {name: k for k, name in enumerate(INPUTS)}


class OnlineFeatures(msgspec.Struct, frozen=True, kw_only=True):
    """The newest vector of an instrument."""

    instrument: str
    timestamp: Annotated[datetime, msgspec.Meta(description="Start of the bar, UTC")]
    age_s: Annotated[
        dict[str, float],
        msgspec.Meta(
            description="Age by family: of features of bars the feed's clock minus the end of the bar, 0 on a standing clock; "
            "of news the time since the provider heard longest ago was polled"
        ),
    ]
    features: Annotated[dict[str, float | None], msgspec.Meta(description="By name; null where not known")]


@get(
    "/features/{instrument:str}",
    summary="Online features",
    tags=["features"],
    responses=specs(
        BadRequest, UnknownFeature, UnknownInstrument, LakeUnavailable, MarketClosed, StaleFeatures, StaleNews, WarmingUp
    ),
    raises=[],
)
async def features(
    instrument: Annotated[str, Parameter(description="Traded symbol", max_length=64)],
    service: Injected,
    names: Annotated[
        list[str] | None,
        Parameter(description="Features, the parameter repeated or separated by commas; by default all", max_items=1000),
    ] = None,
) -> OnlineFeatures:
    """Model inputs at the last finished bar, from the same memory as forecasts and by the same rules of age.

    503 `stale_news` only if features of news are among those asked for.
    """
    wanted = list(dict.fromkeys(name for part in names for name in part.split(","))) if names else list(INPUTS)
    if unknown := [name for name in wanted if name not in PLACES]:
        raise UnknownFeature(f"{len(unknown)} of the names are not model inputs; `spx features list` names them", unknown=unknown)
    if instrument not in service.models.instruments().union(service.vectors.live):
        raise UnknownInstrument(f"instrument {instrument!r} is not known")
    vector = service.freshness.vector(instrument)
    age_s = service.freshness.age_s(vector)
    families = list(dict.fromkeys(FAMILIES[name] for name in wanted))
    if catalog.NEWS in families and (stale := service.vectors.stale_news(vector)):
        raise StaleNews(stale)
    row = vector.recent[-1]
    return OnlineFeatures(
        instrument=instrument,
        timestamp=vector.ts,
        age_s={family: _news_age_s(service, vector, age_s) if family == catalog.NEWS else age_s for family in families},
        features={name: None if np.isnan(value := row[PLACES[name]]) else float(value) for name in wanted},
    )


def _news_age_s(service: Service, vector: "Vector", age_s: float) -> float:
    """Beside a standing feed, and in a home that polls no provider, news are as old as the bar."""
    polled = [at for at in service.vectors.polled.values() if at is not None]
    if not service.vectors.live.get(vector.instrument) or not polled:
        return age_s
    return max((service.now() - min(polled)).total_seconds(), 0.0)


ROUTES = [features]
