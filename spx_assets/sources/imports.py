"""Binding instruments: to the simulator, to a file, to a provider's downloaded history.

Belongs here: the order of an import, so that it happens whole or not at all. Does not: parsing (`files`), downloading
(`history`), candles (`feeds`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from spx_assets import calendar
from spx_assets.lake.connection import Lake
from spx_assets.lake.errors import HistoryStartError
from spx_assets.settings import Settings
from spx_assets.sources import bindings, files, simulator
from spx_assets.sources.bindings import FILES, SIMULATOR, Feed, File
from spx_assets.sources.landing import Landing, Staged
from spx_assets.sources.stamps import Stamp

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What an import bound one instrument to. `again`: the newest file of the feed was this one already."""

    instrument: str
    provider: str
    name: str
    rows: int
    candles: int
    quarantined: Mapping[str, int]
    first_ts: datetime
    last_ts: datetime
    tz: str | None
    stamp: Stamp
    again: bool
    others: tuple["ImportReport", ...] = ()


def bind_simulator(lake: Lake, instrument: str = "SPX500_USD", *, end: datetime | None = None) -> Feed:
    """Bind an instrument without a feed to the simulator with the home's settings; a simulated one gets them anew."""
    settings = lake.settings
    start = simulator.history(settings.simulator)[0]
    check_start(settings, start, f"the simulator's {settings.simulator.days} days")
    with Landing(settings.landing).locked():
        feed = bindings.feeds(lake).get(instrument)
        bindings.check_bindable(feed, SIMULATOR, instrument=instrument, replace=False)
        config: dict[str, Any] = {
            **settings.simulator.model_dump(),
            "holidays": sorted(day.isoformat() for day in settings.calendar.holidays),
            "end": (end or simulator.END).isoformat(),
        }
        if feed is not None and (feed.config == config or (end is None and _goes_on(feed, config))):
            return feed
        bound = Feed(instrument=instrument, provider=SIMULATOR, live=False, config=config, bound_at=datetime.now(UTC))
        bindings.write(lake, [bound])
    return bound


def _goes_on(feed: Feed, config: Mapping[str, Any]) -> bool:
    """Whether it is the same market, only streamed on since: its clock does not go back."""
    return all(feed.config.get(name) == value for name, value in config.items() if name != "end") and feed.streamed is not None


def import_file(
    lake: Lake,
    path: Path,
    *,
    instrument: str | None = None,
    tz: str | None = None,
    stamp: Stamp = "start",
    replace: bool = False,
    progress: Progress | None = None,
    provider: str = FILES,
    name: str | None = None,
    rules: Mapping[str, Any] | None = None,
) -> ImportReport:
    """Copy a file of candles to the landing folder and bind its instrument(s) to it, all or nothing.

    A further file of a feed adds to it, and wins where both hold a minute; `replace` puts earlier files, or another provider,
    out of force. `progress(done, total)` counts bytes read. The report is of the first instrument; `others` has the rest.
    """
    landing, shown = Landing(lake.settings.landing), name or path.name
    now = datetime.now(UTC)
    with landing.locked(), landing.staged(path, name=shown, progress=progress) as staged:
        bars = files.read(
            staged.path, name=shown, now=now, instrument=instrument, tz=tz, stamp=stamp, of_minutes=provider != FILES
        )
        bound = bindings.feeds(lake)
        for part in bars:
            bindings.check_bindable(bound.get(part.instrument), provider, instrument=part.instrument, replace=replace)
            check_start(lake.settings, _first(part.rows), f"{shown} ({part.instrument})")
        entries = [
            (part, _entry(lake, landing, staged, part, now, shown, rules or {"tz": part.tz, "stamp": part.stamp}))
            for part in bars
        ]
        landing.keep(staged)
        news = [each for each in entries if not _in_force(bound.get(each[0].instrument), provider, each[1], replace=replace)]
        bindings.write(
            lake,
            [_feed(bound.get(part.instrument), part.instrument, provider, file, replace, now) for part, file in news],
            [(part.instrument, file) for part, file in news],
        ) if news else None
    fresh = {part.instrument for part, _ in news}
    reports = [_report(part, file, provider, again=part.instrument not in fresh) for part, file in entries]
    return ImportReport(**{**vars(reports[0]), "others": tuple(reports[1:])})


def _entry(
    lake: Lake, landing: Landing, staged: Staged, part: files.Bars, now: datetime, name: str, rules: Mapping[str, Any]
) -> File:
    good = part.rows.filter(pl.col("reason").is_null())["ts"]
    first, last = good.min(), good.max()
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    return File(
        position=bindings.next_position(lake, part.instrument),
        sha256=staged.sha256,
        rows_sha256=landing.keep_rows(part.rows),
        name=name,
        rules=rules,
        rows=part.rows.height,
        first_ts=first,
        last_ts=last,
        imported_at=now,
    )


def _feed(feed: Feed | None, instrument: str, provider: str, file: File, replace: bool, now: datetime) -> Feed:
    """The feed once `file` is its newest."""
    if feed is not None and feed.provider == provider and not replace:
        # What was streamed, and that it follows the wall's clock, stays: a provider's history comes beside its stream.
        config = {**feed.config, "last": file.position}
        return Feed(instrument=instrument, provider=provider, live=feed.live, config=config, bound_at=now)
    config = {"first": file.position, "last": file.position}
    return Feed(instrument=instrument, provider=provider, live=False, config=config, bound_at=now)


def _in_force(feed: Feed | None, provider: str, file: File, *, replace: bool) -> bool:
    """Whether these rows are the feed's newest already and, with `replace`, all it has: it is not bound anew for nothing."""
    if feed is None or not feed.files or feed.files[-1].rows_sha256 != file.rows_sha256:
        return False
    return not replace or (feed.provider == provider and len(feed.files) == 1 and not feed.live and feed.streamed is None)


def _report(part: files.Bars, file: File, provider: str, *, again: bool) -> ImportReport:
    return ImportReport(
        instrument=part.instrument,
        provider=provider,
        name=file.name,
        rows=file.rows,
        candles=part.candles,
        quarantined=part.refused,
        first_ts=file.first_ts,
        last_ts=file.last_ts,
        tz=part.tz,
        stamp=part.stamp,
        again=again,
    )


def _first(rows: pl.DataFrame) -> datetime:
    first = rows.filter(pl.col("reason").is_null())["ts"].min()
    assert isinstance(first, datetime)
    return first


def check_start(settings: Settings, first: datetime, what: str) -> None:
    """HistoryStartError if `first`, the first instant of `what`, lies before the first trading week of the home."""
    start = calendar.week_window(settings.history_start)[0]
    if first < start:
        raise HistoryStartError(
            f"{what} begin at {first:%Y-%m-%d %H:%M} UTC, before the first trading week {settings.history_start}; "
            f"set SPX_HISTORY_START to {calendar.week_of(first)} or an earlier Sunday, or leave the earlier rows out"
        )
