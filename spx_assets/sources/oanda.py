"""OANDA v20 REST: one-minute candles, bid, mid and ask, page by page.

Belongs here: asking for candles and keeping the finished ones. Does not: binding them (`history`), live prices (`oanda_stream`).

GET /v3/instruments/{instrument}/candles with price=MBA, granularity=M1, from and count (at most 5,000) answers the next `count`
candles after `from`, whatever gaps lie between; the last one may be incomplete (developer.oanda.com/rest-live-v20/instrument-ep).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import msgspec
import polars as pl

from spx_assets import calendar
from spx_assets.settings import OandaSettings
from spx_assets.sources import files
from spx_assets.sources.bindings import Feed
from spx_assets.sources.errors import BadAnswerError, InstrumentError, NotFoundError, NotMinuteBarsError, UnauthorisedError
from spx_assets.sources.http import Client
from spx_assets.sources.landing import write_whole
from spx_assets.sources.rows import PRICED

PAGE = 5000
REMEDY = "set SPX_OANDA__TOKEN to a token of this server, and SPX_OANDA__URL to the practice or the live one"
Report = Callable[[datetime], None]


class Candle(msgspec.Struct):
    """The part of a v20 candle that decides paging; the rest is kept as it came."""

    time: str
    complete: bool


class Answer(msgspec.Struct):
    instrument: str
    granularity: str
    candles: list[msgspec.Raw]


def client(settings: OandaSettings, *, backoff_s: float = 0.5, sleep: Callable[[float], None] | None = None) -> Client:
    """A client with the token of the settings; UnauthorisedError where there is none."""
    token = settings.token.get_secret_value()
    if not token:
        raise UnauthorisedError(f"OANDA needs a token; {REMEDY}")
    headers = {"Authorization": f"Bearer {token}", "Accept-Datetime-Format": "RFC3339"}
    options: dict[str, Any] = {"hidden": (token,), **({"sleep": sleep} if sleep else {})}
    return Client(
        "OANDA", settings.url, timeout_s=settings.timeout_s, headers=headers, backoff_s=backoff_s, remedy=REMEDY, **options
    )


def download(
    http: Client, symbol: str, start: datetime, end: datetime, *, folder: Path, page: int = PAGE, report: Report | None = None
) -> list[Path]:
    """Complete candles of [start, end) as NDJSON pages in `folder`, oldest first; pages already there are not asked for again.

    A page is named by the instant it was asked from and ends at its last candle, so a killed download goes on where it stood.
    """
    pages: list[Path] = []
    at = start
    while at < end:
        path, done = folder / f"{at:%Y%m%dT%H%M}.ndjson", False
        if not path.exists():
            lines, done, _ = _page(http, symbol, at, end, page)
            if not lines:
                break
            write_whole(path, b"\n".join(lines) + b"\n")
        pages.append(path)
        at = end if done else last_time(path) + calendar.ONE_MINUTE
        if report:
            report(min(at, end))
    return pages


def recent(http: Client, symbol: str, start: datetime, end: datetime) -> tuple[pl.DataFrame, bool]:
    """Complete candles of [start, end) as an import reads them (`rows.PRICED`), and whether none is still to come."""
    lines: list[bytes] = []
    at, done, pending = start, start >= end, False
    while not done:
        found, done, pending = _page(http, symbol, at, end, PAGE)
        lines += found
        if not found:
            break
        at = _time_of(found[-1]) + calendar.ONE_MINUTE
        done = done or at >= end
    if not lines:
        return pl.DataFrame(schema=PRICED), not pending
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{symbol}.ndjson"
        path.write_bytes(b"\n".join(lines))
        try:
            (bars,) = files.read(path, name=path.name, now=datetime.now(UTC), instrument=symbol, tz="UTC", of_minutes=True)
        except NotMinuteBarsError:
            return pl.DataFrame(schema=PRICED), not pending  # none of them is a candle: quotes of a weekend
    return bars.rows.filter(pl.col("reason").is_null()).select(*PRICED).sort("ts"), not pending


def symbol_of(feed: Feed) -> str:
    """OANDA's own name of a feed's instrument: what its history was asked by."""
    return str(feed.files[-1].rules.get("symbol", feed.instrument)) if feed.files else feed.instrument


def _page(http: Client, symbol: str, at: datetime, end: datetime, page: int) -> tuple[list[bytes], bool, bool]:
    """(complete candles before `end`, whether there is nothing after them, whether one before `end` is not complete yet)."""
    count = min(page, int((end - at) / calendar.ONE_MINUTE))
    params: dict[str, str | int] = {
        "granularity": "M1",
        "price": "MBA",
        "from": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "count": max(count, 1),
    }
    try:
        body = http.get(f"v3/instruments/{quote(symbol, safe='')}/candles", params)
    except NotFoundError as error:
        raise InstrumentError(f"OANDA does not know {symbol} ({error}); use its own name, e.g. --symbol SPX500_USD") from error
    except BadAnswerError as error:
        if "nvalid value specified for 'instrument'" in str(error):
            raise InstrumentError(
                f"OANDA does not know {symbol} ({error}); use its own name, e.g. --symbol SPX500_USD"
            ) from error
        raise
    try:
        answer = msgspec.json.decode(body, type=Answer)
        heads = [msgspec.json.decode(raw, type=Candle) for raw in answer.candles]
        times = [parse_time(head.time) for head in heads]
    except (msgspec.DecodeError, ValueError) as error:
        raise BadAnswerError(f"OANDA's answer for {symbol} from {at} is not a list of candles: {error}; try again") from error
    if answer.granularity != "M1" or answer.instrument != symbol:
        raise BadAnswerError(f"OANDA answered {answer.instrument} {answer.granularity} where {symbol} M1 was asked for")
    kept = [
        bytes(raw) for raw, head, time in zip(answer.candles, heads, times, strict=True) if head.complete and at <= time < end
    ]
    done = len(heads) < count or len(kept) < len(heads)
    pending = any(not head.complete and at <= time < end for head, time in zip(heads, times, strict=True))
    return kept, done, pending


def parse_time(text: str) -> datetime:
    """RFC 3339 with nanoseconds, as v20 writes it, or its UNIX form."""
    if text.endswith("Z"):
        return datetime.fromisoformat(text[:19] + "+00:00")
    return datetime.fromtimestamp(float(text), UTC)


def last_time(path: Path) -> datetime:
    """Time of the last candle of a page."""
    return _time_of(path.read_bytes().splitlines()[-1])


def _time_of(line: bytes) -> datetime:
    return parse_time(msgspec.json.decode(line, type=Candle).time)
