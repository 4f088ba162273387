"""The look at service and machine, read over HTTP, and the sensors, jobs and schedules around alerts."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import polars as pl
import pytest

from spx_assets.automation import alerts as automation
from spx_assets.cli import up
from spx_assets.lake import Lake
from spx_assets.monitoring.alerts import kinds, raising, watch
from spx_assets.settings import AlertSettings, Settings, load
from spx_assets_tests.integration.monitoring.alerts.conftest import Chat, Mail

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
CALM = {"SPX_ALERTS__CPU_PERCENT": "100", "SPX_ALERTS__MEMORY_PERCENT": "100", "SPX_ALERTS__DISK_PERCENT": "100"}


def metrics(*, good: int, bad: int = 0, stated: int = 0, slow: int = 0) -> str:
    """The service's counters: `slow` of all took between half a second and one."""
    total = good + bad + stated
    route = 'route="/predict"'
    return f"""# HELP spx_http_requests_total Answered requests
# TYPE spx_http_requests_total counter
spx_http_requests_total{{{route},method="POST",status="200"}} {good}
spx_http_requests_total{{{route},method="POST",status="500"}} {bad}
spx_http_requests_total{{{route},method="POST",status="503"}} {stated}
# HELP spx_http_request_duration_seconds From the request to its answer
# TYPE spx_http_request_duration_seconds histogram
spx_http_request_duration_seconds_bucket{{{route},le="0.5"}} {total - slow}
spx_http_request_duration_seconds_bucket{{{route},le="1.0"}} {total}
spx_http_request_duration_seconds_bucket{{{route},le="+Inf"}} {total}
"""


