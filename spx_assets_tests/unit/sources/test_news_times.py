"""Times of publication in every form that files and feeds write them."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from spx_assets.sources import news_times
from spx_assets.sources.news_times import NO_ZONE, UNREADABLE

AT = datetime(2024, 11, 3, 6, 30, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    "cell",
    [
        AT,
        AT.astimezone(NEW_YORK),
        "2024-11-03T06:30:00Z",
        "2024-11-03 06:30:00+00:00",
        "2024-11-03 06:30 UTC",
        "2024-11-03T01:30:00-05:00",
        "20241103T063000",
        "20241103T063000Z",
        "20241103T0630",
        "Sun, 03 Nov 2024 06:30:00 GMT",
        "Sun, 03 Nov 2024 01:30:00 -0500",
        1730615400,
        1730615400000,
        "1730615400",
        1730615400e6,
        1730615400 * 10**9,
    ],
)
def test_an_instant_is_read_exactly(cell: object) -> None:
    assert news_times.read(cell) == news_times.Stamp(AT, "minute")


@pytest.mark.parametrize("cell", ["2024-11-03", "20241103", date(2024, 11, 3)])
def test_a_date_is_no_time(cell: object) -> None:
    assert news_times.read(cell, zone=NEW_YORK) == news_times.Stamp(datetime(2024, 11, 3, tzinfo=UTC), "day")


@pytest.mark.parametrize(
    "cell",
    [
        "2024-11-03T00:00:00Z",
        "2024-11-03 00:00:00",
        "2024-11-03T00:00:00-05:00",
        "Sun, 03 Nov 2024 00:00:00 +0900",
        "20241103T000000",
        1730592000,
        datetime(2024, 11, 3, tzinfo=NEW_YORK),
    ],
)
def test_a_midnight_of_the_clock_that_wrote_it_is_that_date(cell: object) -> None:
    assert news_times.read(cell, zone=NEW_YORK) == news_times.Stamp(datetime(2024, 11, 3, tzinfo=UTC), "day")
    assert news_times.read(cell, zone=NEW_YORK, live=True).precision == "minute"


def test_a_midnight_of_another_clock_is_a_time() -> None:
    assert news_times.read("2024-11-02T20:00:00-04:00") == news_times.Stamp(datetime(2024, 11, 3, tzinfo=UTC), "minute")
    assert news_times.read("2024-11-02T20:00:00-04:00", day=True) == news_times.Stamp(datetime(2024, 11, 2, tzinfo=UTC), "day")


@pytest.mark.parametrize("cell", ["2024-11-03 06:30", datetime(2024, 11, 3, 6, 30), "Sun, 03 Nov 2024 06:30:00"])  # noqa: DTZ001
def test_a_time_without_a_zone_is_not_guessed(cell: object) -> None:
    assert news_times.read(cell) == news_times.Stamp(None, reason=NO_ZONE)
    assert news_times.read(cell, zone=NEW_YORK).at == datetime(2024, 11, 3, 11, 30, tzinfo=UTC)


def test_of_an_hour_that_comes_twice_the_later_one_is_meant() -> None:
    assert news_times.read("2024-11-03 01:30", zone=NEW_YORK).at == AT


@pytest.mark.parametrize("cell", [None, "", "yesterday", "2024-13-01", "2024-11-03T25:00Z", 0, -5, float("nan"), True, {}, "0"])
def test_what_is_no_time_has_none(cell: object) -> None:
    assert news_times.read(cell) == news_times.Stamp(None, reason=UNREADABLE)
