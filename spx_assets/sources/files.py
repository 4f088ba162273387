"""Files of one-minute candles to judged rows, one set an instrument.

Belongs here: the order of reading a file and the checks on it as a whole. Does not: keeping it or binding it (`feeds`).
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from spx_assets import calendar
from spx_assets.sources import quality, tables
from spx_assets.sources.columns import Columns, is_complete
from spx_assets.sources.errors import ColumnsError, InstrumentError, NotMinuteBarsError, TimeZoneError
from spx_assets.sources.rows import JUDGED, conform
from spx_assets.sources.stamps import Stamp
from spx_assets.sources.tables import EXTRA

# A file read in the wrong zone shows the market's whole pause, only at other hours, so that bars lie within the weekend. London
# read as UTC is an hour late in summer alone, and only where Friday ends at 17:00: in 29 of 78 real weekends of the S&P 500.
PAUSE = timedelta(hours=48)
PAUSE_ROWS = 30
PAUSE_SHARE = 0.25
SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/^=-]{0,31}")


@dataclass(frozen=True)
class Bars:
    """Judged rows (`rows.JUDGED`) of one instrument in file order, and the rules they were read by."""

    instrument: str
    rows: pl.DataFrame
    tz: str | None
    stamp: Stamp

    @property
    def candles(self) -> int:
        return self.rows["reason"].null_count()

    @property
    def refused(self) -> dict[str, int]:
        """Rows that are not candles, by reason."""
        bad = self.rows["reason"].drop_nulls().value_counts(name="rows").sort("rows", "reason", descending=[True, False])
        return dict(bad.iter_rows())


def read(
    path: Path,
    *,
    name: str,
    now: datetime,
    instrument: str | None = None,
    tz: str | None = None,
    stamp: Stamp = "start",
    of_minutes: bool = False,
) -> list[Bars]:
    """Bars of every instrument in a file, or of `instrument`, which overrides the file's own symbol; so does `tz` its zone.

    `stamp`: whether a bar carries the time of its start or its end. `of_minutes`: they were asked for as one-minute bars, of
    which a few may lie far apart. Raises a SourceError that says what to do.
    """
    table = tables.read(path, name=name)
    zone = tz or table.tz
    columns = Columns([column for column in table.frame.columns if column not in ("line", EXTRA)], file=name)
    cells = table.frame
    if columns.complete:
        cells = cells.filter(is_complete(cells[columns.complete]))
        if cells.height == 0:
            raise NotMinuteBarsError(f"{name}: no candle is complete; import it again when its minutes are over")
    found = []
    parts = _by_instrument(cells, columns, table.symbol, instrument, name)
    unfit = _unfit(cells, columns)
    for symbol, part in parts:
        rows = columns.rows(part, tz=zone, stamp=stamp)
        _check_numbers(rows, name)
        judged = _judged(_oldest_first(rows), unfit, now=now)
        _check_whole(judged, name, zone, of_minutes=of_minutes)
        found.append(Bars(symbol, _with_raw(quality.place(judged), part), zone, stamp))
    return found


def _by_instrument(
    cells: pl.DataFrame, columns: Columns, own: str | None, wanted: str | None, name: str
) -> list[tuple[str, pl.DataFrame]]:
    """(instrument, its cells); one flag names the only symbol of a file, or picks one of several.

    A row without a symbol goes with the one before it (the first, at the head of the file): of several instruments a guess,
    good enough for the quarantine that shows it and for nothing else (`_unfit`).
    """
    if wanted is not None and not SYMBOL.fullmatch(wanted):
        raise InstrumentError(f"{wanted!r} is no instrument name; use up to 32 letters, digits and _.:/^=-, e.g. SPX500_USD")
    if columns.symbol is None:
        if not (wanted or own):
            raise InstrumentError(
                f"{name} does not name its instrument; say which with --instrument, e.g. --instrument SPX500_USD"
            )
        return [(wanted or str(own), cells)]
    filled = cells.with_columns(_symbol(columns.symbol).forward_fill().backward_fill())
    symbols = [str(value) for value in filled[columns.symbol].unique(maintain_order=True).drop_nulls()]
    if wanted is None:
        bad = [symbol for symbol in symbols if not SYMBOL.fullmatch(symbol)]
        if bad or not symbols:
            raise InstrumentError(
                f"{name}: {bad or 'nothing'} in column {columns.symbol!r} is an instrument name; use --instrument"
            )
        return [(symbol, cells.filter(filled[columns.symbol] == symbol)) for symbol in sorted(symbols)]
    if len(symbols) > 1 and wanted not in symbols:
        raise InstrumentError(f"{name} holds {', '.join(sorted(symbols))}, not {wanted}; name one of them, or none to import all")
    return [(wanted, cells if len(symbols) <= 1 else cells.filter(filled[columns.symbol] == wanted))]


def _symbol(column: str) -> pl.Expr:
    """The symbol of a row, null where its cell is blank, or may be another's."""
    text = pl.col(column).cast(pl.String)
    return pl.when(text.str.strip_chars() != "", pl.col(EXTRA).is_null()).then(text).alias(column)


