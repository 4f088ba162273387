"""Which source each instrument is bound to: bronze.feeds and bronze.feed_files.

Belongs here: reading and changing bindings. Does not: importing files, making rows (`feeds`).

The row of bronze.feeds is what counts: its config names the first and last position of bronze.feed_files in force. Both
change in one transaction; files out of force stay listed, so that a replaced import can be traced.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from weakref import WeakKeyDictionary

import polars as pl

from spx_assets import calendar
from spx_assets.lake import tables
from spx_assets.lake.connection import Lake
from spx_assets.settings import SimulatorSettings
from spx_assets.sources.errors import FeedBoundError

SIMULATOR = "simulator"
FILES = "files"
MOVING = ("end", "last", "streamed_from", "streamed_to")
"""What of a feed's config changes while it stays the same feed."""


@dataclass(frozen=True, kw_only=True)
class File:
    """One imported file, as one instrument reads it."""

    position: int
    sha256: str
    rows_sha256: str
    name: str
    rules: Mapping[str, Any]
    rows: int
    first_ts: datetime
    last_ts: datetime
    imported_at: datetime


@dataclass(frozen=True, kw_only=True)
class Feed:
    """The source of one instrument. `files` are those in force, oldest first; the simulator has none."""

    instrument: str
    provider: str
    live: bool
    config: Mapping[str, Any]
    bound_at: datetime
    files: tuple[File, ...] = field(default=())

    @property
    def simulator(self) -> SimulatorSettings:
        """The market of a simulated feed, as it was bound."""
        return SimulatorSettings(**{name: self.config[name] for name in SimulatorSettings.model_fields})

    @property
    def holidays(self) -> frozenset[date]:
        return frozenset(date.fromisoformat(text) for text in self.config.get("holidays", []))

    @property
    def end(self) -> datetime:
        """Where the feed stands: one minute after its last bar, streamed ones included."""
        if self.provider == SIMULATOR:
            return datetime.fromisoformat(self.config["end"])
        return max(self.own_end, self.streamed[1]) if self.streamed else self.own_end

    @property
    def own_end(self) -> datetime:
        """Where the rows end that the source has without any stream: one minute after the last."""
        if self.provider == SIMULATOR:
            return self.streamed[0] if self.streamed else self.end
        return max(file.last_ts for file in self.files) + calendar.ONE_MINUTE

    @property
    def streamed(self) -> tuple[datetime, datetime] | None:
        """[start, end) that a stream worker has been through: its bars are in bronze.candles_live. None if there was none."""
        if "streamed_from" not in self.config:
            return None
        return datetime.fromisoformat(self.config["streamed_from"]), datetime.fromisoformat(self.config["streamed_to"])

    @property
    def binding(self) -> str:
        """What this binding is, the same for as long as the feed is only extended."""
        lasting = {name: value for name, value in self.config.items() if name not in MOVING}
        text = json.dumps([self.instrument, self.provider, lasting], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def source(self, file: File | None = None) -> str:
        """The provenance of a row, unique for each file of a feed."""
        return (
            f"{self.provider}:seed={self.config['seed']}" if file is None else f"{self.provider}:{file.name}@{file.sha256[:12]}"
        )

    @property
    def live_source(self) -> str:
        """The provenance of rows that a stream worker completed."""
        return f"{self.provider}:stream"


# The last answer of each lake: a run asks for the bindings at every step, and few snapshots change them.
_known: WeakKeyDictionary[Lake, tuple[int, dict[str, Feed]]] = WeakKeyDictionary()


def feeds(lake: Lake, *, snapshot: int | None = None) -> dict[str, Feed]:
    """Every instrument bound at `snapshot`, or at the newest, and its feed, sorted by instrument."""
    at = lake.snapshot() if snapshot is None else snapshot
    known = _known.get(lake)
    if known is None or known[0] != at:
        same = known is not None and lake.unchanged([tables.FEEDS, tables.FEED_FILES], *sorted((known[0], at)))
        known = _known[lake] = (at, known[1] if known is not None and same else _read(lake, at))
    return dict(known[1])


def in_force(lake: Lake, *, snapshot: int | None = None) -> dict[str, str]:
    """What each instrument is bound to: `Feed.binding` by instrument."""
    return {instrument: feed.binding for instrument, feed in feeds(lake, snapshot=snapshot).items()}


def _read(lake: Lake, snapshot: int) -> dict[str, Feed]:
    files: dict[str, list[File]] = {}
    for row in lake.read("bronze.feed_files", snapshot=snapshot).iter_rows(named=True):
        instrument = row.pop("instrument")
        files.setdefault(instrument, []).append(File(**{**row, "rules": json.loads(row["rules"])}))
    found = {}
    for row in lake.read("bronze.feeds", snapshot=snapshot).iter_rows(named=True):
        config = json.loads(row.pop("config"))
        first, last = config.get("first", 0), config.get("last", -1)
        in_force = tuple(file for file in files.get(row["instrument"], []) if first <= file.position <= last)
        found[row["instrument"]] = Feed(**row, config=config, files=in_force)
    return found


def next_position(lake: Lake, instrument: str) -> int:
    """The position after every file ever imported for an instrument, in force or not."""
    positions = lake.read("bronze.feed_files").filter(pl.col("instrument") == instrument)["position"]
    return int(positions[-1]) + 1 if len(positions) else 0


def check_bindable(feed: Feed | None, provider: str, *, instrument: str, replace: bool) -> None:
    """FeedBoundError if binding `instrument` to `provider` would change whose rows it has without being asked to."""
    if feed is None or replace or feed.provider == provider:
        return
    if provider == SIMULATOR:
        raise FeedBoundError(f"{instrument} has a {feed.provider} feed; the simulator is only for instruments without one")
    raise FeedBoundError(
        f"{instrument} is bound to {feed.provider}; add --replace to bind it to {provider} instead, or name another --instrument"
    )


def write(
    lake: Lake,
    bound: Sequence[Feed],
    files: Sequence[tuple[str, File]] = (),
    *,
    streamed: pl.DataFrame | None = None,
    forgotten: str | None = None,
) -> None:
    """Add `files` as (instrument, file) and put the feeds in force, in one transaction.

    With `streamed` bars of those feeds; what earlier streams left of the instrument `forgotten` goes.
    """
    rows = [{"instrument": name, **vars(file), "rules": json.dumps(dict(file.rules), sort_keys=True)} for name, file in files]
    config = [
        {name: value for name, value in vars(feed).items() if name != "files"}
        | {"config": json.dumps(dict(feed.config), sort_keys=True)}
        for feed in bound
    ]
    changes: dict[str | tables.Table, pl.DataFrame] = {"bronze.feeds": pl.DataFrame(config, schema=tables.FEEDS.schema())}
    if rows:
        changes["bronze.feed_files"] = pl.DataFrame(rows, schema=tables.FEED_FILES.schema())
    lake.write(
        upsert=changes,
        append={} if streamed is None else {tables.CANDLES_LIVE: streamed},
        delete={} if forgotten is None else {tables.CANDLES_LIVE: {"instrument": forgotten}},
    )
