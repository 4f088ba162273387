"""OANDA v20 pricing stream: one connection after the other, each watched, as a queue of what was heard.

Belongs here: the protocol, the watchdog, reconnecting. Does not: minutes and gaps (`oanda_stream`), candles (`oanda`).

GET /v3/accounts/{account}/pricing/stream?instruments=... answers without end, a JSON object a line: PRICE with `bids` and `asks`
(best first, price and liquidity), and HEARTBEAT every 5 s (developer.oanda.com/rest-live-v20/pricing-ep). Prices that cannot be
dealt at are left out: a closed market repeats its last one.
"""

import queue
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import msgspec

from spx_assets.settings import OandaSettings
from spx_assets.sources import oanda
from spx_assets.sources.errors import BadAnswerError, ProviderError, UnauthorisedError
from spx_assets.sources.http import certificates
from spx_assets.sources.minutes import Tick

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
LONGEST_LINE = 1 << 16
"""Bytes of a line: a price with twenty levels a side has 2 kB."""


class _Level(msgspec.Struct):
    price: float
    liquidity: float | None = None


class _Line(msgspec.Struct):
    type: str
    time: str = ""
    instrument: str = ""
    bids: list[_Level] = []
    asks: list[_Level] = []
    tradeable: bool = True


@dataclass(frozen=True)
class Up:
    """A connection answered: from now on every price is heard."""


@dataclass(frozen=True)
class Beat:
    """Nothing new, but the provider is there."""


@dataclass(frozen=True)
class Down:
    """The connection broke, or there was none to be had; another is tried."""

    reason: str


@dataclass(frozen=True)
class Refused:
    """Trying again would not help."""

    error: ProviderError


Said = Up | Beat | Tick | Down | Refused


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard, and when by the worker's clock."""

    at: datetime
    said: Said


class Prices:
    """Hears prices in a thread of its own until `stop` is set; `heard` has what came, in order."""

    def __init__(
        self,
        settings: OandaSettings,
        instruments: Sequence[str],
        *,
        now: Callable[[], datetime],
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        if not settings.account:
            raise UnauthorisedError("OANDA streams the prices of an account; set SPX_OANDA__ACCOUNT to its number")
        self._settings, self._instruments, self._now, self._first_pause_s = settings, list(instruments), now, first_pause_s
        with oanda.client(settings) as rest:
            self._masked = rest.masked
        self.heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()

    def start(self, stop: threading.Event) -> None:
        """Begin to listen. The thread ends within the silence allowed after `stop` is set."""
        threading.Thread(target=self._follow, args=(stop,), name="oanda-prices", daemon=True).start()

    def _follow(self, stop: threading.Event) -> None:
        failures = 0
        timeout = httpx.Timeout(self._settings.timeout_s, read=self._settings.silence_s)
        with httpx.Client(timeout=timeout, verify=certificates()) as client:
            while not stop.is_set():
                try:
                    for line in self._lines(client, stop):
                        failures = 0
                        self._take(line)
                    reason = "the stream ended"
                except (httpx.HTTPError, _SilenceError) as error:
                    reason = self._masked(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
                except ProviderError as error:
                    self._put(Refused(error))
                    return
                self._put(Down(reason))
                # Many clients lose one server together: each waits its own time.
                pause = min(self._first_pause_s * 2.0 ** min(failures, 10), LONGEST_PAUSE_S)
                failures += 1
                stop.wait(pause * random.uniform(0.5, 1.0))

    def _lines(self, client: httpx.Client, stop: threading.Event) -> Iterator[bytes]:
        settings = self._settings
        address = f"{settings.stream_url.rstrip('/')}/v3/accounts/{settings.account}/pricing/stream"
        headers = {"Authorization": f"Bearer {settings.token.get_secret_value()}", "Accept-Datetime-Format": "RFC3339"}
        with client.stream("GET", address, params={"instruments": ",".join(self._instruments)}, headers=headers) as answer:
            self._require(answer)
            self._put(Up())
            rest, whole = b"", time.monotonic()
            for part in answer.iter_bytes():
                *lines, rest = (rest + part).split(b"\n")
                if lines:
                    whole = time.monotonic()
                # Bytes alone are no sign of life: a line that never ends is silence, too.
                if len(rest) > LONGEST_LINE or time.monotonic() - whole > settings.silence_s:
                    raise _SilenceError("no whole line came")
                yield from (line for line in lines if line.strip())
                if stop.is_set():
                    return

    def _require(self, answer: httpx.Response) -> None:
        """Nothing where prices follow; ProviderError where asking again is of no use, else httpx's error."""
        if answer.status_code == httpx.codes.OK:
            return
        said = self._masked(answer.read().decode(errors="replace"))[:200].strip()
        text = f"OANDA answered {answer.status_code} to the pricing stream: {said}"
        if answer.status_code in (401, 403):
            raise UnauthorisedError(f"{text}; {oanda.REMEDY}, and SPX_OANDA__ACCOUNT to one of the token's accounts")
        if answer.status_code in (400, 404):
            raise BadAnswerError(
                f"{text}; see SPX_OANDA__ACCOUNT and the names of the instruments: {', '.join(self._instruments)}"
            )
        raise httpx.HTTPStatusError(text, request=answer.request, response=answer)

    def _take(self, line: bytes) -> None:
        """Hand on a price, or that the provider was heard. A damaged line is cured by the next one."""
        try:
            said = msgspec.json.decode(line, type=_Line, strict=False)
            if said.type != "PRICE" or not said.tradeable or not said.bids or not said.asks:
                self._put(Beat())
                return
            bid, ask = said.bids[0], said.asks[0]
            tick = Tick(said.instrument, precise(said.time), bid.price, ask.price, bid.liquidity, ask.liquidity)
        except (msgspec.MsgspecError, ValueError):
            return
        self._put(tick)

    def _put(self, said: Said) -> None:
        self.heard.put(Heard(self._now(), said))


class _SilenceError(Exception):
    """Nothing whole was heard for too long."""


def precise(text: str) -> datetime:
    """RFC 3339 with nanoseconds to the microsecond, as v20 writes it."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{(fraction + '000000')[:6]}").replace(tzinfo=UTC)
