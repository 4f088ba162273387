"""The loop, shown: a market changes, its drift is seen, one training answers it, the gate decides, the service swaps.

Belongs here: a home of its own, the market's two regimes, the daemon and the service beside it, when each thing was seen to
happen, what must have been recorded. Does not: doing any of it: sensors, jobs and the service do, as they do under `spx up`.

The first model learns from too few days for the gate, so that it is served with a flag. The market then goes on for two weeks
as it was, until a day three times as volatile and as wide. What was learned by then has days enough to be judged by.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import httpx
import polars as pl
from dagster._core.scheduler.instigation import SensorInstigatorData
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from spx_assets import SpxError, calendar
from spx_assets.automation import champions, instance, measured, stale
from spx_assets.automation.backfill import Backfill
from spx_assets.automation.jobs import DAILY, RETRAIN
from spx_assets.automation.retraining import EVENT
from spx_assets.cli import processes
from spx_assets.lake import Lake
from spx_assets.lake.measure_tables import DRIFT_REPORTS
from spx_assets.lake.model_tables import PROMOTIONS
from spx_assets.lake.monitoring_tables import ALERTS
from spx_assets.partitions import key_of
from spx_assets.settings import Settings, SimulatorSettings, load
from spx_assets.sources import feeds, simulator

INSTRUMENT = "SPX500_USD"
MARK = "scenario.json"
CALM_DAYS, LEARNED_WEEKS = 31, 2
"""Trading days before the change; of their weeks so many come after the first training."""
REGIME = 3.0
PATIENCE_S = 600.0

RULES = {
    # What the clock would ask for at its hour is no part of the story.
    "SPX_AUTOMATION__ON": "true",
    "SPX_AUTOMATION__RETRAIN": "off",
    "SPX_SERVING__LEDGER__SETTLE": "false",
}
SMALL = {
    "SPX_AUTOMATION__INTERVAL_S": "5",
    "SPX_LABELS__HORIZONS": "[30]",
    "SPX_MODELS__FAMILIES": '["lightgbm"]',
    # The simulator's edge lies in these; all 143 inputs would double what each training and each day's drift costs.
    "SPX_MODELS__FEATURES": json.dumps({"spx500_h30": ["returns", "volatility", "calendar"]}),
    "SPX_MODELS__LIGHTGBM": json.dumps({"learning_rate": 0.2, "max_rounds": 15, "early_stopping_rounds": 15, "threads": 1}),
}


class ScenarioError(SpxError):
    """The scenario's home cannot be used, or the loop did not close as it should."""


@dataclass
class Timeline:
    """Seconds after the daily cycle began at which each thing was seen."""

    began: float = field(default_factory=time.monotonic)
    seen: dict[str, float] = field(default_factory=dict)

    def mark(self, what: str) -> None:
        self.seen.setdefault(what, round(time.monotonic() - self.began, 1))


@dataclass(frozen=True)
class Told:
    """What was recorded since the market changed: retrain runs, verdicts and promotion alerts by forecaster, drift alerts."""

    retrain_runs: list[str]
    verdicts: dict[str, list[str]]
    drift_alerts: int
    promoted: dict[str, int]

    def problems(self, names: list[str]) -> list[str]:
        """What is not as it should be."""
        wrong = [f"{len(self.retrain_runs)} retrain runs"] if len(self.retrain_runs) != 1 else []
        wrong += [
            f"{len(self.verdicts.get(name, []))} verdicts on {name}" for name in names if len(self.verdicts.get(name, [])) != 1
        ]
        wrong += [f"{self.drift_alerts} drift alerts"] if self.drift_alerts != 1 else []
        wrong += [f"{alerts} promotion alerts of {name}" for name, alerts in self.promoted.items() if alerts != 1]
        return wrong


