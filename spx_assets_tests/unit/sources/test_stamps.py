"""Time stamps of many shapes to UTC minute starts, with literal values."""

from datetime import UTC, datetime

import polars as pl
import pytest

from spx_assets.sources.errors import TimeZoneError
from spx_assets.sources.stamps import Stamp, parse

JAN = datetime(2018, 1, 1, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cell", "tz", "expected"),
    [
        ("2018-01-01T23:00:00.000000000Z", None, JAN),
        ("2018-01-01T18:00:00-05:00", None, JAN),
        ("2018-01-01 18:00:00-0500", None, JAN),
        ("2018-01-02T00:00:00.5+01:00", None, JAN),
        ("01.01.2018 18:00:00.000 GMT-0500", None, JAN),
        ("2018-01-01 23:00 UTC", None, JAN),
        ("2018.01.01,18:00", "EST", JAN),
        ("20180101 180000", "EST", JAN),
        ("20180101180000", "America/New_York", JAN),
        ("2018-01-01 18:00", "America/New_York", JAN),
        ("2018-01-01T18:00:00Z", "America/New_York", JAN),  # the flag overrides what the stamp says
        ("2018-07-01 18:00", "EST", datetime(2018, 7, 1, 23, 0, tzinfo=UTC)),  # no daylight saving
        ("2018-07-01 18:00", "America/New_York", datetime(2018, 7, 1, 22, 0, tzinfo=UTC)),
        ("2018-03-11 02:30", "America/New_York", None),  # left out by the clock change
        ("2018-11-04 01:30", "America/New_York", datetime(2018, 11, 4, 5, 30, tzinfo=UTC)),  # the first of two
        ("2018-13-01 00:00", "UTC", None),
        ("2018-01-32 00:00", "UTC", None),
        ("yesterday", "UTC", None),
        ("", "UTC", None),
    ],
)
def test_text_is_read_in_its_zone(cell: str, tz: str | None, expected: datetime | None) -> None:
    assert parse(pl.Series([cell]), tz=tz, stamp="start", file="f").to_list() == [expected]


@pytest.mark.parametrize("number", [1514847600, 1514847600_000, 1514847600_000_000, 1514847600_000_000_000])
def test_epoch_numbers_are_read_by_their_size(number: int) -> None:
    assert parse(pl.Series([number]), tz=None, stamp="start", file="f").to_list() == [JAN]
    assert parse(pl.Series([str(number)]), tz=None, stamp="start", file="f").to_list() == [JAN]


@pytest.mark.parametrize(
    ("stamp", "cell", "minute"),
    [
        ("start", "2018-01-01 23:00:00", 0),
        ("start", "2018-01-01 23:00:59", 0),
        ("end", "2018-01-01 23:01:00", 0),
        ("end", "2018-01-01 23:00:59", 0),
        ("end", "2018-01-01 23:02:00", 1),
    ],
)
def test_the_stamp_rule_says_which_minute_a_bar_is(stamp: Stamp, cell: str, minute: int) -> None:
    assert parse(pl.Series([cell]), tz="UTC", stamp=stamp, file="f").to_list() == [JAN.replace(minute=minute)]


def test_datetimes_keep_their_zone_unless_told_otherwise() -> None:
    naive = pl.Series([JAN.replace(hour=18)]).dt.replace_time_zone(None)
    aware = naive.dt.replace_time_zone("America/New_York")
    assert parse(aware, tz=None, stamp="start", file="f").to_list() == [JAN]
    assert parse(aware, tz="UTC", stamp="start", file="f").to_list() == [JAN.replace(hour=18)]
    assert parse(naive, tz="America/New_York", stamp="start", file="f").to_list() == [JAN]


def test_stamps_without_a_zone_ask_for_one() -> None:
    for cells in (pl.Series(["2018-01-01 18:00"]), pl.Series([JAN]).dt.replace_time_zone(None)):
        with pytest.raises(TimeZoneError, match=r"a\.csv: the stamps carry no time zone; say which with --tz"):
            parse(cells, tz=None, stamp="start", file="a.csv")


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(TimeZoneError, match="'Mars/Olympus' is unknown; use an IANA name"):
        parse(pl.Series(["2018-01-01 18:00"]), tz="Mars/Olympus", stamp="start", file="a.csv")
