"""Drift and degradation become trainings: a scripted history, looked at tick by tick."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from time import process_time
from typing import Any

import dagster as dg
import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.automation import measured, retraining
from spx_assets.automation.jobs import jobs
from spx_assets.build import build_defs
from spx_assets.lake.measure_tables import DRIFT_REPORTS, PERFORMANCE
from spx_assets.lake.monitoring_tables import ALERTS
from spx_assets.lake.records import PartitionRecord
from spx_assets.lake.schema import Table
from spx_assets.lake.tables import LABELS
from spx_assets.scoring import current
from spx_assets.settings import AutomationSettings, CostSettings, Settings, SimulatorSettings
from spx_assets.sources import feeds
from spx_assets_tests import lakes

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2025, 10, 13) + timedelta(days=k) for k in range(4))
COOL, WARM = AutomationSettings(cool_down_h=6), AutomationSettings(cool_down_h=0)


@cache
def graph() -> dg.Definitions:
    """The code location, whose graph the sensors look at; loaded once, for 0.4 CPU s."""
    return build_defs(Settings())


@cache
def instance() -> dg.DagsterInstance:
    """One for all desks, wiped by each: to make one takes 0.07 CPU s, to wipe it a hundredth."""
    return dg.DagsterInstance.ephemeral()


class Desk:
    """A home, an instance that outlives the daemon, and the sensor under test with the cursor its last tick left."""

    def __init__(self, settings: Settings, sensor: str = measured.DRIFT) -> None:
        self.lake, self.settings, self.sensor, self.cursor = lakes.fresh(settings), settings, sensor, ""
        self.instance = instance()
        self.instance.wipe()
        self.definitions = graph()

    def labelled(self, week: date = date(2025, 10, 12)) -> "Desk":
        """The newest week that could be learned from."""
        made: dict[str, Any] = {
            "asset": "gold/labels",
            "content_hash": "x",
            "read_snapshot": 1,
            "inputs_hash": "x",
            "run_id": "x",
        }
        self.lake.write(records={LABELS.name: [PartitionRecord(week=week, rows=1, committed_at=datetime.now(UTC), **made)]})
        return self

    def drifted(self, day: date, bad: bool = True, **facts: object) -> None:
        self.write(DRIFT_REPORTS, day, drifted=bad, instrument="SPX500_USD", reason="40 of 120 inputs drifted", **facts)

    def write(self, table: Table, day: date, **facts: object) -> None:
        known = {"trading_day": day, "ts": calendar.day_window(day)[0], "as_of": calendar.day_window(day)[1]} | facts
        filled: dict[str, Any] = {"VARCHAR": "x", "INTEGER": 1, "BIGINT": 1, "DOUBLE": 0.5, "BOOLEAN": False}
        row = {c.name: known.get(c.name, None if c.nullable else filled.get(c.type)) for c in table.columns}
        self.lake.upsert(table, pl.DataFrame([row], schema=table.schema()))

    def tick(self, rules: AutomationSettings = WARM, costs: CostSettings | None = None) -> dg.SensorResult:
        """One look as the daemon makes it: what it returns, its cursor kept, its run requests made runs."""
        settings = self.settings.model_copy(update={"automation": rules, "costs": costs or CostSettings()})
        (sensor,) = (each for each in measured.sensors(settings, jobs(settings)) if each.name == self.sensor)
        context = dg.build_sensor_context(self.instance, cursor=self.cursor or None, definitions=self.definitions)
        result = sensor(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor or ""
        return result

    def launch(self, request: dg.RunRequest, status: dg.DagsterRunStatus = dg.DagsterRunStatus.SUCCESS) -> None:
        self.instance.add_run(dg.DagsterRun(job_name=request.job_name or "", tags=request.tags, status=status))


@pytest.fixture
def desk(settings: Settings) -> Desk:
    return Desk(settings).labelled()


def asked(result: dg.SensorResult) -> dg.RunRequest:
    assert result.run_requests, result.skip_reason
    (request,) = result.run_requests
    return request


def why(result: dg.SensorResult) -> str:
    assert not result.run_requests
    assert isinstance(result.skip_reason, dg.SkipReason)
    return str(result.skip_reason.skip_message)


def test_a_drifted_day_asks_once_for_models_and_champion_with_its_reason(desk: Desk) -> None:
    assert why(desk.tick()) == "no report yet"
    desk.drifted(MONDAY, bad=False)
    assert why(desk.tick()) == "nothing new up to 2025-10-13"
    desk.drifted(TUESDAY)
    request = asked(desk.tick())
    assert (request.job_name, request.partition_key) == ("retrain", "2025-10-12")
    assert request.run_key == "drift SPX500_USD 2025-10-14"
    assert request.tags["spx/event"] == request.run_key
    assert request.tags["spx/reason"] == "drift SPX500_USD 2025-10-14: 40 of 120 inputs drifted"
    families = ("champion", "lightgbm", "linear", "xgboost")
    assert request.asset_selection is not None
    assert sorted(key.to_user_string() for key in request.asset_selection) == [
        f"models/{name}/{family}" for name in ("spx500_h30", "spx500_h60") for family in families
    ]
    desk.launch(request)
    assert why(desk.tick()) == "nothing new up to 2025-10-14"
    desk.drifted(TUESDAY, share=0.9)
    assert why(desk.tick()) == "nothing new up to 2025-10-14"


def test_a_drift_that_clears_and_returns_is_another_event(desk: Desk) -> None:
    desk.drifted(MONDAY)
    desk.launch(asked(desk.tick()))
    desk.drifted(TUESDAY, bad=False)
    assert "nothing new" in why(desk.tick())
    desk.drifted(TUESDAY)
    assert asked(desk.tick()).run_key == "drift SPX500_USD 2025-10-14"


def test_a_red_day_is_answered_though_greener_ones_came_before_anyone_looked(desk: Desk) -> None:
    desk.drifted(MONDAY, bad=False)
    desk.tick()
    desk.drifted(TUESDAY)
    desk.drifted(WEDNESDAY, bad=False)
    request = asked(desk.tick())
    assert request.run_key == "drift SPX500_USD 2025-10-14"
    desk.launch(request)
    assert why(desk.tick()) == "nothing new up to 2025-10-15"


def test_a_day_that_turns_red_when_its_week_is_measured_again_is_an_event_unless_a_later_one_was(desk: Desk) -> None:
    for day in (MONDAY, TUESDAY, WEDNESDAY):
        desk.drifted(day, bad=False)
        assert "to 2025-10-1" in why(desk.tick())
    desk.drifted(TUESDAY)
    request = asked(desk.tick())
    assert request.run_key == "drift SPX500_USD 2025-10-14"
    desk.launch(request)
    desk.drifted(MONDAY)
    assert why(desk.tick()) == "nothing new up to 2025-10-15"


def test_drift_within_the_cool_down_is_answered_after_it_by_one_training(desk: Desk) -> None:
    desk.drifted(MONDAY)
    desk.launch(asked(desk.tick()))
    desk.drifted(TUESDAY)
    assert "a training started less than 6 h ago; the next may at " in why(desk.tick(COOL))
    desk.drifted(WEDNESDAY)
    assert "2025-10-14 waits" in why(desk.tick(COOL))
    desk.drifted(THURSDAY, bad=False)
    assert "2025-10-14 waits" in why(desk.tick(COOL))
    request = asked(desk.tick(WARM))
    assert request.run_key == "drift SPX500_USD 2025-10-14"
    assert "2025-10-15" in request.tags["spx/reason"]
    desk.launch(request)
    assert why(desk.tick(WARM)) == "nothing new up to 2025-10-16"


def test_one_training_at_a_time_whoever_started_it(desk: Desk) -> None:
    by_hand = dg.RunRequest(job_name="retrain", tags={})
    desk.launch(by_hand, dg.DagsterRunStatus.STARTED)
    desk.drifted(MONDAY)
    assert "of retrain is under way" in why(desk.tick())
    (run,) = desk.instance.get_runs()
    desk.instance.report_run_canceled(run)
    assert asked(desk.tick()).run_key == "drift SPX500_USD 2025-10-13"


def test_a_spent_budget_holds_the_event_and_is_told_once(desk: Desk) -> None:
    @dg.op
    def learn() -> None:
        """Takes no time worth naming, but some."""

    @dg.job(name="retrain", tags={retraining.EVENT: "drift SPX500_USD 2025-10-10"})
    def spend() -> None:
        learn()

    assert spend.execute_in_process(instance=desk.instance).success
    desk.drifted(MONDAY)
    tight = AutomationSettings(cool_down_h=0, minutes_per_day=1e-6)
    for _ in range(2):
        assert "of 1e-06 minutes are spent in the trading day" in why(desk.tick(tight))
    dear = CostSettings(per_minute=1e6, per_day=10.0)
    assert "of 10 of cost are spent" in why(desk.tick(WARM, dear))
    told = desk.lake.read(ALERTS).sort("created_at")
    assert told["kind"].to_list() == ["budget", "budget"]
    assert told["title"].to_list() == [
        "The budget of minutes of retraining is spent",
        "The budget of cost of retraining is spent",
    ]
    assert asked(desk.tick(WARM)).run_key == "drift SPX500_USD 2025-10-13"


def test_a_restarted_daemon_neither_loses_nor_repeats_an_event(desk: Desk) -> None:
    desk.drifted(MONDAY, bad=False)
    desk.tick()
    before = desk.cursor
    desk.drifted(TUESDAY)
    desk.launch(asked(desk.tick()))
    # The run was made, and the daemon ended before it kept the cursor; meanwhile the next day drifts as well.
    desk.cursor = before
    desk.drifted(WEDNESDAY)
    assert asked(desk.tick()).run_key == "drift SPX500_USD 2025-10-15"


def test_the_first_look_at_a_long_history_answers_its_newest_day_alone(desk: Desk) -> None:
    for day in (MONDAY, TUESDAY, WEDNESDAY):
        desk.drifted(day)
    request = asked(desk.tick())
    assert request.run_key == "drift SPX500_USD 2025-10-15"
    assert "2025-10-14" not in request.tags["spx/reason"]


def test_features_come_first_where_their_data_changed(settings: Settings) -> None:
    market = settings.model_copy(update={"simulator": SimulatorSettings(days=3)})
    desk = Desk(market).labelled(date(2025, 10, 5))
    feeds.bind_simulator(desk.lake, "SPX500_USD")
    desk.drifted(MONDAY)
    first = asked(desk.tick())
    assert (first.job_name, first.run_key) == ("daily", "drift SPX500_USD 2025-10-13 features")
    assert first.partition_key == "2025-10-12"
    assert first.asset_selection is not None
    made = {key.to_user_string() for key in first.asset_selection}
    assert {"bronze/candles", "silver/technical", "gold/market_features", "gold/news_signals", "gold/labels"} < made
    assert not any(name.startswith(("models", "monitoring", "gold/forecast")) for name in made)
    desk.launch(first, dg.DagsterRunStatus.STARTED)
    assert "which makes the features again, is under way" in why(desk.tick())
    (run,) = desk.instance.get_runs()
    desk.instance.report_run_failed(run)
    assert "did not succeed; correct the cause and run it again" in why(desk.tick())
    desk.launch(first)
    second = asked(desk.tick())
    assert (second.job_name, second.run_key) == ("retrain", "drift SPX500_USD 2025-10-13")
    assert second.tags["spx/event"] == first.tags["spx/event"]


def test_a_forecaster_that_became_worse_is_trained_alone_if_it_is_still_served(settings: Settings) -> None:
    desk = Desk(settings, measured.PERFORMANCE).labelled()
    current.replace(settings.artifacts, "spx500_h60", champion="v2", challenger=None, flagged=None)
    desk.write(PERFORMANCE, MONDAY, model_name="spx500_h60", version="v1", degraded=True, reason="worse")
    assert why(desk.tick()) == "no report yet"
    desk.write(PERFORMANCE, TUESDAY, model_name="spx500_h60", version="v2", degraded=True, reason="worse")
    request = asked(desk.tick())
    assert request.run_key == "performance spx500_h60 2025-10-14"
    assert request.asset_selection is not None
    assert {key.path[1] for key in request.asset_selection} == {"spx500_h60"}


def test_a_tick_is_cheap_beside_five_years_of_reports(desk: Desk) -> None:
    days = list(calendar.trading_days(date(2020, 10, 1), MONDAY))
    desk.drifted(MONDAY)
    rows = pl.concat([desk.lake.read(DRIFT_REPORTS)] * len(days)).with_columns(
        trading_day=pl.Series(days), ts=pl.Series([calendar.day_window(day)[0] for day in days]).dt.cast_time_unit("us")
    )
    desk.lake.upsert(DRIFT_REPORTS, rows)
    desk.tick()
    started = process_time()
    desk.tick()
    assert process_time() - started < 1.0


def test_the_sensors_run_where_the_settings_say_so(settings: Settings) -> None:
    def status(on: bool) -> set[dg.DefaultSensorStatus]:
        changed = settings.model_copy(update={"automation": AutomationSettings(on=on)})
        return {sensor.default_status for sensor in measured.sensors(changed, jobs(changed))}

    assert status(False) == {dg.DefaultSensorStatus.STOPPED}
    assert status(True) == {dg.DefaultSensorStatus.RUNNING}