def drift(home: Path, *, small: bool, tell: Callable[[str], None]) -> tuple[Timeline, Told]:
    """Play the scenario in `home`; ScenarioError unless one training, and one verdict and alert of each kind, came of it."""
    settings = new_home(home, small=small)
    instance.place(settings)
    lake = Lake.open(settings)
    with dg.DagsterInstance.get() as runs:
        plan = Backfill(settings, runs)
        tell("a calm market, and a model of its first weeks")
        learn(plan)
        daily(plan, go_on(plan), small=True)
        if not small:
            plan.run(["gold/forecasts"])
        red = lake.read(DRIFT_REPORTS).filter("drifted")
        if red.height:
            raise ScenarioError(f"the calm market drifted: {red.to_dicts()}")
        with _served(settings) as url, _daemon(settings):
            before = versions(url, settings)
            _until(lambda: {measured.DRIFT, champions.NAME} <= _looking(runs), "the daemon's sensors to look")
            tell(f"served: {before}")
            line, since = Timeline(), datetime.now().astimezone()
            tell("a day of another market, and its daily run")
            week = change(plan)
            line.mark("market changed")
            daily(plan, [week], small=small)
            line.mark("daily run")
            _follow(settings, runs, lake, url, before, since, line)
        told = recorded(lake, runs, since)
    names = [name for name, _, _ in settings.model_names]
    if wrong := told.problems(names):
        raise ScenarioError(f"recorded since the market changed: {', '.join(wrong)}; look at them with SPX_HOME={home} spx up")
    lake.close()
    return line, told


def learn(plan: Backfill) -> None:
    """The first weeks of the calm market, and the model that is served since."""
    first = calendar.shift_trading_days(simulator.ANCHOR_DAY, -CALM_DAYS)
    _import(plan, "calm", first, _learned() + timedelta(days=5))
    daily(plan, calendar.week_range(calendar.week_of_day(first), _learned()), small=True)
    plan.run(["gold/labels", "models/*"], first=_learned(), last=_learned())


def go_on(plan: Backfill) -> list[date]:
    """Two weeks more of the calm market, up to the day before it changes, as candles; those weeks."""
    later = _learned() + timedelta(weeks=1)
    _import(plan, "later", later + timedelta(days=1), simulator.ANCHOR_DAY - timedelta(days=1))
    return calendar.week_range(later, calendar.week_of_day(simulator.ANCHOR_DAY))


def change(plan: Backfill) -> date:
    """A day of another market as candles; its week."""
    _import(plan, "regime", simulator.ANCHOR_DAY, simulator.ANCHOR_DAY, volatility=REGIME, spread=REGIME)
    return calendar.week_of_day(simulator.ANCHOR_DAY)


def _learned() -> date:
    return calendar.week_of_day(simulator.ANCHOR_DAY) - timedelta(weeks=LEARNED_WEEKS)


def new_home(home: Path, *, small: bool) -> Settings:
    """A new home with the scenario's settings; one that an earlier scenario left is replaced."""
    if home.exists() and any(home.iterdir()):
        if not (home / MARK).exists():
            raise ScenarioError(f"{home} is no home of a scenario; name another with --home")
        shutil.rmtree(home)
    home.mkdir(parents=True, exist_ok=True)
    (home / MARK).write_text(json.dumps({"scenario": "drift", "small": small}))
    rules = RULES | (SMALL if small else {}) | _gate()
    (home / "settings.env").write_text("".join(f"{name}={value}\n" for name, value in rules.items()))
    return load(home)


def _gate() -> dict[str, str]:
    """Between the effective observations of the first training and those of the second."""
    return {"SPX_MODELS__GATE__MIN_EFFECTIVE_OBS": "120"}


def _import(plan: Backfill, name: str, first: date, last: date, *, volatility: float = 1.0, spread: float = 1.0) -> None:
    """Days of the simulator's market as a file of candles, which the feed is extended by."""
    market = SimulatorSettings(edge=4.0, volatility=volatility, spread=spread)
    days = calendar.day_window(first)[0], calendar.day_window(last)[1]
    rows = simulator.generate(market, *days, instrument=INSTRUMENT)
    path = plan.settings.home / f"{name}.parquet"
    rows.write_parquet(path)
    feeds.import_file(plan.lake, path, instrument=INSTRUMENT)


def daily(plan: Backfill, weeks: Sequence[date], *, small: bool) -> None:
    """The daily job's run for the weeks, in this process; `small`: of what it measures the drift alone."""
    job = plan.defs.resolve_job_def(DAILY)
    wanted = set(job.asset_layer.executable_asset_keys)
    if small:
        wanted &= {*stale.features(plan.graph), dg.AssetKey(["monitoring", "feature_drift"])}
    first, last = key_of(weeks[0]), key_of(weeks[-1])
    of_range = {ASSET_PARTITION_RANGE_START_TAG: first, ASSET_PARTITION_RANGE_END_TAG: last} if len(weeks) > 1 else {}
    done = job.execute_in_process(
        instance=plan.instance,
        partition_key=first if len(weeks) == 1 else None,
        asset_selection=sorted(wanted),
        tags={"spx/scenario": "drift", **of_range},
        run_config={"loggers": {"console": {"config": {"log_level": "WARNING"}}}},
    )
    assert done.success


