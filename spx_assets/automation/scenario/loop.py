"""The loop, shown: a market changes, its drift is seen, one training answers it, the gate decides, the service swaps.

Belongs here: the daemon and the service beside the story, waiting until the loop has closed. Does not: the market (`market`),
what must have been recorded (`told`), anything that sensors, jobs and the service do.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import dagster as dg
import httpx
import polars as pl
from dagster._core.scheduler.instigation import SensorInstigatorData

from spx_assets.automation import champions, instance, measured
from spx_assets.automation.backfill import Backfill
from spx_assets.automation.jobs import RETRAIN
from spx_assets.automation.retraining import EVENT
from spx_assets.automation.scenario import market
from spx_assets.automation.scenario.market import INSTRUMENT
from spx_assets.automation.scenario.told import ScenarioError, Timeline, Told, entered, recorded
from spx_assets.cli import processes
from spx_assets.lake import Lake
from spx_assets.lake.measure_tables import DRIFT_REPORTS
from spx_assets.lake.monitoring_tables import ALERTS
from spx_assets.settings import Settings

PATIENCE_S = 1800.0
"""Without `small` three families learn two horizons from 143 inputs; on two busy cores that has taken minutes."""


def drift(home: Path, *, small: bool, tell: Callable[[str], None]) -> tuple[Timeline, Told]:
    """Play the scenario in `home`; ScenarioError unless one training, and one verdict and alert of each kind, came of it."""
    settings = market.new_home(home, small=small)
    instance.place(settings)
    lake = Lake.open(settings)
    with dg.DagsterInstance.get() as runs:
        plan = Backfill(settings, runs)
        tell("a calm market, and a model of its first weeks")
        market.learn(plan)
        market.daily(plan, market.go_on(plan), small=True)
        if not small:
            plan.run(["gold/forecasts"])
        red = lake.read(DRIFT_REPORTS).filter("drifted")
        if red.height:
            raise ScenarioError(f"the calm market drifted: {red.to_dicts()}")
        with processes.running_service(settings) as url, _daemon(settings):
            before = versions(url, settings)
            _until(lambda: {measured.DRIFT, champions.NAME} <= _looking(runs), "the daemon's sensors to look")
            tell(f"served: {', '.join(f'{name} {version}' for name, version in before.items())}")
            line, since = Timeline(), datetime.now().astimezone()
            tell("a day of another market, and its daily run")
            week = market.change(plan)
            line.mark("market changed")
            market.daily(plan, [week], small=small)
            line.mark("daily run")
            newest = lake.read(DRIFT_REPORTS).sort("trading_day")
            if not newest["drifted"].to_list()[-1:] == [True]:
                raise ScenarioError(f"the other market was not told from the calm one: {newest['reason'].to_list()[-1:]}")
            _follow(settings, runs, lake, url, before, since, line)
        told = recorded(lake, runs, since)
    names = [name for name, _, _ in settings.model_names]
    if wrong := told.problems(names):
        raise ScenarioError(f"recorded since the market changed: {', '.join(wrong)}; look at them with SPX_HOME={home} spx up")
    lake.close()
    return line, told


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
        moved = set(entered(lake, since).filter(pl.col("verdict") == "promoted")["model_name"])
        now = versions(url, settings)
        swapped, announced = all(now[name] != before[name] for name in moved), alerts.count("promotion") >= len(moved)
        if swapped:
            line.mark("served" if moved else "champion kept")
        if announced:
            line.mark("promotion announced" if moved else "nothing to announce")
        return swapped and announced and "drift alert" in line.seen

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
