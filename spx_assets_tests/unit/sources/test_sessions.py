"""Opening hours of the simulated market, against the exchange calendars of known years."""

from datetime import UTC, date, datetime

import pytest

from spx_assets.sources import sessions


@pytest.mark.parametrize(
    ("day", "minutes"),
    [
        (date(2025, 10, 14), 1380),
        (date(2025, 10, 11), 0),  # Saturday
        (date(2025, 1, 1), 0),
        (date(2023, 1, 2), 0),  # New Year's Day fell on a Sunday
        (date(2022, 12, 26), 0),  # Christmas Day fell on a Sunday
        (date(2021, 12, 24), 0),  # Christmas Day fell on a Saturday
        (date(2025, 4, 18), 0),  # Good Friday
        (date(2018, 3, 30), 0),  # Good Friday
        (date(2025, 1, 20), 1140),  # Martin Luther King Jr. Day
        (date(2025, 2, 17), 1140),  # Presidents' Day
        (date(2025, 5, 26), 1140),  # Memorial Day
        (date(2025, 6, 19), 1140),
        (date(2025, 7, 4), 1140),
        (date(2025, 9, 1), 1140),  # Labor Day
        (date(2025, 11, 27), 1140),  # Thanksgiving
        (date(2025, 11, 28), 1140),
        (date(2025, 12, 24), 1140),
    ],
)
def test_session_has_the_minutes_of_the_exchange(day: date, minutes: int) -> None:
    assert sessions.session_minutes(day) == minutes


def test_own_holidays_close_the_market() -> None:
    assert sessions.session_minutes(date(2025, 10, 14), {date(2025, 10, 14)}) == 0


def test_session_starts_at_18_new_york_on_both_sides_of_a_clock_change() -> None:
    assert sessions.session_start(date(2025, 3, 7)) == datetime(2025, 3, 6, 23, tzinfo=UTC)
    assert sessions.session_start(date(2025, 3, 10)) == datetime(2025, 3, 9, 22, tzinfo=UTC)
    assert sessions.session_start(date(2025, 11, 3)) == datetime(2025, 11, 2, 23, tzinfo=UTC)
