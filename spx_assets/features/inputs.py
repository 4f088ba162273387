"""All inputs of the models at each bar: `gold.market_features` beside `gold.news_signals`, joined on equality of the key.

Belongs here: the one join that training, forecasts, point-in-time features, the correlation report and the online vector go
through, and who learns from news. Does not: making either side.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from spx_assets import SpxError, calendar
from spx_assets.features import catalog
from spx_assets.features.bars import stamps
from spx_assets.features.columns import I64
from spx_assets.features.market_time import instant
from spx_assets.settings import Settings

KEY = ("instrument", "ts")
MARKET, SIGNALS = "gold.market_features", "gold.news_signals"
F32 = npt.NDArray[np.float32]
Read = Callable[[str, Sequence[str]], pl.DataFrame]
"""Rows of a table by name, in the given columns and in key order: of one range of time, instruments and lake snapshot."""


class SignalsMissingError(SpxError):
    """`gold.news_signals` was not made for bars that `gold.market_features` has."""


def families(settings: Settings, name: str) -> tuple[str, ...]:
    """Families of features the forecaster `name` learns from, as the settings name them; all there are by default."""
    return settings.models.features.get(name, tuple(catalog.FAMILIES))


def learns_from_news(settings: Settings, name: str) -> bool:
    """Whether news are among the families of the forecaster `name`."""
    return catalog.NEWS in families(settings, name)


def of_news(names: Iterable[str]) -> bool:
    """Whether one of these inputs is made of news."""
    return not set(names).isdisjoint(f.name for f in catalog.news_inputs())


def read(rows: Read, names: Sequence[str], *, key: Sequence[str] = KEY) -> pl.DataFrame:
    """Columns `key` of `gold.market_features` and the model inputs `names`, a row a bar; news are read if one is of news.

    SignalsMissingError where a bar has no signals: that its news are unknown is another thing than that there were none.
    """
    news = [name for name in names if of_news((name,))]
    market = rows(MARKET, [*key, *(name for name in names if name not in news)])
    return join(market, rows(SIGNALS, [*KEY, *news])).select(*key, *names) if news else market


def join(market: pl.DataFrame, signals: pl.DataFrame) -> pl.DataFrame:
    """Each row of `market` with the signals of its bar; both ordered by instrument and ts."""
    bars, signalled = market.select(KEY), signals.select(KEY)
    taken: list[npt.NDArray[np.intp]] = [np.empty(0, dtype=np.intp)]
    for instrument in bars["instrument"].unique(maintain_order=True):
        own = pl.col("instrument") == instrument
        held = np.flatnonzero((signalled["instrument"] == instrument).to_numpy())
        taken.append(held[matched(stamps(bars.filter(own)), stamps(signalled.filter(own)), instrument=instrument)])
    rows = np.concatenate(taken)
    said = signals.select(pl.exclude(market.columns))
    return market.hstack(said if np.array_equal(rows, np.arange(said.height)) else said[rows])


def beside(bars: I64, market: F32, signalled: I64, signals: F32) -> F32:
    """The same join for arrays of one instrument: inputs [n, m] of `bars` and [k, s] of `signalled` to [n, m + s]."""
    return np.concatenate((market, signals[matched(bars, signalled)]), axis=1)


def matched(bars: I64, signalled: I64, *, instrument: str = "the instrument") -> slice | npt.NDArray[np.intp]:
    """Where in `signalled` each of `bars` stands; both are ascending stamps of one instrument, in microseconds since 1970."""
    if np.array_equal(bars, signalled):
        return slice(None)
    at = np.searchsorted(signalled, bars)
    missing = np.append(signalled, -1)[at] != bars
    if missing.any():
        first, last = (calendar.week_of(instant(int(bars[missing][k]))) for k in (0, -1))
        raise SignalsMissingError(
            f"gold.news_signals has no row for {int(missing.sum())} bars of {instrument} in gold.market_features, the first at "
            f"{instant(int(bars[missing][0])):%Y-%m-%dT%H:%MZ}; run `spx backfill gold/news_signals --from {first} --to {last}`"
        )
    return at
