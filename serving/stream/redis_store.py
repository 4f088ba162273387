"""The online store in Redis: the newest vectors of each instrument and a channel of new bars, shared by worker and services.

Belongs here: keys, what a value holds, when it counts as absent. Does not: following the channel (`follower`), making vectors.

`<prefix>:vector:<instrument>` is the last bars' vectors of its trading day, `<prefix>:instruments` the set of names,
`<prefix>:bars` the channel, `<prefix>:worker` is there while a worker is. Redis forgets a value by itself, too; what counts is
its own age, judged where it is read: a copy that Redis kept longer, or that was restored from a dump, is still too old.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Annotated

import msgspec
import numpy as np
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from serving.vectors import Vector
from spx_assets import SpxError
from spx_assets.features import catalog
from spx_assets.settings import Settings
from spx_assets.sources.bars import Bar

SCHEMA = 2
"""Of a value: raise it when its fields mean something else."""
SILENCE_S = 30.0
"""Without a word of a worker for so long it is taken for dead: it says every second that it lives, and waits for no lake long."""
PATIENCE_S = 1.0
"""How long an answer of Redis may take: a worker that waits is late with its bars."""

Aware = Annotated[datetime, msgspec.Meta(tz=True)]
"""An instant: a time without a zone makes a value one of another layout."""


class RedisDownError(SpxError):
    """Redis does not answer."""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A value: the vectors of an instrument's last bars. Floats and stamps as they lie in memory, little-endian."""

    schema: int
    features: str
    instrument: str
    ts: Aware
    close: float
    clock: Aware
    news: str | None
    binding: str | None
    rows: int
    recent: bytes
    stamps: bytes
    written_at: Aware
    ttl_s: float


@cache
def _width() -> int:
    return len(catalog.model_inputs())


@cache
def feature_set() -> str:
    """Hash of the features that a vector holds."""
    return catalog.feature_set_hash(tuple(feature.name for feature in catalog.model_inputs()))


def encode(vector: Vector, *, ttl_s: float, now: datetime) -> bytes:
    """A vector as the value of its key."""
    stored = Stored(
        schema=SCHEMA,
        features=feature_set(),
        instrument=vector.instrument,
        ts=vector.ts,
        close=vector.close,
        clock=vector.clock,
        news=vector.news,
        binding=vector.binding,
        rows=len(vector.recent),
        recent=np.ascontiguousarray(vector.recent, dtype="<f4").tobytes(),
        stamps=np.ascontiguousarray(vector.stamps, dtype="<i8").tobytes(),
        written_at=now,
        ttl_s=ttl_s,
    )
    return msgspec.msgpack.encode(stored)


def decode(value: bytes | None, *, now: datetime) -> Vector | None:
    """The vector of a value; None where there is none, it is too old, of other features or of another layout."""
    if value is None:
        return None
    try:
        stored = msgspec.msgpack.decode(value, type=Stored)
    except msgspec.MsgspecError:
        return None
    if stored.schema != SCHEMA or stored.features != feature_set():
        return None
    if not (now - stored.written_at).total_seconds() <= stored.ttl_s:  # nor is a NaN an age that counts
        return None
    if stored.rows < 1 or (len(stored.recent), len(stored.stamps)) != (stored.rows * _width() * 4, stored.rows * 8):
        return None
    recent = np.frombuffer(stored.recent, dtype="<f4").reshape(stored.rows, -1)
    stamps = np.frombuffer(stored.stamps, dtype="<i8")
    return Vector(stored.instrument, stored.ts, stored.close, recent, stamps, stored.clock, stored.news, stored.binding)


def _bar(said: bytes) -> Bar | None:
    """A published bar; None for what another release may have said."""
    try:
        return msgspec.msgpack.decode(said, type=Bar)
    except msgspec.MsgspecError:
        return None


class RedisStore:
    """Redis as worker and services use it. Every method raises RedisDownError where it does not answer."""

    def __init__(self, settings: Settings) -> None:
        self._prefix, self._ttl_s = settings.stream.prefix, settings.stream.ttl_s
        try:
            self._client = redis.Redis.from_url(
                settings.redis_url.get_secret_value(),
                socket_timeout=PATIENCE_S,
                socket_connect_timeout=PATIENCE_S,
                retry=Retry(NoBackoff(), 0),
                health_check_interval=0,
            )
        except ValueError:
            raise RedisDownError("SPX_REDIS_URL is no address of a Redis; write it redis://[:password@]host:port/0") from None
        options = self._client.connection_pool.connection_kwargs
        self.where = f"{options['host']}:{options['port']}" if "host" in options else str(options.get("path"))
        self._password = options.get("password")

    @property
    def channel(self) -> str:
        return f"{self._prefix}:bars"

    def put(self, vector: Vector) -> None:
        """Store the newest vector of an instrument."""
        value = encode(vector, ttl_s=self._ttl_s, now=datetime.now(UTC))
        with self._answering():
            pipe = self._client.pipeline(transaction=True)
            pipe.set(self._key(vector.instrument), value, px=max(int(self._ttl_s * 1000), 1))
            pipe.sadd(f"{self._prefix}:instruments", vector.instrument)
            pipe.set(self._worker, b"", px=int(SILENCE_S * 1000))
            pipe.execute()

    def beat(self) -> None:
        """Say that the worker lives."""
        with self._answering():
            self._client.set(self._worker, b"", px=int(SILENCE_S * 1000))

    def leave(self) -> None:
        """Say that the worker ends."""
        with self._answering():
            self._client.delete(self._worker)

    def alive(self) -> bool:
        """Whether a worker said so lately."""
        with self._answering():
            return bool(self._client.exists(self._worker))

    def forget(self, instrument: str) -> None:
        """Take the vector of an instrument away."""
        with self._answering():
            self._client.delete(self._key(instrument))

    def get(self, instrument: str) -> Vector | None:
        """The vector of an instrument, None where it is absent or as good as absent."""
        with self._answering():
            value = self._client.get(self._key(instrument))
        return decode(value if isinstance(value, bytes) else None, now=datetime.now(UTC))

    def instruments(self) -> list[str]:
        """Instruments that were ever stored."""
        with self._answering():
            names = self._client.smembers(f"{self._prefix}:instruments")
        return sorted(name.decode() for name in names if isinstance(name, bytes))

    def tell(self, bar: Bar) -> None:
        """Publish a bar."""
        with self._answering():
            self._client.publish(self.channel, msgspec.msgpack.encode(bar))

    def heard(self) -> Iterator[Bar | None]:
        """Bars as they are published, None after each second without one. Subscribed when the first is asked for."""
        with self._answering(), self._client.pubsub(ignore_subscribe_messages=True) as channel:  # type: ignore[no-untyped-call]
            channel.subscribe(self.channel)
            # The answer to the subscription comes first: what is published from then on is heard.
            channel.get_message(timeout=PATIENCE_S)
            yield None
            while True:
                said = channel.get_message(timeout=PATIENCE_S)
                yield None if said is None else _bar(said["data"])

    @property
    def _worker(self) -> str:
        return f"{self._prefix}:worker"

    def _key(self, instrument: str) -> str:
        return f"{self._prefix}:vector:{instrument}"

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except redis.RedisError as error:
            text = str(error).replace(str(self._password), "***") if self._password else str(error)
            raise RedisDownError(f"Redis at {self.where} does not answer ({text}); see SPX_REDIS_URL") from error
