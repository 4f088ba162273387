"""Settings of the live stream: where bars come from, how fast, who may listen.

Belongs here: names, types, defaults. Does not: what the worker does (`serving.stream`), a provider's address (`sources`).
"""

from typing import Literal

from pydantic import BaseModel, Field

Source = Literal["off", "simulator", "replay", "oanda"]


class StreamSettings(BaseModel):
    source: Source | None = Field(
        None, description="where new bars come from; unset: off, but under `spx up` the simulator goes on in a simulated home"
    )
    instruments: tuple[str, ...] = Field((), description="instruments to stream; empty: every one whose feed is of that provider")
    speed: float = Field(
        1.0, ge=0, description="minutes of a simulated or replayed market a minute of the wall's; 0: as fast as they are made"
    )
    replay: str = Field("", description="file of candles to replay; empty: the feed's own rows after those in bronze/candles")
    grace_ms: int = Field(250, ge=0, description="how long after a minute's end ticks of it are waited for")
    flush_s: float = Field(10.0, gt=0, description="how often new bars go from the journal to bronze.candles_live")
    heartbeat_s: float = Field(5.0, gt=0, description="pause between two heartbeats on a socket")
    backlog: int = Field(256, ge=1, description="events a listener may lag behind before it is dropped")
    max_listeners: int = Field(1000, ge=1, description="sockets and event streams that one process keeps open")
    ttl_s: float = Field(900.0, gt=0, description="age from which a vector in Redis is as if it were not there, seconds")
    prefix: str = Field("spx", min_length=1, description="what the keys and the channel in Redis begin with")