@pytest.fixture
def watched(home: Settings, chat: Chat, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SPX_ALERTS__SERVICE_URL", f"http://127.0.0.1:{chat.port}")
    for name, value in CALM.items():
        monkeypatch.setenv(name, value)
    return load()


def names(settings: Settings, minutes: int) -> list[str]:
    return [each.name for each in watch.look(settings, now=NOW + timedelta(minutes=minutes))]


def titles(settings: Settings) -> list[str]:
    return Lake.open(settings).read("monitoring.alerts").sort("created_at", "title")["title"].to_list()


def test_errors_and_slow_answers_are_counted_between_two_looks_and_told_when_they_begin(watched: Settings, chat: Chat) -> None:
    chat.shown = metrics(good=1000, stated=500, slow=50)
    assert names(watched, 0) == []
    chat.shown = metrics(good=1094, bad=6, stated=500, slow=55)
    assert names(watched, 5) == ["serving errors"]
    chat.shown = metrics(good=1180, bad=12, stated=500, slow=65)
    assert names(watched, 10) == ["serving errors", "serving latency"]
    assert titles(watched) == ["6% of the answers are errors", "The service is slow"]
    chat.shown = metrics(good=1280, bad=12, stated=500, slow=65)
    assert names(watched, 15) == []
    # Started anew: counters begin at 0.
    chat.shown = metrics(good=10, bad=10)
    assert names(watched, 20) == ["serving errors"]
    assert titles(watched)[2:] == ["50% of the answers are errors"]
    chat.shown = metrics(good=12, bad=20)
    assert names(watched, 25) == []  # 12 answers say nothing


def test_a_service_that_is_silent_or_refuses_is_told(watched: Settings, chat: Chat) -> None:
    chat.status = 401
    assert names(watched, 0) == ["serving silent"]
    found = Lake.open(watched).read("monitoring.alerts").row(0, named=True)
    assert (found["severity"], found["kind"]) == ("critical", "serving")
    assert "SPX_ALERTS__SERVICE_KEY" in found["message"]


def test_a_machine_beyond_its_limits_is_told_once(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPX_ALERTS__MEMORY_PERCENT", "0.001")
    monkeypatch.setenv("SPX_ALERTS__DISK_PERCENT", "0.001")
    monkeypatch.setenv("SPX_ALERTS__CPU_PERCENT", "100")
    settings = load()
    assert names(settings, 0) == ["machine memory", "machine disk"]
    assert names(settings, 5) == ["machine memory", "machine disk"]
    found = Lake.open(settings).read("monitoring.alerts").sort("severity")
    assert found.select("kind", "severity").rows() == [("machine", "critical"), ("machine", "warning")]
    assert "spx doctor" in found["message"][0]


@dg.op
def divide() -> float:
    return 1 / 0


@dg.job(tags={"spx/reason": "drift"})
def broken() -> None:
    divide()


def test_a_failed_run_is_raised_and_a_failed_delivery_is_not(home: Settings) -> None:
    _, failed, _ = automation.sensors(home)
    with dg.DagsterInstance.ephemeral() as instance:
        result = broken.execute_in_process(instance=instance, raise_on_error=False)
        (event,) = [e for e in result.all_events if e.event_type is dg.DagsterEventType.RUN_FAILURE]
        context = dg.build_run_status_sensor_context("run_failures", event, instance, result.dagster_run).for_run_failure()
        failed(context)
        failed(context)
        renamed = result.dagster_run._replace(job_name="deliver_alerts")
        failed(dg.build_run_status_sensor_context("run_failures", event, instance, renamed).for_run_failure())
    (row,) = Lake.open(home).read("monitoring.alerts").rows(named=True)
    assert (row["kind"], row["severity"], row["key"]) == ("run_failure", "critical", result.run_id)
    assert f"Run {result.run_id} of broken (for drift) failed: ZeroDivisionError: division by zero" in row["message"]


def test_the_sensor_asks_once_for_a_state_and_the_job_survives_a_dead_channel(
    told_home: Settings, mail: Mail, chat: Chat
) -> None:
    waiting, *_ = automation.sensors(told_home)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance)
        assert waiting.evaluate_tick(context).skip_message == "no alert is due"
        raising.raise_alert(told_home, kinds.missing_data(instrument="SPX500_USD", day=NOW.date()))
        keys = [waiting.evaluate_tick(context).run_requests[0].run_key for _ in range(2)]
        assert keys[0] == keys[1]
        mail.broken = True
        result = automation.deliver_alerts.execute_in_process(resources={"settings": told_home}, instance=instance)
        assert result.success
        assert waiting.evaluate_tick(context).skip_message == "no alert is due"  # for a minute
        assert automation.look.execute_in_process(resources={"settings": told_home}, instance=instance).success
        assert automation.alert_digest.execute_in_process(resources={"settings": told_home}, instance=instance).success
    kept = Lake.open(told_home).read("monitoring.alerts").filter(pl.col("kind").is_in(["missing_data", "digest"]))
    assert dict(kept.select("kind", "delivery").rows()) == {"missing_data": "pending", "digest": "pending"}
    assert len(chat.posts) == 1


def test_sensors_and_schedules_run_from_the_start_where_the_settings_say_so(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [*automation.sensors(home), *automation.schedules(home)]
    assert {each.default_status.value for each in both} == {"STOPPED"}
    monkeypatch.setenv("SPX_ALERTS__ON", "true")
    both = [*automation.sensors(load()), *automation.schedules(load())]
    assert {each.default_status.value for each in both} == {"RUNNING"}


def test_up_switches_alerts_and_upkeep_on_and_watches_the_service_it_starts(settings: Settings) -> None:
    on = {"SPX_ALERTS__ON": "true", "SPX_UPKEEP__ON": "true", "SPX_AUTOMATION__ON": "true"}
    assert up._alerts(settings, 8000) == {**on, "SPX_ALERTS__SERVICE_URL": "http://127.0.0.1:8000"}
    assert up._alerts(settings, None) == on
    told = settings.model_copy(update={"alerts": AlertSettings(on=False, service_url="")})
    assert up._alerts(told, 8000) == {"SPX_UPKEEP__ON": "true", "SPX_AUTOMATION__ON": "true"}


def test_up_tells_the_dagster_ui_where_its_links_lead(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    ports = {"dagster": 3000, "serving": 8003, "mlflow": 5007}
    taken = {"SPX_LINKS__MLFLOW": "http://127.0.0.1:5007", "SPX_LINKS__DASHBOARD": "http://127.0.0.1:8003"}
    assert up._links(settings, ports, "0.0.0.0") == taken
    monkeypatch.setenv("SPX_LINKS__DASHBOARD", "https://spx.example")
    assert up._links(load(), ports, "127.0.0.1") == {"SPX_LINKS__MLFLOW": "http://127.0.0.1:5007"}
