"""What the commands that run Dagster share: the home's instance and quiet logs.

Belongs here: opening a backfill for the home in use. Does not: options of a command.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING

from spx_assets import calendar
from spx_assets.settings import Settings, load

if TYPE_CHECKING:
    import dagster as dg

    from spx_assets.automation.backfill import Backfill


def week(day: datetime | None) -> date | None:
    """Trading week of a day given on the command line (a Sunday is its own week's key)."""
    if day is None:
        return None
    return day.date() if day.weekday() == 6 else calendar.week_of_day(day.date())


@contextmanager
def stoppable() -> Iterator[None]:
    """Ctrl-C within a run, which Dagster names its own way, is Ctrl-C."""
    import dagster as dg

    try:
        yield
    except dg.DagsterExecutionInterruptedError:
        raise KeyboardInterrupt from None


@contextmanager
def dagster_of(settings: Settings) -> Iterator["dg.DagsterInstance"]:
    """The home's own Dagster instance, so that runs show in the UI; Dagster logs only warnings to the terminal."""
    from spx_assets.automation import instance

    instance.place(settings)
    import dagster as dg

    for category in (dg.BetaWarning, dg.PreviewWarning, dg.SupersessionWarning):
        warnings.simplefilter("ignore", category)
    with dg.DagsterInstance.get() as home, stoppable():
        yield home


@contextmanager
def backfill(settings: Settings | None = None) -> Iterator["Backfill"]:
    """A backfill on the home's own Dagster instance."""
    settings = settings or load()
    with dagster_of(settings) as home:
        from spx_assets.automation.backfill import Backfill

        yield Backfill(settings, home)
