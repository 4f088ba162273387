"""Downloading a provider's history into the landing folder and binding it as an archive feed; resumable.

Belongs here: which ranges are missing, where an unfinished download lies, when it is bound. Does not: a provider's protocol
(`oanda`, `dukascopy`), live feeds.

What was bound is remembered as ranges in the rules of its files, what was fetched but not yet bound as files in
`landing/partial`; asking again for a range fetches only what neither holds.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Literal

import polars as pl
from filelock import FileLock, Timeout

from spx_assets import calendar
from spx_assets.lake.connection import Lake
from spx_assets.sources import bindings, dukascopy, imports, oanda, spent
from spx_assets.sources.bindings import Feed
from spx_assets.sources.errors import DownloadBusyError, RangeError
from spx_assets.sources.http import Client
from spx_assets.sources.imports import ImportReport
from spx_assets.sources.landing import Landing

Provider = Literal["oanda", "dukascopy"]
Range = tuple[datetime, datetime]
Found = tuple[Range, Path, datetime]
"""A range that was fetched, the file of its candles, and the last of them."""


@dataclass(frozen=True)
class _Asked:
    """What one call of `download` was asked for, besides its range."""

    lake: Lake
    provider: Provider
    instrument: str
    symbol: str
    scale: float | None
    page: int
    replace: bool
    now: datetime


def download(
    lake: Lake,
    *,
    provider: Provider,
    instrument: str,
    start: datetime,
    end: datetime,
    symbol: str | None = None,
    scale: float | None = None,
    replace: bool = False,
    progress: Callable[[int, int], None] | None = None,
    http: Client | None = None,
    page: int = oanda.PAGE,
) -> list[ImportReport]:
    """Fetch the minutes of [start, end) that the feed does not hold yet and bind them; one report per range that was found.

    `symbol` is the provider's own name, `scale` Dukascopy's price divisor, both derived from `instrument` where they can be.
    `progress(done, total)` counts minutes of the missing ranges. RangeError if the provider has nothing there,
    DownloadBusyError if another process is downloading the same.
    """
    now = datetime.now(UTC)
    last = now if provider == "oanda" else now.replace(hour=0, minute=0, second=0, microsecond=0)
    until = min(end, last.replace(second=0, microsecond=0))
    if start >= until:
        raise RangeError(
            f"nothing to download from {start:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC; --from must be before --to and now"
        )
    name = symbol or (instrument if provider == "oanda" else dukascopy.symbol_of(instrument))
    asked = _Asked(lake, provider, instrument, name, scale, page, replace, now)
    with spent.counted(lake.settings.home), _alone(Landing(lake.settings.landing), provider, instrument, name):
        feed = bindings.feeds(lake).get(instrument)
        bindings.check_bindable(feed, provider, instrument=instrument, replace=replace)
        imports.check_start(lake.settings, start, f"--from {start:%Y-%m-%d}: the rows")
        gaps = [(start, until)] if replace or feed is None else missing(covered(feed), start, until)
        reports = _bound(asked, gaps, http or _client(lake, provider), progress)
    if gaps and not reports and (feed is None or name != oanda.symbol_of(feed)):
        raise RangeError(
            f"{provider} has no candles of {name} from {start:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC; "
            "check --symbol and the dates"
        )
    return reports


@contextmanager
def _alone(landing: Landing, provider: Provider, instrument: str, symbol: str) -> Iterator[None]:
    """One download at a time of an instrument, whose feed is read and then bound, and of a symbol, whose pages lie in partial.

    DownloadBusyError at once if another holds either: it may take hours.
    """
    with ExitStack() as held:
        for kind, named in (("instrument", instrument), (provider, symbol)):
            lock = FileLock(landing.partial("locks", f"{kind}-{named}") / ".lock", timeout=0)
            try:
                held.enter_context(lock)
            except Timeout as error:
                raise DownloadBusyError(
                    f"another download of {named} is under way in this home; wait until it ends, then ask again: what it has "
                    "fetched is not fetched twice"
                ) from error
        yield


def _bound(
    asked: _Asked, gaps: Sequence[Range], client: Client, progress: Callable[[int, int], None] | None
) -> list[ImportReport]:
    """Fetch each gap and bind what was found; a report for each range that had candles."""
    total = sum(_minutes(*gap) for gap in gaps)
    done = 0
    reports: list[ImportReport] = []
    fetch = _oanda if asked.provider == "oanda" else _dukascopy
    with client:
        for gap in gaps:
            folder = Landing(asked.lake.settings.landing).partial(asked.provider, f"{asked.symbol}-{gap[0]:%Y%m%dT%H%M}")

            def report(at: datetime, gap: Range = gap, before: int = done) -> None:
                if progress:
                    progress(before + _minutes(gap[0], at), total)

            for found in fetch(client, asked.symbol, gap, folder, scale=asked.scale, page=asked.page, report=report):
                reports.append(_import(asked, *found, replace=asked.replace and not reports))
            shutil.rmtree(folder)
            done += _minutes(*gap)
            if progress:
                progress(done, total)
    return reports


def _import(asked: _Asked, gap: Range, path: Path, last_ts: datetime, *, replace: bool) -> ImportReport:
    # The end of the last days may still come; older history is final even where it is empty.
    to = gap[1] if gap[1] < asked.now - dukascopy.SETTLED else min(gap[1], last_ts + calendar.ONE_MINUTE)
    return imports.import_file(
        asked.lake,
        path,
        instrument=asked.instrument,
        provider=asked.provider,
        name=f"{asked.symbol}_{gap[0]:%Y%m%dT%H%M}_{to:%Y%m%dT%H%M}{path.suffix}",
        rules={"symbol": asked.symbol, "from": gap[0].isoformat(), "to": to.isoformat(), "tz": "UTC", "stamp": "start"},
        replace=replace,
    )


def covered(feed: Feed) -> list[Range]:
    """Ranges that the files of a downloaded feed were asked for."""
    return sorted(
        (datetime.fromisoformat(file.rules["from"]), datetime.fromisoformat(file.rules["to"]))
        for file in feed.files
        if "from" in file.rules
    )


def missing(held: Sequence[Range], start: datetime, end: datetime) -> list[Range]:
    """The parts of [start, end) that no range of `held` covers."""
    gaps, at = [], start
    for first, last in sorted(held):
        if first > at and at < end:
            gaps.append((at, min(first, end)))
        at = max(at, last)
    return [*gaps, (at, end)] if at < end else gaps


def _client(lake: Lake, provider: Provider) -> Client:
    return oanda.client(lake.settings.oanda) if provider == "oanda" else dukascopy.client(lake.settings.dukascopy)


def _oanda(
    http: Client, symbol: str, gap: Range, folder: Path, *, scale: float | None, page: int, report: Callable[[datetime], None]
) -> Iterator[Found]:
    """One NDJSON file of all pages."""
    pages = oanda.download(http, symbol, *gap, folder=folder, page=page, report=report)
    if not pages:
        return
    whole = folder / "whole.ndjson"
    with whole.open("wb") as writer:
        for path in pages:
            writer.write(path.read_bytes())
    yield gap, whole, oanda.last_time(pages[-1])


def _dukascopy(
    http: Client, symbol: str, gap: Range, folder: Path, *, scale: float | None, page: int, report: Callable[[datetime], None]
) -> Iterator[Found]:
    """One Parquet file of all days; where days are late, one of those before each: what is not there is not bound as held."""
    divisor = scale or dukascopy.scale_of(symbol)
    days = dukascopy.download(http, symbol, *gap, folder=folder, report=report)
    late = [(midnight, midnight + calendar.ONE_DAY) for midnight in map(_midnight, dukascopy.late(days))]
    for first, last in missing(late, *gap):
        read = [
            dukascopy.read_day(bid, ask, day, scale=divisor)
            for day, (bid, ask) in days.items()
            if first < _midnight(day) + calendar.ONE_DAY and _midnight(day) < last
        ]
        rows = pl.concat(read).filter((pl.col("ts") >= first) & (pl.col("ts") < last))
        if rows.height:
            whole = folder / f"whole-{first:%Y%m%dT%H%M}.parquet"
            rows.write_parquet(whole)
            yield (first, last), whole, rows["ts"][-1]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _minutes(start: datetime, end: datetime) -> int:
    return int((end - start) / calendar.ONE_MINUTE)
