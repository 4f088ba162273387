"""What the market's clock asks for: times that keep to New York, weeks that have something new."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import cron_string_iterator

from spx_assets.automation import market_time
from spx_assets.automation.jobs import EXCLUSIVE, jobs
from spx_assets.features.readiness import CANDLES
from spx_assets.lake import Lake
from spx_assets.lake.staleness import inputs_hashes
from spx_assets.settings import AutomationSettings, Settings, SimulatorSettings
from spx_assets.sources import feeds, live
from spx_assets_tests import lakes

NEW_YORK = ZoneInfo("America/New_York")
FRIDAY = datetime(2025, 10, 17, 17, 5, tzinfo=NEW_YORK)
Ask = Callable[..., list[str | None] | str | None]


def named(settings: Settings, **facts: object) -> dict[str, dg.ScheduleDefinition]:
    changed = settings.model_copy(update={"automation": AutomationSettings.model_validate(facts)})
    return {schedule.name: schedule for schedule in market_time.schedules(changed)}


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """What a schedule asks for at a time: partitions, else why none. None writes to the instance: to make one takes 0.5 CPU s."""
    with dg.DagsterInstance.local_temp() as instance:

        def asked(schedule: dg.ScheduleDefinition, at: datetime = FRIDAY) -> list[str | None] | str | None:
            result = schedule(dg.build_schedule_context(instance, scheduled_execution_time=at))
            if isinstance(result, dg.SkipReason):
                return result.skip_message
            requests = result if isinstance(result, list) else [result]
            return [request.partition_key for request in requests if isinstance(request, dg.RunRequest)]

        yield asked


@pytest.fixture
def lake(settings: Settings) -> Lake:
    """A simulated market of one day more than a week."""
    made = lakes.fresh(settings.model_copy(update={"simulator": SimulatorSettings(days=8)}))
    feeds.bind_simulator(made, "SPX500_USD")
    return made


@pytest.mark.parametrize(("before", "after"), [("2025-03-07", "2025-03-10"), ("2025-10-31", "2025-11-03")])
def test_the_daily_run_stays_five_minutes_after_the_close_when_clocks_change(before: str, after: str, settings: Settings) -> None:
    schedule = named(settings)["daily"]
    start = datetime.combine(date.fromisoformat(before), datetime.min.time(), NEW_YORK)
    ticks = cron_string_iterator(start.timestamp(), str(schedule.cron_schedule), schedule.execution_timezone)
    days = list(islice(ticks, 2))
    assert [f"{tick.astimezone(NEW_YORK):%Y-%m-%d %H:%M}" for tick in days] == [f"{before} 17:05", f"{after} 17:05"]
    # Three days by the wall, an hour less or more by the sun.
    assert abs(days[1].timestamp() - days[0].timestamp() - 3 * 86400) == 3600


def test_a_standing_feed_is_made_when_it_has_new_rows_and_not_again(lake: Lake, settings: Settings, ask: Ask) -> None:
    schedule = named(settings)["daily"]
    assert ask(schedule) == ["2025-10-05", "2025-10-12"]
    weeks = [date(2025, 10, 5), date(2025, 10, 12)]
    made = feeds.candles(lake, weeks)
    hashes = inputs_hashes(lake, CANDLES, weeks, fingerprints=made.fingerprints)
    lake.replace(CANDLES.table, made, asset=CANDLES.asset, run_id="run", read_snapshot=lake.snapshot(), inputs_hashes=hashes)
    assert ask(schedule) == "no feed is live or has new rows"
    assert ask(named(settings)["hourly"]) == "no feed has new rows"
    live.follow(lake, list(feeds.feeds(lake).values()))
    assert ask(schedule) == ["2025-10-12"]
    assert ask(schedule, FRIDAY + timedelta(days=3)) == ["2025-10-19"]


def test_models_and_scores_wait_for_labels(lake: Lake, settings: Settings, ask: Ask) -> None:
    for name in ("retrain", "walk_forward"):
        assert str(ask(named(settings)[name])).startswith("gold/labels has no rows")


def test_who_runs_by_the_clock_is_said_by_the_settings(settings: Settings) -> None:
    def running(**facts: object) -> set[str]:
        on = dg.DefaultScheduleStatus.RUNNING
        return {name for name, schedule in named(settings, **facts).items() if schedule.default_status == on}

    assert running() == set()
    assert running(on=True) == {"costs", "daily", "retrain", "walk_forward"}
    assert running(on=True, hourly=True, retrain="off") == {"costs", "daily", "hourly", "walk_forward"}
    assert named(settings, retrain="daily")["retrain"].cron_schedule == "45 17 * * 1-5"
    assert named(settings)["retrain"].cron_schedule == "45 17 * * 5"


def test_a_hanging_run_is_ended_and_trainings_exclude_each_other(settings: Settings) -> None:
    tags = {job.name: job.tags or {} for job in jobs(settings)}
    assert tags["daily"]["dagster/max_runtime"] == "3600"
    assert tags["news_online"]["dagster/max_runtime"] == "900"
    assert tags["retrain"][EXCLUSIVE] == "retrain"


def test_what_the_daily_run_makes_is_held_to_its_rhythm_where_a_feed_is_live(settings: Settings) -> None:
    def policies(**facts: object) -> dict[str, dg.FreshnessPolicy | None]:
        weeks = dg.WeeklyPartitionsDefinition(start_date="2025-01-05")
        keys = (
            ["bronze", "candles"],
            ["monitoring", "feature_drift"],
            ["monitoring", "costs"],
            ["models", "spx500_h30", "linear"],
        )
        specs = [dg.AssetSpec(key, group_name=key[0], partitions_def=weeks) for key in keys]
        polled = dg.AssetSpec(["bronze", "news_feeds"], group_name="bronze")
        changed = settings.model_copy(update={"automation": AutomationSettings.model_validate(facts)})
        made = [market_time.held_to(spec, changed) for spec in (*specs, polled)]
        return {spec.key.to_user_string(): spec.freshness_policy for spec in made}

    due = dg.FreshnessPolicy.cron("0 18 * * 1-5", timedelta(hours=1), timezone="America/New_York")
    assert set(policies().values()) == {None}
    assert policies(freshness=True) == {
        "bronze/candles": due,
        "monitoring/feature_drift": due,
        "monitoring/costs": None,
        "models/spx500_h30/linear": None,
        "bronze/news_feeds": None,
    }
