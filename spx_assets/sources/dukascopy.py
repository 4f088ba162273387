"""Dukascopy's free minute files: a bid and an ask file a day, LZMA, no account.

Belongs here: addresses, the record format, price scales, joining both sides. Does not: binding (`history`), ticks.

{url}/{SYMBOL}/{year}/{month from 00}/{day}/{BID|ASK}_candles_min_1.bi5 holds big-endian records `>5If`: seconds from midnight
UTC, open, close, low, high as integers, volume. Every minute of the day has a record; one without a quote repeats the last price
with volume 0 and is no bar. Weekends are absent, empty, or made of such records.
"""

import lzma
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from spx_assets.settings import DukascopySettings
from spx_assets.sources.errors import BadAnswerError, InstrumentError, NotFoundError
from spx_assets.sources.http import Client
from spx_assets.sources.landing import write_whole

# A day's file may be late; after a week its absence is taken as final.
SETTLED = timedelta(days=7)
RECORD = np.dtype([("s", ">u4"), ("open", ">u4"), ("close", ">u4"), ("low", ">u4"), ("high", ">u4"), ("volume", ">f4")])
SIDES = ("BID", "ASK")
SYMBOLS = {
    "SPX500_USD": "USA500IDXUSD",
    "NAS100_USD": "USATECHIDXUSD",
    "US30_USD": "USA30IDXUSD",
    "DE30_EUR": "DEUIDXEUR",
    "UK100_GBP": "GBRIDXGBP",
    "JP225_USD": "JPNIDXJPY",
}
_MAJORS = ("AUD", "CAD", "CHF", "EUR", "GBP", "JPY", "NZD", "USD")
_POINTS_5 = (*_MAJORS, "CNH", "CZK", "DKK", "HKD", "ILS", "MXN", "NOK", "PLN", "RON", "SEK", "SGD", "TRY", "ZAR")
_POINTS_3 = ("JPY", "RUB", "THB", "HUF")
Report = Callable[[datetime], None]


def symbol_of(instrument: str) -> str:
    """Dukascopy's name of an instrument: SPX500_USD is USA500IDXUSD, EUR_USD is EURUSD."""
    return SYMBOLS.get(instrument, instrument.replace("_", "").replace("/", "").upper())


def scale_of(symbol: str) -> float:
    """What an integer price is divided by: 1e5 for currencies, 1e3 against JPY and for indices and metals."""
    base, quote = symbol[:3], symbol[3:]
    if "IDX" in symbol or base in ("XAU", "XAG") or (base in _POINTS_5 and quote in _POINTS_3):
        return 1e3
    if len(symbol) == 6 and base in _POINTS_5 and quote in _POINTS_5:
        return 1e5
    raise InstrumentError(
        f"the price scale of {symbol} at Dukascopy is unknown; pass --scale (1000 for indices, 100000 for currencies)"
    )


def client(settings: DukascopySettings, *, backoff_s: float = 0.5, sleep: Callable[[float], None] | None = None) -> Client:
    """A client of the data feed; it needs no account."""
    if sleep is None:
        return Client("Dukascopy", settings.url, timeout_s=settings.timeout_s, backoff_s=backoff_s)
    return Client("Dukascopy", settings.url, timeout_s=settings.timeout_s, backoff_s=backoff_s, sleep=sleep)


def path_of(symbol: str, day: date, side: str) -> str:
    """The address of a day's file below the base address; its months count from 00."""
    return f"{symbol}/{day.year}/{day.month - 1:02d}/{day.day:02d}/{side}_candles_min_1.bi5"


def download(
    http: Client, symbol: str, start: datetime, end: datetime, *, folder: Path, report: Report | None = None
) -> dict[date, tuple[Path, Path]]:
    """Bid and ask files of the days of [start, end) in `folder`; files already there are not asked for again.

    A day without a file, or with an empty one, is kept as an empty file once it is a week old; a younger one is `late`.
    """
    settled = datetime.now(UTC).date() - SETTLED
    days: dict[date, tuple[Path, Path]] = {}
    day = start.date()
    while datetime.combine(day, time(), UTC) < end:
        paths = []
        for side in SIDES:
            path = folder / f"{day:%Y-%m-%d}-{side}.bi5"
            if not path.exists():
                found = _file(http, path_of(symbol, day, side))
                if found or day < settled:
                    write_whole(path, found or b"")
            paths.append(path)
        days[day] = (paths[0], paths[1])
        day += timedelta(days=1)
        if report:
            report(min(datetime.combine(day, time(), UTC), end))
    return days


def late(days: Mapping[date, tuple[Path, Path]]) -> list[date]:
    """Days of a `download` whose files may still come. Saturdays, when the market is shut, never are."""
    return [day for day, paths in days.items() if day.weekday() != 5 and not all(path.exists() for path in paths)]


def _file(http: Client, path: str) -> bytes | None:
    try:
        return http.get(path)
    except NotFoundError:
        return None


def read_day(bid: Path, ask: Path, day: date, *, scale: float) -> pl.DataFrame:
    """Minutes of one day with bid and ask open, high, low, close and the volume of both sides; only minutes with a quote."""
    sides = [
        _side(path, scale).select("second", pl.exclude("second").name.prefix(f"{side}_"))
        for path, side in ((bid, "bid"), (ask, "ask"))
    ]
    both = sides[0].join(sides[1], on="second", how="inner")
    midnight = pl.lit(datetime.combine(day, time(), UTC), dtype=pl.Datetime("us", "UTC"))
    volume = pl.col("bid_volume") + pl.col("ask_volume")
    return (
        both.filter(volume > 0)
        .with_columns((midnight + pl.duration(seconds="second")).alias("ts"), volume.alias("volume"))
        .select("ts", *(f"{side}_{field}" for side in ("bid", "ask") for field in ("open", "high", "low", "close")), "volume")
        .sort("ts")
    )


def _side(path: Path, scale: float) -> pl.DataFrame:
    packed = path.read_bytes() if path.exists() else b""
    try:
        data = lzma.decompress(packed, format=lzma.FORMAT_ALONE) if packed else b""
        records = np.frombuffer(data, RECORD)
    except (lzma.LZMAError, ValueError) as error:
        path.unlink()
        raise BadAnswerError(
            f"Dukascopy's file {path.name} is damaged ({error}); run the command again to fetch it anew"
        ) from error
    columns = {"second": records["s"].astype(np.int64), "volume": records["volume"].astype(np.float64)}
    for field in ("open", "high", "low", "close"):
        columns[field] = records[field].astype(np.float64) / scale
    return pl.DataFrame(columns)
