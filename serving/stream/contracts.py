"""What goes over the sockets of the market stream: events as msgspec structs.

Belongs here: field names, types, units and meanings. Does not: who is sent what (`hub`).
"""

from datetime import datetime
from typing import Annotated

import msgspec

from serving.contracts import Prediction


class BarEvent(msgspec.Struct, frozen=True, kw_only=True, tag="bar"):
    """A finished minute, mid prices."""

    instrument: str
    timestamp: Annotated[datetime, msgspec.Meta(description="Start of the minute, UTC")]
    open: float
    high: float
    low: float
    close: float
    bid_close: float | None
    ask_close: float | None
    spread: float | None
    volume: float
    bid_size: Annotated[float | None, msgspec.Meta(description="Size at the best bid, where the provider gives it")]
    ask_size: Annotated[float | None, msgspec.Meta(description="Size at the best ask, where the provider gives it")]
    known_at: Annotated[datetime, msgspec.Meta(description="When the finished bar was known, UTC; in a played market its end")]
    provider: str


class ForecastEvent(msgspec.Struct, frozen=True, kw_only=True, tag="forecast"):
    """What a served model says of that bar: the answer of POST /predict."""

    instrument: str
    forecast: Prediction


class HeartbeatEvent(msgspec.Struct, frozen=True, kw_only=True, tag="heartbeat"):
    """Nothing new; the service is there."""

    timestamp: datetime


MarketEvent = BarEvent | ForecastEvent | HeartbeatEvent
