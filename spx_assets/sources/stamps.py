"""Reading time stamps: formats, time zones, and whether a bar is stamped at its start or its end.

Belongs here: text and numbers to UTC minute starts. Does not: which column holds the stamp (`columns`), market hours.
"""

from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl

from spx_assets.sources.errors import TimeZoneError
from spx_assets.sources.rows import UTC_US

Stamp = Literal["start", "end"]

# HistData stamps in Eastern Standard Time all year, without daylight saving.
EST = "Etc/GMT+5"

_DATE = r"(?:(?P<y>\d{4})[-/.]?(?P<m>\d{2})[-/.]?(?P<d>\d{2})|(?P<dd>\d{2})\.(?P<mm>\d{2})\.(?P<yy>\d{4}))"
_TIME = r"(?P<H>\d{2}):?(?P<M>\d{2})(?::?(?P<S>\d{2})(?:[.,]\d+)?)?"
_ZONE = r"(?P<u>Z|z|UTC|GMT)?\s*(?P<o>[+-]\d{2}:?\d{2})?"
_PATTERN = rf"^\s*{_DATE}[ T,]*{_TIME}\s*{_ZONE}\s*$"
# Epoch stamps as text have the length their unit has today; 12 and 14 digits are compact dates.
_EPOCH_TEXT = r"^\s*(?:\d{10}|\d{13}|\d{16}|\d{19})(?:\.\d+)?\s*$"


def zone(name: str) -> str:
    """A time zone polars and zoneinfo know; `EST` is Eastern Standard Time without daylight saving."""
    if name.upper() == "EST":
        return EST
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        raise TimeZoneError(f"time zone {name!r} is unknown; use an IANA name such as UTC, America/New_York or EST") from None


def parse(cells: pl.Series, *, tz: str | None, stamp: Stamp, file: str) -> pl.Series:
    """UTC starts of the minutes that `cells` stamp, null where unreadable; a given `tz` overrides what the cells say.

    Cells are datetimes, text (ISO 8601, `20180101 180000`, `2018.01.01 18:00`, `04.01.2019 18:00`) or epoch numbers.
    Without `tz`, cells that carry no zone raise TimeZoneError.
    """
    own_zone = zone(tz) if tz else None
    if isinstance(cells.dtype, pl.Datetime):
        exact = _datetimes(cells, cells.dtype.time_zone, own_zone, file)
    elif cells.dtype.is_numeric() or _is_epoch_text(cells):
        exact = _epoch(cells.cast(pl.Float64, strict=False), own_zone)
    else:
        exact = _text(cells.cast(pl.String), own_zone, file)
    ts = pl.col("ts").cast(UTC_US)
    if stamp == "end":
        ts = ts - pl.duration(microseconds=1)
    return exact.alias("ts").to_frame().select(ts.dt.truncate("1m")).to_series()


def _datetimes(cells: pl.Series, own: str | None, tz: str | None, file: str) -> pl.Series:
    if tz is None:
        if own is None:
            raise _no_zone(file)
        return cells.dt.convert_time_zone("UTC")
    return _localise(cells.dt.replace_time_zone(None), tz)


def _epoch(numbers: pl.Series, tz: str | None) -> pl.Series:
    """Seconds, milliseconds, microseconds or nanoseconds since 1970 UTC, told apart by their size."""
    middle = numbers.median()
    size = middle if isinstance(middle, float) else 0.0
    to_us = 1e6 if size < 1e11 else 1e3 if size < 1e14 else 1.0 if size < 1e17 else 1e-3
    naive = (numbers * to_us).round().cast(pl.Int64, strict=False).cast(pl.Datetime("us"))
    return _localise(naive, tz) if tz else naive.dt.replace_time_zone("UTC")


def _is_epoch_text(cells: pl.Series) -> bool:
    sample = cells.drop_nulls().head(100)
    return cells.dtype == pl.String and len(sample) > 0 and bool(sample.str.contains(_EPOCH_TEXT).all())


def _text(cells: pl.Series, tz: str | None, file: str) -> pl.Series:
    part = pl.col("cell").str.extract_groups(_PATTERN)
    frame = cells.alias("cell").to_frame().select(part.alias("p")).unnest("p")
    zoned = frame.select(
        (pl.col("u").is_not_null() | pl.col("o").is_not_null()).alias("zoned"), pl.col("H").is_not_null().alias("read")
    )
    if tz is None and zoned["read"].any() and not zoned["zoned"].any():
        raise _no_zone(file)
    compact = pl.concat_str(
        pl.coalesce("y", "yy"), pl.coalesce("m", "mm"), pl.coalesce("d", "dd"), "H", "M", pl.col("S").fill_null("00")
    )
    naive = compact.str.to_datetime("%Y%m%d%H%M%S", strict=False, time_unit="us")
    digits = pl.col("o").str.replace(":", "", literal=True)
    minutes = digits.str.slice(1, 2).cast(pl.Int32) * 60 + digits.str.slice(3, 2).cast(pl.Int32)
    offset = pl.when(digits.str.starts_with("-")).then(-minutes).otherwise(minutes).fill_null(0)
    frame = frame.with_columns(naive.alias("naive"), offset.alias("offset"))
    if tz is not None:
        return _localise(frame["naive"], tz)
    known = pl.col("u").is_not_null() | pl.col("o").is_not_null()
    shifted = pl.when(known).then(pl.col("naive") - pl.duration(minutes=pl.col("offset")))
    return frame.select(shifted.dt.replace_time_zone("UTC").alias("ts")).to_series()


def _localise(naive: pl.Series, tz: str) -> pl.Series:
    """Wall time of `tz` to UTC: the first of two equal hours in autumn, null for an hour that spring leaves out."""
    return naive.dt.replace_time_zone(tz, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")


def _no_zone(file: str) -> TimeZoneError:
    return TimeZoneError(f"{file}: the stamps carry no time zone; say which with --tz, e.g. --tz UTC or --tz America/New_York")
