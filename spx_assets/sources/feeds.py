"""Feeds: what the bound sources say, week by week, and the clocks they stand at.

Belongs here: reading bound sources into candles and quarantine, their clocks, weeks and fingerprints. Does not: binding
(`imports`), parsing (`files`), storing candles (the IO manager does).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime

import polars as pl

from spx_assets import calendar
from spx_assets.lake import records, tables
from spx_assets.lake.connection import Lake
from spx_assets.lake.windows import Chunk, Chunks
from spx_assets.sources import live, quality, simulator
from spx_assets.sources.bindings import MOVING, SIMULATOR, Feed, feeds
from spx_assets.sources.imports import ImportReport, bind_simulator, import_file
from spx_assets.sources.landing import Landing
from spx_assets.sources.rows import JUDGED, conform

__all__ = [
    "Feed",
    "ImportReport",
    "bind_simulator",
    "by_week",
    "candles",
    "clocks",
    "feeds",
    "fingerprints",
    "import_file",
    "last_bars",
    "leftover_weeks",
    "own_rows",
    "quarantine_counts",
    "weeks_with_rows",
]

# Part of every fingerprint: raise it when the same landed rows or simulator settings give other candles.
VERSION = "1"


def clocks(lake: Lake, *, snapshot: int | None = None) -> dict[str, datetime]:
    """Each instrument's clock: now for a live feed, else one minute after its last bar as bound at `snapshot`, or newest."""
    now = datetime.now(UTC)
    return {instrument: now if feed.live else feed.end for instrument, feed in feeds(lake, snapshot=snapshot).items()}


def weeks_with_rows(lake: Lake, *, instrument: str | None = None) -> list[date]:
    """Trading weeks for which some feed, or that of `instrument`, has rows, refused ones included, in order."""
    landing = Landing(lake.settings.landing)
    bound = [feed for name, feed in feeds(lake).items() if instrument in (None, name)]
    return sorted(set().union(*(_weeks(landing, feed) | live.marks(lake, feed).keys() for feed in bound)))


def leftover_weeks(lake: Lake) -> list[date]:
    """Weeks whose stored candles came from a feed that no longer has rows there; making them again empties them."""
    held = records.newest(lake, tables.CANDLES, "bronze/candles")
    bound = set(weeks_with_rows(lake))
    return [week for week, record in held.items() if record.rows and week not in bound]


def fingerprints(lake: Lake, weeks: Sequence[date]) -> dict[date, str]:
    """A hash per week that changes if, and only if, what the feeds hold for that week may have changed."""
    return _marks(lake, list(feeds(lake).values()), weeks)


def by_week(lake: Lake, weeks: Sequence[date]) -> Chunks:
    """Candles and quarantine of `weeks` as the feeds are bound now, in chunks that are staged together."""
    size, at = lake.settings.lake.chunk_weeks, lake.snapshot()
    return Chunks(candles(lake, weeks[i : i + size], snapshot=at) for i in range(0, len(weeks), size))


def candles(lake: Lake, weeks: Sequence[date], *, snapshot: int | None = None) -> Chunk:
    """What all feeds bound at `snapshot` say about `weeks`: candles, the refused rows beside them, the weeks' fingerprints."""
    landing = Landing(lake.settings.landing)
    bound = list(feeds(lake, snapshot=snapshot).values())
    good, bad = [tables.CANDLES.empty()], [tables.QUARANTINE.empty()]
    for feed in bound:
        for run in calendar.week_runs(weeks):
            start, end = calendar.run_window(run)
            for frame, refused in _read(landing, feed, start, end):
                good.append(frame)
                bad.append(refused)
            if feed.provider != SIMULATOR and feed.streamed:
                streamed = live.rows(lake, feed, start=start, end=end, snapshot=snapshot)
                good.append(live.candles(feed, live.uncovered(feed, streamed)))
    frame = pl.concat(good).select(*tables.CANDLES.schema()).sort(tables.CANDLES.key)
    refused = pl.concat(bad).select(*tables.QUARANTINE.schema()).unique(tables.QUARANTINE.key).sort(tables.QUARANTINE.key)
    marks = _marks(lake, bound, weeks, snapshot=snapshot)
    return Chunk(tuple(weeks), frame, beside={tables.QUARANTINE.name: refused}, fingerprints=marks)


