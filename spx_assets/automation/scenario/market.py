"""The story's home and its market: calm weeks, then a day five times as volatile and as wide.

Belongs here: settings of the home, candles as files, what is made of them before the loop begins. Does not: watching the loop
(`loop`).
"""

import json
import shutil
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from spx_assets import calendar
from spx_assets.automation import stale
from spx_assets.automation.backfill import Backfill
from spx_assets.automation.jobs import DAILY
from spx_assets.automation.scenario.told import ScenarioError
from spx_assets.partitions import key_of
from spx_assets.settings import Settings, SimulatorSettings, load
from spx_assets.sources import feeds, simulator

INSTRUMENT = "SPX500_USD"
MARK = "scenario.json"
CALM_DAYS, LEARNED_WEEKS = 17, 2
"""Trading days before the change; of their weeks so many come after the first training."""
SEED, EDGE = 12, 4.0
"""A market whose first ten days teach a champion that eighteen beat (Diebold-Mariano p 0.02). Ten days are a short reference,
but of 80 seeds five give a false alarm in the seven calm days after."""
REGIME = 5.0
"""Beside ten days a volatility three times as high is told on its first day in 78 of 80 markets: a story should hang on none."""

RULES = {
    # What the clock would ask for at its hour is no part of the story.
    "SPX_AUTOMATION__ON": "true",
    "SPX_AUTOMATION__RETRAIN": "off",
    "SPX_SERVING__LEDGER__SETTLE": "false",
    # Ten days leave 39 effective observations out of time; the market's edge is strong enough to be told by them.
    "SPX_MODELS__GATE__MIN_EFFECTIVE_OBS": "30",
}
LEARNED = {"learning_rate": 0.2, "max_rounds": 15, "early_stopping_rounds": 15, "min_child_samples": 1000, "threads": 1}
SMALL = {
    "SPX_AUTOMATION__INTERVAL_S": "5",
    "SPX_LABELS__HORIZONS": "[30]",
    "SPX_MODELS__FAMILIES": '["lightgbm"]',
    # The simulator's edge lies in these; all 143 inputs would double what each training and each day's drift costs.
    "SPX_MODELS__FEATURES": json.dumps({"spx500_h30": ["returns", "volatility", "calendar"]}),
    "SPX_MODELS__LIGHTGBM": json.dumps(LEARNED),
}


def new_home(home: Path, *, small: bool) -> Settings:
    """A new home with the scenario's settings; one that an earlier scenario left is replaced."""
    if home.exists() and any(home.iterdir()):
        if not (home / MARK).exists():
            raise ScenarioError(f"{home} is no home of a scenario; name another with --home")
        shutil.rmtree(home)
    home.mkdir(parents=True, exist_ok=True)
    (home / MARK).write_text(json.dumps({"scenario": "drift", "small": small}))
    # Else the UI would count the weeks since 2010 and show none of them filled.
    rules = RULES | (SMALL if small else {}) | {"SPX_HISTORY_START": str(calendar.week_of_day(_first()))}
    (home / "settings.env").write_text("".join(f"{name}={value}\n" for name, value in rules.items()))
    return load(home)


def learn(plan: Backfill) -> None:
    """The first weeks of the calm market, and the model that is served since."""
    _import(plan, "calm", _first(), _learned() + timedelta(days=5))
    daily(plan, calendar.week_range(calendar.week_of_day(_first()), _learned()), small=True)
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
    if not done.success:
        raise ScenarioError(f"run {done.run_id} of {DAILY} failed; see why with SPX_HOME={plan.settings.home} spx up")


def _first() -> date:
    return calendar.shift_trading_days(simulator.ANCHOR_DAY, -CALM_DAYS)


def _learned() -> date:
    return calendar.week_of_day(simulator.ANCHOR_DAY) - timedelta(weeks=LEARNED_WEEKS)


def _import(plan: Backfill, name: str, first: date, last: date, *, volatility: float = 1.0, spread: float = 1.0) -> None:
    """Days of the simulator's market as a file of candles, which the feed is extended by."""
    market = SimulatorSettings(seed=SEED, edge=EDGE, volatility=volatility, spread=spread)
    days = calendar.day_window(first)[0], calendar.day_window(last)[1]
    rows = simulator.generate(market, *days, instrument=INSTRUMENT)
    path = plan.settings.home / f"{name}.parquet"
    rows.write_parquet(path)
    feeds.import_file(plan.lake, path, instrument=INSTRUMENT)
