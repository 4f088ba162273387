"""The online job: what was dropped is in the signals of the current week after one run; what asks for runs asks once."""

import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from spx_assets.automation.backfill import Backfill, BackfillError
from spx_assets.automation.schedules import schedules
from spx_assets.automation.sensors import AGAIN, sensors
from spx_assets.cli import app
from spx_assets.features import catalog
from spx_assets.lake import Chunk, Lake
from spx_assets.lake.tables import table
from spx_assets.settings import Settings, load
from spx_assets.sources import feeds, news_drop, news_landing, news_orders, news_polling, news_simulator
from spx_assets_tests.integration.docs.pages import command

ONE_WEEK = """SPX_SIMULATOR__DAYS=3
SPX_NEWS__LIVE=["wire"]
SPX_LABELS__HORIZONS=[30]
SPX_MODELS__FAMILIES=["linear"]
"""


@dataclass(frozen=True)
class Home:
    """A simulated home of one week with its signals made, and the run that made them."""

    settings: Settings
    instance: dg.DagsterInstance
    plan: Backfill
    made: dict[str, int]

    def last(self) -> dict[str, Any]:
        """What the newest bar knows of the news."""
        row: dict[str, Any] = Lake.open(self.settings).read("gold.news_signals").tail(1).to_dicts()[0]
        return row


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """It has heard two positive articles five minutes before its last bar, and polls a provider that does not exist."""
    folder = tmp_path_factory.mktemp("online") / "home"
    folder.mkdir()
    (folder / "settings.env").write_text(ONE_WEEK)
    settings = load(folder)
    lake = Lake.open(settings)
    feeds.bind_simulator(lake, "SPX500_USD")
    news_orders.order(lake, "positive", 2, at=datetime(2025, 10, 15, 15, 55, tzinfo=UTC))
    news_polling.poll(lake)
    with dg.DagsterInstance.ephemeral() as instance:
        plan = Backfill(settings, instance)
        yield Home(settings, instance, plan, plan.run(["gold/news_signals"]))


@pytest.fixture
def drop(home: Home) -> Iterator[Path]:
    """The home's drop folder, emptied afterwards; a worker's first test finds what the home's own articles left there."""
    yield (folder := news_drop.folder(home.settings))
    shutil.rmtree(folder, ignore_errors=True)


def spx(home: Home, monkeypatch: pytest.MonkeyPatch, line: str) -> Result:
    """A command as the documents have it, in this process."""
    monkeypatch.setenv("SPX_HOME", str(home.settings.home))
    # Starting in the home sets these for good.
    monkeypatch.setenv("DAGSTER_HOME", str(home.settings.dagster_home))
    return CliRunner().invoke(app, shlex.split(line)[1:], catch_exceptions=False)


def market_inputs_unknown(home: Home) -> None:
    """A row of gold.market_features for the newest bar, all its inputs null: made of candles they would cost 3.5 CPU s."""
    lake, week, name = Lake.open(home.settings), date(2025, 10, 12), "gold.market_features"
    key = pl.DataFrame([home.last()]).select("instrument", "ts", "trading_day")
    chunk = Chunk((week,), pl.concat([table(name).empty(), key], how="diagonal"))
    lake.replace(
        name, chunk, asset="gold/market_features", run_id="test", read_snapshot=lake.snapshot(), inputs_hashes={week: "test"}
    )


def news_features(home: Home, monkeypatch: pytest.MonkeyPatch) -> dict[str, float | None]:
    """What `spx features values` says of the news when the newest bar has just ended."""
    told = spx(home, monkeypatch, "spx features values --at 2025-10-15T16:00")
    assert told.exit_code == 0
    cells = [line.split("\t") for line in told.stdout.splitlines()[1:]]
    return {name: float(value) if value else None for name, family, value, *_ in cells if family == catalog.NEWS}


