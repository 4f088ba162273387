"""Which column of a foreign table is what: detection by name, prices from one side, two sides or the mid.

Belongs here: names to meanings, and prices made from them. Does not: opening files (`files`), judging rows (`quality`).

Names are compared in lower case without punctuation, so `BidOpen`, `bid_open` and `bid_o` are the same column. Prices are
taken from the first complete set of: plain or mid open/high/low/close; bid and ask, whose average is the mid; bid alone; ask
alone. With one side the price is that side and the spread stays null. So does a spread in points, as MetaTrader exports it: how
much a point is, the file does not say. The volume is the first column of one that is not 0 throughout: MetaTrader's VOL often is.
"""

import re
from collections.abc import Iterator

import polars as pl

from spx_assets.sources.errors import ColumnsError
from spx_assets.sources.rows import ROWS, conform
from spx_assets.sources.stamps import Stamp, parse

_FIELDS = {"open": "o", "high": "h", "low": "l", "close": "c"}
_TIME = ("ts", "time", "timestamp", "datetime", "gmttime", "utctime", "timestart", "opentime")
_TICKS = ("tickvol", "tickvolume")
_VOLUME = ("volume", "vol", *_TICKS, "tickqty", "v")
_SYMBOL = ("instrument", "symbol", "ticker", "pair")
_TRUE = ("true", "1", "yes")
# The widest real spreads are a few tenths of a percent of the price; 12 points of 1.09500 would be eleven times it.
_WIDEST = 0.05


class Columns:
    """What each column of one table means. Raises ColumnsError where a candle cannot be made of them."""

    def __init__(self, names: list[str], *, file: str) -> None:
        self._file = file
        self._by_plain: dict[str, str] = {}
        for name in names:
            self._by_plain.setdefault(_plain(name), name)
        self.symbol = self._first(_SYMBOL)
        self.volumes = [self._by_plain[name] for name in _VOLUME if name in self._by_plain]
        self.complete = self._first(("complete",))
        self.spread = self._first(("spread",))
        self.time = self._first(_TIME)
        self.date = None if self.time and self.time != self._first(("time",)) else self._first(("date",))
        if self.time is None and self.date is None:
            raise ColumnsError(
                f"{file}: no time column among {names}; name it ts, time, timestamp or datetime (or date and time)"
            )
        self.sides = {side: found for side in ("", "mid", "bid", "ask") if (found := self._side(side))}
        if not self.sides:
            raise ColumnsError(
                f"{file}: no open, high, low and close among {names}; name them so, or with bid_, ask_ or mid_ before them"
            )

    def _first(self, names: tuple[str, ...]) -> str | None:
        return next((self._by_plain[name] for name in names if name in self._by_plain), None)

    def _side(self, side: str) -> dict[str, str] | None:
        """Columns of one side's open, high, low and close, if all four are there."""
        found = {field: self._first(tuple(_spellings(side, field))) for field in _FIELDS}
        return {field: name for field, name in found.items() if name} if all(found.values()) else None

    def close(self, side: str) -> str | None:
        return self._first(tuple(_spellings(side, "close"))) or self._first((side,))

    def rows(self, table: pl.DataFrame, *, tz: str | None, stamp: Stamp) -> pl.DataFrame:
        """Rows (`rows.ROWS`) of a table whose lines are numbered in a column `line`; unreadable cells are null."""
        cells: dict[str, pl.Series] = {"ts": parse(self._stamp_cells(table), tz=tz, stamp=stamp, file=self._file)}
        mid = self.sides.get("mid") or self.sides.get("")
        bid, ask = self.sides.get("bid"), self.sides.get("ask")
        for field in _FIELDS:
            if mid:
                cells[field] = number(table, mid[field])
            elif bid and ask:
                cells[field] = (number(table, bid[field]) + number(table, ask[field])) / 2
            else:
                one = bid or ask
                assert one is not None
                cells[field] = number(table, one[field])
        for side in ("bid", "ask"):
            name = self.close(side)
            if name and (mid or (bid and ask)):
                cells[f"{side}_close"] = number(table, name)
        if self.spread and not {"bid_close", "ask_close"} <= cells.keys():
            cells["spread"] = self._spread(number(table, self.spread), cells["close"])
        cells["volume"] = self._volume(table)
        return conform(table.select("line", **cells), ROWS)

    def _stamp_cells(self, table: pl.DataFrame) -> pl.Series:
        if self.date is None:
            assert self.time is not None
            return table[self.time]
        if self.time is None:
            return table[self.date]
        if table[self.time].dtype in (pl.Datetime, pl.Int64, pl.Float64) or _has_date(table[self.time]):
            return table[self.time]
        return table.select(
            pl.concat_str(pl.col(self.date).cast(pl.String), pl.col(self.time).cast(pl.String), separator=" ")
        ).to_series()

    def _spread(self, spread: pl.Series, close: pl.Series) -> pl.Series:
        """The spread in price; null where the column holds points: whole numbers beside a count of ticks, or far too wide."""
        whole = self._first(_TICKS) is not None and (spread.drop_nulls() % 1 == 0).all()
        share = (spread / close).median()
        wide = isinstance(share, float) and share > _WIDEST
        return pl.Series(spread.name, [None], pl.Float64).new_from_index(0, len(spread)) if whole or wide else spread

    def _volume(self, table: pl.DataFrame) -> pl.Series:
        """The first column that is not 0 throughout, else 0. An empty cell is 0, one that is no number null."""
        for name in self.volumes:
            cells, numbers = table[name], number(table, name)
            empty = cells.is_null() | (cells == "") if cells.dtype == pl.String else cells.is_null()
            read = pl.select(pl.when(empty).then(0.0).otherwise(numbers).alias("volume")).to_series()
            if not (read == 0).all(ignore_nulls=False):
                return read
        return pl.Series("volume", [0.0]).new_from_index(0, table.height)


def number(table: pl.DataFrame, name: str) -> pl.Series:
    """A column as Float64; null where the cell is no number."""
    cells = table[name]
    return (cells.str.strip_chars() if cells.dtype == pl.String else cells).cast(pl.Float64, strict=False)


def is_complete(cells: pl.Series) -> pl.Series:
    """Which rows a provider calls finished; an empty cell counts as finished."""
    text = cells.cast(pl.String).str.to_lowercase().str.strip_chars()
    return text.is_null() | text.is_in(_TRUE)


def _has_date(cells: pl.Series) -> bool:
    sample = cells.drop_nulls().cast(pl.String).head(1).str.len_chars()
    return bool((sample > len("18:00:00.000000")).any())


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _spellings(side: str, field: str) -> Iterator[str]:
    for word in (field, _FIELDS[field]):
        yield f"{side}{word}"
        yield f"{word}{side}"