def _follow(
    settings: Settings,
    runs: dg.DagsterInstance,
    lake: Lake,
    url: str,
    before: dict[str, str],
    since: datetime,
    line: Timeline,
) -> None:
    """Until what the sensors began has ended and the service answers with what the gate decided."""

    def happened() -> bool:
        if lake.read(DRIFT_REPORTS).filter("drifted").height:
            line.mark("report red")
        alerts = lake.read(ALERTS).filter(pl.col("created_at") > since)["kind"].to_list()
        if "drift" in alerts:
            line.mark("drift alert")
        asked = runs.get_runs(dg.RunsFilter(job_name=RETRAIN, tags={EVENT: _event(lake)})) if "report red" in line.seen else []
        if not asked:
            return False
        line.mark("training asked for")
        if not asked[0].is_finished:
            return False
        line.mark("training over")
        if not asked[0].is_success:
            raise ScenarioError(f"run {asked[0].run_id} of {RETRAIN} failed; see why with SPX_HOME={settings.home} spx up")
        verdicts = lake.read(PROMOTIONS).filter(pl.col("decided_at") > since, pl.col("rank") == 1)
        moved = set(verdicts.filter(pl.col("verdict") == "promoted")["model_name"])
        now = versions(url, settings)
        if all(now[name] != before[name] for name in moved):
            line.mark("served" if moved else "champion kept")
        if alerts.count("promotion") >= len(moved):
            line.mark("promotion announced" if moved else "nothing to announce")
        return len(line.seen) >= 8

    _until(happened, f"the loop to close; so far {line.seen}")


def _looking(runs: dg.DagsterInstance) -> set[str]:
    """Sensors that have looked at least once and kept what they saw."""
    states = {state.instigator_name: state.instigator_data for state in runs.all_instigator_state()}
    return {name for name, data in states.items() if isinstance(data, SensorInstigatorData) and data.cursor}


def _event(lake: Lake) -> str:
    day = lake.read(DRIFT_REPORTS).filter("drifted")["trading_day"].sort()[-1]
    return f"drift {INSTRUMENT} {day}"


def versions(url: str, settings: Settings) -> dict[str, str]:
    """The version that answers for each forecaster, asked of the service."""
    found = {}
    for name, _, horizon in settings.model_names:
        body = {"instrument": INSTRUMENT, "horizon_minutes": horizon}
        answer = httpx.post(f"{url}/predict", json=body, timeout=30.0)
        if answer.status_code != httpx.codes.OK:
            raise ScenarioError(f"POST /predict answered {answer.status_code}: {answer.text}")
        found[name] = str(answer.json()["model_version"])
    return found


def recorded(lake: Lake, runs: dg.DagsterInstance, since: datetime) -> Told:
    verdicts: dict[str, list[str]] = {}
    entered = lake.read(PROMOTIONS).filter(pl.col("decided_at") > since, pl.col("rank") == 1)
    for name, verdict in entered.select("model_name", "verdict").iter_rows():
        verdicts.setdefault(name, []).append(verdict)
    alerts = lake.read(ALERTS).filter(pl.col("created_at") > since)
    announced = alerts.filter(pl.col("kind") == "promotion")["key"].to_list()
    promoted = [name for name, told in verdicts.items() if "promoted" in told]
    return Told(
        retrain_runs=[run.run_id for run in runs.get_runs(dg.RunsFilter(job_name=RETRAIN))],
        verdicts=verdicts,
        drift_alerts=alerts.filter(pl.col("kind") == "drift").height,
        promoted={name: sum(key.startswith(f"{name} ") for key in announced) for name in promoted},
    )


@contextmanager
def _served(settings: Settings) -> Iterator[str]:
    with processes.running_service(settings) as url:
        yield url


@contextmanager
def _daemon(settings: Settings) -> Iterator[None]:
    """Dagster's daemon and the code location it loads, as `spx up` starts them, without the UI."""
    command = [sys.executable, "-m", "dagster._daemon", "run", "-w", str(instance.ROOT / "workspace.yaml")]
    with (settings.home / "daemon.log").open("wb") as log:
        child = processes.start(command, output=log)
    try:
        yield
    finally:
        processes.end([child])


def _until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            raise ScenarioError(f"waited {PATIENCE_S:g} s for {what}")
        time.sleep(0.5)
