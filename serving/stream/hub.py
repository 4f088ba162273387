"""Who listens to the market stream, and what each is sent.

Belongs here: subscriptions, their bounded queues, dropping who does not keep up, heartbeats. Does not: sockets (`routes`), what
an event says (`contracts`).

All on the event loop. An event is encoded once, whoever listens; a listener costs a queue of references.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import msgspec

from serving.stream.contracts import BarEvent, HeartbeatEvent, MarketEvent
from spx_assets import SpxError
from spx_assets.settings import StreamSettings

KEPT = 240
"""Bars kept an instrument: four hours, where the lake takes them every minute; 100 KB."""


KEYS_S = 0.1
"""How often keys that listeners came with are looked at: as soon as another call would be refused."""


class Ending(NamedTuple):
    """Why a listener gets nothing more: the code a WebSocket is closed with, and words."""

    code: int
    words: str


SLOW = Ending(1013, "too slow: events were lost")
REVOKED = Ending(1008, "the key is no longer valid")
LEAVING = Ending(1012, "the service ends")


class TooManyListenersError(SpxError):
    """No further listener is taken."""


class Sent(msgspec.Struct, frozen=True):
    """An event as it goes over the wire."""

    kind: str
    instrument: str | None
    text: str


class Subscription:
    """One listener: what waits for it, and whether it was dropped. `key`: the id of the key it came with."""

    def __init__(self, limit: int, instruments: frozenset[str], key: str | None) -> None:
        self._waiting: asyncio.Queue[Sent] = asyncio.Queue(limit)
        self._instruments, self.key = instruments, key
        self.dropped, self.why = asyncio.Event(), SLOW
        """Set once it gets nothing more, and why that is."""

    def drop(self, why: Ending) -> None:
        """Let it get nothing more."""
        if not self.dropped.is_set():
            self.why = why
            self.dropped.set()

    def offer(self, event: Sent) -> None:
        """Queue an event it asked for; without room it is dropped, for nobody waits for it."""
        if self.dropped.is_set() or (self._instruments and event.instrument and event.instrument not in self._instruments):
            return
        try:
            self._waiting.put_nowait(event)
        except asyncio.QueueFull:
            self.drop(SLOW)

    async def next(self) -> Sent:
        """The next event."""
        return await self._waiting.get()


class Hub:
    """The listeners of one process."""

    def __init__(self, settings: StreamSettings, now: Callable[[], datetime]) -> None:
        self._settings, self._now = settings, now
        self._listeners: set[Subscription] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self.opens: Callable[[str], bool] = lambda _: True
        """Whether the key of an id still opens what its holder listens to."""
        self.dropped = 0
        """How many were dropped since the start."""
        self.bars: defaultdict[str, deque[BarEvent]] = defaultdict(lambda: deque(maxlen=KEPT))
        """The newest bars of each instrument, which the lake may not have yet."""

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def subscribe(self, instruments: frozenset[str] = frozenset(), *, key: str | None = None) -> Subscription:
        """A new listener, to all events or to those of `instruments`, as long as `key` is valid; TooManyListenersError at the
        limit.
        """
        if len(self._listeners) >= self._settings.max_listeners:
            raise TooManyListenersError(
                f"{len(self._listeners)} listeners are connected, SPX_STREAM__MAX_LISTENERS is {self._settings.max_listeners}"
            )
        subscription = Subscription(self._settings.backlog, instruments, key)
        self._listeners.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        self._listeners.discard(subscription)

    def publish(self, event: MarketEvent) -> None:
        """Send an event to everybody who asked for it."""
        if isinstance(event, BarEvent):
            self.bars[event.instrument].append(event)
        if not self._listeners:
            return
        kind = str(event.__struct_config__.tag)
        sent = Sent(kind, getattr(event, "instrument", None), msgspec.json.encode(event).decode())
        for listener in list(self._listeners):
            listener.offer(sent)
            if listener.dropped.is_set():
                self._listeners.discard(listener)
                self.dropped += 1

    def start(self) -> None:
        """Begin to beat, and to look at the keys of listeners."""
        self._tasks = [asyncio.create_task(self._beat(), name="heartbeat"), asyncio.create_task(self._judge(), name="revoked")]

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._settings.heartbeat_s)
            self.publish(HeartbeatEvent(timestamp=self._now()))

    async def _judge(self) -> None:
        while True:
            await asyncio.sleep(KEYS_S)
            lost = {key for key in {each.key for each in self._listeners if each.key} if not self.opens(key)}
            for listener in [each for each in self._listeners if each.key in lost]:
                listener.drop(REVOKED)
                self._listeners.discard(listener)