def test_five_negative_articles_move_the_newest_bar_within_one_run(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = home.last()
    assert (before["article_count"], before["avg_sentiment"] > 0) == (2, True)
    market_inputs_unknown(home)
    known = news_features(home, monkeypatch)
    ordered = spx(home, monkeypatch, command("news simulate"))
    assert ordered.exit_code == 0
    titles = [line.split("\t")[1] for line in ordered.stdout.splitlines()[1:]]
    ran = spx(home, monkeypatch, command("news online"))
    after = home.last()
    assert after["article_count"] == before["article_count"] + 5
    assert after["avg_sentiment"] < before["avg_sentiment"] - 0.2
    assert after["latest_headline"] == titles[-1]
    # What people are shown of the bar's features are these numbers, before and after.
    shown = news_features(home, monkeypatch)
    assert [known, shown] == [{name: row[name] for name in known} for row in (before, after)]
    assert len([name for name in known if known[name] != shown[name]]) > 10
    # Bars that were before the articles know as little of them as ever.
    bars = Lake.open(home.settings).read("gold.news_signals", end=after["ts"] - 2 * news_orders.SPREAD)
    assert (bars.height > 3000, bars["article_count"].sum()) == (True, 0)
    # The provider that does not exist kept nothing from being made, and is named.
    told = ran.stderr.splitlines()
    assert (ran.exit_code, told[0], len(told)) == (1, "week 2025-10-12: 5 new article(s)", 2)
    assert told[1].startswith("not heard: wire: news provider 'wire' is unknown")
    assert ran.stdout.splitlines()[1].split("\t")[-1] == titles[-1]
    assert news_drop.waiting(drop) == []
    assert len(list((drop / news_drop.TAKEN).iterdir())) == 2


def test_a_backfill_never_polls(home: Home) -> None:
    assert home.made == {"bronze/candles": 1, "bronze/news": 1, "silver/news_sentiment": 1, "gold/news_signals": 1}
    assert {key.to_user_string() for key in home.plan.keys(["bronze/*"])} == {"bronze/candles", "bronze/news"}
    with pytest.raises(BackfillError, match="bronze/news_feeds"):
        home.plan.run(["bronze/news_feeds"])
    daily = home.plan.defs.resolve_job_def("daily")
    assert {node.name for node in daily.nodes} & {"bronze__news", "bronze__news_feeds"} == {"bronze__news"}


def tick(home: Home, cursor: str | None) -> dg.SensorResult:
    """One look of a sensor that was just started, with the cursor that Dagster kept."""
    (sensor,) = sensors(home.settings)
    result = sensor(dg.build_sensor_context(instance=home.instance, cursor=cursor))
    assert isinstance(result, dg.SensorResult)
    return result


def asked(result: dg.SensorResult) -> list[dg.RunRequest]:
    return list(result.run_requests or [])


def test_the_sensor_asks_once_for_each_file_that_comes(home: Home, drop: Path) -> None:
    nothing = tick(home, None)
    assert asked(nothing) == []
    drop.mkdir(exist_ok=True)
    (drop / ".a.json.part").write_text("[")
    assert asked(tick(home, nothing.cursor)) == []
    (drop / "a.json").write_text("[]")
    first = tick(home, nothing.cursor)
    assert [request.partition_key for request in asked(first)] == ["2025-10-12"]
    # The tick was lost before its cursor was kept: the same key, which Dagster answers once.
    assert asked(tick(home, nothing.cursor)) == asked(first)
    assert asked(tick(home, first.cursor)) == []
    (drop / "b.json").write_text("[]")
    second = tick(home, first.cursor)
    assert len(asked(second)) == 1
    news_drop.taken(drop / "a.json")
    news_drop.taken(drop / "b.json")
    emptied = tick(home, second.cursor)
    assert asked(emptied) == []
    # Put back as it was: the same name, inode, size and time.
    (drop / news_drop.TAKEN / "a.json").rename(drop / "a.json")
    back = tick(home, emptied.cursor)
    (drop / "a.json").unlink()
    (drop / "a.json").write_text("[ ]")
    again = tick(home, back.cursor)
    keys = [request.run_key for result in (first, second, back, again) for request in asked(result)]
    assert len(set(keys)) == len(keys) == 4


def test_a_file_whose_run_failed_is_asked_for_again_after_a_quarter_of_an_hour(home: Home, drop: Path) -> None:
    drop.mkdir(exist_ok=True)
    (drop / "a.json").write_text("[]")
    result, requests = tick(home, None), []
    for number in range(1, 2 * AGAIN + 1):
        result = tick(home, result.cursor)
        requests += [(number, request.run_key) for request in asked(result)]
    assert [number for number, _ in requests] == [AGAIN, 2 * AGAIN]
    assert len({key for _, key in requests} | {request.run_key for request in asked(tick(home, None))}) == 3
    # A new file does not wait for that.
    (drop / "b.json").write_text("[]")
    assert len(asked(tick(home, result.cursor))) == 1


def test_a_tick_of_the_sensor_is_a_run_of_the_online_job_for_the_week_of_the_last_bar(home: Home, drop: Path) -> None:
    drop.mkdir(exist_ok=True)
    (drop / "a.json").write_text("[]")
    repository = home.plan.defs.get_repository_def()
    sensor = repository.get_sensor_def("news_drop")
    with dg.build_sensor_context(instance=home.instance, repository_def=repository) as context:
        (request,) = sensor.evaluate_tick(context).run_requests or []
    assert (sensor.job_name, request.tags["dagster/partition"]) == ("news_online", "2025-10-12")


def requests_of(schedule: dg.ScheduleDefinition) -> list[dg.RunRequest]:
    requests = schedule(dg.build_schedule_context())
    assert isinstance(requests, list)
    return requests


def weeks(schedule: dg.ScheduleDefinition) -> list[str | None]:
    return [request.partition_key for request in requests_of(schedule)]


def test_the_schedule_asks_for_the_current_week_unless_a_run_is_under_way(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    (schedule,) = schedules(home.settings)
    assert schedule.cron_schedule == "*/15 * * * *"
    with dg.DagsterInstance.ephemeral() as instance:
        # A context for tests takes only an instance with files, whose databases would cost a second.
        monkeypatch.setattr(dg.ScheduleEvaluationContext, "instance", instance)
        assert weeks(schedule) == ["2025-10-12"]
        instance.add_run(dg.DagsterRun(job_name="news_online", status=dg.DagsterRunStatus.STARTED))
        assert isinstance(schedule(dg.build_schedule_context()), dg.SkipReason)
        # A run that was killed stays STARTED; once it is older than any may be, it holds up no other.
        monkeypatch.setattr("spx_assets.automation.schedules.NEWS_MAX_RUNTIME_S", -60)
        assert weeks(schedule) == ["2025-10-12"]
    assert home.plan.defs.resolve_job_def("news_online").tags["dagster/max_runtime"] == "900"


def test_the_schedule_asks_once_for_a_last_week_whose_articles_were_never_made(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    (schedule,) = schedules(home.settings)
    late = news_simulator.simulated("neutral", 1, at=datetime(2025, 10, 12, 20, 58, tzinfo=UTC))
    news_landing.land(Lake.open(home.settings), "wire", late, name="late")
    with dg.DagsterInstance.ephemeral() as instance:
        monkeypatch.setattr(dg.ScheduleEvaluationContext, "instance", instance)
        request, current = requests_of(schedule)
        assert [request.partition_key, current.partition_key] == ["2025-10-05", "2025-10-12"]
        instance.add_run(dg.DagsterRun(job_name="news_online", tags=request.tags, status=dg.DagsterRunStatus.FAILURE))
        assert weeks(schedule) == ["2025-10-12"]


@pytest.mark.parametrize(("set_to", "running"), [(None, False), (False, False), (True, True)])
def test_schedule_and_sensor_are_on_from_the_start_only_where_a_setting_says_so(
    settings: Settings, set_to: bool | None, running: bool
) -> None:
    changed = settings.model_copy(update={"news": settings.news.model_copy(update={"online": set_to, "watch": set_to})})
    (schedule,), (sensor,) = schedules(changed), sensors(changed)
    assert [schedule.default_status.value, sensor.default_status.value] == ["RUNNING" if running else "STOPPED"] * 2
