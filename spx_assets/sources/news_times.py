"""Times of publication as files and feeds write them: exact, in UTC, or no time at all.

Belongs here: one cell to an instant and its precision. Does not: which column holds it (`news_files`), when an article is known
(`articles`), minutes of candles (`stamps`).

A time without a zone is not guessed: five hours of New York read as UTC would be five hours of foresight.
"""

import email.utils
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo

from spx_assets.sources.articles import DAY, MINUTE

UNREADABLE = "no readable time of publication"
NO_ZONE = "its time of publication has no zone; give --tz"
_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
# Alpha Vantage and GDELT write UTC so.
_COMPACT = re.compile(r"(\d{8})T(\d{4})(\d{2})?Z?")
_EPOCH = re.compile(r"\d{9,10}|\d{13}|\d{16}|\d{19}")
# Seconds of an epoch have ten digits until 2286; each finer unit has three more.
_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (float("inf"), 1e9))


@dataclass(frozen=True)
class Stamp:
    """`at` is None where the cell is no time, for the `reason`. A date is its midnight UTC."""

    at: datetime | None
    precision: str = MINUTE
    reason: str | None = None


def read(cell: object, *, zone: tzinfo | None = None) -> Stamp:
    """The instant a cell names: a datetime, a date, text, or the seconds, milli-, micro- or nanoseconds of an epoch.

    `zone` is that of times which name none; of the two instants that an hour repeated in autumn names, it is the later.
    """
    try:
        return _read(cell, zone)
    except (ValueError, OverflowError, OSError):
        return Stamp(None, reason=UNREADABLE)


def _read(cell: object, zone: tzinfo | None) -> Stamp:
    if isinstance(cell, datetime):
        return _zoned(cell, zone)
    if isinstance(cell, date):
        return Stamp(datetime.combine(cell, time(), UTC), DAY)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _epoch(float(cell))
    return _text(cell.strip(), zone) if isinstance(cell, str) else Stamp(None, reason=UNREADABLE)


def _text(text: str, zone: tzinfo | None) -> Stamp:
    if found := _DATE.fullmatch(text):
        return Stamp(datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=UTC), DAY)
    if found := _COMPACT.fullmatch(text):
        return Stamp(datetime.strptime(f"{found[1]}{found[2]}{found[3] or '00'}", "%Y%m%d%H%M%S").replace(tzinfo=UTC))
    if _EPOCH.fullmatch(text):
        return _epoch(float(text))
    try:
        return _zoned(datetime.fromisoformat(text.removesuffix(" UTC") + "+00:00" if text.endswith(" UTC") else text), zone)
    except ValueError:
        return _zoned(email.utils.parsedate_to_datetime(text), zone)


def _zoned(at: datetime, zone: tzinfo | None) -> Stamp:
    if at.tzinfo is not None:
        return Stamp(at.astimezone(UTC))
    if zone is None:
        return Stamp(None, reason=NO_ZONE)
    return Stamp(at.replace(tzinfo=zone, fold=1).astimezone(UTC))


def _epoch(value: float) -> Stamp:
    if not 0 < value < float("inf"):
        return Stamp(None, reason=UNREADABLE)
    per_second = next(unit for limit, unit in _UNITS if value < limit)
    return Stamp(datetime.fromtimestamp(value / per_second, UTC))
