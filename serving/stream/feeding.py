"""Which feeds are streamed, and from where their bars come.

Belongs here: from settings to a source of bars, and the refusals. Does not: the sources themselves (`spx_assets.sources`).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from serving.stream.modes import StreamError
from spx_assets import calendar
from spx_assets.lake import Lake
from spx_assets.settings import Settings
from spx_assets.sources import bindings, feeds, live
from spx_assets.sources.bars import BarSource
from spx_assets.sources.bindings import SIMULATOR, Feed
from spx_assets.sources.market_replay import ReplayedBars, SimulatedBars

REMEDIES = {
    "off": "set it to simulator, replay or oanda",
    "simulator": "run `spx demo`, or `spx up` on a new home",
    "oanda": "import some history first: `spx import candles --provider oanda --instrument SPX500_USD --from ...`",
    "replay": "import candles first: `spx import candles PATH`",
}


def bound(lake: Lake, settings: Settings) -> list[Feed]:
    """The feeds to stream, bound live where their source is; StreamError if there is none."""
    chosen, known = settings.stream, bindings.feeds(lake)
    if unknown := [name for name in chosen.instruments if name not in known]:
        raise StreamError(f"SPX_STREAM__INSTRUMENTS names {', '.join(unknown)}, bound are {', '.join(known) or 'none'}")
    wanted = [feed for name, feed in known.items() if name in (chosen.instruments or known) and _fits(feed, chosen.source)]
    if not wanted:
        remedy = REMEDIES[chosen.source or "off"]
        raise StreamError(f"no instrument has a feed that SPX_STREAM__SOURCE={chosen.source} could stream; {remedy}")
    if chosen.source == "replay" and len(wanted) > 1:
        names = ", ".join(feed.instrument for feed in wanted)
        raise StreamError(f"a replay is of one instrument; name one of {names} in SPX_STREAM__INSTRUMENTS")
    if chosen.source == "oanda" and not all(feed.live for feed in wanted):
        live.follow(Lake.existing(settings), wanted)
        known = bindings.feeds(lake)
    return [known[feed.instrument] for feed in wanted]


def _fits(feed: Feed, source: str | None) -> bool:
    # The past of a live feed is not played: its clock is the wall's.
    return feed.provider != SIMULATOR and not feed.live if source == "replay" else feed.provider == source


def replays_its_own(settings: Settings) -> bool:
    """Whether the bars are those that a feed has beyond the lake."""
    return settings.stream.source == "replay" and not settings.stream.replay


def source(lake: Lake, settings: Settings, wanted: list[Feed], *, now: Callable[[], datetime]) -> BarSource:
    """Where the bars of those feeds come from."""
    chosen = settings.stream
    if chosen.source == "simulator":
        return SimulatedBars(wanted, speed=chosen.speed)
    if chosen.source == "oanda":
        from spx_assets.sources.oanda_stream import OandaBars  # httpx: 0.1 s and 10 MB that a service without it need not have

        return OandaBars(settings.oanda, wanted, grace=timedelta(milliseconds=chosen.grace_ms), now=now)
    (feed,) = wanted
    if chosen.replay:
        return ReplayedBars.of_file(feed, Path(chosen.replay), speed=chosen.speed)
    last = feeds.last_bars(lake).get(feed.instrument)
    start = feed.files[0].first_ts if last is None else last + calendar.ONE_MINUTE
    return ReplayedBars.of_feed(lake, feed, start, speed=chosen.speed)
