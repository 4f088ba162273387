"""A provider's own history beside its stream: fetched before weeks of a live feed are made, so that streamed bars give way.

Belongs here: which range a live feed lacks. Does not: downloading (`history`), streamed bars (`live`), candles (`feeds`).
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from spx_assets import calendar
from spx_assets.lake.connection import Lake
from spx_assets.lake.windows import Chunks
from spx_assets.sources import bindings, feeds, history, oanda


def by_week(lake: Lake, weeks: Sequence[date]) -> Chunks:
    """Candles and quarantine of `weeks`, of live feeds with what their provider says of them by now."""
    if weeks:
        _fetch(lake, calendar.run_window([min(weeks), max(weeks)])[1])
    return feeds.by_week(lake, weeks)


def _fetch(lake: Lake, end: datetime) -> None:
    """Download what live feeds lack before `end`; ProviderError where that is not to be had: a later run gets it."""
    until = min(end, datetime.now(UTC).replace(second=0, microsecond=0))
    for feed in bindings.feeds(lake).values():
        if feed.live and feed.provider == "oanda" and feed.own_end < until:
            symbol = oanda.symbol_of(feed)
            history.download(lake, provider="oanda", instrument=feed.instrument, symbol=symbol, start=feed.own_end, end=until)
