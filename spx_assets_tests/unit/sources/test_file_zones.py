"""Files whose stamps are told in the wrong zone: known by the hours at which the market pauses."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spx_assets.sources.errors import TimeZoneError
from spx_assets_tests.unit.sources.candle_files import read, written

# 17:00 New York is 21:00 UTC in summer.
CLOSE = datetime(2018, 7, 6, 21, tzinfo=UTC)
PAUSE = timedelta(days=2)


def hours(*weekends: tuple[timedelta, timedelta]) -> str:
    """An hour of bars before each (end, beginning) of a weekend's pause and an hour after it, a week apart, in UTC."""
    lines = [
        f"{at + week * timedelta(days=7) + timedelta(minutes=i):%Y-%m-%dT%H:%M},10,10,10,10"
        for week, (end, begin) in enumerate(weekends)
        for at in (CLOSE - timedelta(hours=1) + end, CLOSE + PAUSE + begin)
        for i in range(60)
    ]
    return "\n".join(["ts,open,high,low,close", *lines])


HOUR = timedelta(hours=1)
TRUE = (0 * HOUR, 0 * HOUR)


@pytest.mark.parametrize(
    ("stamped", "told"), [(HOUR, "Europe/London"), (2 * HOUR, "Europe/Berlin"), (-4 * HOUR, "America/New_York")]
)
def test_a_pause_of_the_market_at_other_hours_is_a_wrong_zone(tmp_path: Path, stamped: timedelta, told: str) -> None:
    path = written(tmp_path, "a.csv", hours((stamped, stamped)))
    with pytest.raises(TimeZoneError, match=r"of 120 rows fall into the weekend .* when read in UTC; say with --tz"):
        read(path, instrument="X", tz="UTC")
    assert read(path, instrument="X", tz=told).refused == {}


@pytest.mark.parametrize("weekends", [[TRUE], [(HOUR, 0 * HOUR)] * 2, [(HOUR, HOUR), *[TRUE] * 3], [(0 * HOUR, HOUR)]])
def test_quotes_into_the_weekend_and_one_strange_weekend_are_no_wrong_zone(
    tmp_path: Path, weekends: list[tuple[timedelta, timedelta]]
) -> None:
    path = written(tmp_path, "a.csv", hours(*weekends))
    closed = 60 * sum(end > 0 * HOUR for end, _ in weekends)
    assert read(path, instrument="X", tz="UTC").refused == ({"market_closed": closed} if closed else {})
