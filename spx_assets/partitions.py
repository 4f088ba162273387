"""Trading weeks as Dagster partitions, and the look-back each kind of asset may see.

Belongs here: the one partitions definition and the mappings between weeks. Does not: asset bodies, data.
"""

from datetime import date

import dagster as dg

# Daily indicators need 250 trading days before the bar's own: 50 weeks, and 10 more for the week's own offset and holidays.
DAILY_WEEKS = 60
# A week's forecasts look for the newest version trained before it among ten years of model weeks.
FORECAST_WEEKS = 520


def trading_weeks(history_start: date) -> dg.WeeklyPartitionsDefinition:
    """Weeks from Sunday 17:00 New York to the next, keyed by that Sunday; the open week is the last one."""
    return dg.WeeklyPartitionsDefinition(
        start_date=history_start.isoformat(), day_offset=0, hour_offset=17, timezone="America/New_York", end_offset=1
    )


def look_back(weeks: int) -> dg.TimeWindowPartitionMapping:
    """The week itself and `weeks` before it; weeks before the history's start are left out."""
    return dg.TimeWindowPartitionMapping(start_offset=-weeks, end_offset=0, allow_nonexistent_upstream_partitions=True)


def earlier(weeks: int) -> dg.TimeWindowPartitionMapping:
    """Only the `weeks` weeks before the week itself."""
    return dg.TimeWindowPartitionMapping(start_offset=-weeks, end_offset=-1, allow_nonexistent_upstream_partitions=True)


# Features see at most five trading days before their own day, which never reaches past the week before.
ONE_WEEK_BACK = look_back(1)
DAILY_BACK = look_back(DAILY_WEEKS)
BEFORE = earlier(FORECAST_WEEKS)


def key_of(week: date) -> str:
    """Partition key of a trading week."""
    return week.isoformat()


def week_of_key(key: str) -> date:
    """Trading week of a partition key."""
    return date.fromisoformat(key)
