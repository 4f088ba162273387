"""Times of publication as files and feeds write them: exact, in UTC, or no time at all.

Belongs here: one cell to an instant and its precision. Does not: which column holds it (`news_files`), when an article is known
(`articles`), minutes of candles (`stamps`).

A time without a zone is not guessed: five hours of New York read as UTC would be five hours of foresight. Nor is a midnight taken
for a time: it is what most writers of dates put behind them, and a day of foresight where it is one. It is a date by the clock
that wrote it, as 00:00 in New York is 05:00 in UTC.
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


def read(cell: object, *, zone: tzinfo | None = None, live: bool = False, day: bool = False) -> Stamp:
    """The instant a cell names: a datetime, a date, text, or the seconds, milli-, micro- or nanoseconds of an epoch.

    `zone` is that of times which name none; of the two instants that an hour repeated in autumn names, it is the later. `live`
    takes a midnight for a time: what is polled as it appears is known from then. `day` takes any time for its date.
    """
    try:
        at = _read(cell)
        if type(at) is date:
            return Stamp(_midnight(at), DAY)
        if not isinstance(at, datetime):
            return Stamp(None, reason=UNREADABLE)
        if day or (at.time() == time() and not live):
            return Stamp(_midnight(at), DAY)
        if at.tzinfo is not None:
            return Stamp(at.astimezone(UTC))
        return Stamp(at.replace(tzinfo=zone, fold=1).astimezone(UTC)) if zone else Stamp(None, reason=NO_ZONE)
    except (ValueError, OverflowError, OSError):
        return Stamp(None, reason=UNREADABLE)


def _read(cell: object) -> date | None:
    """A date, or a time by the clock that wrote it."""
    if isinstance(cell, date):
        return cell
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _epoch(float(cell))
    return _text(cell.strip()) if isinstance(cell, str) else None


def _text(text: str) -> date | None:
    if found := _DATE.fullmatch(text):
        return date(int(found[1]), int(found[2]), int(found[3]))
    if found := _COMPACT.fullmatch(text):
        return datetime.strptime(f"{found[1]}{found[2]}{found[3] or '00'}", "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    if _EPOCH.fullmatch(text):
        return _epoch(float(text))
    try:
        return datetime.fromisoformat(text.removesuffix(" UTC") + "+00:00" if text.endswith(" UTC") else text)
    except ValueError:
        return email.utils.parsedate_to_datetime(text)


def _epoch(value: float) -> datetime | None:
    if not 0 < value < float("inf"):
        return None
    per_second = next(unit for limit, unit in _UNITS if value < limit)
    return datetime.fromtimestamp(value / per_second, UTC)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