def own_rows(lake: Lake, feed: Feed, start: datetime) -> Iterator[pl.DataFrame]:
    """The feed's own candles from `start` on, week by week: none of a stream."""
    landing = Landing(lake.settings.landing)
    for week in sorted(_weeks(landing, feed)):
        first, last = calendar.week_window(week)
        if last > start:
            frame = pl.concat([tables.CANDLES.empty(), *(frame for frame, _ in _read(landing, feed, max(first, start), last))])
            yield frame.filter(pl.col("ts") < feed.own_end).sort("ts")


def last_bars(lake: Lake) -> dict[str, datetime]:
    """The last stored bar of each instrument."""
    stored = lake.read(tables.CANDLES.name, columns=["instrument", "ts"])
    return dict(stored.group_by("instrument").agg(pl.col("ts").max()).sort("instrument").iter_rows())


def quarantine_counts(lake: Lake, *, start: datetime | None = None, end: datetime | None = None) -> dict[str, int]:
    """Refused rows stored for [start, end), by reason."""
    stored = lake.read(tables.QUARANTINE.name, start=start, end=end, columns=["reason"])
    return dict(stored["reason"].value_counts(name="rows").sort("reason").iter_rows())


def _read(landing: Landing, feed: Feed, start: datetime, end: datetime) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """(candles, quarantine) of one feed in [start, end)."""
    if feed.provider == SIMULATOR:
        until = min(end, feed.end)
        if start < until:
            begin = max(start, simulator.history(feed.simulator)[0])
            rows = simulator.generate(feed.simulator, begin, until, instrument=feed.instrument, holidays=feed.holidays)
            yield quality.split(conform(rows.with_row_index("line"), JUDGED), instrument=feed.instrument, source=feed.source())
        return
    newest: list[pl.DataFrame] = []
    for file in feed.files:
        weeks = landing.weeks(file.rows_sha256)
        if any(start <= calendar.week_window(week)[0] < end for week in weeks):
            window = landing.rows(file.rows_sha256).filter((pl.col("ts") >= start) & (pl.col("ts") < end)).collect()
            frame, refused = quality.split(window, instrument=feed.instrument, source=feed.source(file))
            newest.append(frame)
            yield frame.clear(), refused
    if newest:
        yield pl.concat(newest).unique("ts", keep="last", maintain_order=True), tables.QUARANTINE.empty()


def _weeks(landing: Landing, feed: Feed) -> set[date]:
    if feed.provider == SIMULATOR:
        start = simulator.history(feed.simulator)[0]
        return set(calendar.weeks_between(start, feed.end))
    return set().union(*(landing.weeks(file.rows_sha256) for file in feed.files))


def _marks(lake: Lake, bound: Sequence[Feed], weeks: Sequence[date], *, snapshot: int | None = None) -> dict[date, str]:
    landing = Landing(lake.settings.landing)
    streamed = {feed.instrument: live.marks(lake, feed, snapshot=snapshot) for feed in bound}
    return {week: _fingerprint(landing, bound, week, streamed) for week in weeks}


def _fingerprint(landing: Landing, bound: Sequence[Feed], week: date, streamed: Mapping[str, Mapping[date, live.Mark]]) -> str:
    """The simulator's end counts only in the week it falls in; a file, and a stream, only in the weeks they have rows for."""
    said: list[object] = [VERSION]
    for feed in bound:
        if feed.provider == SIMULATOR:
            start, end = calendar.week_window(week)
            begin = simulator.history(feed.simulator)[0]
            if begin < end and start < feed.end:
                rest = {name: value for name, value in feed.config.items() if name not in (*MOVING, "days")}
                said.append([feed.instrument, rest, max(begin, start).isoformat(), min(end, feed.end).isoformat()])
        else:
            digests = [file.rows_sha256 for file in feed.files if week in landing.weeks(file.rows_sha256)]
            if digests:
                said.append([feed.instrument, feed.provider, digests])
            if week in streamed[feed.instrument]:
                mark = streamed[feed.instrument][week]
                said.append([feed.instrument, feed.live_source, mark.rows, mark.last.isoformat()])
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]