def _unfit(cells: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """Lines that no rule of `quality` can judge, and why: too many cells, or no instrument named in a file of several."""
    symbol = pl.lit("") if columns.symbol is None else _symbol(columns.symbol)
    nameless = symbol.is_null() & (symbol.drop_nulls().n_unique() > 1)
    reason = pl.when(pl.col(EXTRA).is_not_null()).then(pl.lit("too_many_cells")).when(nameless).then(pl.lit("no_instrument"))
    return cells.select("line", reason=reason).drop_nulls()


def _judged(rows: pl.DataFrame, unfit: pl.DataFrame, *, now: datetime) -> pl.DataFrame:
    """`quality.judge`, and the reasons of the rows that are `unfit` for it; these count as no minute of this instrument."""
    judged = quality.judge(rows.join(unfit, on="line", how="anti", maintain_order="left"), now=now)
    others = rows.join(unfit, on="line", maintain_order="left")
    if others.is_empty():
        return judged
    both = pl.concat([judged, others.select(judged.columns)])
    return rows.select("line").join(both, on="line", how="left", maintain_order="left")


def _oldest_first(rows: pl.DataFrame) -> pl.DataFrame:
    """Files written newest first are read backwards; `line` keeps the place in the file."""
    steps = rows["ts"].drop_nulls().diff().drop_nulls().dt.total_microseconds().sign()
    return rows.reverse() if steps.sum() < -len(steps) / 2 else rows


def _check_numbers(rows: pl.DataFrame, name: str) -> None:
    for column in ("open", "high", "low", "close"):
        if rows[column].null_count() == rows.height:
            raise ColumnsError(f"{name}: no cell of {column} is a number; check the separator and the decimal mark (a point)")
    if rows["ts"].null_count() == rows.height:
        raise ColumnsError(f"{name}: no time stamp could be read; write them like 2018-01-01T18:00:00Z or 20180101 180000")


def _check_whole(judged: pl.DataFrame, name: str, tz: str | None, *, of_minutes: bool) -> None:
    """The file as a whole: some candle, minutes as its step, and hours that fit the market's."""
    reasons = judged["reason"]
    closed = int((reasons == "market_closed").sum())
    if closed >= PAUSE_ROWS and not of_minutes and _is_shifted(judged.filter(reasons.is_null() | (reasons == "market_closed"))):
        raise TimeZoneError(
            f"{name}: {closed} of {judged.height} rows fall into the weekend (Friday to Sunday 17:00 New York) when read in "
            f"{tz or 'the zone of the file'}; say with --tz in which zone they are stamped"
        )
    good = judged.filter(reasons.is_null())["ts"]
    if good.len() == 0:
        counts = ", ".join(f"{row[1]} {row[0]}" for row in reasons.value_counts().iter_rows())
        raise NotMinuteBarsError(
            f"{name}: none of its {judged.height} rows is a candle ({counts}); check columns, zone and prices"
        )
    step = good.diff().dt.total_minutes().drop_nulls().quantile(0.25, interpolation="lower")
    if step is not None and step > 1 and not of_minutes:
        raise NotMinuteBarsError(f"{name}: its bars are {step:.0f} minutes apart; only one-minute candles can be imported")


def _is_shifted(rows: pl.DataFrame) -> bool:
    """Whether, over more than a quarter of the weekends, bars pause for 48 hours as they should, but at other hours.

    A provider that quotes on into the weekend pauses for less, and one strange weekend among many is the market's own.
    """
    local = pl.col("ts").dt.convert_time_zone("America/New_York").dt.replace_time_zone(None)
    day = calendar.trading_day_expr(pl.col("ts"))
    weeks = (
        # The middle of the weekend, Saturday 17:00, parts two weeks.
        rows.group_by(day.dt.offset_by("1d").dt.truncate("1w").alias("week"))
        .agg(
            local.min().alias("first"),
            local.max().alias("last"),
            (day.dt.weekday() == 6).sum().alias("late"),
            (day.dt.weekday() == 7).sum().alias("early"),
        )
        .sort("week")
    )
    pause = pl.col("first").shift(-1) - pl.col("last") >= PAUSE
    shifted = weeks.select((pause & (pl.col("late") + pl.col("early").shift(-1) >= PAUSE_ROWS)).alias("shifted"))["shifted"][:-1]
    return shifted.sum() > PAUSE_SHARE * len(shifted)


def _with_raw(judged: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """Refused rows carry their cells as JSON, as they stood in the file."""
    lines = judged.filter(pl.col("reason").is_not_null())["line"]
    bad = cells.filter(pl.col("line").is_in(lines.implode()))
    raw = [json.dumps({k: v for k, v in row.items() if k != "line" and v is not None}, default=str) for row in bad.to_dicts()]
    texts = pl.DataFrame({"line": bad["line"], "raw": pl.Series(raw, dtype=pl.String)})
    return conform(judged.join(texts, on="line", how="left", maintain_order="left"), JUDGED)
